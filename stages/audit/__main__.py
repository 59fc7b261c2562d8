"""``python -m stages.audit``: look at the log, or make sure that nobody changed it."""

from __future__ import annotations

from stages.audit.commands import app

if __name__ == "__main__":
    app(prog_name="python -m stages.audit")
