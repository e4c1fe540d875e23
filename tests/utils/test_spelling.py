import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ser.utils._spelling import from_cell, from_cells, harmless, to_cell, to_cells, visible

FORMULAS = ["=1+1", "+1", "-2", "@sum", "\ta", "\ra", "\na", "＝1", "'=1", "'''-x", '="a,b"']
NAMES = [
    "caf\udce9.wav",
    "caf\\udce9.wav",
    "a\\\\udce9",
    "\\\udcff",
    "a\rb",
    "a\0b",
    "\ud800",
    "'=",
]
PLAIN = [
    "",
    "anger",
    "it's",
    "'quoted'",
    "a=b",
    "1-2",
    "/data/=x.wav",
    "C:\\u\\d",
    "\\xe9",
    "é",
    "'",
]

# Mostly letters that mean something in the rules.
words = st.text(st.sampled_from("'=+-@\t\r\n\0\\ud8e9000x\udce9\ud800é,\" "), max_size=12)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_formula_stays_one(text):
    assert to_cell(text)[0] in "'\\"
    assert from_cell(to_cell(text)) == text


@pytest.mark.parametrize("text", NAMES)
def test_names_that_are_not_utf_8_are_spelled_without_loss(text):
    cell = to_cell(text)
    cell.encode()
    assert not set(cell) & set("\r\0")
    assert from_cell(cell) == text


@pytest.mark.parametrize("value", [*PLAIN, -0.5, -1, None, np.float32(-2), True])
def test_all_else_stays_as_it_is(value):
    assert to_cell(value) is value
    assert from_cell(value) == value


def test_how_it_looks():
    assert to_cell("=A1") == "'=A1"
    assert to_cell("'=A1") == "''=A1"
    assert visible("caf\udce9") == r"caf\udce9"
    assert visible(r"caf\udce9") == r"caf\\udce9"
    assert to_cell("\rx") == r"\u000dx"


@given(words, words)
def test_it_can_be_undone_and_tells_all_texts_apart(one, other):
    assert from_cell(to_cell(one)) == one
    assert (to_cell(one) == to_cell(other)) == (one == other)
    to_cell(one).encode()


def test_tables():
    texts = [*FORMULAS, *NAMES, *PLAIN[1:]]
    table = pd.DataFrame(
        {
            "path": pd.Series(texts, dtype=object),
            "=column": np.arange(len(texts)) * -1.5,
            "speaker": pd.Series([None, "-1", *texts[2:]], dtype=object),
            "kind": pd.Categorical(["=a", "b"] * 15)[: len(texts)],
        }
    )
    before = table.copy()
    content = to_cells(table).to_csv(index=False).encode()
    pd.testing.assert_frame_equal(table, before)
    written = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    assert written.columns.tolist() == ["path", "'=column", "speaker", "kind"]
    assert (
        not written.drop(columns="'=column")
        .map(lambda c: c[:1] in tuple("=+-@\t\r\n"))
        .any(axis=None)
    )
    assert written["'=column"].iloc[1] == "-1.5"
    back = from_cells(written)
    assert back.columns.tolist() == table.columns.tolist()
    for name in ("path", "kind"):
        assert back[name].tolist() == table[name].tolist()
    assert back["speaker"].tolist() == ["", *table["speaker"][1:]]
    assert written.columns[1] == "'=column"


def test_gaps_stay_gaps():
    table = pd.DataFrame({"a": ["'=x", None, "b"], "b": [None, "c", "d"]})
    back = from_cells(table)
    assert back["a"].isna().tolist() == [False, True, False]
    pd.testing.assert_series_equal(back["b"], table["b"])


def test_on_a_screen():
    assert (
        harmless("a\x1b[2J\0é\n", keep="\n")
        == "a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}é\n"
    )
    assert harmless("caf\udce9") == r"caf\udce9"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "a�b"),
        ("\x1b[31mred", "�[31mred"),
        ("\x9b\x7f\u202e", "���"),
        ("ü日本 ok", "ü日本 ok"),
    ],
)
def test_harmless(text, shown):
    assert harmless(text) == shown
