# `make` lists the targets. Most targets run a tool, which `python -m tools GROUP COMMAND --help` explains. The folder
# .local/ has everything that is local to this checkout.

python := .local/venv/bin/python
tools := $(python) -m tools

# The first of these commands that is Python 3.11 to 3.13 creates the virtual environment. The embedded PostgreSQL does
# not support later versions.
pythons := $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python)
suits := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
installed := { echo '$(CURDIR)/.local/venv'; readlink -f $(python); cat requirements-dev.txt; }

# Use one worker more than there are cores, because tests that apply infrastructure mostly wait. A worker runs one file
# at a time, in order.
workers := $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1 )))
pytest := $(python) -m pytest -n $(workers) --dist loadfile --no-loadscope-reorder
races_and_faults := $(wildcard tests/service/test_races.py tests/service/*/test_races.py tests/service/test_faults.py)

# Processes that `make` starts end when `make` is killed: see tools/lifeline.py.
export MAKE_PID := $(shell echo $$PPID)
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/cache/pycache
# Images of containers set this variable. Then every process would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.local/cache/hypothesis

.DEFAULT_GOAL := help
.PHONY: $(shell awk -F: '/^[a-z-]+:/ { print $$1 }' Makefile)

##@ Every day
run: venv ## Serve on http://127.0.0.1:8000 with a database of its own [PORT= DATABASE_URL= EMULATED=1]
	@$(tools) local run
check: lint types ## Check while you edit (90 s): lint, types, unit and service tests
	@$(pytest) tests/unit tests/service
test: lint types ## Check before you push (8 min): `check`, local server, infrastructure, pipeline
	@$(pytest) tests
	@$(tools) checks untested
format: venv ## Format the code, and fix the faults that the linter can fix
	@$(python) -m ruff check --fix
	@$(python) -m ruff format
openapi: venv ## Write openapi.json from the code
	@$(tools) checks openapi
schema: venv ## Write docs/schema.sql from the migrations
	@$(tools) checks schema
token: venv ## Print a token: ROLE=viewer|pipeline|maintainer|admin SYSTEM=shop
	@$(tools) local token
replay: venv ## Record a project's real history in the running service [URL= TOKEN=]
	@$(tools) local replay
demo: venv ## Fill the running service with 40 made-up systems [URL= TOKEN=]
	@$(tools) local demo
acceptance: venv ## Test a running service: URL= [TOKEN= SYSTEM= READ_ONLY=1 SITE=1 DIGEST= REPORT=]
	@$(tools) local acceptance
load: venv ## Load a running service: URL= [PROFILE=smoke|load SECONDS= TOKEN= READ_ONLY=1 REPORT=]
	@$(tools) local load
db-shell: venv ## Run SQL on the local database, or on ENV= [WORKSPACE= SQL= WRITE=1]
	@$(tools) aws db-shell
reset: venv ## Delete the local database and all its data
	@$(tools) local database-reset

##@ More checks
test-all: test ## Check as CI does (25 min): `test`, the rehearsal of a deployment, walls, all mutants
	@$(pytest) -m slow --durations=15 --durations-min=60 tests
nightly: venv ## Run long tests (an hour): a long fuzz, races and faults 20 times; then the benchmark
	@$(tools) checks fuzz --examples 400 --seconds 600
	@for round in $$(seq 20); do $(python) -m pytest -q $(races_and_faults) || exit; done
	@$(python) -m pytest -q -m nightly tests
	@MANY_EXAMPLES=20 $(pytest) $$(grep -rlE 'examples\([0-9]' tests)
	@$(tools) checks bench
	@$(tools) checks bench --scale 1
	@$(tools) adopt try
coverage: venv ## Require tests for 95 % of the lines that differ from BASE=origin/development
	@$(tools) checks coverage
fuzz: venv ## Send made-up requests to the service [EXAMPLES=200 SECONDS=60 SEED=]
	@$(tools) checks fuzz
bench: venv ## Measure the cost of a request and of a cold start, and check its bounds [SCALE=1]
	@$(tools) checks bench
capacity: venv ## Measure the load test's requests, and write what environments can bear into docs/capacity.md
	@$(tools) checks capacity
screenshots: venv ## Take a picture of each page of the dashboard [FOLDER=.local/screenshots PICTURES=1]
	@$(tools) checks screenshots
policy: venv ## Check the plans of all environments, or of ENV=, against infra/policy
	@$(tools) checks policy
walls: venv ## Check the IAM policies against the table of who may do what [WHO=]
	@$(tools) checks walls
dependencies: venv ## List the external systems of all environments, and crosstalk between them
	@$(tools) checks dependencies
checkov: venv ## Scan infra/ for known faults
	@$(tools) checks checkov
costs: venv ## Compute what each environment costs a month, idle and under a load
	@$(tools) checks costs
lock: venv ## Compile requirements*.in with hashes; keep each version unless a .in file names another
	@for name in requirements requirements-dev requirements-checkov; do \
		UV_PYTHON_DOWNLOADS=never $(python) -m uv pip compile --quiet --universal --python-version 3.11 \
			--generate-hashes --no-annotate --output-file $$name.txt $$name.in || exit; done
workflows: venv ## Check the workflows with actionlint, zizmor, schemas and our own rules
	@$(python) -m pytest -q -n 0 tests/workflows

##@ A service of your own
adopt: venv ## Rename this copy, and remove the registry's business: NAME= [OWNER= DESCRIPTION= DRY_RUN=1]
	@$(tools) adopt run

##@ On AWS, or with EMULATED=1 in the account of `make emulator`
doctor: venv ## List tools that this machine lacks and, with ENV=, quotas that would stop an apply
	@$(tools) aws doctor
emulator: venv ## Serve an emulated AWS account on 127.0.0.1:4566
	@$(tools) aws emulator
account: venv ## Create the resources that an AWS account needs once: ACCOUNT=testing|production
	@$(tools) aws account
package: venv ## Package the functions for STAGE=, and print the package's digest
	@$(tools) package make
plan: venv ## Package and plan ENV=development|preproduction|production [WORKSPACE= PACKAGE=]
	@$(tools) aws plan
apply: venv ## Apply, migrate, and switch to the new version; PLAN=1 applies the saved plan
	@$(tools) aws apply
rollback: venv ## Switch ENV= back to the version that served before [WORKSPACE=]
	@$(tools) aws rollback
destroy: venv ## Destroy the environment ENV=, or its copy [WORKSPACE=]
	@$(tools) aws destroy
unlock: venv ## Unlock the state of ENV= [WORKSPACE=] after an apply was killed: says who holds it, and asks
	@$(tools) aws unlock
logs: venv ## Print the logs of ENV=, also ENV=local [WORKSPACE= SINCE=1h REQUEST_ID= LEVEL= FOLLOW=1]
	@$(tools) aws logs

##@ Temporary copies of an environment
workspace-create: venv ## Create a copy: ENV= WORKSPACE= EXPIRES=2d REASON= [PURPOSE= DATABASE= OWNER= CLIENT=]
	@$(tools) aws workspace-create
workspace-extend: venv ## Set a later end for a copy: ENV= WORKSPACE= EXPIRES=2d REASON=
	@$(tools) aws workspace-extend
workspace-destroy: venv ## Destroy a copy: ENV= WORKSPACE=
	@$(tools) aws workspace-destroy
route: venv ## Send CLIENT= to the debug workspace WORKSPACE= of ENV=, for UNTIL=2h
	@$(tools) aws route
unroute: venv ## Send CLIENT= to ENV= again, away from WORKSPACE=
	@$(tools) aws unroute
reap: venv ## Destroy the expired copies of ENV= [PURPOSE=], and report orphans
	@$(tools) aws reap

# Targets that `make help` does not list.
help:
	@awk -F ':.*## ' '/^##@ / { printf "%s%s\n", n++ ? "\n" : "", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile
lint: venv
	@$(python) -m ruff check --quiet
	@$(python) -m ruff format --check --quiet || { echo "Some files are not formatted: run \`make format\`" >&2; exit 1; }
	@report=$$(.local/venv/bin/lint-imports --cache-dir .local/cache/import-linter) || { echo "$$report"; exit 1; }
types: venv
	@$(python) -m mypy
database: venv
	@$(tools) local database-start
database-stop: venv
	@$(tools) local database-stop
clean:
	@rm -rf .local/venv .local/checkov .local/cache .local/bench
# Keep the virtual environment if the file .local/venv/complete names this folder, this Python and these requirements.
venv:
	@$(if $(PYTHON),false,test -x $(python) && $(installed) | cmp -s - .local/venv/complete) && exit; \
	for each in $(pythons); do "$$each" -c '$(suits)' 2>/dev/null && exec "$$each" -m tools.venv; done; \
	echo "This project needs Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip. None of these commands is" \
		"such a Python: $(pythons). Install one (Debian and Ubuntu: apt-get install python3-venv; macOS: brew" \
		"install python@3.13), or name yours: make PYTHON=/path/to/python3.13" >&2; exit 1
