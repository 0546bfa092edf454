.DEFAULT_GOAL := help
.PHONY: docs help install test test-all nightly lint format stubs bench notebook clean

PYTHON ?= python3
BIN := .venv/bin

help:  ## List the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

install: $(BIN)/forecast  ## Make .venv with everything to work on the code

$(BIN)/forecast: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -e ".[cpu,test]"
	touch $@

test: install  ## Run the tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-all: install  ## Run the slow tests too
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "slow or not slow"

nightly: install  ## Read 10,000 random tables by the command line, and as many frames in Python
	FORECASTKIT_FUZZ=10000 $(BIN)/python -m pytest tests/cli/test_fuzz.py tests/data/test_find_keys_fuzz.py

lint: install  ## Check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install  ## Mend style and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

stubs: install  ## Write the classes and stubs that editors read, after a change of public names or parameters
	$(BIN)/python tools/write_stubs.py

bench: install  ## A quick accuracy run; benchmarks/README.md has the full ones
	mkdir -p benchmarks/results
	$(BIN)/python benchmarks/accuracy.py --csv datasets/ETTh1.csv --split 8640,2880,2880 --horizon 96 --lookback 528 \
	    --models seasonal_naive,linear,gru --seeds 0 --out benchmarks/results/quick.jsonl
	$(BIN)/python benchmarks/table.py benchmarks/results/quick.jsonl

notebook: install  ## Execute the notebooks in place
	$(BIN)/jupyter-execute --inplace notebooks/*.ipynb

docs: install  ## Build the documentation site into build/site; warnings are errors
	$(BIN)/pip install -q -e ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:  ## Remove what the other verbs made
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
