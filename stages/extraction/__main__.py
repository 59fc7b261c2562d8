"""``python -m stages.extraction CLIP``."""

from stages.extraction.stage import run
from stages.program import main

if __name__ == "__main__":
    main("extraction", run, "a clip of params.yaml")
