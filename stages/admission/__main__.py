"""``python -m stages.admission CLIP``."""

from stages.admission.stage import run
from stages.program import main

if __name__ == "__main__":
    main("admission", run, "a clip of params.yaml")
