# `make demo` and `make test` need Python 3.11 or later and make, nothing else; each sets up .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test slow check wheel-test test-ray train card curve average clean

demo: .venv/core
	$(BIN)/onrecord score data/sample.txt --format table
	$(BIN)/onrecord score data/sample.txt --format html -o sample.html
	@echo "the same as a page: sample.html"

test: .venv/all
	$(BIN)/python -m pytest -m "not slow"

slow: .venv/all ## what needs the bundled model over many sentences, or minutes of training
	$(BIN)/python -m pytest -m slow

check: .venv/all
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy -p onrecord

wheel-test: .venv/all ## the wheel, without any extra, in an empty environment: it scores, and torch is not there
	rm -rf build dist .venv-wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w dist .
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd dist && ../.venv-wheel/bin/onrecord score ../data/sample.txt --format jsonl | grep -q '"label": "anonymous"'
	! .venv-wheel/bin/python -c 'import torch' 2>/dev/null
	rm -rf build .venv-wheel

card: .venv/all ## the bundled model's card, from reports: make card REPORTS="report-dev report-test"
	$(BIN)/python -m onrecord.eval.card model/bundled $(REPORTS)

test-ray: .venv/all ## the Ray engine against the local one
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[ray]'
	$(BIN)/python -m pytest -m slow tests/test_ray.py

curve: .venv/all ## half an hour or more: does more text still pay? make curve FILES="rows.jsonl", for the card
	$(BIN)/python -m onrecord.cli.curve model/bundled $(FILES)

train: .venv/all ## a run on the bundled corpus, as the bundled model is the mean of two
	$(BIN)/onrecord train -o runs/model

average: .venv/all ## the mean of runs: make average RUNS="runs/a runs/b"
	$(BIN)/python -m onrecord.cli.average runs/average $(RUNS)

clean:
	rm -rf .venv .venv-wheel build dist *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/core: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/all: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[web,parquet,eval,train,dev]'
	@touch $@ .venv/core
