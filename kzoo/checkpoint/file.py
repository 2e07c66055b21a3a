"""A checkpoint in one file: arrays and facts, replaced atomically."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from kzoo.errors import RunError
from kzoo.runs import write_atomically

Arrays = dict[str, npt.NDArray[Any]]

_FACTS = "facts"
# What every training's checkpoint says, and how JSON has it.
_KINDS = {"spec": dict, "stopped": bool, "callbacks": dict, "forgotten": list}


@dataclass(frozen=True)
class Checkpoint:
    """What a training was at the end of an epoch.

    Attributes:
        epoch: How many epochs were done.
        facts: What JSON can say: history, early stopping, spec, data.
        arrays: Weights, optimizer and best weights, by name; in C order.
    """

    epoch: int
    facts: dict[str, Any]
    arrays: Arrays


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Put a checkpoint in the place of the one before; killed meanwhile, that one is whole.

    Raises:
        RunError: it cannot be written; what was there is as it was.
    """
    from safetensors.numpy import save

    metadata = {_FACTS: json.dumps({"epoch": checkpoint.epoch, **checkpoint.facts})}
    content = save(checkpoint.arrays, metadata)
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return the checkpoint in a file, or None where there is no file.

    Only the header is trusted before `kzoo.checkpoint.TrainingState` has compared every name,
    shape and dtype with those of the model: the arrays are views of the file.

    Raises:
        RunError: the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads((file.metadata() or {})[_FACTS])
            epoch = facts.pop("epoch")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{path}: is damaged ({' '.join(str(error).split())}); expected a checkpoint of kzoo"
        ) from error
    if not isinstance(epoch, int) or epoch < 1:
        raise RunError(f"{path}: epoch: received {epoch!r}; expected a whole number from 1 up")
    for name, kind in _KINDS.items():
        if not isinstance(facts.get(name), kind):
            raise RunError(f"{path}: {name}: is damaged; expected a checkpoint of kzoo")
    return Checkpoint(epoch, facts, arrays)
