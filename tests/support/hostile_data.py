"""Data that are made to harm who reads them: each case writes its files in an empty folder."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

Case = Callable[[Path], Path]

MEBIBYTE = bytes(2**20)
GIBIBYTE = 2**30


def npy(descr: str, shape: str, body: bytes = b"") -> bytes:
    """Return an array file whose header says what it is told to say."""
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}"
    padded = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded + body


def npz(path: Path, x_train: bytes, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write an archive of these bytes for x_train, and labels."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("x_train.npy", x_train)
        archive.writestr("y_train.npy", npy("<i8", "(20,)", bytes(160)))
    return path


def npz_bomb(path: Path, name: str, start: bytes, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write an archive in which one member goes on with 2 GiB of zeros."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("y_train.npy", npy("<i8", "(20,)", bytes(160)))
        with archive.open(name, "w", force_zip64=True) as member:
            member.write(start)
            for _ in range(2048):
                member.write(MEBIBYTE)
    return path


def lying_size(folder: Path) -> Path:
    """Write an archive whose directory says that a small member has 4 GB."""
    path = npz(folder / "d.npz", npy("|u1", "(20, 8, 8)", bytes(1280)))
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = b"\xfe\xff\xff\xff"
    path.write_bytes(content)
    return path


def idx_folder(folder: Path, header: bytes, mebibytes: int) -> Path:
    """Write a compressed IDX file of a header and zeros, and labels."""
    with gzip.open(folder / "train-images-idx3-ubyte.gz", "wb", 1) as file:
        file.write(header)
        for _ in range(mebibytes):
            file.write(MEBIBYTE)
    (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">HBBI", 0, 8, 1, 2) + b"\0\1")
    return folder


def idx_header(*shape: int) -> bytes:
    """Return the header of an IDX file of bytes."""
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)


def csv(folder: Path, *pieces: bytes) -> Path:
    """Write a table."""
    with (folder / "d.csv").open("wb") as file:
        file.writelines(pieces)
    return folder / "d.csv"


def images(folder: Path, write: Callable[[Path], object], ending: str = ".png") -> Path:
    """Write a folder of two classes, of whose images the second is hostile."""
    from PIL import Image

    for name in "ab":
        (folder / name).mkdir()
        Image.new("L", (8, 8)).save(folder / name / "1.png")
    write(folder / "b" / f"2{ending}")
    return folder


def png(width: int, height: int) -> bytes:
    """Return a PNG file whose header says this size, with no pixels to speak of."""
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT", b"IEND")
    framed = (
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def solid(folder: Path) -> Path:
    """Write three transparent images as large as any may be, which compress to nothing.

    The first image is small, so that they are refused once they are decoded.
    """
    from PIL import Image

    first = folder / "b" / "1.png"
    for name in "ab":
        (folder / name).mkdir()
    Image.new("RGBA", (7100, 7100), (9, 99, 199, 9)).save(first)
    for number in (2, 3):
        shutil.copy(first, folder / "b" / f"{number}.png")
    Image.new("L", (8, 8)).save(folder / "a" / "1.png")
    return folder


def frames(path: Path) -> None:
    """Write an animation of 3,000 frames."""
    from PIL import Image

    more = [Image.new("L", (8, 8), shade % 256) for shade in range(1, 3000)]
    Image.new("L", (8, 8)).save(path, save_all=True, append_images=more)


def webp(path: Path) -> None:
    """Write a lossless WebP whose header says 16,384 pixels a side."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "webp", lossless=True)
    content = bytearray(stream.getvalue())
    content[21:25] = b"\xff\xff\xff\x0f"
    path.write_bytes(content)


def sparse(path: Path, size: int = 2 * GIBIBYTE, start: bytes = b"") -> Path:
    """Write a file that says it is large."""
    path.write_bytes(start)
    os.truncate(path, size)
    return path


def link(path: Path, target: str) -> Path:
    """Write a symbolic link."""
    path.symlink_to(target)
    return path


def pipe(path: Path) -> Path:
    """Make a named pipe, which nobody writes to."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


def folder_named_npz(folder: Path) -> Path:
    """Make an empty folder that is named like an archive."""
    (folder / "d.npz").mkdir()
    return folder / "d.npz"


SMALL = npy("|u1", "(20, 8, 8)", bytes(1280))

# What to call a case, and what writes it and returns the path to load.
DATA: dict[str, Case] = {
    "npz of a sum for a shape": lambda f: npz(f / "d.npz", npy("|u1", "(10**13, 1)", bytes(64))),
    "npz claims 10 TB": lambda f: npz(f / "d.npz", npy("|u1", "(10000000000000, 1)", bytes(64))),
    "npz of overflowing shape": lambda f: npz(
        f / "d.npz", npy("<f8", "(4294967296, 4294967296)", bytes(64))
    ),
    "npz of negative shape": lambda f: npz(f / "d.npz", npy("|u1", "(-4, 8)", bytes(64))),
    "npz of endless empty words": lambda f: npz(f / "d.npz", npy("<U0", "(1000000000000, 1)")),
    "npz of pickles": lambda f: npz(f / "d.npz", npy("|O", "(2,)", b"cos\nsystem\n.")),
    "npz truncated": lambda f: npz(f / "d.npz", SMALL[:-9]),
    "npz of lying sizes": lying_size,
    "npz bomb": lambda f: npz_bomb(f / "d.npz", "x_train.npy", npy("|u1", "(2048, 1048576)")),
    "npz bomb of no array": lambda f: npz_bomb(f / "d.npz", "x_train.npy", b"hello"),
    "npz of LZMA": lambda f: npz(f / "d.npz", SMALL, zipfile.ZIP_LZMA),
    "npz is a pipe": lambda f: pipe(f / "d.npz"),
    "npz is a device": lambda f: link(f / "d.npz", "/dev/zero"),
    "npz is a loop": lambda f: link(f / "d.npz", "d.npz"),
    "npz is a folder": folder_named_npz,
    "IDX bomb": lambda f: idx_folder(f, idx_header(2048, 1024, 1024), 2048),
    "IDX beyond its claim": lambda f: idx_folder(f, idx_header(2, 8, 8), 2048),
    "IDX of 2**96 bytes": lambda f: idx_folder(f, idx_header(*[2**32 - 1] * 3), 1),
    "csv of one line": lambda f: csv(f, b"a,label\n", *[b"1" * 2**20] * 900),
    "csv of a million columns": lambda f: csv(
        f, b",".join(b"c%d" % i for i in range(10**6)), b"\n", b"1,2,3\n"
    ),
    "csv of a million NUL bytes": lambda f: csv(f, b"a,label\n", bytes(10**6)),
    "csv of a long cell": lambda f: csv(f, b"a,label\n", b"1" * 10**6, b",x\n"),
    "csv of no text": lambda f: csv(f, b"a,label\n", *[b"\xff" * 2**20] * 900),
    "csv of an open quote": lambda f: csv(f, b'a,label\n"', *[b"1,2\n" * 2**18] * 100),
    "PNG of 50,000 x 50,000": lambda f: images(f, lambda p: p.write_bytes(png(50_000, 50_000))),
    "PNG of 7,100 x 7,100, three": solid,
    "GIF of 3,000 frames": lambda f: images(f, frames, ".gif"),
    "WebP of 16,384 x 16,384": lambda f: images(f, webp, ".webp"),
    "image of 2 GB": lambda f: images(f, lambda p: sparse(p, start=png(8, 8))),
    "image is a pipe": lambda f: images(f, pipe),
    "image is a device": lambda f: images(f, lambda p: link(p, "/dev/zero")),
    "image is a loop": lambda f: images(f, lambda p: link(p, p.name)),
    "folder is a loop": lambda f: images(f, lambda p: link(p, "."), ""),
}
