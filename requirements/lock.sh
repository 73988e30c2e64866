#!/bin/sh
# Rewrite the two lock files from pyproject.toml (needs uv). Run after changing a dependency.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    pyproject.toml requirements/build.in "$@"; }
lock --output-file requirements/run.txt
lock --extra dev --constraints requirements/run.txt --output-file requirements/dev.txt
