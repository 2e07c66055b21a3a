"""``kzoo predict``: pictures and tables answered in a terminal, as JSON lines and as CSV."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.kinds import Command
from support.photos import STROKES, photo
from support.tables import titanic

import kzoo


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a run on images of 8x8."""
    spec = {
        "name": "digits",
        "model": {"builder": "softmax_regression"},
        "dataset": {"name": "digits"},
        "fit": {"epochs": 3},
    }
    return kzoo.run(spec, out=tmp_path_factory.mktemp("runs"), display="quiet").path


@pytest.fixture(scope="module")
def passengers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a run on a table."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "train.csv").write_text(titanic(), "utf-8")
    spec = {
        "name": "passengers",
        "model": {"builder": "softmax_regression"},
        "dataset": {"name": str(folder / "train.csv"), "label": "Survived"},
        "fit": {"epochs": 3},
    }
    return kzoo.run(spec, out=folder, display="quiet").path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder with two photographs and a text."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for digit in "47":
        Image.fromarray(photo(digit)).save(folder / f"{digit}.jpg")
    (folder / "notes.txt").write_text("hello", "utf-8")
    return folder


@pytest.fixture
def unlabelled(tmp_path: Path) -> Path:
    """Return a table without labels."""
    rows = list(csv.reader(io.StringIO(titanic(7, seed=1))))
    path = tmp_path / "test.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([row[:1] + row[2:] for row in rows])
    return path


def test_a_few_pictures_have_their_classes_below_them(
    kzoo_here: Command, digits: Path, pictures: Path
) -> None:
    """The name, what was done, and bars; the text beside them is told."""
    finished = kzoo_here("predict", digits, pictures)
    lines = finished.stdout.splitlines()
    assert finished.returncode == 0
    assert lines[0].endswith("4.jpg")
    assert lines[1].startswith("  dark ink on light paper inverted; the ink, ")
    assert "%  █" in lines[2]
    assert "files that are no images are skipped (1)" in finished.stderr


def test_many_have_a_line_each(kzoo_here: Command, digits: Path, tmp_path: Path) -> None:
    """A line an input, and one note of what was done."""
    for index in range(8):
        Image.fromarray(photo("7", noise=index)).save(tmp_path / f"{index}.png")
    finished = kzoo_here("predict", digits, *sorted(tmp_path.glob("*.png")))
    assert len(finished.stdout.splitlines()) == 8
    assert "8 of 8 pictures were prepared as the handwriting" in finished.stderr


def test_what_is_no_image_is_named_and_the_others_answered(
    kzoo_here: Command, digits: Path, pictures: Path, tmp_path: Path
) -> None:
    """A broken, a missing and a foreign file end in exit status 1, each with its line."""
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no")
    names = ["broken.png", "gone.png", "gone.csv", str(pictures / "notes.txt")]
    finished = kzoo_here("predict", digits, *names, pictures / "4.jpg")
    assert finished.returncode == 1
    assert "4.jpg" in finished.stdout
    errors = [line for line in finished.stderr.splitlines() if line.startswith("Error: ")]
    assert [line.split(":")[1].strip() for line in errors] == [
        "broken.png", "gone.png", "gone.csv", str(pictures / "notes.txt"),
    ]  # fmt: skip


def test_json_has_a_line_an_input(
    kzoo_here: Command, digits: Path, pictures: Path, tmp_path: Path
) -> None:
    """Each line is an object; one that could not be read has an error."""
    (tmp_path / "broken.png").write_bytes(b"no")
    finished = kzoo_here("predict", digits, pictures / "7.jpg", "broken.png", "--json")
    first, second = map(json.loads, finished.stdout.splitlines())
    assert sum(first["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert first["probabilities"][first["class"]] == first["probability"]
    assert first["prepared"][0] == "dark ink on light paper inverted"
    assert second == {"input": "broken.png", "error": second["error"]}


def test_a_csv_file_carries_what_the_model_does_not_take(
    kzoo_here: Command, passengers: Path, unlabelled: Path, tmp_path: Path
) -> None:
    """Numbers of rows and names go from the table to the answers."""
    finished = kzoo_here("predict", passengers, unlabelled, "--csv", "out.csv")
    assert (finished.returncode, finished.stdout) == (0, "")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8"))))
    assert [row["PassengerId"] for row in rows] == list("1234567")
    assert list(rows[0])[-3:] == ["class", "probability_0", "probability_1"]
    assert {row["class"] for row in rows} <= {"0", "1"}


@pytest.mark.parametrize(
    ("columns", "title"),
    [
        ("PassengerId,Survived", "PassengerId,Survived"),
        ("PassengerId, class", "PassengerId,class"),
        ("Key=PassengerId,Answer=class,probability", "Key,Answer,probability"),
        ("row=id,probability_1", "row,probability_1"),
    ],
)
def test_columns_make_the_file_that_is_wanted(
    kzoo_here: Command, passengers: Path, unlabelled: Path, columns: str, title: str
) -> None:
    """Columns are chosen, called otherwise, and the label's name is the class."""
    finished = kzoo_here("predict", passengers, unlabelled, "--csv", "-", "--columns", columns)
    first, *rows = finished.stdout.splitlines()
    assert first == title
    assert len(rows) == 7


def test_cells_stay_as_they_are_written(
    kzoo_here: Command, passengers: Path, unlabelled: Path
) -> None:
    """A key with zeros before it, commas and quotes come back as they were."""
    text = unlabelled.read_text("utf-8").replace("\n1,", "\n0007,").replace("\n2,", '\n"a,""b",')
    unlabelled.write_text(text, "utf-8")
    finished = kzoo_here("predict", passengers, unlabelled, "--csv", "-")
    keys = [row["PassengerId"] for row in csv.DictReader(io.StringIO(finished.stdout))]
    assert keys[:3] == ["0007", 'a,"b', "3"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--csv", "x.csv", "--columns", "Passengerid"], "Did you mean 'PassengerId'?"),
        (["--csv", "no/such/x.csv"], "cannot be written"),
    ],
)
def test_bad_csv_options_leave_nothing(
    kzoo_here: Command, passengers: Path, unlabelled: Path, arguments: list[str], said: str
) -> None:
    """One line, exit status 1, and no file."""
    before = set(unlabelled.parent.iterdir())
    finished = kzoo_here("predict", passengers, unlabelled, *arguments)
    error = finished.stderr.splitlines()[-1]
    assert (finished.returncode, finished.stdout) == (1, "")
    assert said in error
    assert set(unlabelled.parent.iterdir()) == before


def test_prepared_pictures_are_kept(
    kzoo_here: Command, digits: Path, pictures: Path, tmp_path: Path
) -> None:
    """What the model saw lies in a folder, one PNG a picture."""
    kzoo_here("predict", digits, pictures, pictures / "4.jpg", "--prepared", "seen")
    seen = sorted((tmp_path / "seen").iterdir())
    assert [path.name for path in seen] == ["4-2.png", "4.png", "7.png"]
    with Image.open(seen[0]) as image:
        assert (image.size, image.mode) == ((8, 8), "L")


@pytest.mark.parametrize("kind", ["jpeg", "csv", "npy", "nothing"])
def test_standard_input_is_read(
    digits: Path, passengers: Path, pictures: Path, unlabelled: Path, tmp_path: Path, kind: str
) -> None:
    """A picture, a table or an array by a pipe is called -; nothing is an error."""
    np.save(tmp_path / "x.npy", np.zeros((2, 8, 8)))
    files = {"jpeg": pictures / "7.jpg", "csv": unlabelled, "npy": tmp_path / "x.npy"}
    content = files[kind].read_bytes() if kind in files else b""
    model = passengers if kind == "csv" else digits
    command = [sys.executable, "-m", "kzoo", "predict", str(model), "-", "--json"]
    finished = subprocess.run(command, input=content, capture_output=True, check=False, timeout=60)
    names = [json.loads(line)["input"] for line in finished.stdout.splitlines()]
    expected = {"jpeg": ["-"], "csv": list("1234567"), "npy": ["1", "2"], "nothing": []}
    assert names == expected[kind]
    assert finished.returncode == (1 if kind == "nothing" else 0)
    assert str(tmp_path) not in finished.stderr.decode()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("nosuch", "nosuch: no such run; expected"),
        ("gone.safetensors", "gone.safetensors: cannot be loaded: received no file; expected"),
        ("", "received no name"),
    ],
)
def test_a_missing_model_is_one_line(kzoo_here: Command, model: str, said: str) -> None:
    """It is told before any input is looked at."""
    finished = kzoo_here("predict", model, "gone.png")
    assert (finished.returncode, finished.stdout) == (1, "")
    (line,) = finished.stderr.splitlines()
    assert said in line


def test_a_run_answers_by_its_file_alone(
    kzoo_here: Command, digits: Path, pictures: Path, tmp_path: Path
) -> None:
    """The model file, moved away from its run, is a model too."""
    moved = tmp_path / "mine.safetensors"
    moved.write_bytes((digits / "model.safetensors").read_bytes())
    finished = kzoo_here("predict", moved, pictures / "7.jpg", "--verbose")
    assert finished.returncode == 0
    assert "mine.safetensors: computed by NumPy." in finished.stderr


def test_answering_imports_no_keras(digits: Path, pictures: Path) -> None:
    """A picture is answered without Keras, TensorFlow, pandas and scikit-learn."""
    code = (
        "import sys; from kzoo.cli import main\n"
        f"sys.argv = ['kzoo', 'predict', {str(digits)!r}, {str(pictures / '7.jpg')!r}]\n"
        "try:\n    main()\n"
        "finally:\n"
        "    heavy = {'keras', 'tensorflow', 'pandas', 'sklearn', 'scipy'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("digit", STROKES)
def test_the_zoo_answers_a_photograph_at_once(
    kzoo_command: Command, unreachable: dict[str, str], tmp_path: Path, digit: str
) -> None:
    """With no training, no data and no network: dark ink on light, 640x480, off the middle."""
    Image.fromarray(photo(digit)).save(tmp_path / "photo.jpg")
    finished = kzoo_command("predict", "small_cnn", "photo.jpg", "--json", env=unreachable)
    assert finished.returncode == 0, finished.stderr
    answer = json.loads(finished.stdout)
    assert (answer["class"], answer["probability"] > 0.9) == (digit, True)
