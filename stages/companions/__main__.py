"""``python -m stages.companions COMPANION``."""

from stages.companions.stage import run
from stages.program import main

if __name__ == "__main__":
    main("companions", run, "a companion of params.yaml")
