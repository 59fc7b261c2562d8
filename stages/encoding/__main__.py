"""``python -m stages.encoding SWAP``."""

from stages.encoding.stage import run
from stages.program import main

if __name__ == "__main__":
    main("encoding", run, "a swap of params.yaml")
