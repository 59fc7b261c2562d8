"""``python -m stages.rendering NAME``."""

from stages.program import main
from stages.rendering.stage import run

if __name__ == "__main__":
    main("rendering", run, "a performance or a truth of params.yaml")
