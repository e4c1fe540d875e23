"""Sentences about the findings."""

from dataclasses import replace

import pytest

from sklearn_ser.report._text import summarise


@pytest.mark.parametrize(
    ("n_methods", "end"), [(1, "be significant."), (2, "be significant in 2 comparisons.")]
)
def test_too_few_speakers(record, n_methods, end):
    means = record.comparisons[record.comparisons["corpus"] == "mean"].head(n_methods)
    few = means.assign(n_speakers=1, p_note="too few speakers to tell")
    sentences = summarise(replace(record, comparisons=few))
    assert (
        f"With 1 speaker, it cannot be told whether a method differs from svm: no difference, "
        f"however large, could {end}"
    ) in sentences
