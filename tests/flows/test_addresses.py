"""No token leaves by an address that is shown."""

from __future__ import annotations

import pytest

from flows.addresses import without_secrets


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:TOKEN@host.example/a/b.git", "https://host.example/a/b.git"),
        ("https://TOKEN@host.example:8443/a?b=c", "https://host.example:8443/a?b=c"),
        ("webdavs://me:TOKEN@host.example/store", "webdavs://host.example/store"),
        ("ssh://git:TOKEN@host.example/a.git", "ssh://git@host.example/a.git"),
        ("ssh://git@host.example/a.git", "ssh://git@host.example/a.git"),
        ("git@host.example:a/b.git", "git@host.example:a/b.git"),
        ("https://host.example/a@b", "https://host.example/a@b"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
        ("/srv/store", "/srv/store"),
        ("../a b@c", "../a b@c"),
        ("https://TOKEN@[host/a", "[host/a"),
        ("", ""),
    ],
)
def test_what_lets_one_in_is_left_out(address: str, shown: str) -> None:
    assert without_secrets(address) == shown
