"""What strangers are told: not where anything lies on our disks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from renderkiln.domain.report import JobReport

_WORDS = ("message", "error", "result", "warnings", "leftOut")  # in which folders may be named


def discreet(report: JobReport, *folders: Path) -> dict[str, Any]:
    """A job in JSON for strangers: files by their addresses, and in words without folders of ours.

    `folders` are those beside the ones of its inputs and artifacts.
    """
    told = report.to_json()
    for number, artifact in enumerate(told["artifacts"], 1):
        artifact.pop("path", None)
        artifact.pop("kept", None)
        artifact["url"] = f"/api/v1/jobs/{told['id']}/artifacts/{number}"
    hidden = longest_first({*folders, *places_of(report)})
    return {**told, **{name: without(told[name], hidden) for name in _WORDS}}


def places_of(report: JobReport) -> set[PurePath]:
    """Where its inputs and its artifacts lie."""
    given = [each for each in report.job.inputs if isinstance(each, PurePath)]
    return {path.parent for path in (*given, *(each.path for each in report.artifacts))}


def longest_first(folders: Iterable[str | PurePath]) -> list[str]:
    """In the order in which to take them out of a text."""
    return sorted({str(each) for each in folders} - {"/", "."}, key=len, reverse=True)


def without(value: Any, folders: Sequence[str]) -> Any:
    """JSON values with files named as within these folders."""
    match value:
        case str():
            for folder in folders:
                value = value.replace(f"{folder}/", "").replace(folder, ".")
            return value
        case list():
            return [without(each, folders) for each in value]
        case Mapping():
            return {key: without(each, folders) for key, each in value.items()}
        case _:
            return value
