# make demo   the sample pair, both directions, from footage to deliverables and reports
# make test   lint, types and tests
# Both make the virtual environment first, from exact pins. Nothing but a Python 3.11 or 3.12 is needed.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# ours goes first on the path: DVC runs the stages as `python -m stages.<stage>`
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
export DO_NOT_TRACK := 1
# numba, torch and BLAS results depend on the number of threads only through these
export PYTHONHASHSEED := 0
export UV_COMPILE_BYTECODE := 1
# uv does not read pip's settings: hand on where pip finds local wheels (a CPU build of torch, for instance)
export UV_FIND_LINKS ?= $(or $(PIP_FIND_LINKS),$(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null))

.PHONY: serve setup demo test lint types unit lock gpu samples check clean ablation base visibility
.PHONY: bench-training bench-footage bench-faces bench-quality bench-codes bench-spreading bench-watermark bench-credentials
.PHONY: bench-trust bench-noop bench-compositing bench-keeping bench-placing bench-pages bench-workers scale faults
.DEFAULT_GOAL := help

help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## make the virtual environment from the pins

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
	  { echo "Python 3.11 or 3.12 is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements.lock
# the command `likeness`, by the setuptools that is among the pins: nothing more is fetched
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## reproduce the sample pair, both directions
	@status=0; python -m stages.check || status=$$?; dvc repro --keep-going || status=$$?; \
	  python -m stages.deliverables || status=$$?; exit $$status

test: lint types unit ## lint, types and tests

lint: setup
	@ruff check stages flows tests
	@ruff format --check --quiet stages flows tests

types: setup
	@mypy

# in two processes, each file whole in one of them: much of the time is spent waiting for servers
unit: setup
	@pytest --numprocesses 2 --dist loadfile

bench-training: setup ## steps and images a second beside the yardstick's; ARGS="--rows plain,default --seconds 3"
	@python -m stages.training.bench $(ARGS)

ablation: setup ## what each part of training is worth, in equal time; ARGS="--minutes 1 --seeds 1 --rows default,df"
	@python -m stages.training.ablation $(ARGS)

bench-footage: setup ## frames a second and memory of each stage beside ffmpeg's decoding; ARGS="--lengths 10,60 --clip ada"
	@python -m stages.bench.footage $(ARGS)

bench-faces: setup ## faces found, taken and placed on performers whose truth is exact; some minutes
	@python -m stages.bench.faces $(ARGS)

bench-codes: setup ## where the error of a trained pair's swaps lies, against their rendered truth; after make demo
	@python -m stages.bench.codes $(ARGS)

bench-quality: setup ## finished frames in named scenes against their exact right answer; ARGS="--scenes hand,glasses"
	@python -m stages.bench.quality $(ARGS)

bench-compositing: setup ## each method of compositing against the default, in named scenes; ARGS="--scenes plain --set sharpness=1"
	@python -m stages.bench.finishing $(ARGS)

bench-keeping: setup ## what is kept of what is before faces, and what could be if the truth were known; after make demo
	@python -m stages.bench.keeping $(ARGS)

bench-placing: setup ## what a 400-pixel face in a 1080p frame takes of one core, by part and method; after make demo
	@python -m stages.bench.placing $(ARGS)

bench-spreading: setup ## the frame-wise stages on local processes and a Dask cluster, beside one process; after make demo
	@python -m stages.bench.spreading $(ARGS)

bench-watermark: setup ## what the mark survives and costs; half an hour and more; ARGS="--quick" or "--films FOLDER"
	@python -m stages.bench.marks $(ARGS)

bench-credentials: setup ## what signing costs beside encoding, on the demo's frames
	@python -m stages.bench.credentials $(ARGS)

bench-trust: setup ## what gate, mark, credential and consent cost beside encoding; after make demo
	@python -m stages.bench.trust $(ARGS)

bench-noop: setup ## what it costs to see that nothing is to be done: dvc status, dvc repro and the flow; ARGS="--swaps 50"
	@python -m flows.bench.noop $(ARGS)

bench-pages: setup ## what it costs that Prefect's pages show a run; after make demo
	@python -m flows.bench.pages $(ARGS)

faults: setup ## kill processes of runs at random moments, and see that all ends as undisturbed; ARGS="--seeds 50"
	@python -m flows.bench.faults $(ARGS)

serve: setup ## server, worker and schedules of prefect.yaml on this machine; ARGS="--notify URL --port 4200"
	@python -m flows.serve $(ARGS)

bench-workers: setup ## swaps over four workers with clones of their own beside the ideal schedule; ARGS="--scale 1"
	@python -m flows.bench.workers $(ARGS)

scale: setup ## what many hours and pairs take, by what the demo's stages take; after make demo; ARGS="--hours 100"
	@python -m flows.bench.scale $(ARGS)

check: setup ## look at params.yaml, footage, consent records and hand decisions without running anything
	@python -m stages.check

samples: setup ## render the sample performers and truths again: the same bytes as in git
	@dvc repro --force --single-item rendering@ada rendering@ben truth@ada-on-ben truth@ben-on-ada

base: setup ## make the shared base again: renders many performers, then trains; an hour and more
	@python -m stages.base

visibility: setup ## make the network again that keeps what passes before faces; not quite two hours
	@python -m stages.visibility

lock: setup ## resolve the pins anew within pyproject.toml's bounds
	@rm -f requirements.lock  # what it said would be preferred, a CUDA build over the local CPU build too
	@uv pip compile --quiet pyproject.toml --extra dev --constraint pins.in --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --output-file requirements.lock
	@sed -i.old 's/+cpu$$//' requirements.lock && rm requirements.lock.old

gpu: setup ## the GPU build of onnxruntime in place of the other: faces are found and placed on an NVIDIA GPU
	@uv pip install --python $(BIN)/python 'onnxruntime-gpu[cuda,cudnn]>=1.31,<2'
	@uv pip install --python $(BIN)/python --reinstall --no-deps 'onnxruntime-gpu>=1.31,<2'

clean: ## remove the virtual environment and scratch files, not the data
	@rm -rf $(VENV) .scratch .prefect .mypy_cache .ruff_cache .pytest_cache
