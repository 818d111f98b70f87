# What is done often. Everything happens in .venv, made as README.md makes it.

PYTHON := .venv/bin/python

.PHONY: help test check binary

help:
	@echo "make test     run all tests, as README.md says"
	@echo "make check    ruff, mypy and import-linter, without the tests"
	@echo "make binary   dist/relay: one file that needs no Python (see docs/deployment.md)"

test:
	.ci/run

# the interpreter stands for everything that is installed with it
.venv/.test: pyproject.toml constraints.txt
	python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e '.[test]'
	touch $@

check: .venv/.test
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

# A venv of its own: PyInstaller packs what it finds installed.
# relay is found by its imports; told in words are its data files, and the modules that only C code imports.
binary:
	python3 -m venv build/venv && build/venv/bin/pip install -q -c constraints.txt '.[binary]'
	build/venv/bin/python -m PyInstaller --onefile --name relay --noconfirm --clean --log-level WARN \
		--distpath dist --workpath build/pyinstaller --specpath build/pyinstaller \
		--collect-data relay \
		--collect-data crawleruseragents \
		--hidden-import uvloop --hidden-import orjson --hidden-import msgspec --hidden-import aiosqlite \
		--hidden-import backports.zstd --hidden-import prometheus_client \
		relay/__main__.py
	dist/relay --version
