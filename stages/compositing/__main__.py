"""``python -m stages.compositing SWAP``, and two commands beside it: ``preview SWAP`` and ``layers SWAP``."""

import sys

from stages.compositing.commands import COMMANDS, commands
from stages.compositing.stage import run
from stages.program import main

if __name__ == "__main__":
    # DVC gives the swap's name alone, so a swap may be called "preview" all the same.
    if len(sys.argv) > 2 and sys.argv[1] in COMMANDS:
        commands(prog_name="python -m stages.compositing")
    else:
        main("compositing", run, f"a swap of params.yaml; commands beside it: {' SWAP, '.join(COMMANDS)} SWAP")
