"""What is wrong in a project document: where, as its author finds it, and in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeGuard, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from renderkiln.domain.errors import UsageError
from renderkiln.domain.nearest import nearest
from renderkiln.pipelines.scenes.document.project import ID, TITLE, Project, Scene
from renderkiln.pipelines.scenes.document.sound import LANGUAGE, VOICE
from renderkiln.pipelines.scenes.document.units import COLOR, COLOR_NAME, PERCENT, Piece

Where = tuple[str | int, ...]  # fields and numbers of a list, from the outermost inwards
Found = Iterator[tuple[Where, str]]  # places with what is wrong there

MOST = 20  # mistakes that are told one by one
_LONGEST = 60  # characters of a value that is quoted
_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_-]*")  # a field that needs no quotes in a path
_WORDS = re.compile(r"'([^']*)'|(\d+)")  # of what pydantic says it expects

_PATTERNS = {
    COLOR: 'is no colour: write "#rrggbb", "#rgb", "#rrggbbaa" or a name of brand.colors',
    COLOR_NAME: "is no name for a colour: small letters, digits, - and _, a letter first, 41 at most",
    PERCENT: 'is no length: write pixels like 200, or a share like "50%"',
    VOICE: "is no voice: write provider:voice, like espeak:en",
    LANGUAGE: "is no language: write a code like en or pt-BR",
    TITLE: "has a character in it that no title has: NUL, a bell or another control character",
    ID: "is no id of a scene: letters, digits, . - and _, a letter or digit first, 100 at most",
}
# What may stand for an object, by the name of its model.
_SHORT = {
    "Motion": "a word",
    "Transition": "a word",
    "KenBurns": "a word",
    "Voice": "a text",
    "Music": "a path",
    "Stop": "a colour",
}
_TEXT, _OTHERS = "constrained-str", ("constrained-float", "Stop")  # what pydantic calls members of unions


@dataclass(frozen=True)
class Mistake:
    """Something wrong at a place in a document. `path` is empty for the document itself."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class WrongProject(UsageError):
    """A project document cannot be used as it is.

    `mistakes` are the first twenty of what is wrong, and there are `more`. `lines` says so for people, one
    mistake a line, with the name of the document before each.
    """

    def __init__(self, name: str, mistakes: Sequence[Mistake], *, more: int = 0) -> None:
        self.mistakes = tuple(mistakes[:MOST])
        self.more = more + len(mistakes) - len(self.mistakes)
        self.lines = [f"{name}: {each}" for each in self.mistakes]
        if self.more:
            self.lines.append(f"{name}: and {self.more:,} more")
        super().__init__("\n".join(self.lines))

    @classmethod
    def of(cls, name: str, error: ValidationError, document: Any) -> Self:
        """What pydantic found wrong in a document (plain JSON), in words for people."""
        every = error.errors(include_url=False)
        found = [each for each in every if not _follows(each) and not _is_beside(each, document)]
        return cls(name, [_told(each, document) for each in found[:MOST]], more=max(0, len(found) - MOST))


def path_of(where: Where, document: Any) -> str:
    """As a person writes it: `scenes[2] (intro).layers[0].text`; `document` is the JSON, or its project.

    A word or text that stands for an object is itself the place of what is wrong inside of that.
    """
    path, at = "", document
    for step in where:
        if not isinstance(at, dict | list | tuple | Piece):
            break
        path += _step(step, first=not path)
        at = _within(at, step)
        if path.startswith("scenes[") and path.endswith("]") and path.count("[") == 1:
            path += _id(at)
    return path


def quoted(value: Any) -> str:
    """A value as JSON, cut short."""
    if isinstance(value, dict | list | tuple):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value[: _LONGEST + 1] if isinstance(value, str) else value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _step(step: str | int, *, first: bool) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _PLAIN.fullmatch(step) is None:
        return f"[{quoted(step)}]"
    return step if first else f".{step}"


def _id(scene: Any) -> str:
    match scene:
        case {"id": str(id)} | Scene(id=str(id)) if re.fullmatch(ID, id):
            return f" ({id})"
    return ""


def _within(value: dict[str, Any] | Sequence[Any] | Piece, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(step))
    if isinstance(value, Piece):
        return getattr(value, str(step), None)
    return value[step] if isinstance(step, int) and step < len(value) else None


def _follows(error: ErrorDetails) -> bool:
    """Whether it says no more than that others were found: a list whose items are all wrong is too short."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _is_beside(error: ErrorDetails, document: Any) -> bool:
    """Whether it is of that member of a union which was not meant: who writes a text means the text."""
    for number, step in enumerate(error["loc"]):
        if step == _TEXT or step in _OTHERS:
            given = document
            for inner in _place(error["loc"][:number])[0]:
                given = _within(given, inner)
            return isinstance(given, str) != (step == _TEXT)
    return False


def _told(error: ErrorDetails, document: Any) -> Mistake:
    location = error["loc"]
    unknown = error["type"] == "extra_forbidden"
    where, model = _place(location[:-1] if unknown else location)
    if unknown:
        where = (*where, location[-1])
        known = model.model_fields if model else ()
        return Mistake(path_of(where, document), f"unknown field; {nearest(str(location[-1]), known)}")
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        where = (*where, "type")
    return Mistake(path_of(where, document), _said(error))


def _place(location: Where) -> tuple[Where, type[Piece] | None]:
    """Where something is, without what pydantic adds for members of unions; and the model it is in."""
    where: list[str | int] = []
    models: list[type[Piece]] = [Project]
    named = False  # what comes next is a name of the author's, and no field
    for step in location:
        if named or isinstance(step, int):
            where.append(step)
            named = False
        elif len(models) > 1:
            models = [each for each in models if step in get_args(each.model_fields["type"].annotation)]
        elif models and step in models[0].model_fields:
            where.append(step)
            annotation = models[0].model_fields[step].annotation
            models, named = list(_models(annotation)), get_origin(annotation) is dict
    return tuple(where), models[0] if models else None


def _models(annotation: Any) -> Iterable[type[Piece]]:
    if _is_piece(annotation):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)


def _is_piece(annotation: Any) -> TypeGuard[type[Piece]]:
    return isinstance(annotation, type) and issubclass(annotation, Piece)


def _said(error: ErrorDetails) -> str:
    """What is wrong, in words that ask for no knowledge of pydantic."""
    say = _SAYINGS.get(error["type"])
    if say is not None:
        return say(error["input"], error.get("ctx", {}))
    if error["type"].endswith("_type"):
        return f"must be {_KINDS.get(error['type'], 'something else')}, not {quoted(error['input'])}"
    return error["msg"][:1].lower() + error["msg"][1:]


_KINDS = {
    "string_type": "a text",
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_attributes_type": "an object",
}


def _must(words: str, key: str) -> Callable[[Any, Mapping[str, Any]], str]:
    return lambda given, context: f"must be {words} {context[key]:,g}, not {quoted(given)}"


def _choice(given: Any, context: Mapping[str, Any]) -> str:
    expected = [word or number for word, number in _WORDS.findall(context["expected"])]
    if isinstance(given, str) and not all(map(str.isdigit, expected)):
        return f"{quoted(given)} is unknown; {nearest(given, expected)}"
    return f"must be {_either(expected)}, not {quoted(given)}"


def _tag(given: Any, context: Mapping[str, Any]) -> str:
    return _choice(given["type"], {"expected": context["expected_tags"]})


def _model(given: Any, context: Mapping[str, Any]) -> str:
    short = _SHORT.get(context["class_name"])
    return f"must be {f'{short} or ' if short else ''}an object, not {quoted(given)}"


def _pattern(given: str, context: Mapping[str, Any]) -> str:
    return f"{quoted(given)} {_PATTERNS.get(context['pattern'], 'is not in the right form')}"


def _too_long(given: Any, context: Mapping[str, Any]) -> str:
    unit = "characters" if isinstance(given, str) else "of them"
    return f"has {len(given):,} {unit}: {context['max_length']:,} are the most"


def _too_short(given: Any, context: Mapping[str, Any]) -> str:
    if not given:
        return "must not be empty"
    return f"has {len(given)}: {context['min_length']} are the least"


def _either(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


_SAYINGS: Mapping[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "missing": lambda _given, _context: "is missing",
    "union_tag_not_found": lambda _given, _context: "is missing: it says what this is",
    "union_tag_invalid": _tag,
    "literal_error": _choice,
    "greater_than": _must("greater than", "gt"),
    "greater_than_equal": _must("at least", "ge"),
    "less_than": _must("less than", "lt"),
    "less_than_equal": _must("at most", "le"),
    "finite_number": lambda given, _context: f"must be a finite number, not {quoted(given)}",
    "string_pattern_mismatch": _pattern,
    "string_too_long": _too_long,
    "string_too_short": _too_short,
    "too_long": _too_long,
    "too_short": _too_short,
    "model_type": _model,
    "value_error": lambda _given, context: str(context["error"]),
}
