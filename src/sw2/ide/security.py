"""Who may talk to the local server: a browser on this machine that came with the token.

Without this any page that the user visits could read and edit the repository through the user's
own browser (cross-site requests), or by pointing a name of its own at 127.0.0.1 (DNS rebinding)."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost", "[::1]")
COOKIE = "sw2-token"
SIGN_IN = "Open the address that `sw2 ide` printed, with its token"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
LARGEST_BODY = 64 << 20  # a label for each of a million examples


class LocalOnly:
    """ASGI middleware. `/?token=…` becomes a cookie; everything else needs that cookie, or the
    token in `Authorization: Bearer …`."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        response = self._refusal(request) or self._welcome(request)
        await (response or self._app)(scope, receive, send)

    def _refusal(self, request: Request) -> JSONResponse | None:
        host = _host(request.headers.get("host", ""))
        origin = request.headers.get("origin")
        if host not in HOSTS:
            return _refuse(f"this server answers to 127.0.0.1 only, not to `{host}`")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return _refuse(f"requests from `{origin}` are refused")
        given = [each.encode(errors="surrogateescape") for each in _tokens(request)]
        if not any(secrets.compare_digest(each, self._token.encode()) for each in given):
            return _refuse("the token is missing or wrong")
        if request.method in WRITES and not 0 <= _size(request) <= LARGEST_BODY:
            message = f"a request must say its size, at most {LARGEST_BODY >> 20} MiB"
            return _refuse(message, "invalid-input", 413, "Send it in several requests")
        return None

    def _welcome(self, request: Request) -> RedirectResponse | None:
        if "token" not in request.query_params or request.method != "GET":
            return None
        url: URL = request.url.remove_query_params("token")
        place = url.path + (f"?{url.query}" if url.query else "")
        response = RedirectResponse(place, status_code=303)
        response.set_cookie(_cookie(request), self._token, httponly=True, samesite="strict")
        return response


def token_of(folder: Path) -> str:
    """The token of the repository whose `.sw2` is `folder`; made when it is first asked for.

    It stays, so that a page that is open when the server is stopped and started again goes on, and
    sends what it could not send. Only the owner can read the file."""
    path = folder / "cache" / "ide-token"
    path.parent.mkdir(exist_ok=True)
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(24))
    token = path.read_text().strip()
    if not token:  # a crash between making the file and writing it
        path.unlink()
        return token_of(folder)
    return token


def _tokens(request: Request) -> list[str]:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return [
        request.query_params.get("token", ""),
        request.cookies.get(_cookie(request), ""),
        bearer,
    ]


def _cookie(request: Request) -> str:
    """Cookies know no ports; two servers on one machine must not overwrite each other's."""
    return f"{COOKIE}-{request.url.port or 80}"


def _host(header: str) -> str:
    return header if header.endswith("]") else header.rsplit(":", 1)[0]


def _size(request: Request) -> int:
    """Of the body, -1 for one that does not say it."""
    if "transfer-encoding" in request.headers:
        return -1
    said = request.headers.get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() else -1


def _refuse(
    why: str, kind: str = "forbidden", status: int = 403, hint: str = SIGN_IN
) -> JSONResponse:
    return JSONResponse({"kind": kind, "message": why, "hint": hint}, status_code=status)
