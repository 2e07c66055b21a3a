"""What the server takes and gives, as OpenAPI 3.1, and an example that can be typed."""

from __future__ import annotations

import json
import shlex
from typing import Any

from kzoo.datasets.features import Column, PixelFeatures, TableFeatures
from kzoo.pages.server import limits
from kzoo.prediction.pictures import takes_pictures
from kzoo.runs.facts import DatasetFacts
from kzoo.runs.model_file import StoredModel

Tree = dict[str, Any]

# Words of a category that are listed.
_WORDS_SHOWN = 20
# A row of more columns is no example to type.
_FEW_COLUMNS = 12
_REFUSALS = {
    400: "It cannot be read.",
    403: "A page of another origin asks.",
    408: "It came too slowly.",
    413: "It is too large, or holds too many inputs.",
    415: "It is of another kind.",
    421: "It asks for another host.",
    422: "The model does not take it.",
    500: "The server failed.",
    503: "The server has too much to do; Retry-After says in how many seconds to try again.",
}


def describe_server(model: StoredModel) -> Tree:
    """Return the OpenAPI description of what a model's server takes and gives, as JSON data."""
    from importlib.metadata import version

    refusals = {
        str(status): _reply(text, {"$ref": "#/components/schemas/Problem"})
        for status, text in _REFUSALS.items()
    }
    reply = _reply(
        "The answers, in the order of the inputs.", {"$ref": "#/components/schemas/Reply"}
    )
    as_is = {
        "name": "as_is",
        "in": "query",
        "description": "Leave pictures of handwriting alone: only the size changes.",
        "schema": {"type": "boolean", "default": False},
    }
    predict = {
        "summary": "Answer what the inputs show.",
        "parameters": [as_is],
        "requestBody": {"required": True, "content": _content(model.data)},
        "responses": {"200": reply, **refusals},
    }
    status = _object({"status": {"const": "ok"}, "model": {"type": "string"}})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": model.name,
            "description": f"Takes {model.data.features.describe()}, as in {model.data.name}.",
            "version": version("kzoo"),
        },
        "paths": {
            "/predict": {"post": predict},
            "/health": {
                "get": {"summary": "Whether it runs.", "responses": {"200": _reply("", status)}}
            },
            "/": {
                "get": {
                    "summary": "A page to try the model on.",
                    "responses": {"200": {"description": "", "content": {"text/html": {}}}},
                }
            },
        },
        "components": {"schemas": _schemas(model)},
    }


def curl_of(model: StoredModel, address: str) -> str:
    """Return a command that sends one input.

    Args:
        model: It.
        address: The server's, such as ``http://127.0.0.1:8000``.
    """
    kind, body = "application/json", "@inputs.json"
    if takes_pictures(model.data):
        kind, body = "image/png", "@picture.png"
    elif model.data.table is not None and len(model.data.table.columns) <= _FEW_COLUMNS:
        row = {column.name: _cell(column) for column in model.data.table.columns}
        body = shlex.quote(json.dumps({"rows": [row]}, ensure_ascii=False))
    return f"curl -H 'Content-Type: {kind}' --data-binary {body} {address}/predict"


def _cell(column: Column) -> Any:
    """Return a cell as a row may have it."""
    if column.kind == "category":
        return column.words[0] if column.words else None
    if column.kind == "boolean":
        return True
    # Of several parts no one is the number.
    median = column.standards[0].median if len(column.standards) == 1 else 0.0
    return float(f"{median + column.offset:.6g}")


def _content(data: DatasetFacts) -> Tree:
    kinds = []
    if isinstance(data.features, (TableFeatures, PixelFeatures)):
        rows = {"type": "array", "minItems": 1, "items": _row(data.features)}
        kinds.append(_object({"rows": {**rows, "maxItems": limits.MOST_INPUTS}}))
    if data.table is None or not any(c.kind == "category" for c in data.table.columns):
        inputs = {"type": "array", "minItems": 1, "items": _nested(data.input_shape)}
        kinds.append(_object({"inputs": {**inputs, "maxItems": limits.MOST_INPUTS}}))
    content: Tree = {"application/json": {"schema": {"oneOf": kinds}}}
    if takes_pictures(data):
        files = {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}
        content["image/*"] = {}
        content["multipart/form-data"] = {"schema": files}
    return content


def _row(features: TableFeatures | PixelFeatures) -> Tree:
    """Return the schema of a row; what else it has comes back with its answer."""
    cells: Tree = {}
    for column in features.columns:
        if isinstance(column, str):
            cells[column] = {"type": "number"}
        elif column.kind == "category":
            shown = list(column.words[:_WORDS_SHOWN])
            cells[column.name] = {"type": ["string", "number", "null"], "examples": shown}
        else:
            types = ["boolean", "number"] if column.kind == "boolean" else ["number"]
            cells[column.name] = {"type": [*types, "string", "null"]}
    return {**_object(cells), "additionalProperties": {}}


def _nested(shape: tuple[int, ...]) -> Tree:
    """Return the schema of nested lists of numbers."""
    if not shape:
        return {"type": "number"}
    return {
        "type": "array",
        "minItems": shape[0],
        "maxItems": shape[0],
        "items": _nested(shape[1:]),
    }


def _schemas(model: StoredModel) -> Tree:
    chance = {"type": "number", "minimum": 0, "maximum": 1}
    names = list(model.class_names)
    texts = {"type": "array", "items": {"type": "string"}}
    answer = _object(
        {
            "input": {"type": "string"},
            "class": {"enum": names},
            "probability": chance,
            "probabilities": _object(dict.fromkeys(names, chance)),
        }
    )
    answer["properties"]["prepared"] = texts
    answer["properties"]["columns"] = {"type": "object", "additionalProperties": {"type": "string"}}
    answers = {"type": "array", "items": answer}
    return {
        "Reply": _object(
            {"model": {"const": model.name}, "predictions": answers, "notices": texts}
        ),
        "Problem": _object({"error": {"type": "string"}}),
    }


def _object(properties: Tree) -> Tree:
    """Return the schema of an object that has all of these and nothing else."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _reply(description: str, schema: Tree) -> Tree:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
