"""The dashboard: files that were built from `dashboard/`, and one page for all addresses that it knows."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import NotModifiedResponse, StaticFiles

from renderkiln.stores import Stores

BUILT = Path(__file__).with_name("site")
_METHODS = ["GET", "HEAD"]
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

    def beside(request: Request) -> Response:
        return _file(request, built, request.url.path[1:], "no-cache")

    def asset(request: Request, name: str) -> Response:
        # The hash of its content is in its name.
        return _file(request, built / "assets", name, "public, max-age=31536000, immutable")

    router.add_api_route("/", page, methods=_METHODS)
    for each in PAGES:
        router.add_api_route(f"/{each}", page, methods=_METHODS)
        router.add_api_route(f"/{each}/{{rest:path}}", page, methods=_METHODS)
    router.add_api_route("/favicon.svg", beside, methods=_METHODS)
    router.add_api_route("/theme.js", beside, methods=_METHODS)
    router.add_api_route("/assets/{name}", asset, methods=_METHODS)
    return router


def _file(request: Request, folder: Path, name: str, cache: str) -> Response:
    """One of the files that are there: what somebody sends is compared with their names, and never a path."""
    names = {each.name for each in folder.iterdir() if each.is_file()} if folder.is_dir() else set()
    if name not in names or name.endswith(".gz"):
        raise HTTPException(404)
    path, headers = folder / name, {"cache-control": cache}
    if f"{name}.gz" in names:  # written by dashboard/build.py
        headers["vary"] = "Accept-Encoding"
        if _takes_gzip(request.headers.get("accept-encoding", "")):
            path, headers["content-encoding"] = folder / f"{name}.gz", "gzip"
    answer = FileResponse(path, headers=headers, stat_result=path.stat())
    if StaticFiles().is_not_modified(answer.headers, request.headers):
        return NotModifiedResponse(answer.headers)
    return answer


def _takes_gzip(accepted: str) -> bool:
    """Whether `br, gzip;q=0.8` and the like name it, and not to refuse it."""
    for each in accepted.lower().split(","):
        name, _, quality = each.replace(" ", "").partition(";q=")
        if name == "gzip":
            return quality.strip("0.") != "" or quality == ""
    return False


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
