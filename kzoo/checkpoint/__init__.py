"""Crash-safe state of a training, from which it goes on to the same bits."""

from kzoo.checkpoint.callback import Checkpointer
from kzoo.checkpoint.file import Checkpoint, read_checkpoint, write_checkpoint
from kzoo.checkpoint.state import TrainingState, forgetting

__all__ = [
    "Checkpoint",
    "Checkpointer",
    "TrainingState",
    "forgetting",
    "read_checkpoint",
    "write_checkpoint",
]
