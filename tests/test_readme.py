"""What README.md shows works."""

import re
import shlex
from pathlib import Path

import pytest

from sklearn_ser.cli._parser import build_parser

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_python_examples_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks("python"):
        exec(block, names)
    assert len(names["scores"]["test_score"]) == 3
    assert names["scores"]["test_score"].mean() > 0.3
    assert "mean" in capsys.readouterr().out


def test_loaders_are_shown_with_names_that_exist():
    import sklearn_ser.datasets

    for block in blocks("python notest"):
        for name in re.search(r"import (.*)", block)[1].split(", "):
            assert callable(getattr(sklearn_ser.datasets, name))


@pytest.mark.parametrize(
    "line",
    [line for block in blocks("sh") for line in block.splitlines() if "sklearn-ser " in line],
)
def test_commands_are_understood(line):
    _, _, arguments = line.partition("sklearn-ser ")
    build_parser().parse_args(shlex.split(arguments, comments=True))


@pytest.mark.parametrize("target", ["demo", "test", "bench"])
def test_make_targets_exist(target):
    assert f"make {target}" in README
    makefile = (Path(__file__).parents[1] / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
