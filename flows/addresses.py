"""Addresses as they may be shown: tokens and passwords stay where they are configured."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def without_secrets(address: str) -> str:
    """An address of git's or DVC's without what lets one in.

    Of HTTP all before the host goes, since a token stands as a user's name as well; of others (ssh://git@host) the
    password. What is no URL (a path, git@host:path) comes back as it is.
    """
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets that are no IPv6 host: it can not be told where a secret begins
        return address.rpartition("@")[2]
    who, at, host = parts.netloc.rpartition("@")
    if not parts.scheme or not at:
        return address
    user = "" if parts.scheme.startswith(("http", "webdav")) else who.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host))
