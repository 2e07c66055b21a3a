"""The formats of files and folders that are read: an entry each is all that kzoo knows of one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kzoo.datasets.csv_table import read_csv, read_unlabelled_csv
from kzoo.datasets.dataset import Source
from kzoo.datasets.idx import is_idx_name, read_idx_folder
from kzoo.datasets.image_folder import read_image_folder, read_unlabelled_images
from kzoo.datasets.image_kinds import ENDINGS, UNREADABLE
from kzoo.datasets.npz import read_npz
from kzoo.datasets.progress import OnProgress
from kzoo.errors import DataError
from kzoo.spec.spec import DatasetSpec

# Of a path and a dataset section; with `tells_progress` also of the keyword `on_progress`.
Reader = Callable[..., Source]


@dataclass(frozen=True)
class PathFacts:
    """What a look at a path tells before anything is opened.

    Attributes:
        path: It.
        ending: Of a file's name, in lower case; empty for a folder.
        entries: What a folder holds.
        has_folders: Whether it holds a folder.
    """

    path: Path
    ending: str
    entries: tuple[Path, ...]
    has_folders: bool


@dataclass(frozen=True)
class Format:
    """All that is known of a format.

    Attributes:
        words: What it is called in an error.
        matches: Tells it by what a look at a path tells; the first format that matches is taken.
        read: Reads it, with labels where it has them.
        read_inputs: Reads it without labels, where that is done in another way.
        settings: The settings of a dataset section that are meant for it.
        received: What it is called where a setting is refused, if not `words`.
        is_trained_on: Whether it has labels; if not, it can only be classified.
        tells_progress: Whether its readers also take ``on_progress``, as they may take minutes.
    """

    words: str
    matches: Callable[[PathFacts], bool]
    read: Reader
    read_inputs: Reader | None = None
    settings: tuple[str, ...] = ()
    received: str = ""
    is_trained_on: bool = True
    tells_progress: bool = False


def _read_image_folder(path: Path, section: DatasetSpec, on_progress: OnProgress | None) -> Source:
    return read_image_folder(
        path, section.image_size, section.memory_limit, section.image_bits, on_progress
    )


def _read_unlabelled_images(
    path: Path, section: DatasetSpec, on_progress: OnProgress | None
) -> Source:
    return read_unlabelled_images(
        path, section.image_size, section.memory_limit, section.image_bits, on_progress
    )


FORMATS: tuple[Format, ...] = (
    Format(
        "an .npz file",
        matches=lambda facts: facts.ending == ".npz",
        read=lambda path, _: read_npz(path),
    ),
    Format(
        "a .csv file",
        matches=lambda facts: facts.ending == ".csv",
        read=lambda path, section: read_csv(path, section.label),
        read_inputs=lambda path, section: read_unlabelled_csv(path, section.label),
        settings=("label",),
    ),
    Format(
        "a folder of IDX files",
        matches=lambda facts: any(is_idx_name(entry.name) for entry in facts.entries),
        read=lambda path, _: read_idx_folder(path),
    ),
    Format(
        "a folder of class folders of images",
        matches=lambda facts: facts.has_folders,
        read=_read_image_folder,
        read_inputs=_read_unlabelled_images,
        settings=("image_size", "image_bits", "memory_limit"),
        received="a folder of folders",
        tells_progress=True,
    ),
    Format(
        "a folder of images",
        matches=lambda facts: any(
            entry.suffix.lower() in ENDINGS | UNREADABLE for entry in facts.entries
        ),
        read=_read_unlabelled_images,
        settings=("image_size", "image_bits", "memory_limit"),
        is_trained_on=False,
        tells_progress=True,
    ),
)


def read_path(
    path: Path,
    section: DatasetSpec,
    *,
    with_labels: bool = True,
    on_progress: OnProgress | None = None,
) -> Source | None:
    """Read a file or folder by its format, or return None where it rather is a misspelt name.

    Args:
        path: What ``dataset.name`` says.
        section: Its other settings say how to read it.
        with_labels: Whether it is to be trained on. If not, settings that mean nothing for it are
            left alone.
        on_progress: Told how far it is, where that may take minutes.

    Raises:
        DataError: there is no such path, it is of no format that kzoo reads, or it is damaged.
    """
    try:
        is_file, is_folder, exists = path.is_file(), path.is_dir(), path.exists()
        facts = _look_at(path)
    except OSError as error:
        raise DataError(f"dataset.name: {path}: {error.strerror}") from error
    formats = _formats(with_labels=with_labels)
    found = _find(facts, formats) if is_file or is_folder else None
    listener = {"on_progress": on_progress} if found and found.tells_progress else {}
    if found is not None and not with_labels:
        return (found.read_inputs or found.read)(path, section, **listener)
    if found is not None:
        received = f"{path}, {found.received or found.words}"
        refuse_settings(section, received, but=found.settings)
        return found.read(path, section, **listener)
    *others, last = (known.words for known in formats)
    accepted = f"{', '.join(others)} or {last}"
    if exists:
        raise DataError(
            f"{path}: received {_describe(facts)}, "
            f"not a kind of data that kzoo reads; expected {accepted}"
        )
    if len(path.parts) > 1 or path.suffix:
        raise DataError(f"{path}: no such file or folder; expected {accepted}, or a dataset's name")
    return None


def all_settings() -> tuple[str, ...]:
    """Return the settings of a dataset section that say how to read a format."""
    return tuple(dict.fromkeys(name for known in _formats() for name in known.settings))


def unfit_settings(path: Path) -> tuple[str, ...]:
    """Return the settings of a dataset section that mean nothing for what a path leads to."""
    found = None
    with suppress(OSError):
        found = _find(_look_at(path), _formats())
    fit = found.settings if found else ()
    return tuple(name for name in all_settings() if name not in fit)


def refuse_settings(section: DatasetSpec, received: str, *, but: Collection[str] = ()) -> None:
    """Refuse the settings of a dataset section that mean nothing for its data.

    Args:
        section: What the spec says.
        received: The data, in words.
        but: The settings that are meant for such data.

    Raises:
        DataError: another one is set.
    """
    for name in all_settings():
        if name not in but and getattr(section, name) is not None:
            expected = " or ".join(known.words for known in _formats() if name in known.settings)
            raise DataError(
                f"dataset.{name}: received it for {received}; expected it with {expected} alone"
            )


def _formats(*, with_labels: bool = True) -> list[Format]:
    return [known for known in FORMATS if known.is_trained_on or not with_labels]


def _look_at(path: Path) -> PathFacts:
    if not path.is_dir():
        return PathFacts(path, path.suffix.lower(), (), has_folders=False)
    entries = tuple(path.iterdir())
    return PathFacts(path, "", entries, any(entry.is_dir() for entry in entries))


def _find(facts: PathFacts, formats: Sequence[Format]) -> Format | None:
    return next((known for known in formats if known.matches(facts)), None)


def _describe(facts: PathFacts) -> str:
    path = facts.path
    if is_idx_name(path.name):
        return "a single IDX file (name its folder instead)"
    if not path.is_file() and not path.is_dir():
        return "a pipe or a device"
    if not path.is_dir():
        return f"a {path.suffix} file" if path.suffix else "a file without an ending"
    if not facts.entries:
        return "an empty folder"
    return (
        "a folder of one file"
        if len(facts.entries) == 1
        else (f"a folder of {len(facts.entries)} files")
    )
