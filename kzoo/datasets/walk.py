"""A walk through a folder of images: what is read, what is left out, which links are refused."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kzoo.datasets.image_kinds import ENDINGS, UNREADABLE
from kzoo.datasets.progress import OnProgress, Teller
from kzoo.errors import DataError

# Folders that systems and editors leave behind, in lower case; those with a leading dot are hidden
# anyway.
_LITTER = frozenset(
    {
        "__macosx", "__pycache__", "@eadir", "@recycle", "#recycle", "#snapshot", "$recycle.bin",
        "recycler", "system volume information", "lost+found", "found.000",
    }
)  # fmt: skip
_CLASSES_SHOWN = 20
CONVERT = (
    "convert them to JPEG or PNG (the Python package pillow-heif reads .heic, rawpy the raw files "
    "of cameras)"
)

Entry = os.DirEntry[str]


@dataclass(frozen=True)
class Contents:
    """What a folder holds that is not hidden, by name.

    Attributes:
        folders: Its folders.
        links: Symbolic links to folders.
        files: Everything else.
    """

    folders: list[Entry]
    links: list[Entry]
    files: list[Entry]

    @property
    def has_images(self) -> bool:
        """Whether images lie right in it, whether they can be read or not."""
        return any(ending_of(entry) in ENDINGS | UNREADABLE for entry in self.files)


def look(folder: str | Path) -> Contents:
    """Return what a folder holds, without what is hidden or litter.

    Raises:
        OSError: it cannot be read.
    """
    contents = Contents([], [], [])
    for entry in _entries(folder):
        if _is_hidden(entry):
            continue
        if _is_link_to_folder(entry):
            contents.links.append(entry)
        else:
            (contents.folders if _is_folder(entry) else contents.files).append(entry)
    return contents


@dataclass
class Walk:
    """Lists images, and remembers what it left out.

    Attributes:
        root: No link may lead out of it.
        on_progress: Told how many images were found so far.
        skipped: Hidden files and files that are no images.
        strays: Images beside the class folders.
        unread: Of each class the images of kinds that cannot be read, by ending.
        notices: What else a person should know.
    """

    root: Path
    on_progress: OnProgress | None = None
    skipped: int = 0
    strays: int = 0
    unread: dict[str, Counter[str]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tell = Teller(self.on_progress, f"Looking for images in {self.root}")
        self._found = 0

    def class_folders(self, folder: Path) -> list[Entry]:
        """Return the folders within a folder, and count what lies beside them.

        Raises:
            DataError: a link leads to a folder.
        """
        contents = look(folder)
        for link in contents.links:
            self.refuse_link(link)
        self.count_beside(folder)
        return contents.folders

    def count_beside(self, folder: Path) -> None:
        """Count the files right in a folder, none of which is read."""
        for entry in _entries(folder):
            if not _is_folder(entry) and not _is_link_to_folder(entry):
                is_image = ending_of(entry) in ENDINGS and not _is_hidden(entry)
                self.strays += is_image
                self.skipped += not is_image

    def images(self, folder: Path, class_name: str = "") -> list[Path]:
        """Return the images in a folder and in the folders within it, by path.

        Raises:
            DataError: a link leads out of `root` or to a folder.
        """
        found: list[Path] = []
        waiting: list[str | Path] = [folder]
        while waiting:
            for entry in _entries(waiting.pop()):
                if _is_folder(entry):
                    waiting += [] if _is_hidden(entry) else [entry.path]
                elif self._is_read(entry, class_name):
                    found.append(Path(entry.path))
                    self._tell(self._found + len(found))
        self._found += len(found)
        return sorted(found)

    def _is_read(self, entry: Entry, class_name: str) -> bool:
        """Return whether this is an image to read; count it where it is not."""
        ending = ending_of(entry)
        if not _is_hidden(entry):
            if ending in ENDINGS or _is_link_to_folder(entry):
                self.refuse_link(entry)
            if ending in ENDINGS and _is_file(entry):
                return True
            if ending in UNREADABLE:
                self.unread.setdefault(class_name, Counter())[ending] += 1
                return False
        self.skipped += 1
        return False

    def refuse_link(self, entry: Entry) -> None:
        """Refuse what would be read, if it is a link that leads out of `root` or to a folder.

        Raises:
            DataError: it does.
        """
        if not entry.is_symlink():
            return
        target = Path(os.path.realpath(entry.path))
        if not target.is_relative_to(os.path.realpath(self.root)):
            raise DataError(
                f"{entry.path}: received a symbolic link to {target}; "
                "expected none that leads out of the folder"
            )
        if target.is_dir():
            raise DataError(
                f"{entry.path}: received a symbolic link to a folder; expected the folder itself"
            )

    def left_out(self) -> Iterator[str]:
        """Give a notice for each kind of thing that was left out."""
        if self.unread:
            yield f"{self.root}: {self.describe_unread()}"
        yield from self.notices
        if self.strays:
            yield (
                f"{self.root}: images that lie beside the class folders are of no class, and are "
                f"left out ({self.strays})."
            )
        if self.skipped:
            yield (
                f"{self.root}: hidden files and files that are no images are skipped "
                f"({self.skipped})."
            )

    def describe_unread(self) -> str:
        """Return how many images of each class cannot be read, and what to do."""
        total = sum(counter.total() for counter in self.unread.values())
        most = sorted(self.unread.items(), key=lambda item: -item[1].total())
        shown = [
            f"{name + ': ' if name else ''}{counter.total():,} ({', '.join(sorted(counter))})"
            for name, counter in most[:_CLASSES_SHOWN]
        ]
        if len(most) > _CLASSES_SHOWN:
            shown.append(f"and others of {len(most) - _CLASSES_SHOWN} more classes")
        return (
            f"images of kinds that kzoo cannot read are left out ({total:,}): "
            f"{', '.join(shown)}; {CONVERT}."
        )


def ending_of(entry: Entry) -> str:
    """Return the ending of a name, in lower case."""
    return Path(entry.name).suffix.lower()


def _entries(folder: str | Path) -> list[Entry]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_hidden(entry: Entry) -> bool:
    return entry.name.startswith(".") or entry.name.lower() in _LITTER


def _is_folder(entry: Entry) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _is_file(entry: Entry) -> bool:
    # Asked of the path, a file on a network would have to be looked up once more.
    return Path(entry.path).is_file() if entry.is_symlink() else entry.is_file()


def _is_link_to_folder(entry: Entry) -> bool:
    # Asked of the entry itself, a link in a circle raises.
    return entry.is_symlink() and Path(entry.path).is_dir()
