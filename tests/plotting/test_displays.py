"""What is true of every display."""

import itertools
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sklearn_ser import plotting


def drawn_axes(display):
    axes = getattr(display, "axes_", None)
    if axes is None:
        return [display.ax_]
    return list(axes.values()) if isinstance(axes, dict) else list(np.ravel(axes))


def test_every_display_is_tested(tested_displays):
    for names in tested_displays:
        assert sorted(names) == sorted(plotting.__all__)


def test_returns_itself_and_knows_where_it_is(display):
    assert display.plot() is display
    assert all(axes.figure is display.figure_ for axes in drawn_axes(display))
    assert all(axes.has_data() for axes in drawn_axes(display))


def test_draws_again(display):
    first = display.plot().figure_
    assert display.plot().figure_ is not first
    assert len(first.axes) == len(display.figure_.axes)


def test_draws_in_the_axes_it_is_given(display):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 6), layout="constrained")
    display.plot(ax=right)
    figure.canvas.draw()
    assert display.figure_ is figure
    assert not left.has_data()
    for axes in drawn_axes(display):
        assert axes.get_position().x0 > 0.45


def test_leaves_global_settings_alone(display):
    before = dict(plt.rcParams)
    display.plot()
    assert dict(plt.rcParams) == before


def test_says_what_is_to_be_seen_in_one_sentence(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    sentence = display.describe()
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert "\n" not in sentence
    assert "nan" not in sentence


def test_without_matplotlib(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ser\[plot\]'"):
        display.plot()


def test_importing_draws_nothing():
    code = """
import sys, sklearn_ser
sklearn_ser.plotting.UARDisplay
assert not {"matplotlib", "torch", "librosa"} & sys.modules.keys()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def assert_apart(texts, renderer):
    boxes = [text.get_window_extent(renderer) for text in texts if text.get_text()]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_nothing_is_cut_off_or_overlaps(full_display):
    full_display.plot()
    figure = full_display.figure_
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    needed, (width, height) = figure.get_tightbbox(renderer), figure.get_size_inches()
    assert needed.x0 >= 0
    assert needed.y0 >= 0
    assert needed.x1 <= width
    assert needed.y1 <= height
    for axes in drawn_axes(full_display):
        if axes.get_legend() is not None:
            assert_apart(axes.get_legend().get_texts(), renderer)
        # The boxes around oblique text overlap though the text does not.
        upright = [text for text in axes.get_xticklabels() if text.get_rotation() == 0]
        visible = [
            text for text in upright if axes.bbox.x0 <= text.get_window_extent().x1 <= axes.bbox.x1
        ]
        assert_apart(visible, renderer)
        assert_apart(axes.get_yticklabels(), renderer)
        assert_apart([axes.title, *axes.texts], renderer)


def test_panels_do_not_overlap(full_display):
    full_display.plot()
    full_display.figure_.canvas.draw()
    boxes = [axes.get_tightbbox() for axes in drawn_axes(full_display)]
    for one, other in itertools.combinations(boxes, 2):
        # Constrained layout leaves rounding errors.
        shared = one.intersection(one, other)
        assert shared is None or min(shared.width, shared.height) < 1


def test_names_are_no_markup(tmp_path):
    # Between two dollars matplotlib reads formulas, and legends hide what begins with "_".
    scores = pd.DataFrame({"corpus": ["$x^$ <b>", "_hidden"], "uar": [0.5, 0.6]})
    display = plotting.UARDisplay({"_svm": scores, "$\\frac$": scores}).plot()
    display.figure_.savefig(tmp_path / "names.png")
    shown = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert shown == [" _svm", r"\$\frac\$"]
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == [
        r"\$x^\$ <b>",
        " _hidden",
    ]
