"""A time-stamping authority (RFC 3161) of this machine: ``openssl ts`` behind a small HTTP server."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.authorities import Authority, pem_of, put

OPENSSL: Final = shutil.which("openssl")

_CONFIGURATION: Final = """\
[tsa]
default_tsa = here
[here]
serial = serial
signer_cert = chain.pem
certs = chain.pem
signer_key = key.pem
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
accuracy = secs:1
"""


@contextmanager
def time_stamping(authority: Authority, folder: Path) -> Iterator[str]:
    """Serve stamps by a certificate that an authority issues, for as long as the block lasts; yields the address.

    Args:
        authority: that vouches for who stamps.
        folder: an empty one for certificate, key and requests.
    """
    assert OPENSSL is not None
    key = ec.generate_private_key(ec.SECP256R1())
    usages = (ExtendedKeyUsageOID.TIME_STAMPING,)
    put(folder, "chain.pem", authority.issue(key, "a clock", usages=usages))
    put(folder, "key.pem", pem_of(key))
    put(folder, "tsa.cnf", _CONFIGURATION.encode())
    put(folder, "serial", b"01\n")

    class Stamps(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = put(folder, "query.tsq", self.rfile.read(int(self.headers["Content-Length"])))
            command = [OPENSSL, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", asked.name, "-out", "reply.tsr"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            answer = (folder / "reply.tsr").read_bytes() if done.returncode == 0 else done.stderr.encode()
            self.send_response(200 if done.returncode == 0 else 500)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Stamps) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
