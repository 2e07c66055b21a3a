"""First weights follow from the seed, whatever other threads draw meanwhile."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from support.kinds import UsePlugins

import kzoo
from kzoo.datasets import load_dataset
from kzoo.train.own_random import own_random
from kzoo.train.runner import resolve
from kzoo.train.training import prepare

FUNCTIONS = tuple(getattr(random, name) for name in random.__all__)


@pytest.fixture(autouse=True)
def global_state() -> Iterator[None]:
    """Leave the global state as it was, and see that its functions are what they were."""
    state = random.getstate()
    yield
    random.setstate(state)
    assert tuple(getattr(random, name) for name in random.__all__) == FUNCTIONS


def draw(count: int) -> list[float]:
    """Draw some numbers here."""
    return [random.random() for _ in range(count)]  # noqa: S311  # no secret


def draw_elsewhere() -> list[float]:
    """Draw two numbers in another thread."""
    drawn: list[float] = []
    thread = threading.Thread(target=lambda: drawn.extend(draw(2)))
    thread.start()
    thread.join()
    return drawn


def register_nets(draws: threading.Event) -> None:
    """Register a builder; where the event is set, another thread draws between its layers."""

    @kzoo.register
    def disturbed(input_shape: tuple[int, ...], num_classes: int) -> Any:
        """A net."""
        layers = [keras.layers.Flatten(), keras.layers.Dense(4)]
        if draws.is_set():
            draw_elsewhere()
        layers.append(keras.layers.Dense(num_classes, "softmax"))
        return keras.Sequential([keras.Input(input_shape), *layers])


def test_numbers_that_other_threads_draw_change_no_first_weights(use_plugins: UsePlugins) -> None:
    """As in a worker of Dask, whose other thread draws now and then."""
    use_plugins()
    draws = threading.Event()
    register_nets(draws)
    spec = kzoo.load_spec({"model": {"builder": "disturbed"}, "dataset": {"name": "digits"}})
    dataset = load_dataset(spec)
    spec = resolve(spec, dataset)
    quiet = prepare(spec, dataset).model.get_weights()
    draws.set()
    for one, other in zip(quiet, prepare(spec, dataset).model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_thread_has_a_state_of_its_own() -> None:
    """It goes on from the global one and becomes it again; others draw from that meanwhile."""
    random.seed(3)
    expected = draw(4)
    random.seed(3)
    with own_random():
        first = draw(2)
        assert draw_elsewhere() == expected[:2]
        with own_random():
            first += draw(1)
    assert first + draw(1) == expected


def test_an_error_leaves_the_functions_as_they_were() -> None:
    """The fixture looks."""
    with pytest.raises(ZeroDivisionError), own_random():
        _ = 1 / 0
