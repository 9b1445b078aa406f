"""The IDE's server: the HTTP API over one repository, and the page."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from sw2 import __version__
from sw2.build import builds
from sw2.errors import Conflict, Damaged, InvalidInput, NotFound, Sw2Error, Unavailable
from sw2.ide import builder, edits, live
from sw2.ide.builder import Builder
from sw2.ide.query import Filter
from sw2.ide.schema import (
    BuildInfo,
    BuildReport,
    Changes,
    CommitInfo,
    CommitRequest,
    Detail,
    EditAnswer,
    EditRequest,
    ErrorBody,
    Facets,
    Order,
    Page,
    ProblemPage,
    ServerEvent,
    Session,
    UndoAnswer,
    UndoRequest,
)
from sw2.ide.security import LocalOnly
from sw2.ide.workbench import Picture, Workbench
from sw2.repo import BackgroundFolding, Repository, fold_in_background

STATIC = Path(__file__).resolve().parent / "static"
STATUS = {NotFound: 404, InvalidInput: 422, Conflict: 409, Unavailable: 503, Damaged: 500}
FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}

Values = Annotated[list[str] | None, Query()]
Offset = Annotated[int, Query(ge=0)]
Limit = Annotated[int, Query(ge=1, le=500)]


def create_app(repository: Repository, author: str, token: str) -> FastAPI:
    """The application. author: who edits through the page.  token: see `security`."""
    bench = Workbench(repository, author)
    builds_of = Builder(bench)
    folds = fold_in_background(repository)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        folds.close()
        builds_of.close()

    app = FastAPI(
        title="sw2 IDE",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses={"default": {"model": ErrorBody, "description": "What went wrong"}},
    )
    app.add_middleware(LocalOnly, token=token)
    app.add_exception_handler(Sw2Error, _error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _fault)
    _looking(app, bench)
    _editing(app, bench, folds)
    _building(app, bench, builds_of)
    _page(app)
    return app


def _filter(
    split: Values = None,
    label: Values = None,
    prediction: Values = None,
    finding: Values = None,
    state: Values = None,
    change: Values = None,
    q: str = "",
) -> Filter:
    named = {
        "split": split,
        "label": label,
        "prediction": prediction,
        "finding": finding,
        "state": state,
        "change": change,
    }
    return Filter({name: tuple(values) for name, values in named.items() if values}, q)


Chosen = Annotated[Filter, Depends(_filter)]


def _looking(app: FastAPI, bench: Workbench) -> None:
    @app.get("/api/session")
    def session() -> Session:
        return bench.session()

    @app.get("/api/examples")
    def examples(
        chosen: Chosen, order: Order = "worst", offset: Offset = 0, limit: Limit = 100
    ) -> Page:
        return bench.page(chosen, order, offset, limit)

    @app.get("/api/examples/ids")
    def example_ids(chosen: Chosen, order: Order = "worst") -> list[str]:
        return bench.ids(chosen, order)

    @app.get("/api/facets")
    def facets(chosen: Chosen) -> Facets:
        return bench.facets(chosen)

    @app.get("/api/example")
    def example(id: str) -> Detail:
        return bench.detail(id)

    @app.get("/api/problems")
    def problems(code: str | None = None, offset: Offset = 0, limit: Limit = 100) -> ProblemPage:
        return bench.problems(code, offset, limit)

    @app.get("/api/media/{name}", response_class=Response)
    def media(name: str) -> Response:
        return _picture(bench.media(name))

    @app.get("/api/thumb/{name}", response_class=Response)
    def thumb(name: str) -> Response:
        return _picture(bench.thumb(name))


def _editing(app: FastAPI, bench: Workbench, folds: BackgroundFolding) -> None:
    @app.post("/api/edits")
    def edit(request: EditRequest) -> EditAnswer:
        return edits.edit(bench, request)

    @app.post("/api/undo")
    def undo(request: UndoRequest) -> UndoAnswer:
        return edits.undo(bench, request.client_id)

    @app.post("/api/redo")
    def redo(request: UndoRequest) -> UndoAnswer:
        return edits.undo(bench, request.client_id, redo=True)

    @app.get("/api/pending")
    def pending(offset: Offset = 0, limit: Limit = 100) -> Changes:
        return edits.pending(bench, offset, limit)

    @app.post("/api/commit")
    def commit(request: CommitRequest) -> CommitInfo:
        made = edits.commit(bench, request.message)
        folds.wake()
        return made

    @app.get("/api/log")
    def log(limit: Limit = 100) -> list[CommitInfo]:
        return edits.log(bench, limit)

    @app.get("/api/commits/{name}")
    def committed(name: str, offset: Offset = 0, limit: Limit = 100) -> Changes:
        return edits.committed(bench, name, offset, limit)


def _building(app: FastAPI, bench: Workbench, builds_of: Builder) -> None:
    @app.get("/api/builds")
    def all_builds() -> list[BuildInfo]:
        return [builder.info(bench.repository, build) for build in builds(bench.repository)]

    @app.post("/api/builds")
    def start() -> BuildInfo:
        return builds_of.start()

    @app.post("/api/builds/{name}/cancel")
    def cancel(name: str) -> BuildInfo:
        return builds_of.cancel(name)

    @app.get("/api/builds/{name}")
    def report(name: str) -> BuildReport:
        return builder.report(bench, name)

    @app.get(
        "/api/events",
        response_class=StreamingResponse,
        responses={200: {"model": ServerEvent, "description": "A stream of server-sent events"}},
    )
    async def events() -> StreamingResponse:
        # Looked at before the page hears that it is connected and reads everything: what changes
        # after that is told.
        seen = await live.look(bench)
        headers = {"cache-control": "no-store"}
        return StreamingResponse(
            live.stream(bench, seen), media_type="text/event-stream", headers=headers
        )


def _page(app: FastAPI) -> None:
    """The built web application; every path that is no file is the page itself."""

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        hashed = path.startswith("assets/")
        file = _static(path)
        if file is not None:
            return FileResponse(file, headers=FOR_EVER if hashed else {"cache-control": "no-cache"})
        # A page from before an update asks for scripts that are gone: it must not get another page.
        if hashed or path.startswith("api/"):
            raise NotFound(f"there is no `/{path}`")
        if not (STATIC / "index.html").is_file():
            raise NotFound("the web application is not built", hint="Run `make web`")
        return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})


def _static(path: str) -> Path | None:
    """The file of the built application that a path names."""
    try:
        file = (STATIC / path).resolve()
        return file if file.is_file() and file.is_relative_to(STATIC) else None
    except (ValueError, OSError):  # no name that a file can have
        return None


def _picture(picture: Picture) -> Response:
    return Response(picture.raw, media_type=picture.mime, headers=FOR_EVER)


class ErrorAnswer(JSONResponse):
    """In ASCII: a message may quote what was sent, and not every string can be said in UTF-8."""

    def render(self, content: object) -> bytes:
        return json.dumps(content).encode("ascii")


def _error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Sw2Error)
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    return ErrorAnswer(error.as_dict(), status_code=status)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses by itself: a method or path that is not there."""
    assert isinstance(error, HTTPException)
    kind = "not-found" if error.status_code in (404, 405) else "invalid-input"
    message = f"{request.method} `{request.url.path}`: {error.detail}"
    body = {"kind": kind, "message": message, "hint": ""}
    return ErrorAnswer(body, status_code=error.status_code, headers=error.headers)


def _fault(request: Request, error: Exception) -> JSONResponse:
    """A mistake in sw2; the server's log has where."""
    message = f"{type(error).__name__}: {error}"
    body = {"kind": "error", "message": message, "hint": "This is a fault of sw2"}
    return ErrorAnswer(body, status_code=500)


def _bad_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    body = {"kind": "invalid-input", "message": f"`{where}`: {first['msg']}", "hint": ""}
    return ErrorAnswer(body, status_code=422)
