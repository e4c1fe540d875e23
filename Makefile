# Every target works on a fresh clone: the virtual environment is made on first use.
PYTHON ?= python3
VENV ?= .venv
DOCS_OUT ?= docs/_build/html
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.PHONY: demo test slow lint docs bench bench-smoke oldest fuzz clean

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sklearn-ser needs Python 3.11 or later, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)

demo: $(BIN)/python
	$(PIP) -e '.[report,persist]'
	$(BIN)/sklearn-ser evaluate --method all --transfer --jobs 2 --out results --report report.html
	@echo
	@echo 'Open this page in a browser: $(CURDIR)/report.html'

# Coverage doubles the time: make test PYTEST=--cov
test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST)

slow: $(BIN)/python
	$(PIP) -e '.[test]'
	$(BIN)/python -m pytest -m slow

lint: $(BIN)/python
	$(PIP) -e '.[test]'
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(BIN)/python
	$(PIP) -e '.[docs]'
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs $(DOCS_OUT)
	$(BIN)/python docs/check_links.py $(DOCS_OUT)

bench: $(BIN)/python
	$(PIP) -e '.[bench]'
	$(BIN)/python benchmarks/run.py $(BENCH)

# Every benchmark in a few seconds, on synthesised recordings: they run, and their figures mean nothing.
bench-smoke: $(BIN)/python
	$(PIP) -e '.[bench]'
	$(BIN)/python benchmarks/run.py --smoke

# The suite on the oldest versions that pyproject.toml declares, in an environment of its own. Left
# out is what no version of another package can change: real recordings, the browser, containers of
# audio, damaged files, names of files of corpora, compilation, killed processes, streams,
# benchmarks, pages of the documentation and the layers of the code; and what depends on torch
# alone, which is not tried in its oldest version. Warnings are errors only where they announce what
# later versions change.
OLDEST_WITHOUT := audio/test_containers audio/test_ffmpeg audio/test_waveform datasets/corpora/% \
    datasets/synthesis/% datasets/test_likelier estimators/test_domain estimators/test_metric_dae \
    estimators/test_nnpm% estimators/test_not_adapted estimators/test_ssvae estimators/test_vae \
    features/egemaps/test_compiled features/test_cache_processes features/test_embedding fuzz/% nn/% \
    test_adaptation test_benchmarks test_cli_% test_docs test_environments test_examples test_guides \
    test_interrupted_writes test_journeys test_layers test_numbers test_readme test_site utils/%
OLDEST_TESTS = $(filter-out $(OLDEST_WITHOUT:%=tests/%.py), \
    $(shell find tests -name 'test_*.py' | sort))

$(VENV)-oldest/bin/pytest: constraints-oldest.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip --disable-pip-version-check install --quiet --prefer-binary \
	    -c constraints-oldest.txt -e '.[test]'
	touch $@

oldest: $(VENV)-oldest/bin/pytest
	$(VENV)-oldest/bin/python -m pytest -n 2 --dist loadfile \
	    -m 'not slow and not corpus and not browser' \
	    -W default -W error::FutureWarning -W error::DeprecationWarning $(OLDEST_TESTS) sklearn_ser

# Less or more of it: make fuzz FUZZ="--runs 200"
fuzz: $(BIN)/python
	$(PIP) -e '.[test,fuzz]'
	for name in audio models archives caches results; do \
	    $(BIN)/python tests/fuzz/$$name.py $(FUZZ) || exit 1; \
	done
	if $(BIN)/python -c 'import atheris' 2>/dev/null; then \
	    $(BIN)/python tests/fuzz/guided.py $(FUZZ); \
	else \
	    $(BIN)/python -m pytest tests/fuzz/test_guided.py --hypothesis-profile=full; \
	fi

clean:
	rm -rf $(VENV) $(VENV)-oldest docs/_build docs/api/generated docs/gallery build dist *.egg-info
