# make setup makes .venv with exactly what requirements.lock says; every other target needs only that.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-unit check format bench chaos acceptance lock clean

##@ Begin
help: ## show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with the locked dependencies
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)

demo: $(READY) ## a year of two companies' business, played through Kafka; shows what was sent
	$(BIN)/cobranza demo

##@ Prove
test: $(READY) ## all tests but the long play: real Kafka, real PostgreSQL, real PDFs
	$(BIN)/pytest -m "not acceptance"

test-unit: $(READY) ## contracts, core and house rules; starts no process
	$(BIN)/pytest tests/architecture tests/schemas tests/processors

check: $(READY) ## types, layers, style, contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cobranza schemas export --check
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

acceptance: $(READY) ## two years of real receivables through Kafka, to the cent (minutes)
	$(BIN)/pytest -m acceptance tests/acceptance

chaos: $(READY) ## kill -9 during a play, ten times; the result must equal the replay
	$(BIN)/python -m tests.chaos.kill_during_play --kills 10

bench: $(READY) ## events/s of intake, ledger stage and projector on this machine
	$(BIN)/python -m benchmarks

##@ Keep
format: $(READY) ## let ruff format and fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## resolve pyproject.toml into requirements.lock, with hashes
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --group dev pyproject.toml -o requirements.lock

clean: ## remove what the demo and the tests made
	rm -rf .cobranza .pytest_cache .mypy_cache .ruff_cache .hypothesis
