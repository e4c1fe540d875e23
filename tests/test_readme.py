"""What README.md shows works."""

import ast
import inspect
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from sklearn_ser.cli._parser import build_parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_python_examples_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks("python"):
        exec(block, names)
    # Chance is 0.25 (four emotions) with a standard error of 0.06 (48 recordings).
    assert names["emotions"].shape == (48,)
    # Each corpus is scaled by itself in training: `fit` of a pipeline does not reach the union.
    [(_, scaler), _] = names["adapted"][1].transformer_list
    assert scaler.corpora_.tolist() == ["alphish", "betish"]
    assert (names["emotions"] == names["new"].emotion).mean() > 0.4
    assert len(names["scores"]["test_score"]) == 3
    assert names["scores"]["test_score"].mean() > 0.4
    # The evaluation of this package is that of scikit-learn, without the plumbing.
    summary = names["result"].summary.set_index("corpus")["uar"]
    np.testing.assert_allclose(summary.iloc[:3], names["scores"]["test_score"])
    printed = capsys.readouterr().out
    for corpus, score in summary.items():
        assert re.search(rf"\b{corpus}\b.*\b{score:.3f}\b", printed)


def test_five_lines_take_paths_to_emotions(tmp_path, capsys):
    from sklearn_ser.datasets import make_corpora

    speech = make_corpora(tmp_path, n_utterances=24)
    known = speech["corpus"] != "gammish"
    names = {
        "labelled_paths": speech["path"][known],
        "emotions": speech["emotion"][known],
        "corpora": speech["corpus"][known],
        "new_paths": speech["path"][~known],
    }
    [block] = blocks("python sketch")
    exec(block, names)
    printed = re.findall(r"\w+", capsys.readouterr().out)
    assert len(printed) == 24
    assert set(printed) <= set(speech["emotion"])


def test_the_table_and_the_picture_have_the_same_numbers():
    rows = json.loads((ROOT / "docs/figures/representations.json").read_text(encoding="utf-8"))
    picture = (ROOT / "docs/figures/representations.svg").read_text(encoding="utf-8")
    table = README[README.index("| features |") :].partition("\n\n")[0]
    header, _, *lines = (re.split(r"\s*\|\s*", line)[1:-1] for line in table.splitlines())
    methods = [name.strip("`") for name in header[1:]]
    shown = [
        (method, float(cell.strip("*")))
        for _, *cells in lines
        for method, cell in zip(methods, cells, strict=True)
        if cell
    ]
    assert shown == [(row["method"], round(row["uar"], 3)) for row in rows]
    # matplotlib draws text as outlines, each with the text as a comment.
    drawn = re.findall(r"<!-- (0\.\d\d) -->", picture)
    assert drawn == [f"{row['uar']:.2f}" for row in rows]


def test_the_encoder_example_runs(whisper_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    [block] = blocks("python encoder")
    name = "openai/whisper-tiny.en"
    assert block.count(name) == 1
    exec(block.replace(name, str(whisper_folder)), {})
    assert re.search(r"\bmean\b.*0\.\d{3}", capsys.readouterr().out)
    assert (tmp_path / "features.sqlite").stat().st_size > 0


def test_functions_are_shown_with_arguments_that_exist():
    import sklearn_ser.datasets

    seen = []
    for block in blocks("python notest"):
        code = ast.parse(block)
        imports = [node for node in ast.walk(code) if isinstance(node, ast.ImportFrom)]
        names = {alias.name for node in imports for alias in node.names}
        for call in (node for node in ast.walk(code) if isinstance(node, ast.Call)):
            assert call.func.id in names
            seen.append(call.func.id)
            signature = inspect.signature(getattr(sklearn_ser.datasets, call.func.id))
            signature.bind(*call.args, **{word.arg: word.value for word in call.keywords})
    assert {"load_corpora", "load_folder", "load_table"} <= set(seen)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if "sklearn-ser " in line]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_understood(line):
    _, _, arguments = line.partition("sklearn-ser ")
    words = shlex.split(arguments, comments=True)
    assert build_parser().parse_args(words).command == words[0]


def test_the_commands_for_models_and_evaluations_are_shown():
    shown = {line.partition("sklearn-ser ")[2].split()[0] for line in COMMANDS}
    assert {"evaluate", "extract", "predict", "train"} <= shown


@pytest.mark.parametrize("target", ["demo", "test", "bench"])
def test_make_targets_exist(target):
    assert f"make {target}" in README
    makefile = (Path(__file__).parents[1] / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
