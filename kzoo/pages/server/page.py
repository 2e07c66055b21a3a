"""The page at ``/``."""

from __future__ import annotations

import html

from kzoo.errors import KzooError
from kzoo.pages.demo import demo_page
from kzoo.runs.model_file import StoredModel


def page_of(model: StoredModel) -> str:
    """Return the page of a model: its demo, or a few lines where there can be none."""
    try:
        return demo_page(model)
    except KzooError as error:
        return _plain_page(model, str(error).replace(str(model.path), model.name))


def _plain_page(model: StoredModel, reason: str) -> str:
    """Return a page that says what the server takes, and why it shows no more."""
    name, takes = html.escape(model.name), html.escape(model.data.features.describe())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
        f"<title>{name}</title></head><body><h1>{name}</h1>"
        f"<p>Takes {takes}. <code>POST /predict</code> answers; "
        f'<a href="/openapi.json">/openapi.json</a> says how.</p>'
        f"<p>{html.escape(reason)}</p></body></html>"
    )
