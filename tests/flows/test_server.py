"""Whether a Prefect server is at an address: other programs may listen there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from flows.server import answers

Listen = Callable[[bytes | None], str]


@pytest.fixture
def listening() -> Iterator[Listen]:
    """Starts a program that says something to whoever connects and closes, or, told None, says nothing and waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve(says: bytes | None) -> None:
            with suppress(OSError), server.accept()[0] as client:
                if says is None:
                    ended.wait()
                else:
                    client.recv(4096)
                    client.sendall(says)

        def listen(says: bytes | None) -> str:
            threading.Thread(target=serve, args=(says,), daemon=True).start()
            return f"http://127.0.0.1:{server.getsockname()[1]}/api"

        yield listen
        ended.set()


@pytest.mark.parametrize("says", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00\xff\xfe\x00", b"220 mail\r\n" * 9999, b"", None])
def test_what_does_not_speak_http_is_no_server(listening: Listen, says: bytes | None) -> None:
    assert not answers(listening(says), seconds=2.0)


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
def test_one_that_wants_to_know_who_asks_is_a_server(listening: Listen, status: str) -> None:
    assert answers(listening(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()))
