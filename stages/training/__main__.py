"""``python -m stages.training PAIR``."""

from stages.program import main
from stages.training.stage import run

if __name__ == "__main__":
    main("training", run, "a pair of params.yaml")
