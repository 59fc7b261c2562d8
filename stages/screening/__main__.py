"""``python -m stages.screening CLIP``."""

from stages.program import main
from stages.screening.stage import run

if __name__ == "__main__":
    main("screening", run, "a clip of params.yaml")
