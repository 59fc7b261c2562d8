"""``python -m stages.cast PAIR``."""

from stages.cast.stage import run
from stages.program import main

if __name__ == "__main__":
    main("cast", run, "a pair of params.yaml")
