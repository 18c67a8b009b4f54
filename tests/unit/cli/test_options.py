from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel, Field

from renderkiln.cli.options import options_of
from renderkiln.cli.orders import pair
from renderkiln.cli.visualizer import checked_look
from renderkiln.domain.errors import UsageError


class Shape(BaseModel):
    """Every kind of field that an option can come from."""

    colour: Literal["red", "blue"] = Field("red", description="Its colour")
    corners: Literal[3, 4] = 3
    size_mm: float = Field(1.0, ge=0.5, le=2.0, description="Its size")
    count: int = Field(1, ge=0, lt=10)
    name: str | None = None
    picture: Path | None = None
    solid: bool = Field(default=False, description="Filled")
    closed: bool = Field(default=True)


def given(*arguments: str) -> dict[str, Any]:
    """What a command with these options hears."""
    heard: dict[str, Any] = {}

    @click.command()
    @options_of(Shape, Shape.model_fields, multiple=frozenset({"colour"}))
    def command(**options: Any) -> None:
        heard.update(options)

    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception:
        raise result.exception
    return heard


def test_what_is_not_given_is_left_to_the_model() -> None:
    assert given() == dict.fromkeys(Shape.model_fields) | {"colour": ()}


def test_values_have_the_types_of_the_fields(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.touch()
    heard = given(
        "--colour", "red", "--colour", "blue", "--corners", "4", "--size-mm", "1.5", "--count", "9", "--name",
        "x", "--picture", str(picture), "--solid", "--no-closed",
    )  # fmt: skip
    assert heard == {
        "colour": ("red", "blue"), "corners": 4, "size_mm": 1.5, "count": 9, "name": "x",
        "picture": picture, "solid": True, "closed": False,
    }  # fmt: skip
    Shape.model_validate({**heard, "colour": "red"})


@pytest.mark.parametrize(
    "arguments",
    [
        ("--colour", "green"),
        ("--corners", "5"),
        ("--size-mm", "2.1"),
        ("--count", "10"),
        ("--count", "-1"),
        ("--picture", "missing"),
    ],
)
def test_values_the_model_would_refuse_are_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(click.BadParameter):
        given(*arguments)


def test_a_look_is_checked_by_its_template() -> None:
    assert checked_look("spectrum", {"bars": 32, "palette": "ice"}) == {"bars": 32, "palette": "ice"}
    with pytest.raises(UsageError, match="flame has no parameter 'bars'; it has palette"):
        checked_look("flame", {"bars": 32})
    with pytest.raises(UsageError, match="--bars: Input should be greater than or equal to 16"):
        checked_look("spectrum", {"bars": 1})
    with pytest.raises(UsageError, match="unknown palette 'mud'"):
        checked_look("flame", {"palette": "mud"})
    with pytest.raises(UsageError, match="unknown template 'sea'; known are: flame"):
        checked_look("sea", {})


def test_pairs_are_json_where_they_can_be() -> None:
    assert pair("count=3") == ("count", 3)
    assert pair("peaks=false") == ("peaks", False)
    assert pair("name=a=b") == ("name", "a=b")
    for wrong in ("count", "=3"):
        with pytest.raises(UsageError, match="KEY=VALUE"):
            pair(wrong)
