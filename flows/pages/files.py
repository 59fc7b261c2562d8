"""``python -m flows.pages.files``: what lies in DVC's cache, by hash, for the browser that shows Prefect's pages.

Prefect's database gets addresses, never a picture: what a purge removes from the cache is gone from the pages of all
runs, too. An address names content, so the page of an old run shows what that run made, or nothing.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

import typer
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from flows.environment import find_root, prepare
from flows.pipeline import opened
from stages.problems import Problem
from stages.program import tell

HOST: Final = "127.0.0.1"
PREFERRED_PORT: Final = 4201
"""The one after Prefect's; any free port is taken when it is in use."""

VARIABLE: Final = "LIKENESS_FILES_URL"
"""Names the address that links begin with; without it nothing is linked."""

MD5: Final = re.compile(r"[0-9a-f]{32}")
HEADERS: Final = {
    # a browser keeps no faces
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'self' data: 'unsafe-inline'",
}
SANDBOX: Final = "; sandbox allow-scripts allow-popups"
"""A report may run its own script, but is of no origin and loads nothing."""

FILMS: Final = frozenset({".mp4", ".mov", ".mkv"})
"""Ends of names; a film can not run anything, and does not play where it is of no origin."""


def are_served() -> bool:
    """Whether there is an address to link to."""
    return bool(os.environ.get(VARIABLE))


def link(md5: str, name: str) -> str:
    """The address of a file in the cache, where files are served.

    Args:
        md5: DVC's hash of it.
        name: what the browser takes it for, and calls it where it is saved.
    """
    return f"{os.environ[VARIABLE].rstrip('/')}/{md5}/{quote(name)}"


def cache_of(root: Path) -> Path:
    """The folder in which DVC keeps files by their hashes."""
    with opened(root) as repo:
        return Path(repo.cache.local.path)


def kept_at(cache: Path, md5: str) -> Path:
    """Where the cache keeps what has this hash."""
    return cache / md5[:2] / md5[2:]


def application(cache: Path, hosts: list[str]) -> Starlette:
    """``/<md5>/<name>`` gives the file; everything else is not found.

    Args:
        cache: DVC's folder of files by hash.
        hosts: the names by which browsers may ask for it. Another site's page must not reach it under its own name.
    """

    def file(request: Request) -> FileResponse:
        md5, name = request.path_params["md5"], request.path_params["name"]
        if not MD5.fullmatch(md5) or not kept_at(cache, md5).is_file():
            raise HTTPException(404)
        kept = kept_at(cache, md5)
        headers = dict(HEADERS)
        if Path(name).suffix not in FILMS:
            headers["Content-Security-Policy"] += SANDBOX
        return FileResponse(kept, filename=name, content_disposition_type="inline", headers=headers)

    return Starlette(
        routes=[Route("/{md5}/{name}", file)], middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)]
    )


def serve_files(root: Path, port: int | None = None) -> str:
    """Serve until this process ends, in a thread; gives the address, which the variable now names.

    Args:
        root: the repository's folder.
        port: None takes the usual one, or any other that is free.
    """
    listening = _listen(HOST, port)
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    server = _server(cache_of(root), [HOST, "localhost"])
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    os.environ[VARIABLE] = address
    return address


def _server(cache: Path, hosts: list[str]) -> uvicorn.Server:
    quiet = uvicorn.Config(application(cache, hosts), log_level="critical", access_log=False, lifespan="off")
    return uvicorn.Server(quiet)


def _listen(host: str, port: int | None) -> socket.socket:
    """Raises: Problem if nothing can be listened on."""
    told: OSError | None = None
    for each in (PREFERRED_PORT, 0) if port is None else (port,):
        try:
            return socket.create_server((host, each))
        except OSError as error:
            told = error
    raise Problem(f"it can not be listened on ({told})", where=f"{host}:{port}", mend="name another port") from told


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    host: Annotated[str, typer.Option(help="the address to listen on")] = HOST,
    port: Annotated[int, typer.Option(min=0, max=65535, help="the port")] = PREFERRED_PORT,
) -> None:
    """Serve this project's results to whoever can reach the port, for a Prefect server that was not started here.

    Set LIKENESS_FILES_URL, here and where flows run, to the address by which browsers reach it.
    """
    try:
        root = find_root()
        prepare(root)
        named = urlsplit(os.environ.get(VARIABLE, "")).hostname
        hosts = [HOST, "localhost", *([named] if named else [])]
        _server(cache_of(root), hosts).run(sockets=[_listen(host, port)])
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


if __name__ == "__main__":
    app(prog_name="python -m flows.pages.files")
