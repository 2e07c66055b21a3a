"""The kinds of images: those that are read, and those that a person takes for images, too."""

from __future__ import annotations

from PIL import features

# Not every Pillow has been built with it.
_READS_AVIF = features.check("avif")
_COMMON = (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".webp")
_AVIF = (".avif",)
ENDINGS = frozenset(
    (*_COMMON, ".pbm", ".pgm", ".pnm", ".ppm", ".tif", ".tiff", *(_AVIF if _READS_AVIF else ()))
)
# These decode in this process; others that Pillow knows start programs or read other files.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP", *(("AVIF",) if _READS_AVIF else ()))
# What a person takes for an image, too: of phones, of cameras, of drawing, of medicine.
_OTHERS = (
    ".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2", ".j2k", ".jpx", ".jpf",
    ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".kdc", ".mrw", ".nef", ".nrw",
    ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
    ".eps", ".exr", ".hdr", ".ico", ".pcx", ".psd", ".svg", ".tga", ".xcf", ".dcm",
)  # fmt: skip
UNREADABLE = frozenset(_OTHERS) - ENDINGS
