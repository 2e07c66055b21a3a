"""Bytes become JSON data, or a SpecError that says what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kzoo.errors import SpecError
from kzoo.spec.parse import describe, parse_json, read_json

FEW = settings(derandomize=True, deadline=None, max_examples=100)


@pytest.mark.parametrize(
    "content",
    [b'{"a": 1}', b'\xef\xbb\xbf{"a": 1}', b' \r\n{"a":1}\n', b'{"\\u0061": 1}'],
    ids=["plain", "byte order mark", "white space", "escaped"],
)
def test_json_object_is_read(content: bytes) -> None:
    """UTF-8 is read, with a byte order mark and white space around it or without."""
    assert parse_json(content, where="f.json") == {"a": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1}'.encode("utf-16"), "encoded as UTF-16 or UTF-32; expected UTF-8: save it as"),
        ('{"a": 1}'.encode("utf-16-be"), "encoded as UTF-16 or UTF-32; expected UTF-8: save it"),
        ('{"a": 1}'.encode("utf-32"), "encoded as UTF-16 or UTF-32; expected UTF-8: save it as"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7; save it as UTF-8"),
        (b"", "is empty; expected a spec, such as `kzoo init deep_mlp` writes"),
        (b" \n\t", "is empty; expected a spec, such as `kzoo init deep_mlp` writes"),
        (b"\xef\xbb\xbf", "is empty; expected a spec, such as `kzoo init deep_mlp` writes"),
        (b"[1]", "received [1]; expected an object, {...}"),
        (b"null", "received null; expected an object, {...}"),
        (b'{"a": 1', "not JSON: Expecting ',' delimiter at line 1, column 8"),
        (b'{"a": 1}\n{', "not JSON: Extra data at line 2, column 1"),
        (b"{'a': 1}", "not JSON: Expecting property name enclosed in double quotes at line 1"),
        (b'{"a": 1, "a": 1}', 'key "a" appears twice in one object; keep one'),
        (b'{"a": {"b": 1, "b": 2}}', 'key "b" appears twice in one object; keep one'),
        (b'{"a": NaN}', "received NaN; expected a finite number"),
        (b'{"a": -Infinity}', "received -Infinity; expected a finite number"),
        (b'{"a": 1e999}', "received 1e999; expected a finite number"),
        (b'{"a": %s}' % (b"9" * 5000), "received a number of 5000 digits; expected at most 20"),
        (b'{"a": "\\ud800"}', "holds half a surrogate pair, which is no text"),
        (b'{"\\udfff": 1}', "holds half a surrogate pair, which is no text"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "nested more than 32 levels deep"),
        (b'{"a":' + b"[" * 400 + b"]" * 400 + b"}", "nested more than 32 levels deep"),
        (b"[" * 100_000, "nested more than 32 levels deep"),
        (b" " * (1 << 20) + b"{}", "larger than 1 MiB; expected a spec, a small JSON file"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "",
)
def test_what_is_no_strict_json_is_refused(content: bytes, message: str) -> None:
    """The error names the file, what was received and what is accepted."""
    with pytest.raises(SpecError) as caught:
        parse_json(content, where="f.json")
    assert str(caught.value).startswith(f"f.json: {message}")


def test_deepest_nesting_is_accepted() -> None:
    """An object 32 levels deep is read; the bound is not off by one."""
    assert parse_json(b'{"a":' * 32 + b"1" + b"}" * 32, where="f.json")


def test_refused_text_can_always_be_printed() -> None:
    """The error for a repeated key that is half a surrogate pair is text that UTF-8 can hold."""
    with pytest.raises(SpecError) as caught:
        parse_json(b'{"\\ud800": 1, "\\ud800": 2}', where="f.json")
    str(caught.value).encode()


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that cannot be opened is a SpecError with the system's reason."""
    with pytest.raises(SpecError, match=r"none\.json: cannot be read: No such file"):
        read_json(tmp_path / "none.json")


@pytest.mark.parametrize("value", [["x" * 100], {1, 2}, float("nan"), "a\nb"], ids=repr)
def test_description_of_a_value_is_one_short_line(value: object) -> None:
    """Whatever a value is, its description fits in an error message."""
    text = describe(value)
    assert len(text) <= 60
    assert "\n" not in text


@FEW
@given(st.binary(max_size=200))
@example(b'{"\\ud800": 1, "\\ud800": 2}')
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Bytes of any kind give an object or a SpecError, nothing else."""
    try:
        tree = parse_json(content, where="f.json")
    except SpecError:
        return
    assert isinstance(tree, dict)


@FEW
@given(st.text(alphabet='{}[]",:0123456789.eE+-\\ud8NaInfty \n', max_size=60))
def test_any_text_like_json_is_read_or_refused(text: str) -> None:
    """Text made of JSON's own signs gives an object or a SpecError, nothing else."""
    try:
        tree = parse_json(text.encode(), where="f.json")
    except SpecError:
        return
    assert isinstance(tree, dict)
