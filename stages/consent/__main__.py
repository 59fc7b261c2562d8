"""``python -m stages.consent``: make, sign, check, withdraw and list consent records (docs/consent.md)."""

from __future__ import annotations

from stages.consent.commands import app

if __name__ == "__main__":
    app(prog_name="python -m stages.consent")
