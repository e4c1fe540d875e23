"""Generated pages are complete, and prose names nothing that is gone."""

import ast
import json
import re
import runpy
from pathlib import Path

import pytest

import sklearn_ser

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sklearn_ser.__file__).parent
DOCS = ROOT / "docs"
CONF = runpy.run_path(str(DOCS / "conf.py"))

MODULES = sorted(PACKAGE.rglob("*.py"))
EVERY_MODULE = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix()
)

# What prose may name: anything that stands in code, in the settings or in the tests.
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (*MODULES, *sorted((ROOT / "tests").rglob("*.py")), ROOT / "pyproject.toml")
    if path != Path(__file__)
)
FILE = re.compile(r"[\w.-]+(/[\w.-]+)*(/|\.(py|md|rst|toml|txt|cfg))")
NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*")


def rows(page):
    """Return the cells of the tables of a page, row by row."""
    return [
        [cell.strip() for cell in re.split(r"\n     - ", row)]
        for row in re.findall(r"^   \* - (.*(?:\n     - .*)*)", page, re.MULTILINE)
    ]


def stale(text):
    """Return the files and names that a text sets as code and that do not exist."""
    gone = []
    # Sphinx checks these by itself.
    text = re.sub(r":(doc|eq|math|ref):`[^`]+`", "", text)
    for literal in re.findall(r"(?<!`)(`{1,2})([^`\n]+)\1(?!`)", text):
        name = literal[1].removesuffix("()")
        if FILE.fullmatch(name):
            found = any((folder / name).exists() for folder in (ROOT, PACKAGE))
        elif NAME.fullmatch(name):
            found = re.search(rf"\b{name.rpartition('.')[2]}\b", SOURCES)
        else:
            continue
        if not found:
            gone.append(name)
    return gone


@EVERY_MODULE
def test_the_first_line_says_what_a_module_is_for(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, "no docstring"
    first, _, rest = docstring.partition("\n")
    assert 10 <= len(first) <= 90
    assert first.endswith(".")
    assert not rest or rest.startswith("\n"), "the summary has more than one line"


def test_every_part_and_every_module_is_listed_once():
    layers, modules = CONF["list_layers"](), CONF["list_modules"]()
    parts = [
        f"``{path.parent.name}/``" if path.name == "__init__.py" else f"``{path.name}``"
        for path in (*PACKAGE.glob("*/__init__.py"), *PACKAGE.glob("*.py"))
        if path.parent != PACKAGE or path.name != "__init__.py"
    ]
    assert sorted(row[0] for row in rows(layers)[1:]) == sorted(parts)
    listed = [row[0].strip("`") for row in rows(modules) if row[0] != "module"]
    inner = [
        path.relative_to(package).as_posix().removesuffix("__init__.py").removesuffix(".py")
        for package in (one.parent for one in PACKAGE.glob("*/__init__.py"))
        for path in package.rglob("*.py")
        if path != package / "__init__.py"
    ]
    assert sorted(listed) == sorted(inner)
    for path in MODULES:
        if path.parent != PACKAGE or path.name != "__init__.py":
            first = ast.get_docstring(ast.parse(path.read_text("utf-8"))).partition("\n")[0]
            assert first in layers + modules


def test_the_rules_are_those_that_imports_are_checked_against():
    rules = runpy.run_path(str(ROOT / "tests" / "test_layers.py"))["MAY_IMPORT"]
    shown = {row[0].strip("`/").removesuffix(".py"): row[2] for row in rows(CONF["list_layers"]())}
    for part, others in rules.items():
        assert set(re.findall(r"``(\w+)``", shown[part])) == set(others)


def test_generated_tables_are_on_the_page():
    page = (DOCS / "architecture.rst").read_text(encoding="utf-8")
    for name in ("layers", "modules"):
        assert f".. include:: api/generated/{name}.inc" in page


def test_ratios_against_peers_are_those_of_the_benchmarks():
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    [header, *shown] = rows(CONF["list_ratios"]())
    assert header == ["task", "ours", "peer", "ratio (range)", "command"]
    compared = [
        (record["command"], figure)
        for record in results.values()
        for figure in record["figures"]
        if "peer" in figure
    ]
    assert len(shown) == len(compared) > 0
    for (command, figure), (task, ours, peer, ratio, shown_command) in zip(
        compared, shown, strict=True
    ):
        assert (task, shown_command) == (figure["task"], f"``{command}``")
        assert figure["ours"]["name"] in ours
        assert f"{figure['peer']['package']} {figure['peer']['version']}" in peer
        expected = [figure["ratio"][name] for name in ("median", "min", "max")]
        found = [float(number) for number in re.findall(r"[\d.]+(?:e[+-]?\d+)?", ratio)]
        assert found == pytest.approx(expected, rel=0.01)
    assert ".. include:: api/generated/ratios.inc" in (DOCS / "speed.rst").read_text("utf-8")


def test_the_table_of_ratios_needs_a_complete_file(tmp_path):
    path = tmp_path / "results.json"
    path.write_text('{"peers": {"schema": 1, "figures": []}}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"results\.json, 'peers': expected 'command'"):
        CONF["list_ratios"](path)


def test_counts_of_the_fuzzers_are_those_on_record():
    results = json.loads((ROOT / "tests" / "fuzz" / "results.json").read_text(encoding="utf-8"))
    page = CONF["list_fuzzing"]()
    assert results["total"]["executions"] >= 1_000_000
    assert page.startswith(f"{results['total']['executions']:,} executions")
    assert f"; {results['total']['faults']:,} of them ended in a fault" in page
    shown = {row[0].strip("`"): row[1:] for row in rows(page)}
    assert shown.keys() == {"target", "script", *results["targets"], *results["scripts"]}
    for name, one in results["targets"].items():
        executions, verdicts, branches, faults = shown[name]
        assert int(executions.replace(",", "")) == one["executions"]
        assert branches == f"{one['branches']} ({one['new_branches']})"
        assert faults == str(one["faults"])
        for verdict, n in one["verdicts"].items():
            assert f"{verdict} {n:,}" in verdicts
    for name, one in results["scripts"].items():
        assert shown[name][:2] == [f"{one['executions']:,}", str(one["faults"])]
    assert "include:: api/generated/fuzzing.inc" in (DOCS / "reliability.rst").read_text("utf-8")


def test_promises_of_reliability_have_tests():
    page = (DOCS / "reliability.rst").read_text(encoding="utf-8")
    tests = re.findall(r"``(test_\w+)``", page)
    assert len(tests) > 15
    for name in tests:
        assert f"def {name}(" in SOURCES, name
    targets = set(re.findall(r"--target (\w+)", page))
    results = json.loads((ROOT / "tests" / "fuzz" / "results.json").read_text(encoding="utf-8"))
    assert targets <= results["targets"].keys()


PROSE = (
    "architecture choosing extending faq gpu guides leaking mathematics release reliability scaling"
)
PROSE = [f"docs/{name}.rst" for name in PROSE.split()]
PROSE += ["CONTRIBUTING.md", "README.md", "SECURITY.md"]


@pytest.mark.parametrize("page", PROSE)
def test_prose_names_what_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    # Sphinx checks what roles point to.
    text = re.sub(r":(?:doc|ref):`[^`]*`", "", text)
    assert stale(text) == []
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:`|^)make (\w+)", text, re.MULTILINE)) <= set(targets)


def test_the_guard_sees_names_that_are_gone():
    text = "``audio/``, ``audio/_gone.py``, `docs/conf.py`, ``EGeMAPSExtractor``, ``nn._vanished``"
    assert stale(text) == ["audio/_gone.py", "nn._vanished"]


def test_every_estimator_is_in_the_reference():
    page = (DOCS / "api" / "index.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^   (?:estimators|features)\.(\w+)$", page, re.MULTILINE)
    assert set(sklearn_ser.estimators.__all__) <= set(listed)
    entries = re.findall(r"^   (\w+\.\w+)$", page, re.MULTILINE)
    assert len(entries) == len(set(entries)), "listed twice"
    transformers = {
        name
        for name, one in vars(sklearn_ser.features).items()
        if isinstance(one, type) and issubclass(one, sklearn_ser.features.RecordingTransformer)
    }
    assert transformers <= set(listed)


def test_the_time_of_compilation_is_stated_once():
    duration = r"\b\d+ (?:s\b|seconds)"
    stated = re.compile(
        rf"compil[^.]*(?:\.\s[^.]*)?{duration}|{duration}[^.]*compil", re.IGNORECASE
    )
    pages = [ROOT / "README.md", *sorted(DOCS.glob("*.rst"))]
    found = {path.name: stated.findall(path.read_text("utf-8")) for path in pages}
    found = {name: texts for name, texts in found.items() if texts}
    assert list(found) == ["features.rst"]
    [text] = found["features.rst"]
    seconds = re.search(r"\d+", text)[0]
    warning = (PACKAGE / "features" / "_egemaps" / "_machine_code.py").read_text(encoding="utf-8")
    assert f"about {seconds} s of CPU" in warning
