# `make` lists what there is. Everything that is local to this checkout lies in .local/.
# The tools are `python -m tools GROUP COMMAND --help`; here stands what people use.

python := .local/venv/bin/python
tools := $(python) -m tools

# One more than there are cores: whatever applies infrastructure mostly waits.
workers := $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1 )))
pytest := $(python) -m pytest -n $(workers) --dist worksteal

# What `make` starts ends when it is killed; see tools/lifeline.py.
export MAKE_PID := $(shell echo $$PPID)
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/cache/pycache
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.local/cache/hypothesis

.DEFAULT_GOAL := help
.PHONY: $(shell awk -F: '/^[a-z-]+:/ { print $$1 }' Makefile)

##@ Every day
run: venv ## Serve on http://127.0.0.1:8000 with a database of its own [PORT= DATABASE_URL= EMULATED=1]
	@$(tools) local run
check: lint types ## The loop beside the editor, 90 s: lint, types, unit and service tests
	@$(pytest) tests/unit tests/service
test: lint types ## What a change must pass, 8 min: `check`, local server, infrastructure, pipeline
	@$(pytest) tests
	@$(tools) checks untested
format: venv ## Format the code, and fix what the linter can
	@$(python) -m ruff check --fix
	@$(python) -m ruff format
openapi: venv ## Write openapi.json from the code
	@$(tools) checks openapi
token: venv ## Print a token: ROLE=viewer|pipeline|maintainer|admin SYSTEM=shop
	@$(tools) local token
replay: venv ## Record a project's real history in the running service [URL= TOKEN=]
	@$(tools) local replay
acceptance: venv ## Test a running service: URL= [TOKEN= SYSTEM= READ_ONLY=1 SITE=1 REPORT=]
	@$(tools) local acceptance
db-shell: venv ## SQL on the local database, or on ENV= [WORKSPACE= SQL= WRITE=1]
	@$(tools) aws db-shell
reset: venv ## Delete the local database with all that it holds
	@$(tools) local database-reset

##@ More checks
test-all: test ## What CI runs, 25 min: `test`, the rehearsal of a deployment, all mutants
	@$(python) -m pytest -n 0 -s -q --no-header -m slow tests
nightly: venv ## What takes an hour: a long fuzz, the bench
	@$(tools) checks fuzz
	@$(tools) checks bench
coverage: venv ## Require tests for 95 % of the lines that differ from BASE=origin/development
	@$(tools) checks coverage
fuzz: venv ## Ask the service what nobody would [EXAMPLES=200 SECONDS=60 SEED=]
	@$(tools) checks fuzz
bench: venv ## Measure what a request and a cold start cost
	@$(tools) checks bench
policy: venv ## Hold plans of all environments against infra/policy, or of ENV= alone
	@$(tools) checks policy
checkov: venv ## Look for known faults in infra/
	@$(tools) checks checkov
workflows: venv ## Check the workflows: actionlint, zizmor, schemas, our own rules
	@$(python) -m pytest -q -n 0 tests/workflows

##@ On AWS; EMULATED=1 is the account of `make emulator`
doctor: venv ## Say what this machine lacks and, with ENV=, which quotas would stop an apply
	@$(tools) aws doctor
emulator: venv ## Serve an emulated AWS account on 127.0.0.1:4566
	@$(tools) aws emulator
account: venv ## Make what an AWS account needs once: ACCOUNT=testing|production
	@$(tools) aws account
package: venv ## Package the functions for STAGE= and print the digest
	@$(tools) package make
plan: venv ## Package, and plan ENV=development|preproduction|production [WORKSPACE= PACKAGE=]
	@$(tools) aws plan
apply: venv ## Apply, migrate, and let the new version serve; PLAN=1 takes the saved plan
	@$(tools) aws apply
rollback: venv ## Let the version of ENV= serve that served before [WORKSPACE=]
	@$(tools) aws rollback
destroy: venv ## Destroy ENV= [WORKSPACE=]
	@$(tools) aws destroy
logs: venv ## Print what ENV= [WORKSPACE=] logged [SINCE=1h REQUEST_ID= FOLLOW=1]
	@$(tools) aws logs

##@ Copies of an environment, for a time
workspace-create: venv ## ENV= WORKSPACE= EXPIRES=2d REASON= [PURPOSE= DATABASE= OWNER= CLIENT=]
	@$(tools) aws workspace-create
workspace-extend: venv ## ENV= WORKSPACE= EXPIRES=2d REASON=
	@$(tools) aws workspace-extend
workspace-destroy: venv ## ENV= WORKSPACE=
	@$(tools) aws workspace-destroy
route: venv ## Send CLIENT= to the debug workspace WORKSPACE= of ENV=, for UNTIL=2h
	@$(tools) aws route
unroute: venv ## Send CLIENT= to ENV= again, away from WORKSPACE=
	@$(tools) aws unroute
reap: venv ## Destroy what has expired in ENV=, and report what has no counterpart
	@$(tools) aws reap

# Parts of the above, by name.
help:
	@awk -F ':.*## ' '/^##@ / { printf "%s%s\n", n++ ? "\n" : "", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile
lint: venv
	@$(python) -m ruff check --quiet
	@$(python) -m ruff format --check --quiet || { echo "\`make format\` formats them" >&2; exit 1; }
	@report=$$(.local/venv/bin/lint-imports --cache-dir .local/cache/import-linter) || { echo "$$report"; exit 1; }
types: venv
	@$(python) -m mypy
database: venv
	@$(tools) local database-start
database-stop: venv
	@$(tools) local database-stop
clean:
	@rm -rf .local/venv .local/checkov .local/cache .local/bench
venv:
	@tools/venv.sh
