"""Two hundred images of digits: train small_cnn anew, or start from its weights.

    KZOO_DATA=FOLDER python tests/benchmarks/fine_tuning.py [--write]

The images are MNIST's test images, 20 of each class to train on and 1,000 others to test on: as
they are, drawn again as photos (dark ink on unevenly lit paper, in colour, turned and of other
sizes), which lie in folders as a person's own would, and these photos inverted. Prints the mean and
the standard deviation of the test accuracy over three seeds, and the median of the seconds of
`fit`; `--write` puts the table into the documentation.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from readme import put_table

import kzoo

SEEDS = (0, 1, 2)
EACH, TESTED = 20, 1000
SIDE = 64
PAGE = "docs/fine-tuning.md"
WAYS: dict[str, tuple[str | None, dict[str, Any]]] = {
    "trained anew": (None, {}),
    "`--from small_cnn`": ("small_cnn", {}),
    "and `optimizer.learning_rate=0.001`": ("small_cnn", {"optimizer.learning_rate": 0.001}),
    "`--from small_cnn`, the last layer alone trained": (
        "small_cnn",
        {"fit.freeze": "convolution_*,normalization_*"},
    ),
}

Bytes = npt.NDArray[np.uint8]


def photo(digit: Bytes, random: np.random.Generator) -> Image.Image:
    """Return a digit (28, 28) of light ink as a photo of dark ink on paper."""
    side = int(random.integers(36, SIDE + 1))
    ink = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    place = tuple(int(random.integers(0, SIDE - side + 1)) for _ in range(2))
    sheet = Image.new("L", (SIDE, SIDE))
    sheet.paste(ink, (place[0], place[1]))
    sheet = sheet.rotate(float(random.uniform(-20, 20)), Image.Resampling.BILINEAR)
    cover = np.asarray(sheet, np.float32)[..., None] / 255
    down, across = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    slope = random.uniform(-40, 40, 2)
    light = random.uniform(170, 230) + slope[0] * down + slope[1] * across
    paper = light[..., None] * random.uniform(0.9, 1.0, 3)
    pixels = paper * (1 - cover) + random.uniform(20, 80, 3) * cover
    noisy = pixels + random.normal(0, 6, pixels.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def make_data(folder: Path) -> dict[str, dict[str, Any]]:
    """Write the sets of images; return the settings that each is read by."""
    test = kzoo.load_dataset("small_cnn").test
    random = np.random.default_rng(0)
    order = random.permutation(len(test.y))
    train = np.concatenate([order[test.y[order] == digit][:EACH] for digit in range(10)])
    tested = np.setdiff1d(order, train, assume_unique=True)[:TESTED]
    names = test.y.astype(str)
    np.savez(
        folder / "as_they_are.npz",
        x_train=test.x[train],
        y_train=names[train],
        x_test=test.x[tested],
        y_test=names[tested],
    )
    for split, rows in (("train", train), ("test", tested)):
        for row in rows:
            taken = photo(test.x[row], random)
            for kind, image in (("photos", taken), ("inverted", ImageOps.invert(taken))):
                path = folder / kind / split / names[row] / f"{row}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                image.save(path)
    photos = {"dataset.image_size": [28, 28], "dataset.image_channels": 1}
    return {
        "MNIST's own images": {"dataset.name": str(folder / "as_they_are.npz")},
        "photos": {"dataset.name": str(folder / "photos"), **photos},
        "photos, inverted": {"dataset.name": str(folder / "inverted"), **photos},
    }


def main() -> None:
    """Train all ways on all sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into the documentation")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sets = make_data(Path(name))
        lines = [f"| small_cnn, 200 images | {' | '.join(sets)} |", f"|---|{'---|' * len(sets)}"]
        print(*lines, sep="\n")
        for way, (start, changes) in WAYS.items():
            cells = []
            for settings in sets.values():
                runs = [
                    kzoo.run(
                        "small_cnn",
                        overrides={**settings, **changes, "seed": seed},
                        start_from=start,
                        out=Path(name, "runs"),
                        display="quiet",
                    )
                    for seed in SEEDS
                ]
                found = [run.metrics["test_accuracy"] for run in runs]
                seconds = statistics.median(run.metrics["seconds"]["fit"] for run in runs)
                cells.append(
                    f"{statistics.mean(found):.3f} ± {statistics.stdev(found):.3f}, {seconds:.0f} s"
                )
            lines.append(f"| {way} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    if options.write:
        put_table("fine-tuning", lines, [PAGE])


if __name__ == "__main__":
    main()
