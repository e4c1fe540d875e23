import pytest

from sklearn_ser.utils._words import count_of, enumerate_words, format_interval


def test_lists():
    assert enumerate_words([]) == ""
    assert enumerate_words(["a"]) == "a"
    assert enumerate_words(["a", "b", 3]) == "a, b and 3"


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "speaker", "0 speakers"),
        (1, "corpus", "1 corpus"),
        (2, "corpus", "2 corpora"),
        (3, "epoch", "3 epochs"),
        (12345, "recording", "12,345 recordings"),
    ],
)
def test_counts(number, noun, text):
    assert count_of(number, noun) == text


def test_intervals():
    nan = float("nan")
    assert format_interval(0.5, 0.625) == "0.50 to 0.62"
    assert format_interval(-0.25, -0.0001) == "-0.25 to 0.00"
    assert format_interval(0.5, 0.625, form="{:.0%}") == "50% to 62%"
    assert format_interval(nan, nan) == "-"
    assert format_interval(nan, nan, missing="") == ""
