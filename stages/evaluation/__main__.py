"""``python -m stages.evaluation SWAP``."""

from stages.evaluation.stage import run
from stages.program import main

if __name__ == "__main__":
    main("evaluation", run, "a swap of params.yaml")
