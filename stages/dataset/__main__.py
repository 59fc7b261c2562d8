"""``python -m stages.dataset CLIP``."""

from stages.dataset.stage import run
from stages.program import main

if __name__ == "__main__":
    main("dataset", run, "a clip of params.yaml")
