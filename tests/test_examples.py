"""Examples begin with a question, and name what exists."""

import ast
import importlib
import re
import runpy
from pathlib import Path

import pytest

import sklearn_ser

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
CONF = runpy.run_path(str(ROOT / "docs" / "conf.py"))
SCRIPTS = sorted(EXAMPLES.rglob("*.py"))
EVERY_SCRIPT = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)


def read(path):
    return path.read_text(encoding="utf-8")


def comments(path):
    """Return the prose of an example: its docstring and the text between its cells."""
    lines = [line[2:] for line in read(path).splitlines() if line.startswith("# ")]
    return "\n".join([ast.get_docstring(ast.parse(read(path))), *lines])


def test_every_section_has_a_place_in_the_gallery():
    order = [Path(section).name for section in CONF["sphinx_gallery_conf"]["subsection_order"]]
    assert set(order) == {path.parent.name for path in SCRIPTS}
    assert len(order) == len(set(order))
    for section in order:
        title, line = read(EXAMPLES / section / "GALLERY_HEADER.rst").splitlines()[:2]
        assert line == "-" * len(title)


@EVERY_SCRIPT
def test_the_name_makes_it_run(path):
    # Sphinx-Gallery runs files of this name, in the order of their numbers.
    assert re.fullmatch(r"plot_\d_\w+\.py", path.name)


@EVERY_SCRIPT
def test_it_compiles_and_begins_with_a_question(path):
    compile(read(path), path, "exec")
    title, line = ast.get_docstring(ast.parse(read(path))).splitlines()[:2]
    assert title.endswith("?")
    assert line == "=" * len(title)


@EVERY_SCRIPT
def test_it_ends_with_what_to_conclude_and_where_to_read_on(path):
    _, _, end = comments(path).partition("What to conclude\n----------------\n")
    assert ":doc:`" in end


@EVERY_SCRIPT
def test_pages_that_it_leads_to_exist(path):
    for name in re.findall(r":doc:`([^`]+)`", comments(path)):
        target = ROOT / f"docs{name}.rst" if name.startswith("/") else path.parent / f"{name}.py"
        assert target.is_file(), name


@EVERY_SCRIPT
def test_names_that_prose_sets_as_code_exist(path):
    for name in re.findall(r"(?<!`)`sklearn_ser\.([\w.]+)`(?!`)", comments(path)):
        found = sklearn_ser
        for part in name.split("."):
            found = getattr(found, part)


@EVERY_SCRIPT
def test_names_that_it_imports_are_public(path):
    imports = [
        node
        for node in ast.walk(ast.parse(read(path)))
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "sklearn_ser"
    ]
    assert imports
    for node in imports:
        module = importlib.import_module(node.module)
        for alias in node.names:
            assert alias.name in getattr(module, "__all__", dir(module)), alias.name


def test_the_gallery_is_on_the_first_page():
    assert "<gallery/index>\n" in read(ROOT / "docs" / "index.rst")
    assert "(examples/)" in read(ROOT / "README.md")
