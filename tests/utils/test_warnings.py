import re
import warnings

import pytest

from sklearn_ser.exceptions import CorpusWarning
from sklearn_ser.utils import _warnings
from sklearn_ser.utils._warnings import warn_once


@pytest.fixture(autouse=True)
def nothing_issued_yet(monkeypatch):
    monkeypatch.setattr(_warnings, "_ISSUED", set())


def issue(*filters, texts=("a 1", "a 2", "b 1")):
    """Issue warnings, each in a context of its own, as in the tasks of scikit-learn."""
    shown = []
    for text in texts:
        with warnings.catch_warnings(record=True) as seen:
            warnings.resetwarnings()
            for one in filters:
                one()
            warn_once(text, CorpusWarning, cause=text[0])
        shown += [str(warning.message)[:3] for warning in seen]
    return shown


def test_once_for_each_cause():
    assert issue() == ["a 1", "b 1"]
    assert issue() == []
    assert issue(lambda: warnings.simplefilter("once")) == []


@pytest.mark.parametrize("category", [CorpusWarning, UserWarning, Warning])
def test_filters_have_their_way(category):
    assert issue(lambda: warnings.simplefilter("ignore", category)) == []
    every = ["a 1", "a 2", "b 1"]
    assert issue(lambda: warnings.simplefilter("always", category)) == every
    assert issue(lambda: warnings.filterwarnings("always", "a", category)) == [*every[:2], "b 1"]
    with pytest.raises(CorpusWarning, match=re.escape("a 1")):
        issue(lambda: warnings.simplefilter("error", category))


def test_filters_about_other_warnings_do_not_count():
    others = [
        lambda: warnings.simplefilter("always", DeprecationWarning),
        lambda: warnings.filterwarnings("always", "c", CorpusWarning),
        lambda: warnings.filterwarnings("always", module="elsewhere"),
    ]
    assert issue(*others) == ["a 1", "b 1"]


def test_without_a_cause_it_is_issued_again():
    for _ in range(2):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("default")
            warn_once("a", CorpusWarning, cause=None)
        assert [str(one.message) for one in seen] == ["a"]


def test_the_text_says_how_to_see_the_others():
    with warnings.catch_warnings(record=True) as seen:
        warnings.resetwarnings()
        warn_once("Odd.", CorpusWarning, cause=1)
    assert str(seen[0].message) == (
        "Odd. Further warnings of this kind are not shown; warnings.simplefilter('always', "
        "CorpusWarning) shows them."
    )
