"""Weights are data: a file that holds anything but a model's weights is refused, unread."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import kzoo
from kzoo.errors import RunError
from kzoo.runs.weights import load_checked_weights, refuse_oversized, weights_digest

KERNEL = "layers/dense/vars/0"
Damage = Callable[[h5py.File], object]


def make_model() -> keras.Model:
    """Build a model with a layer that has weights and one that has none."""
    inputs = keras.Input((64,), name="inputs")
    outputs = keras.layers.Dense(10, name="probabilities")(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, outputs)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the weights file of such a model."""
    path = tmp_path / "model.weights.h5"
    make_model().save_weights(path)
    return path


def replace(**options: Any) -> Damage:
    """Return a damage that puts another dataset in the kernel's place."""

    def apply(file: h5py.File) -> None:
        del file[KERNEL]
        file.create_dataset(KERNEL, **{"shape": (64, 10), "dtype": "f4", **options})

    return apply


def relink(link: Any) -> Damage:
    """Return a damage that puts a link in the kernel's place."""

    def apply(file: h5py.File) -> None:
        del file[KERNEL]
        file[KERNEL] = link

    return apply


def virtual(file: h5py.File) -> None:
    """Make the kernel up of another file's data."""
    del file[KERNEL]
    layout = h5py.VirtualLayout((64, 10), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (64, 10))
    file.create_virtual_dataset(KERNEL, layout)


ZEROS = np.zeros((64, 10), "f4")
NOT_PLAIN = f"{KERNEL}: received data that are compressed, elsewhere or not there; expected them"
DAMAGES: list[tuple[str, Damage, str]] = [
    ("a huge shape", replace(shape=(10**9, 10), chunks=(100, 10)),
     f"{KERNEL}: received a dataset of float32, shape (1000000000, 10); "
     "expected a dataset of float32, shape (64, 10)"),
    ("another type", replace(data=ZEROS, dtype="f8"),
     f"{KERNEL}: received a dataset of float64, shape (64, 10); expected a dataset of float32"),
    ("compression", replace(data=ZEROS, compression="gzip"), NOT_PLAIN),
    ("chunks", replace(data=ZEROS, chunks=(8, 10)), NOT_PLAIN),
    ("no data", replace(), NOT_PLAIN),
    ("data in another file", replace(external=[("/etc/passwd", 0, 2560)]), NOT_PLAIN),
    ("data of other data", virtual, NOT_PLAIN),
    ("a soft link", relink(h5py.SoftLink("/layers/dense/vars/1")),
     f"{KERNEL}: received a link; expected a dataset of float32, shape (64, 10)"),
    ("an external link", relink(h5py.ExternalLink("/etc/passwd", "/")), f"{KERNEL}: received a li"),
    ("a loop", relink(h5py.SoftLink("/")), f"{KERNEL}: received a link"),
    ("a type for values", relink(np.dtype("f4")), f"{KERNEL}: received a datatype; expected"),
    ("nothing at all", replace(shape=None, data=h5py.Empty("f4")), f"{KERNEL}: received a dataset"),
    ("a missing dataset", lambda file: file.__delitem__(KERNEL),
     f"{KERNEL}: received nothing; expected a dataset"),
    ("a missing group", lambda file: file.__delitem__("layers/flatten"),
     "layers/flatten: received nothing; expected a group"),
    ("a dataset more", lambda file: file.create_dataset("layers/dense/vars/2", data=ZEROS),
     "layers/dense/vars/2: received it; expected nothing beside 0, 1"),
    ("a group more", lambda file: file.create_group("_layer_checkpoint_dependencies"),
     "_layer_checkpoint_dependencies: received it; expected nothing beside layers, vars"),
    ("a type attribute", lambda file: file[KERNEL].attrs.create("dtype", "bfloat16"),
     f"{KERNEL}: received a dataset"),
    ("infinity", replace(data=np.full((64, 10), np.inf)),
     "probabilities/kernel: received values that are not finite"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "said"), [pytest.param(*case[1:], id=case[0]) for case in DAMAGES]
)
def test_weights_that_are_not_the_models_are_refused(
    saved: Path, damage: Damage, said: str
) -> None:
    """A path, shape, type or storage that Keras does not write for the model is named."""
    with h5py.File(saved, "a") as file:
        damage(file)
    with pytest.raises(RunError) as caught:
        load_checked_weights(make_model(), saved, sha256=None)
    assert str(caught.value).startswith(f"{saved}: cannot be loaded: {said}")


def test_good_weights_load_with_their_digest(saved: Path) -> None:
    """What Keras saved is loaded to the bit, and so is what a compiled model saved."""
    model, loaded = make_model(), make_model()
    model.compile("adam", "mse")
    model.fit(np.ones((2, 64)), np.ones((2, 10)), verbose=0)
    model.save_weights(saved)
    load_checked_weights(loaded, saved, sha256=weights_digest(saved))
    for received, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(received, expected)


def test_weights_of_another_digest_are_refused(saved: Path) -> None:
    """A file that is not the one the run's record tells of is refused."""
    with pytest.raises(RunError, match=r"received the sha256 [0-9a-f]{64}; expected the one in"):
        load_checked_weights(make_model(), saved, sha256="0" * 64)


def test_a_run_is_held_to_its_recorded_digest(copied_run: Path) -> None:
    """The digest in metrics.json is that of the weights, or the run does not load."""
    metrics = copied_run / "metrics.json"
    record = json.loads(metrics.read_text("utf-8"))
    assert record["weights_sha256"] == weights_digest(copied_run / "model.weights.h5")
    metrics.write_text(json.dumps(record | {"weights_sha256": "0"}), "utf-8")
    with pytest.raises(RunError, match=r"model\.weights\.h5: cannot be loaded: .* sha256"):
        kzoo.load(copied_run)


def test_a_file_far_larger_than_the_weights_is_refused(saved: Path) -> None:
    """A file is not opened where it is larger than the weights and an optimizer's state."""
    with saved.open("ab") as file:
        file.truncate(2**31)
    with pytest.raises(RunError, match=r"received 2,147,483,648 bytes; expected at most"):
        load_checked_weights(make_model(), saved, sha256=None)


def test_a_model_that_its_file_cannot_fill_is_not_made(saved: Path) -> None:
    """A spec of a quadrillion weights beside a small file costs nothing."""

    def build() -> keras.Model:
        inputs = keras.Input((10**9,))
        return keras.Model(inputs, keras.layers.Dense(10**6)(inputs))

    with pytest.raises(RunError, match=r"expected the model's 4,000,000,004,000,000 or more"):
        refuse_oversized(build, saved)


def test_a_builder_that_sets_its_own_weights_is_built(saved: Path) -> None:
    """An installed builder may compute with its weights, which an outline has not."""

    def build() -> keras.Model:
        model = make_model()
        model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
        return model

    refuse_oversized(build, saved)
    load_checked_weights(build(), saved, sha256=None)


@pytest.mark.parametrize("name", kzoo.list_models())
def test_every_builders_weights_load(name: str, tmp_path: Path) -> None:
    """What any registered builder's model saves is what is expected of it."""
    model, other = (kzoo.build(name, input_shape=(28, 28), num_classes=10) for _ in range(2))
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    load_checked_weights(other, path, sha256=None)


def test_a_link_to_the_weights_is_followed(copied_run: Path, tmp_path: Path) -> None:
    """A run may keep its weights on another disk."""
    weights = copied_run / "model.weights.h5"
    shutil.move(weights, tmp_path / "elsewhere.h5")
    weights.symlink_to(tmp_path / "elsewhere.h5")
    assert kzoo.load(copied_run).output_shape == (None, 10)
