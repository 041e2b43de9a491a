# make setup makes .venv with exactly what requirements.lock says; every other target needs only that.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .venv-peers
.DEFAULT_GOAL := help
# Hundreds of processes are started here; each would compile all modules anew where bytecode is not written.
export PYTHONDONTWRITEBYTECODE :=
.PHONY: help setup demo test test-computing test-pages test-talking test-installed test-unit test-system provide check format bench chaos dst chaos-play chaos-senders crashes pauses mutate acceptance lock clean

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

demo: $(READY) ## a year of two companies' business, played through Kafka; ends with the address of its console
	$(BIN)/cobranza demo

##@ Prove
# What waits for brokers and processes runs in two halves, each with a broker and a PostgreSQL of its own; what
# computes, and the console's pages, let them go first. Whole installations are in one of the halves: they look for free ports.
PARTS := computing pages talking installed
COMPUTING := tests/architecture tests/benchmarks tests/mutation tests/processors tests/scenarios tests/schemas tests/simulation
PAGES := tests/console/inside
TALKING := tests/infra tests/notifiers tests/streams
WITHOUT_LONG := -m 'not acceptance and not packages'
test: $(READY) ## all tests but the long play: real Kafka, real PostgreSQL, real PDFs
	@.ci/beside $(foreach part,$(PARTS),"$(MAKE) -s --no-print-directory test-$(part)")
test-computing: $(READY)
	nice $(BIN)/pytest $(COMPUTING)
test-pages: $(READY)
	nice -n 5 $(BIN)/pytest $(PAGES)
test-talking: $(READY)
	$(BIN)/pytest $(WITHOUT_LONG) $(TALKING)
test-installed: $(READY)
	$(BIN)/pytest $(WITHOUT_LONG) $(patsubst %,--ignore=%,$(COMPUTING) $(PAGES) $(TALKING))

QUICKLY := tests/processors/charges tests/processors/law
test-unit: $(READY) ## contracts, core and house rules; starts no process
	@.ci/beside "$(BIN)/pytest tests/architecture tests/schemas $(QUICKLY)" "$(BIN)/pytest tests/processors $(QUICKLY:%=--ignore=%)"

provide:
	sh tests/system/provide.sh $(VENV)/debian
test-system: $(READY) provide ## a real Prometheus on a real run, a real Chromium before the pages; fetches Debian's packages
	PATH="$(CURDIR)/$(VENV)/debian/usr/bin:$$PATH" $(BIN)/pytest -m packages tests/system

check: $(READY) ## types, layers, style, contracts; whom they break since the last commit (or CONTRACT=REVISION)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cobranza schemas export --check
	$(BIN)/cobranza schemas diff --against $(or $(CONTRACT),HEAD)
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

# EVERY=3d: a tick every three days. The tests read it.
acceptance: $(READY) ## two years of real receivables through Kafka, to the cent (minutes; EVERY=3d takes a third of them)
	$(BIN)/pytest -m acceptance tests/acceptance

# SEED EVENTS RATE KILLS DISK_LOSSES TERMS ZOMBIES DROPS LOST_ANSWERS BROKER_KILLS BROKER_FREEZES SENDER_KILLS
# BROKERS BACKLOG CLEANER SENDINGS STATIC SESSION_S RESTART_S RUN_MAX PARTITIONS ACCOUNTS TICKS: docs/reliability.md says what each is.
CHAOS := seed events rate kills disk_losses terms zombies drops lost_answers broker_kills broker_freezes sender_kills \
	brokers backlog cleaner sendings static session_s restart_s run_max partitions accounts ticks
upper = $(shell echo $(1) | tr a-z A-Z)
chaos_options = $(foreach name,$(CHAOS),$(if $($(call upper,$(name))),--$(subst _,-,$(name)) $($(call upper,$(name)))))
chaos: $(READY) ## the ledger under fire (SEED=1 EVENTS=50000 KILLS=10 ...); the last line is the verdict
	@$(BIN)/python -m tests.chaos.ledger $(chaos_options)

# SEED REMINDERS KILLS ZOMBIES PAID EMAIL (smtp or ses) DATABASE
senders_options = $(foreach name,seed reminders kills zombies paid email database,$(if $($(call upper,$(name))),--$(name) $($(call upper,$(name)))))
chaos-senders: $(READY) ## notifiers killed 200 times on 10,000 reminders (REMINDERS= KILLS= SEED=); the last line is the verdict
	@$(BIN)/python -m tests.chaos.senders $(senders_options)

crashes: $(READY) ## a notifier dies after every step of its loop, of each kind and with its limits; make test takes some of them
	EVERY_STEP=1 $(BIN)/pytest tests/notifiers/test_crashes.py

chaos-play: $(READY) ## kill -9 during a play, ten times; the result must equal the replay
	$(BIN)/python -m tests.chaos.kill_during_play --kills 10

pauses: $(READY) ## how long readers wait: a rolling deploy, a frozen worker, a killed one
	$(BIN)/python -m tests.chaos.pauses

dst: $(READY) ## the engine's protocol on a simulated Kafka: SEED=7 shows one, SEEDS=10000 runs many
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000))

mutate: $(READY) ## one thing of a module of the core changed at a time, and what nobody notices (MODULE=kin PART=40 SEED=7)
	$(BIN)/python -m tests.mutation $(MODULE) $(if $(PART),--part $(PART)) $(if $(SEED),--seed $(SEED))

bench: $(READY) ## the ledger beside its peers, and every budget, on this machine (QUICK=1: small; WRITE=1: into benchmarks/)
	-$(MAKE) --no-print-directory $(PEERS)/.ready
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(WRITE),--write)

# Without it the bench leaves the Python peers out, and says so.
$(PEERS)/.ready: benchmarks/peers/requirements.lock
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/peers/requirements.lock
	touch $(PEERS)/.ready

##@ Keep
format: $(READY) ## let ruff format and fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## resolve pyproject.toml into requirements.lock, with hashes
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --group dev pyproject.toml -o requirements.lock

clean: ## remove what the demo and the tests made
	rm -rf .cobranza .pytest_cache .mypy_cache .ruff_cache .hypothesis
