"""``python -m stages.detection CLIP``."""

from stages.detection.stage import run
from stages.program import main

if __name__ == "__main__":
    main("detection", run, "a clip of params.yaml")
