"""The dashboard: files that were built from `dashboard/`, and one page for all addresses that it knows."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

from renderkiln.stores import Stores

BUILT = Path(__file__).with_name("site")
# First words of its addresses, see dashboard/src/router.ts
PAGES = (
    "jobs",
    "batches",
    "submit",
    "templates",
    "projects",
    "narration",
    "workers",
    "events",
    "webhooks",
    "settings",
)
_MISSING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Renderkiln</title>
<body><h1>Renderkiln answers, but its dashboard was not built</h1>
<p>Type <code>make dashboard</code> in the project's folder, or install the wheel, which has it inside.</p>
<p>Everything else works: <a href="/openapi.json">/openapi.json</a> says what can be asked.</p>
</body></html>
"""


def site(stores: Stores, built: Path = BUILT) -> APIRouter:
    """The routes of the dashboard. Its pages are not in the OpenAPI document: they are for people."""
    router = APIRouter(include_in_schema=False)
    headers = {"content-security-policy": _policy(stores), "cache-control": "no-cache"}

    def page() -> Response:
        try:
            return HTMLResponse((built / "index.html").read_bytes(), headers=headers)
        except FileNotFoundError:
            return HTMLResponse(_MISSING, 503)

    def beside(name: str) -> Response:
        return _file(built, name, "no-cache")

    def asset(name: str) -> Response:
        # The hash of its content is in its name.
        return _file(built / "assets", name, "public, max-age=31536000, immutable")

    router.add_api_route("/", page)
    for each in PAGES:
        router.add_api_route(f"/{each}", page)
        router.add_api_route(f"/{each}/{{rest:path}}", page)
    router.add_api_route("/favicon.svg", lambda: beside("favicon.svg"))
    router.add_api_route("/theme.js", lambda: beside("theme.js"))
    router.add_api_route("/assets/{name}", asset)
    return router


def _file(folder: Path, name: str, cache: str) -> Response:
    """One of the files that are there: what somebody sends is compared with their names, and never a path."""
    found = next((each for each in folder.iterdir() if each.name == name), None) if folder.is_dir() else None
    if found is None or not found.is_file():
        raise HTTPException(404)
    return FileResponse(found, headers={"cache-control": cache})


def _policy(stores: Stores) -> str:
    """What the page may load: its own files, and finished films, which may lie in a bucket."""
    films = " ".join(["'self'", *stores.origins])
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # the player draws waveforms in a style sheet of its own
            "font-src 'self'",
            f"img-src {films} data: blob:",
            f"media-src {films} blob:",
            f"connect-src {films}",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )
