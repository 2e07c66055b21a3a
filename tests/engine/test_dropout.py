"""The mask of the training twin's dropout: its rate, and its independence."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from kzoo.engine.dropout import CompiledDropout, training_twin

SHAPE = (200, 500)
# With fixed seeds nothing is left to chance; a sound mask stays within five standard deviations.
DEVIATIONS = 5.0


def masks(layer: CompiledDropout, count: int = 1) -> npt.NDArray[np.bool_]:
    """Return which ones are kept in `count` steps: ``(count, *SHAPE)``."""
    ones = np.ones(SHAPE, np.float32)
    kept = [np.asarray(layer(ones, training=True)) > 0 for _ in range(count)]
    return np.stack(kept)


def correlation(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Return Pearson's correlation in units of its standard deviation under independence."""
    r = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    return float(r * np.sqrt(first.size))


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9, 0.99])
def test_the_rate_is_what_was_asked_for(rate: float) -> None:
    """Over a million units the fraction dropped is the rate, and the mean is kept."""
    layer = CompiledDropout(rate, seed=1)
    dropped = ~masks(layer, 10)
    error = (dropped.mean() - rate) / np.sqrt(rate * (1 - rate) / dropped.size)
    assert abs(error) < DEVIATIONS
    values = np.unique(np.asarray(layer(np.ones(SHAPE, np.float32), training=True)))
    assert values == pytest.approx([0, 1 / (1 - rate)])


def test_each_row_and_each_unit_has_the_rate() -> None:
    """No example and no unit is dropped more often than chance would have it."""
    kept = masks(CompiledDropout(0.5, seed=2), 20)
    for axes in ((0, 1), (0, 2)):
        sums = kept.sum(axis=axes)
        trials = kept.size // sums.size
        statistic = ((sums - trials / 2) ** 2 / (trials / 4)).sum()
        assert stats.chi2.sf(statistic, sums.size) > 1e-4


def test_steps_layers_epochs_and_seeds_are_independent() -> None:
    """Masks of different steps, layers, epochs or seeds do not tell of each other."""
    layer = CompiledDropout(0.5, seed=3)
    steps = masks(layer, 6)
    layer.begin_epoch(1)
    next_epoch = masks(layer, 2)
    neighbour = masks(CompiledDropout(0.5, seed=4), 2)
    others = [*steps[1:], *next_epoch, *neighbour]
    for other in others:
        assert abs(correlation(steps[0], other)) < DEVIATIONS


@pytest.mark.parametrize("distance", [1, 2, 7, 500, 512, 4096])
def test_units_are_independent_of_their_neighbours(distance: int) -> None:
    """A unit's mask does not tell of the one beside it, below it, or a power of two away."""
    flat = masks(CompiledDropout(0.5, seed=5), 4).reshape(4, -1)
    assert abs(correlation(flat[:, distance:], flat[:, :-distance])) < DEVIATIONS
    shifted = abs(correlation(flat[1:, distance:], flat[:-1, :-distance]))
    assert shifted < DEVIATIONS


def test_an_epoch_can_be_drawn_again() -> None:
    """The seed, the epoch and the step decide the mask."""
    layer = CompiledDropout(0.5, seed=6)
    layer.begin_epoch(4)
    first = masks(layer, 3)
    layer.begin_epoch(4)
    np.testing.assert_array_equal(masks(layer, 3), first)


def test_outside_training_nothing_is_dropped() -> None:
    """Inference passes what comes."""
    ones = np.ones(SHAPE, np.float32)
    np.testing.assert_array_equal(np.asarray(CompiledDropout(0.5, seed=0)(ones)), ones)


def test_a_noise_shape_shares_the_mask() -> None:
    """Along an axis of size 1 all is dropped or kept together, as in Keras's layer."""
    layer = CompiledDropout(0.5, seed=7, noise_shape=(None, 1))
    kept = np.asarray(layer(np.ones(SHAPE, np.float32), training=True)) > 0
    assert (kept.all(axis=1) | ~kept.any(axis=1)).all()
    assert 0 < kept[:, 0].mean() < 1


def test_the_twin_shares_the_weights_and_swaps_the_dropouts() -> None:
    """Every layer of the twin is the model's own but the dropouts, nested ones too."""
    inner = keras.Sequential([keras.layers.Dense(4), keras.layers.Dropout(0.5)])
    model = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dropout(0.1, seed=9)])
    twin, dropouts = training_twin(model, seed=0)
    assert [dropout.rate for dropout in dropouts] == [0.5, 0.1]
    assert {id(weight) for weight in twin.trainable_weights} == {
        id(weight) for weight in model.trainable_weights
    }


def test_a_model_without_dropout_is_its_own_twin() -> None:
    """There is nothing to clone where there is nothing to swap."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    assert training_twin(model, seed=0) == (model, [])
