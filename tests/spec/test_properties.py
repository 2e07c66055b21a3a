"""Whatever data a spec is made of, it is loaded or refused; what is loaded round trips."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kzoo.errors import KzooError
from kzoo.spec import Spec, load_spec

FEW = settings(derandomize=True, deadline=None, max_examples=100)
SMALLEST: dict[str, Any] = {"model": {"builder": "deep_mlp"}, "dataset": {"name": "digits"}}

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["deep_mlp", "small_cnn", "digits", "sgd", "cosine", "int", "choice"]),
)
KEYS = st.one_of(
    st.text(max_size=5),
    st.sampled_from([*Spec.model_fields, "extends", "$schema", "builder", "name", "space"]),
    st.sampled_from(["type", "min", "max", "values", "schedule", "hidden_units", "fit.epochs"]),
)
TREES = st.recursive(
    LEAVES,
    lambda children: st.one_of(
        st.lists(children, max_size=3), st.dictionaries(KEYS, children, max_size=4)
    ),
    max_leaves=12,
)


@FEW
@given(st.dictionaries(KEYS, TREES, max_size=5), st.booleans())
@example({"extends": "x" * 5000}, False)
@example({"fit": {"class_weight": {"\ud800": 1.0}}}, True)
def test_any_json_data_are_taken_or_refused(tree: dict[str, Any], whole: bool) -> None:
    """JSON data of any kind give a Spec or a KzooError, nothing else."""
    try:
        spec = load_spec({**SMALLEST, **tree} if whole else tree)
    except KzooError:
        return
    assert load_spec(spec.to_dict()) == spec


UNIT = st.floats(0, 0.999)
SCHEDULES = st.one_of(
    st.just({"name": "constant"}),
    st.fixed_dictionaries({"name": st.just("cosine"), "warmup_fraction": UNIT, "alpha": UNIT}),
    st.fixed_dictionaries({"name": st.just("exponential"), "decay_rate": st.floats(1e-6, 1)}),
)
VALID = st.fixed_dictionaries(
    {
        "model": st.one_of(
            st.just({"builder": "softmax_regression"}),
            st.fixed_dictionaries(
                {
                    "builder": st.just("deep_mlp"),
                    "hidden_units": st.lists(st.integers(1, 65536), max_size=5),
                    "activation": st.sampled_from(["relu", "tanh"]),
                }
            ),
        ),
        "dataset": st.fixed_dictionaries(
            {"name": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)},
            optional={"validation_size": st.integers(0, 10**9)},
        ),
    },
    optional={
        "name": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True),
        "description": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        "optimizer": st.fixed_dictionaries(
            {"name": st.sampled_from(["sgd", "adam", "adamw", "rmsprop"]), "schedule": SCHEDULES},
            optional={"learning_rate": st.floats(1e-12, 100)},
        ),
        "fit": st.fixed_dictionaries({"epochs": st.integers(1, 100_000)}),
        "seed": st.integers(0, 2**32 - 1),
    },
)


@FEW
@given(VALID)
def test_valid_spec_round_trips_through_json(tree: dict[str, Any]) -> None:
    """Whatever valid spec is written as JSON is read back equal, to the last bit."""
    spec = load_spec(tree)
    assert load_spec(json.loads(spec.to_json())) == spec
