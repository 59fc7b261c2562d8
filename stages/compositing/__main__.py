"""``python -m stages.compositing SWAP``."""

from stages.compositing.stage import run
from stages.program import main

if __name__ == "__main__":
    main("compositing", run, "a swap of params.yaml")
