"""JSON as people write it: what is wrong with it is said with the line, or the place, where it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from renderkiln.pipelines.scenes.document.mistakes import Found, Mistake, Where, path_of, quoted

MAX_BYTES = 10_000_000
MAX_VALUES = 250_000  # texts, numbers, lists and objects: a thousand scenes with twenty layers each
_DEEPEST = 32  # objects and lists within each other; a project needs nine

_TROUBLES = {
    "Expecting value": "a value is missing or misspelt; texts stand in double quotes",
    "Expecting ',' delimiter": "a comma is missing before this",
    "Expecting ':' delimiter": "a colon is missing before this",
    "Expecting property name enclosed in double quotes": "a field in double quotes is missing, "
    "or a comma is too many before this",
    "Illegal trailing comma before end of object": "a comma is too many here",
    "Illegal trailing comma before end of array": "a comma is too many here",
    "Unterminated string starting at": "this text has no closing quote",
    "Invalid control character at": "a text goes on in the next line or has a tab; write \\n or \\t",
    "Extra data": "the document has ended before this",
}


class Wrong(Exception):
    """A text is no JSON object."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes


def parse(text: str | bytes) -> dict[str, Any]:
    """The JSON object in a text. NaN and infinities come through as numbers. Raises Wrong."""
    if len(text) > MAX_BYTES:
        raise Wrong(Mistake("", f"is too long: a project has at most {MAX_BYTES // 1_000_000} MB"))
    plain = _decoded(text) if isinstance(text, bytes) else text
    if not plain.strip():
        raise Wrong(Mistake("", "is empty"))
    twice: list[tuple[dict[str, Any], str]] = []
    document = _loaded(plain, twice)
    if not isinstance(document, dict):
        raise Wrong(Mistake("", f"must be an object in braces, not {quoted(document)}"))
    mistakes = [Mistake(path_of(where, document), message) for where, message in _oddities(document, twice)]
    if mistakes:
        raise Wrong(*mistakes)
    return document


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = f"byte {error.start} is {raw[error.start]:#04x}"
        raise Wrong(Mistake("", f"is no text in UTF-8: {at}")) from error


def _loaded(text: str, twice: list[tuple[dict[str, Any], str]]) -> Any:
    """What the text says; `twice` gets objects with the fields that they have more than once."""

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            twice.extend((made, key) for key, count in counts.items() if count > 1)
        return made

    try:
        return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=object_of)
    except json.JSONDecodeError as error:
        trouble = _TROUBLES.get(error.msg, error.msg.lower())
        if error.msg == "Expecting value" and text[: error.pos].rstrip().endswith(","):
            trouble = "a value is missing, or a comma is too many before this"
        raise Wrong(Mistake("", f"line {error.lineno}, column {error.colno}: {trouble}")) from error
    except RecursionError:
        raise Wrong(Mistake("", _too_deep())) from None
    except ValueError as error:  # thousands of digits
        raise Wrong(Mistake("", "a number has too many digits")) from error


def _oddities(document: Any, twice: list[tuple[dict[str, Any], str]]) -> Found:
    repeated: dict[int, list[str]] = {}
    for object_, key in twice:
        repeated.setdefault(id(object_), []).append(key)
    for number, (where, value) in enumerate(_all(document)):
        if number >= MAX_VALUES:
            yield (), f"has more than {MAX_VALUES:,} values: make several projects of it"
            return
        if len(where) > _DEEPEST:
            yield where[:4], _too_deep()
            return
        for key in repeated.get(id(value), ()):
            yield (*where, key), "is there twice: which one is meant?"
        if isinstance(value, str) and not _is_unicode(value):
            yield where, "has half of a surrogate pair (\\ud800 … \\udfff), which is no character"
        if isinstance(value, dict):
            yield from (
                (where, "has a field with half of a surrogate pair") for k in value if not _is_unicode(k)
            )


def _all(document: Any) -> Iterator[tuple[Where, Any]]:
    todo: list[tuple[Where, Any]] = [((), document)]
    while todo:
        where, value = todo.pop()
        yield where, value
        if isinstance(value, dict):
            todo.extend(((*where, key), each) for key, each in reversed(value.items()))
        elif isinstance(value, list):
            todo.extend(((*where, n), value[n]) for n in reversed(range(len(value))))


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _too_deep() -> str:
    return f"objects and lists lie more than {_DEEPEST} deep in each other"
