"""``python -m stages.decisions CLIP``."""

from stages.decisions.stage import run
from stages.program import main

if __name__ == "__main__":
    main("decisions", run, "a clip of params.yaml")
