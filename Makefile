# Two commands: `make run` and `make test`. Everything else is what they need.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Python keeps what it has compiled, whatever the machine says: starting without it takes half as long again.
unexport PYTHONDONTWRITEBYTECODE
export FLASK_APP := run.py

.PHONY: help run test setup check bench messages lock clean

help: ## Show what each target does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: setup ## Install what is missing, migrate, load demo data at the first start, serve site and worker
	@exec $(BIN)/flask start --serve

test: setup $(VENV)/.dev ## All checks and tests, on SQLite and (where one answers) PostgreSQL, with browser tests
	@scripts/test

check: setup $(VENV)/.dev ## The static checks alone: ruff, mypy, imports, migrations, translations
	@scripts/check

bench: setup $(VENV)/.dev ## Measure lists, details and exports on 100,000 projects beside plain Flask-AppBuilder
	@$(BIN)/python -m tests.bench

setup: $(VENV)/.runtime app/static/vendor/.built translations/.compiled ## Python environment, front-end assets, translations

$(VENV)/.runtime: requirements.lock requirements-ldap.lock scripts/system-packages
	@scripts/system-packages runtime
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-ldap.lock >$(VENV)/ldap.log 2>&1 \
		|| echo "LDAP sign-on is off: python-ldap could not be built (details in $(VENV)/ldap.log)."
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@scripts/system-packages test
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

app/static/vendor/.built: frontend/package-lock.json frontend/build.mjs
	@npm ci --prefix frontend --silent --no-audit --no-fund
	@npm run build --prefix frontend --silent
	@touch $@

translations/.compiled: $(wildcard translations/*/LC_MESSAGES/messages.po) $(VENV)/.runtime
	@$(BIN)/pybabel -q compile -d translations
	@touch $@

messages: setup ## Collect new texts from the source into the catalogues
	@scripts/messages

lock: $(VENV)/.dev ## Pin the dependencies again after a change in pyproject.toml
	@scripts/lock

clean: ## Remove what was installed and built; data in var/ stays
	rm -rf $(VENV) frontend/node_modules app/static/vendor translations/.compiled
