"""``python -m stages.alignment CLIP``."""

from stages.alignment.stage import run
from stages.program import main

if __name__ == "__main__":
    main("alignment", run, "a clip of params.yaml")
