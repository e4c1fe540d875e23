from collections import Counter
from dataclasses import replace

import pytest

from sklearn_ser.datasets import CORPORA


@pytest.fixture
def make_files():
    """Write empty files of the given names; loaders look at nothing but the names."""

    def make(folder, names):
        for name in names:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return folder

    return make


@pytest.fixture
def make_corpus(make_files):
    """Write a small corpus: its examples, or the files given, and the files of its labels."""

    def make(folder, corpus, names=None):
        if corpus.name == "emodb2":
            pytest.importorskip("audformat")
        make_files(folder, [*(corpus.examples if names is None else names), *corpus.side_files])
        for name, text in corpus.side_files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def small():
    """Return a registered corpus as if its examples were all it holds."""

    def shrink(name):
        corpus = CORPORA[name]
        labels = corpus.examples.values()
        return replace(
            corpus,
            counts=Counter(corpus.emotions[label["emotion_raw"]] for label in labels),
            n_recordings=len(labels),
            n_speakers=len({label.get("speaker") for label in labels} - {None}),
        )

    return shrink
