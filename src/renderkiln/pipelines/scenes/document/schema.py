"""The schema of project documents, for editors and other programs."""

from __future__ import annotations

from typing import Any

from renderkiln.pipelines.scenes.document.project import Project
from renderkiln.pipelines.scenes.document.reading import SCHEMA

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:renderkiln:schema:project:1"


def project_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of what a project document may say. Names and times that must go together
    are beyond it.
    """
    schema = Project.model_json_schema()
    where = {"type": "string", "description": "Where this schema is; for editors only"}
    return {
        "$schema": DIALECT,
        "$id": ID,
        **schema,
        "title": "Renderkiln project",
        "properties": {SCHEMA: where, **schema["properties"]},
    }
