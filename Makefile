# `make run` on a machine with Python 3.11 and nothing else; `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help run test lint bench chaos shell reset requirements messages

PYTHON ?= python3
BIN := .venv/bin
EMBEDDED := $(BIN)/python -m config.embedded
ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Empty is off: else each of many processes would compile all modules anew.
export PYTHONDONTWRITEBYTECODE :=

# Installing again is skipped while the pinned requirements have not changed.
digest = $(shell cksum < $(1) | cut -d' ' -f1)
RUNTIME := .venv/.installed-runtime-$(call digest,requirements.txt)
DEVELOPMENT := .venv/.installed-development-$(call digest,requirements-dev.txt)

# Universal: Python 3.11.2 needs packages that 3.11.7 does not.
PIN := UV_CUSTOM_COMPILE_COMMAND="make requirements" uv pip compile pyproject.toml --universal \
	--quiet --generate-hashes --no-emit-index-url

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-14s%s\n", $$1, $$2}' Makefile

run: $(RUNTIME) ## start Parlour with a demo chain; Ctrl-C stops it
	$(EMBEDDED) exec -- $(BIN)/python -m config.supervisor

# Three processes for two cores: some tests wait, for browsers and for what they have killed.
test: $(DEVELOPMENT) ## run all tests; ARGS="tests/core -k audit" for some
	$(EMBEDDED) exec --instance test -- $(BIN)/pytest -n 3 --dist loadgroup $(ARGS)

# Django must be configured for these, but they open no connection.
lint: export DJANGO_SETTINGS_MODULE := config.settings.test
lint: export DATABASE_URL := postgres://nobody@127.0.0.1:1/none
lint: export BROKER_URL := redis://127.0.0.1:1/0
lint: $(DEVELOPMENT) ## check style, types, layers, templates, migrations and the API schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/yamllint --strict compose.yaml
	$(BIN)/mypy .
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

bench: $(DEVELOPMENT) ## measure; ARGS="send --n 20000" for one
	$(EMBEDDED) exec --instance bench -- $(BIN)/python -m bench $(ARGS)

chaos: $(DEVELOPMENT) ## kill everything at random while 50,000 messages go out; ARGS="--kills 20"
	$(BIN)/python -m bench.chaos $(ARGS)

shell: $(RUNTIME) ## a Django shell on the data of `make run`
	$(EMBEDDED) exec -- $(BIN)/python manage.py shell $(ARGS)

reset: $(RUNTIME) ## throw away the data of `make run`
	$(EMBEDDED) reset
	rm -rf .local/supervisor

requirements: ## pin pyproject.toml's dependencies again (needs uv); ARGS=--upgrade for newer ones
	$(PIN) --output-file requirements.txt $(ARGS)
	$(PIN) --group dev --constraint requirements.txt --output-file requirements-dev.txt $(ARGS)

messages: $(RUNTIME) ## collect and compile translations (needs GNU gettext)
	$(BIN)/django-admin makemessages --locale hi --no-obsolete --ignore .venv --ignore .local
	$(BIN)/django-admin compilemessages --locale hi --ignore .venv

$(RUNTIME): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer, please: make PYTHON=…")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --retries 10 --require-hashes --requirement requirements.txt
	touch $@

$(DEVELOPMENT): requirements-dev.txt $(RUNTIME)
	$(BIN)/pip install --quiet --retries 10 --require-hashes --requirement requirements-dev.txt
	touch $@
