"""``python -m stages.conversion SWAP``."""

from stages.conversion.stage import run
from stages.program import main

if __name__ == "__main__":
    main("conversion", run, "a swap of params.yaml")
