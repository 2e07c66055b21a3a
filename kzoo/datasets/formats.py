"""The formats of files and folders that are read: an entry each is all that kzoo knows of one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kzoo.datasets.dataset import Source
from kzoo.datasets.features import Features
from kzoo.datasets.idx import is_idx_name, read_idx_folder
from kzoo.datasets.image_folder import read_image_folder, read_unlabelled_images
from kzoo.datasets.image_kinds import ENDINGS, UNREADABLE
from kzoo.datasets.npz import read_npy, read_npz
from kzoo.datasets.progress import OnProgress
from kzoo.datasets.tables.read import read_parquet, read_text
from kzoo.errors import DataError
from kzoo.spec.dataset import DatasetSpec
from kzoo.spec.places import looks_like_path, missing_place

# Of a path and a dataset section; with `tells_progress` also of the keyword `on_progress`.
Reader = Callable[..., Source]
# Of a class folder, as many entries show whether it holds images.
_LOOKED_AT = 20
_TEXT_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


@dataclass(frozen=True)
class PathFacts:
    """What a look at a path tells before anything is opened.

    Attributes:
        path: It.
        ending: Of a file's name, in lower case, both endings of a ``.gz``; empty for a folder.
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
        read_like: Reads it as what a trained model takes, columns matched by name, where it has
            columns with names.
        settings: The settings of a dataset section that are meant for it.
        received: What it is called where a setting is refused, if not `words`.
        is_trained_on: Whether it has labels; if not, it can only be classified.
        tells_progress: Whether its readers also take ``on_progress``, as they may take minutes.
    """

    words: str
    matches: Callable[[PathFacts], bool]
    read: Reader
    read_inputs: Reader | None = None
    read_like: Callable[..., Source] | None = None
    settings: tuple[str, ...] = ()
    received: str = ""
    is_trained_on: bool = True
    tells_progress: bool = False


def _read_images(
    read: Callable[..., Source], path: Path, section: DatasetSpec, on_progress: OnProgress | None
) -> Source:
    return read(
        path,
        section.image_size,
        section.memory_limit,
        section.image_bits,
        on_progress,
        channels=section.image_channels,
    )


def _read_unlabelled_table(read: Callable[..., Source], path: Path, section: DatasetSpec) -> Source:
    return read(path, section.table_settings, with_labels=False)


_TABLE_SETTINGS = ("label", "table", "image_shape")
FORMATS: tuple[Format, ...] = (
    Format(
        "an .npz file",
        matches=lambda facts: facts.ending == ".npz",
        read=lambda path, _: read_npz(path),
        settings=("image_shape",),
    ),
    Format(
        "an .npy file",
        matches=lambda facts: facts.ending == ".npy",
        read=lambda path, _: read_npy(path),
        settings=("image_shape",),
        is_trained_on=False,
    ),
    Format(
        "a table (.csv or .tsv, plain or .gz)",
        matches=lambda facts: facts.ending in _TEXT_ENDINGS,
        read=lambda path, section: read_text(path, section.table_settings),
        read_inputs=partial(_read_unlabelled_table, read_text),
        read_like=read_text,
        settings=_TABLE_SETTINGS,
        received="a table",
    ),
    Format(
        "a .parquet file",
        matches=lambda facts: facts.ending in (".parquet", ".pq"),
        read=lambda path, section: read_parquet(path, section.table_settings),
        read_inputs=partial(_read_unlabelled_table, read_parquet),
        read_like=read_parquet,
        settings=_TABLE_SETTINGS,
    ),
    Format(
        "a folder of IDX files",
        matches=lambda facts: any(is_idx_name(entry.name) for entry in facts.entries),
        read=lambda path, _: read_idx_folder(path),
    ),
    Format(
        "a folder of class folders of images",
        matches=lambda facts: facts.has_folders,
        read=partial(_read_images, read_image_folder),
        read_inputs=partial(_read_images, read_unlabelled_images),
        settings=("image_size", "image_channels", "image_bits", "memory_limit"),
        received="a folder of folders",
        tells_progress=True,
    ),
    Format(
        "a folder of images",
        matches=lambda facts: any(
            entry.suffix.lower() in ENDINGS | UNREADABLE for entry in facts.entries
        ),
        read=partial(_read_images, read_unlabelled_images),
        settings=("image_size", "image_channels", "image_bits", "memory_limit"),
        is_trained_on=False,
        tells_progress=True,
    ),
)


def read_path(
    name: str,
    section: DatasetSpec,
    *,
    features: Features | None = None,
    with_labels: bool = True,
    on_progress: OnProgress | None = None,
) -> Source | None:
    """Read a file or folder by its format, or return None where it rather is a misspelt name.

    Args:
        name: What ``dataset.name`` says.
        section: Its other settings say how to read it.
        features: What a trained model takes; the columns of a table are matched by name.
        with_labels: Whether it is to be trained on. If not, settings that mean nothing for it are
            left alone.
        on_progress: Told how far it is, where that may take minutes.

    Raises:
        DataError: there is no such path, it is of no format that kzoo reads, or it is damaged.
    """
    path = Path(name)
    try:
        is_file, is_folder, exists = path.is_file(), path.is_dir(), path.exists()
        facts = _look_at(path)
    except OSError as error:
        raise DataError(f"dataset.name: {path}: {error.strerror}") from error
    formats = _formats(with_labels=with_labels)
    found = _find(facts, formats) if is_file or is_folder else None
    if found is not None and found.read_like and features is not None:
        settings = section.table_settings
        return found.read_like(path, settings, features=features, with_labels=with_labels)
    listener = {"on_progress": on_progress} if found and found.tells_progress else {}
    if found is not None and not with_labels:
        return (found.read_inputs or found.read)(path, section, **listener)
    if found is not None:
        received = f"{path}, {found.received or found.words}"
        refuse_settings(section, received, but=found.settings)
        return found.read(path, section, **listener)
    accepted = _listed([known.words for known in formats])
    if exists:
        raise DataError(
            f"{path}: received {_describe(facts)}, "
            f"not a kind of data that kzoo reads; expected {accepted}"
        )
    if looks_like_path(name):
        raise DataError(f"{name}: {missing_place(path)}; expected {accepted}, or a dataset's name")
    return None


def is_data(path: Path) -> bool:
    """Return whether a path leads to what can be trained on; nothing is opened."""
    try:
        if not (path.is_file() or path.is_dir()):
            return False
        facts = _look_at(path)
        if path.is_dir() and not any(is_idx_name(entry.name) for entry in facts.entries):
            # Any folder may have folders in it: those of classes have images in theirs.
            return any(
                file.suffix.lower() in ENDINGS
                for entry in facts.entries
                if entry.is_dir()
                for file in itertools.islice(entry.iterdir(), _LOOKED_AT)
            )
    except OSError:
        return False
    return _find(facts, _formats(with_labels=True)) is not None


def reads_rows(path: Path) -> bool:
    """Return whether a path leads to what holds examples as rows: no pictures.

    Of a file its ending tells, whether it is there or not.

    Raises:
        DataError: it is a folder that cannot be read.
    """
    try:
        found = _find(_look_at(path), FORMATS)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    return found is not None and "image_size" not in found.settings


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
            expected = _listed([known.words for known in _formats() if name in known.settings])
            raise DataError(
                f"dataset.{name}: received it for {received}; expected it with {expected} alone"
            )


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _formats(*, with_labels: bool = True) -> list[Format]:
    return [known for known in FORMATS if known.is_trained_on or not with_labels]


def _look_at(path: Path) -> PathFacts:
    if not path.is_dir():
        return PathFacts(path, _ending(path), (), has_folders=False)
    entries = tuple(path.iterdir())
    return PathFacts(path, "", entries, any(entry.is_dir() for entry in entries))


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    return f"{Path(path.stem).suffix.lower()}{ending}" if ending == ".gz" else ending


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
