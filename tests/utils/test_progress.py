"""Where progress is shown, and how."""

import io
import sys

import pytest

from sklearn_ser.utils._progress import follow, progress_bar, quieted, say, shows_bars


class Terminal(io.StringIO):
    def isatty(self):
        return True


Notebook = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})


class Broken(io.StringIO):
    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


def shown_by(stream, monkeypatch, **options):
    """Return what is shown while three items are followed."""
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(follow("abc", 3, "letters", **options)) == ["a", "b", "c"]
    return None if stream is None else stream.getvalue()


@pytest.mark.parametrize("stream", [Terminal, Notebook])
@pytest.mark.parametrize("name_of", [None, str.upper])
def test_a_bar_on_terminals_and_in_notebooks(stream, name_of, monkeypatch):
    shown = shown_by(stream(), monkeypatch, name_of=name_of)
    assert "letters: 100%" in shown
    assert "3/3" in shown
    assert ", C" not in shown


def test_a_line_for_each_named_item_elsewhere(monkeypatch):
    shown = shown_by(io.StringIO(), monkeypatch, name_of=str.upper)
    assert shown == "letters: 1/3, A\nletters: 2/3, B\nletters: 3/3, C\n"


def test_a_line_for_each_part_of_items_without_a_name_elsewhere(monkeypatch):
    assert shown_by(io.StringIO(), monkeypatch) == "letters: 3/3\n"
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(follow(range(2001), 2001, "files")) == [*range(2001)]
    lines = sys.stderr.getvalue().splitlines()
    assert lines == ["files: 1000/2001", "files: 2000/2001", "files: 2001/2001"]
    assert list(follow("a", 1, "files")) == ["a"]
    assert sys.stderr.getvalue().splitlines() == lines


@pytest.mark.parametrize("stream", [Terminal, Notebook, io.StringIO])
@pytest.mark.parametrize("name_of", [None, str.upper])
def test_nothing_while_quiet(stream, name_of, monkeypatch):
    with quieted():
        with quieted(False):
            assert shown_by(stream(), monkeypatch, name_of=name_of) == ""
        assert not shows_bars(stream())
    assert "3/3" in shown_by(stream(), monkeypatch, name_of=name_of)


def test_quiet_ends_with_an_error(monkeypatch):
    with pytest.raises(ValueError, match="in between"), quieted():
        raise ValueError("in between")
    assert shown_by(io.StringIO(), monkeypatch) == "letters: 3/3\n"


@pytest.mark.parametrize("stream", [Terminal, Notebook, io.StringIO])
def test_nothing_unless_asked_for(stream, monkeypatch):
    assert shown_by(stream(), monkeypatch, shown=False, name_of=str) == ""


@pytest.mark.parametrize("stream", [lambda: None, Broken, object])
def test_a_missing_or_broken_stream_does_not_stop_the_work(stream, monkeypatch):
    stream = stream()
    monkeypatch.setattr(sys, "stderr", stream)
    assert progress_bar(3, "letters").disable
    if type(stream) is not object:
        say("nobody hears this")
        assert list(follow("abc", 3, "letters", name_of=str)) == ["a", "b", "c"]


def test_a_closed_stream_does_not_stop_the_work(monkeypatch):
    stream = Terminal()
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    say("nobody hears this")


def test_an_item_is_told_before_the_next_is_waited_for(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    items = follow(iter("ab"), 2, "letters", name_of=str)
    assert next(items) == "a"
    assert sys.stderr.getvalue() == "letters: 1/2, a\n"


def test_names_cannot_steer_the_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    list(follow(["\x1b[2J\n"], 1, "x", name_of=str))
    say("\x1b[2J\n\tnext")
    lines = sys.stderr.getvalue().splitlines()
    assert lines == [
        "x: 1/1, \N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}",
        "\N{REPLACEMENT CHARACTER}[2J",
        "\tnext",
    ]
