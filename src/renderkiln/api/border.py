"""The border of the API: what is wrong with a request becomes an answer in its envelope.

What is wrong with us does so in `passage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from renderkiln.api.envelope import Refused, failed
from renderkiln.api.files import refusal
from renderkiln.domain.errors import UserError
from renderkiln.engine.budget import OverBudget
from renderkiln.media.errors import MediaError
from renderkiln.storage.errors import StorageError

_MOST_DETAILS = 100  # of what is wrong with one request


def guard(app: FastAPI) -> None:
    """Let `app` answer everything that goes wrong in its envelope."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(UserError, _impossible)
    app.add_exception_handler(StorageError, _not_stored)
    app.add_exception_handler(MediaError, _not_working)


async def _refused(request: Request, error: Exception) -> Response:
    return failed(request, cast("Refused", error))


async def _invalid(request: Request, error: Exception) -> Response:
    if _is_another(request):
        return await _not_routed(request, HTTPException(405))
    known = cast("RequestValidationError", error)
    details = [_detail(each, known.body) for each in known.errors()[:_MOST_DETAILS]]
    told = "; ".join(f"{each['field']}: {each['message']}" for each in details[:3])
    return failed(request, Refused(422, "INVALID_REQUEST", told, details=details))


async def _not_routed(request: Request, error: Exception) -> Response:
    known = cast("HTTPException", error)
    if known.status_code == 405:
        allowed = _allowed(request)
        told = f"{request.method} is not answered here, only {', '.join(allowed)}"
        return failed(
            request, Refused(405, "METHOD_NOT_ALLOWED", told, headers={"Allow": ", ".join(allowed)})
        )
    if known.status_code == 404:
        return failed(request, Refused(404, "NOT_FOUND", "there is nothing at this address"))
    if known.status_code == 400:  # JSON that is nested beyond what a parser can follow
        detail = {"field": "body", "message": "it cannot be read"}
        return failed(request, Refused(422, "INVALID_REQUEST", "body: it cannot be read", details=[detail]))
    if known.status_code == 408:
        return failed(request, Refused(408, "TIMEOUT", str(known.detail), headers={"Connection": "close"}))
    if known.status_code == 413:
        return failed(request, Refused(413, "TOO_LARGE", str(known.detail), headers={"Connection": "close"}))
    return failed(request, Refused(known.status_code, "REFUSED", str(known.detail)))


async def _not_stored(request: Request, error: Exception) -> Response:
    return failed(request, refusal(cast("StorageError", error)))


async def _not_working(request: Request, error: Exception) -> Response:
    """A tool of this server, such as its FFmpeg: it is no fault of the request."""
    return failed(request, Refused(503, "NOT_READY", str(error)))


async def _impossible(request: Request, error: Exception) -> Response:
    if isinstance(error, OverBudget):
        return failed(request, Refused(402, "BUDGET_EXCEEDED", str(error)))
    return failed(request, Refused(409, "CONFLICT", str(error)))


def _detail(fault: Mapping[str, Any], body: object) -> dict[str, str]:
    place = fault["loc"]
    if fault["type"] == "json_invalid" and isinstance(body, str):
        before = body[: int(place[-1])]
        where = f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
        return {"field": "body", "message": f"this is no JSON: {fault['ctx']['error']}, {where}"}
    if place[0] == "body" and isinstance(fault.get("input"), bytes):
        return {"field": "body", "message": "send it as JSON, with the header Content-Type: application/json"}
    told = str(fault["msg"]).removeprefix("Value error, ")
    return {"field": ".".join(map(str, place)), "message": told}


def _is_another(request: Request) -> bool:
    """Whether it came to a route with a hole in its path, where another has this very path: /assets/fetch."""
    described = cast("FastAPI", request.app).openapi()["paths"]
    return "{" in getattr(request.scope.get("route"), "path", "") and request.url.path in described


def _allowed(request: Request) -> list[str]:
    """Every method that the OpenAPI document has at this address: the first route alone would not tell."""
    described = cast("FastAPI", request.app).openapi()["paths"]
    if (exact := described.get(request.url.path)) is not None:  # /jobs/cancel is no job's address
        return sorted(map(str.upper, exact))
    found = [methods for path, methods in described.items() if compile_path(path)[0].match(request.url.path)]
    return sorted({method.upper() for methods in found for method in methods}) or ["GET"]
