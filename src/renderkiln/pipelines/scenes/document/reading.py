"""From a text, or from JSON, to a project; or to all that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from renderkiln.pipelines.scenes.document.mistakes import Mistake, WrongProject, quoted
from renderkiln.pipelines.scenes.document.parsing import Wrong, parse
from renderkiln.pipelines.scenes.document.project import Project
from renderkiln.pipelines.scenes.document.references import check_references

VERSION = 1
SCHEMA = "$schema"  # where editors find it; means nothing to us


def read_project(text: str | bytes, name: str) -> Project:
    """The project that a JSON document describes; `name` is what errors call it.

    Raises WrongProject, a UsageError, with everything that is wrong in the document. Files that it names are
    not looked at.
    """
    try:
        document = parse(text)
    except Wrong as error:
        raise WrongProject(name, error.mistakes) from error
    return project_of(document, name)


def project_of(document: Mapping[str, Any], name: str) -> Project:
    """The project that a document describes that has been parsed already. Raises WrongProject."""
    given = {field: value for field, value in document.items() if field != SCHEMA}
    if not isinstance(document.get(SCHEMA, ""), str):
        raise WrongProject(name, [Mistake(SCHEMA, f"must be a text, not {quoted(document[SCHEMA])}")])
    version = given.get("version", VERSION)
    if isinstance(version, bool) or (isinstance(version, int) and version != VERSION):
        message = f"version {quoted(version)} is not known: this Renderkiln reads version {VERSION}"
        raise WrongProject(name, [Mistake("version", message)])
    try:
        # As JSON, in which numbers and texts are told apart strictly, but lists may be tuples.
        project = Project.model_validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        raise WrongProject.of(name, error, given) from error
    if mistakes := check_references(project, given):
        raise WrongProject(name, mistakes)
    return project
