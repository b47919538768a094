# `make` lists what there is. Everything local to this checkout lies in .local/.

python := .local/venv/bin/python

# One more than there are cores: whoever applies infrastructure mostly waits.
workers := $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1 )))

export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/cache/pycache
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.local/cache/hypothesis

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: venv ## Start database and server on PORT=8000, until Ctrl-C, with autoreload; EMULATED=1: AWS is `make emulator`
	@$(python) -m tools.local.run

.PHONY: test
test: lint types ## Run linters, type checker and all tests
	@$(python) -m pytest -n $(workers) --dist worksteal tests
	@$(python) -m tools.aws.terraform
	@$(python) -m tools.checks.actionlint --missing

.PHONY: rehearse
rehearse: venv ## Rehearse deploying, promoting, rolling back and debugging: the workflows' jobs, in an emulated account
	@$(python) -m pytest -n 0 -s -q --no-header tests/rehearsal

.PHONY: tests
tests: venv ## Run some of the tests: TESTS="tests/unit tests/service"
	@$(python) -m pytest -n logical --dist worksteal $(TESTS)

.PHONY: coverage
coverage: venv ## Test, and see that 95 % of the lines that differ from BASE=origin/development are run
	@$(python) -m tools.checks.coverage

.PHONY: workflows
workflows: venv ## Check the workflows: actionlint, zizmor, schemas, and the rules of tests/workflows
	@$(python) -m pytest -q -n 0 tests/workflows

.PHONY: acceptance
acceptance: venv ## Test the service that runs at URL=… (also TOKEN, SYSTEM, READ_ONLY=1, SITE=1, REPORT=file); docs/acceptance.md
	@$(python) -m tools.local.acceptance

.PHONY: fuzz
fuzz: venv ## Ask the service what nobody would: EXAMPLES=200 an operation, series of steps for SECONDS=60; SEED=… repeats
	@$(python) -m tools.checks.fuzz

.PHONY: lint
lint: venv ## Check style, format and the direction of imports
	@$(python) -m ruff check --quiet
	@$(python) -m ruff format --check --quiet || { echo "\`make format\` mends the format" >&2; exit 1; }
	@report=$$(.local/venv/bin/lint-imports --cache-dir .local/cache/import-linter) || { echo "$$report"; exit 1; }

.PHONY: format
format: venv ## Format the code, and mend what the linter can
	@$(python) -m ruff check --fix
	@$(python) -m ruff format

.PHONY: types
types: venv ## Check types
	@$(python) -m mypy

.PHONY: openapi
openapi: venv ## Write openapi.json from the code
	@$(python) -m tools.checks.openapi

.PHONY: token
token: venv ## Print a token: ROLE=viewer|pipeline|maintainer|admin SYSTEM=key,key (also SUBJECT, RUN_ID, SHA, ACTOR)
	@$(python) -m tools.local.token

.PHONY: package
package: venv ## Package for STAGE=development|preproduction|production, into infra/modules/api; prints the digest
	@$(python) -m tools.package.compose

.PHONY: plan apply rollback destroy
plan: venv ## Plan ENV=development|preproduction|production [WORKSPACE=name PURPOSE= DATABASE= OWNER=]; EMULATED=1: in `make emulator`
	@$(python) -m tools.aws.environment plan
apply: venv ## Apply, migrate and let the new version serve: as `make plan`; PLAN=1 takes the plan that it saved
	@$(python) -m tools.aws.environment apply
rollback: venv ## Let the version of ENV=… [WORKSPACE=…] serve that served before
	@$(python) -m tools.aws.environment rollback
destroy: venv ## Destroy ENV=… [WORKSPACE=…], and the workspace with it
	@$(python) -m tools.aws.environment destroy

.PHONY: workspace-create workspace-extend workspace-destroy route unroute reap
workspace-create: venv ## Record and make WORKSPACE=name of ENV=…: EXPIRES=2d REASON="…" [PURPOSE= DATABASE= OWNER= CLIENT=]
	@$(python) -m tools.aws.workspace create
workspace-extend: venv ## Let WORKSPACE=name of ENV=… expire in EXPIRES=2d; later than it would with a REASON="…"
	@$(python) -m tools.aws.workspace extend
workspace-destroy: venv ## Destroy WORKSPACE=name of ENV=…, its routes and its record
	@$(python) -m tools.aws.workspace destroy
route: venv ## Send CLIENT=name to the debug workspace WORKSPACE=name of ENV=…, for UNTIL=2h
	@$(python) -m tools.aws.workspace route
unroute: venv ## Send CLIENT=name to ENV=… again, away from WORKSPACE=name
	@$(python) -m tools.aws.workspace unroute
reap: venv ## Destroy what has expired in ENV=…, and report what has no counterpart
	@$(python) -m tools.aws.workspace reap

.PHONY: logs
logs: venv ## What ENV=… [WORKSPACE=…] logged since SINCE=1h; REQUEST_ID=… of one request, FOLLOW=1 goes on
	@$(python) -m tools.aws.logs

.PHONY: db-shell
db-shell: venv ## SQL on the database of ENV=… [WORKSPACE=…], or the local one; SQL="…": one statement; WRITE=1: not only reading
	@$(python) -m tools.aws.db_shell

.PHONY: doctor
doctor: venv ## Say what this machine lacks and, with ENV=…, which quotas of the account would stop an apply
	@$(python) -m tools.aws.doctor

.PHONY: checkov
checkov: venv ## Look for known faults in infra/; PLANS="a.json b.json" in plans too, of `terraform show -json`
	@$(python) -m tools.checks.checkov $(PLANS)

.PHONY: artifact
artifact: venv ## Find the package of this checkout's tree in ARTIFACT_BUCKET, or make it; into .local/artifact, for ENV too
	@$(python) -m tools.pipeline artifact

.PHONY: artifact-keep
artifact-keep: venv ## Keep what `make artifact` made in ARTIFACT_BUCKET; where another is there already, take that
	@$(python) -m tools.pipeline artifact-keep

.PHONY: artifact-attested
artifact-attested: venv ## See that GitHub attests where the package of .local/artifact was built
	@$(python) -m tools.pipeline artifact-attested

.PHONY: may-promote
may-promote: venv ## Ask whether this checkout, or ARTIFACT=tree:…, may enter ENV; says what stands in the way
	@$(python) -m tools.pipeline may-promote

.PHONY: promotable
promotable: venv ## See that a pull request's merge, checked out, is the tree that was tested
	@$(python) -m tools.pipeline promotable

.PHONY: record
record: venv ## Tell Slipway: RECORD=deployment-open|deployment-status|verification ENV=… (tools/slipway_client/slipway.py)
	@$(python) -m tools.pipeline record

.PHONY: deployed
deployed: venv ## What runs in ENV, as Slipway knows it: artifact and revision
	@$(python) -m tools.pipeline deployed

.PHONY: oidc-token
oidc-token: venv ## Print a token of this job for SLIPWAY_AUDIENCE (GitHub), or SLIPWAY_TOKEN
	@$(python) -m tools.pipeline oidc-token

.PHONY: emulated-plan
emulated-plan: venv ## Plan ENV in an emulated account that is empty, and gone afterwards; as JSON in .local/plans
	@$(python) -m tools.pipeline emulated-plan

.PHONY: summary
summary: venv ## What plans would change, as a comment: PLANS="development=plan.json" POLICY=said.txt DIGEST=…
	@$(python) -m tools.pipeline summary

.PHONY: bench
bench: venv ## Measure what a request and a cold start cost; fails where that exceeds its bounds
	@$(python) -m tools.checks.bench

.PHONY: policy
policy: venv ## Hold plans of all environments against infra/policy, and prove that it catches; ENV=… or PLAN=file.json: one
	@$(python) -m tools.checks.policy

.PHONY: replay
replay: venv ## Record the real deployment history of a project in a running service
	@$(python) -m tools.local.replay

.PHONY: database
database: venv ## Start the database alone, and leave it running: for plain `chalice local --stage local`
	@$(python) -m tools.local.postgres start

.PHONY: database-stop
database-stop: venv ## Stop the database that `make database` started
	@$(python) -m tools.local.postgres stop

.PHONY: account
account: venv ## Make what an AWS account needs once: ACCOUNT=testing|production; EMULATED=1: `make emulator`; YES=1 asks nobody
	@$(python) -m tools.aws.account

.PHONY: emulator
emulator: venv ## Serve an emulated AWS account on 127.0.0.1:4566, until Ctrl-C
	@$(python) -m tools.aws.emulator

.PHONY: reset
reset: venv ## Delete the local database, with all that it holds
	@$(python) -m tools.local.postgres reset

.PHONY: clean
clean: ## Delete virtual environments, caches and the measured package; database and keys stay
	@rm -rf .local/venv .local/checkov .local/cache .local/bench

.PHONY: venv
venv: ## Make the virtual environment, if it is not up to date; the other targets do it by themselves
	@tools/venv.sh
