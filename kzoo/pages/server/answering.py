"""What a request holds to the reply, computed in a thread."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException

from kzoo.datasets.image import MAX_PIXELS, count_pixels
from kzoo.errors import DataError, RunError
from kzoo.pages.server import limits
from kzoo.pages.server.body import Content, Pictures, Rows, parse_body
from kzoo.prediction import Answerer, Prediction
from kzoo.prediction.answers import answer_batch
from kzoo.prediction.inputs import Batch
from kzoo.prediction.pictures import decode_pictures
from kzoo.prediction.rows import batch_of_records, batch_of_values

_MOST_THREADS = 4


@dataclass(frozen=True)
class Service:
    """A model that answers.

    Attributes:
        answerer: Of the model.
        pool: The threads that compute.
    """

    answerer: Answerer
    pool: ThreadPoolExecutor

    @classmethod
    def start(cls, answerer: Answerer) -> Service:
        """Make the threads, and compute one answer, so that the first request waits for nothing.

        Raises:
            RunError: the model cannot compute it.
        """
        answerer(np.zeros((1, *answerer.model.data.input_shape), np.float32))
        # Keras is not made for several threads.
        is_numpy = not answerer.model.network.unknown
        threads = min(_MOST_THREADS, os.cpu_count() or 1) if is_numpy else 1
        return cls(answerer, ThreadPoolExecutor(threads, "answer"))

    def answer(self, content_type: str, body: bytes, *, as_is: bool) -> dict[str, Any]:
        """Return the reply to a request.

        Args:
            content_type: The header.
            body: All of it.
            as_is: Leave pictures of handwriting alone.

        Raises:
            HTTPException: 400, it cannot be read; 413, it holds too much; 422, it is not what the
                model takes.
        """
        content = parse_body(content_type, body)
        try:
            prediction = self._predict(content, as_is=as_is)
        except DataError as error:
            raise HTTPException(422, str(error)) from error
        except RunError as error:
            model = self.answerer.model
            raise HTTPException(422, str(error).replace(str(model.path), model.name)) from error
        if prediction.broken:
            raise HTTPException(422, "; ".join(prediction.broken.values()))
        return {
            "model": self.answerer.model.name,
            "predictions": prediction.to_dicts(),
            "notices": list(prediction.notices),
        }

    def _predict(self, content: Content, *, as_is: bool) -> Prediction:
        model = self.answerer.model
        if isinstance(content, Pictures):
            _refuse_too_many_pixels(content)
            return self._answer(decode_pictures(content.contents, model.data, as_is=as_is))
        if isinstance(content, Rows):
            self._refuse_too_many(len(content.records), "rows")
            return self._answer(batch_of_records(content.records, model.data, model.reading))
        values = batch_of_values(content.values, model.data, model.reading, where="inputs")
        self._refuse_too_many(len(values.x), "inputs")
        return self._answer(values)

    def _answer(self, batch: Batch) -> Prediction:
        return answer_batch(self.answerer, batch)

    def _refuse_too_many(self, count: int, what: str) -> None:
        classes = len(self.answerer.model.class_names)
        most = max(min(limits.MOST_INPUTS, limits.MOST_PROBABILITIES // classes), 1)
        if count > most:
            raise HTTPException(
                413, f"{what}: received {count:,}; expected at most {most:,} in a request"
            )


def _refuse_too_many_pixels(pictures: Pictures) -> None:
    """Refuse small files that decode to much."""
    total = 0
    for name, content in pictures.contents:
        try:
            total += count_pixels(content, name)
        except DataError:
            # It is refused where it is read.
            continue
        if total > MAX_PIXELS:
            raise HTTPException(
                413, f"received pictures of {total:,} pixels; expected at most {MAX_PIXELS:,}"
            )
