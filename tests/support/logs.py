"""What logs have, read by the libraries themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Points = dict[str, list[tuple[int, float]]]

# The format of wandb's file: https://github.com/google/leveldb/blob/main/doc/log_format.md
_HEADER, _BLOCK, _RECORD = 7, 32768, 7


def events(folder: Path) -> Points:
    """Return the points of one run of TensorBoard, each with its step, by TensorBoard's reader."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    reader = EventAccumulator(str(folder))
    reader.Reload()
    return {
        tag: [
            (event.step, float(tensor_util.make_ndarray(event.tensor_proto)))
            for event in reader.Tensors(tag)
        ]
        for tag in reader.Tags()["tensors"]
        if not tag.startswith("_hparams_")
    }


def hyperparameters(folder: Path) -> dict[str, Any]:
    """Return the parameters of one run of TensorBoard, as its HParams plugin has them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    reader = EventAccumulator(str(folder))
    reader.Reload()
    content = reader.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    start = metadata.parse_session_start_info_plugin_data(content)
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}


def wandb_run(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any], Any]:
    """Return the configuration, the history, the summary and the record of the run of wandb.

    Args:
        folder: That of one run that was logged offline.
    """
    import wandb.proto.wandb_internal_pb2 as messages

    (file,) = folder.glob("*.wandb")
    config: dict[str, Any] = {}
    history: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    run: Any = None
    for content in _records(file.read_bytes()):
        record = vars(messages)["Record"].FromString(content)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            config |= {item.key: json.loads(item.value_json) for item in run.config.update}
        elif kind == "history":
            items = record.history.item
            history.append(
                {
                    item.key or "/".join(item.nested_key): json.loads(item.value_json)
                    for item in items
                }
            )
        elif kind == "summary":
            summary |= {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.summary.update
            }
    return config, history, summary, run


def _records(content: bytes) -> Iterator[bytes]:
    where, parts = _HEADER, b""
    while where + _RECORD <= len(content):
        rest = _BLOCK - where % _BLOCK
        if rest < _RECORD:
            where += rest
            continue
        length = int.from_bytes(content[where + 4 : where + 6], "little")
        kind = content[where + 6]
        parts += content[where + _RECORD : where + _RECORD + length]
        where += _RECORD + length
        # 1 is whole, 4 the last of several.
        if kind in (1, 4):
            yield parts
            parts = b""
