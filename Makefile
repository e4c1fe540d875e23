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

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term

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

# The suite on the oldest versions that pyproject.toml declares, in an environment of its own. What
# no version of another package can change is left out, for it takes a quarter of the time: real
# recordings, the browser, containers of audio, damaged files, names of files of corpora,
# compilation, killed processes, streams, benchmarks, pages of the documentation and the layers of
# the code. Warnings are errors only where they announce what later versions change.
OLDEST_WITHOUT := tests/audio/test_containers.py tests/audio/test_ffmpeg.py \
    tests/datasets/corpora tests/features/egemaps/test_compiled.py \
    tests/features/test_cache_processes.py tests/fuzz tests/test_benchmarks.py \
    tests/test_cli_streams.py tests/test_docs.py tests/test_environments.py tests/test_examples.py \
    tests/test_layers.py tests/test_numbers.py tests/test_readme.py tests/test_site.py tests/utils
oldest:
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip --disable-pip-version-check install --quiet --prefer-binary \
	    -c constraints-oldest.txt -e '.[test]'
	$(VENV)-oldest/bin/python -m pytest -n 2 --dist loadfile \
	    -m 'not slow and not corpus and not browser' $(addprefix --ignore=,$(OLDEST_WITHOUT)) \
	    -W default -W error::FutureWarning -W error::DeprecationWarning

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
