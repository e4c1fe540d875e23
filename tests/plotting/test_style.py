import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sklearn_ser.datasets._base import EMOTIONS
from sklearn_ser.plotting._style import (
    COLOURS,
    EMOTION_STYLES,
    grid_of,
    lightness,
    make_axes,
    numbered_style,
    printable,
    styles_by_name,
)


def test_lightness_of_known_colours():
    # CIE L* of the primaries of sRGB, and of middle grey.
    for colour, expected in [
        ("black", 0), ("white", 1), ("red", 0.5324), ("lime", 0.8773), ("blue", 0.3230),
        ("#777777", 0.5003),
    ]:  # fmt: skip
        assert lightness(colour) == pytest.approx(expected, abs=1e-3)


def test_five_colours_can_be_told_apart_in_grey():
    light = sorted(lightness(colour) for colour in COLOURS[:5])
    assert min(np.diff(light)) > 0.1


def alike_in_grey(styles):
    for one, other in itertools.combinations(styles, 2):
        if abs(lightness(one.colour) - lightness(other.colour)) < 0.1:
            yield one, other


@pytest.mark.parametrize(
    "styles", [[numbered_style(number) for number in range(8)], [*EMOTION_STYLES.values()]]
)
def test_colours_that_are_alike_in_grey_have_other_shapes(styles):
    pairs = list(alike_in_grey(styles))
    assert pairs
    for one, other in pairs:
        assert one.marker != other.marker
        assert one.line != other.line


def test_many_things_look_different():
    assert len({numbered_style(number)[:2] for number in range(80)}) == 80


def test_every_emotion_has_a_style_of_its_own():
    assert sorted(EMOTION_STYLES) == sorted(EMOTIONS)
    assert len({style.colour for style in EMOTION_STYLES.values()}) == len(EMOTION_STYLES)
    assert len({style.marker for style in EMOTION_STYLES.values()}) == len(EMOTION_STYLES)


def test_an_emotion_looks_the_same_in_all_company():
    assert styles_by_name(["sadness", "anger"])["anger"] == styles_by_name(["anger"])["anger"]
    assert styles_by_name(["emodb", "urdu"])["urdu"] == numbered_style(1)
    # Labels of one's own stay different from each other.
    mixed = styles_by_name(["anger", "irony"])
    assert mixed["anger"] != mixed["irony"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("emodb", "emodb"),
        (3, "3"),
        ("$a$", r"\$a\$"),
        ("_a", " _a"),
        ("abcdefghijklmnopqrstuvwxyz", "abcdefghijk…pqrstuvwxyz"),
        ("abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx"),
        ("caf\udce9\x1b", "caf\\udce9\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_printable(name, text):
    assert printable(name) == text


@pytest.mark.parametrize(
    ("n_panels", "grid"), [(1, (1, 1)), (2, (1, 2)), (3, (1, 3)), (4, (2, 2)), (7, (3, 3))]
)
def test_grid(n_panels, grid):
    assert grid_of(n_panels, None) == grid
    assert grid_of(n_panels, [None] * n_panels) == (1, n_panels)


class TestMakeAxes:
    def test_a_new_figure(self):
        figure, axes = make_axes(None, 2, 3, size=(7, 5), share_x=True)
        assert figure.get_size_inches().tolist() == [7, 5]
        assert axes.shape == (2, 3)
        assert axes[0, 0].get_shared_x_axes().joined(axes[0, 0], axes[1, 2])
        assert not axes[0, 0].get_shared_y_axes().joined(axes[0, 0], axes[0, 1])

    def test_one_for_one(self):
        figure, ax = plt.subplots()
        assert make_axes(ax, 1, 1, size=(1, 1)) == (figure, [[ax]])

    def test_one_is_divided(self):
        figure, (left, right) = plt.subplots(1, 2)
        _, axes = make_axes(right, 2, 1, size=(1, 1))
        assert axes.shape == (2, 1)
        assert not right.axison
        assert left.axison
        assert len(figure.axes) == 4
        assert axes[0, 0].get_position().x0 >= right.get_position().x0

    def test_several_are_used(self):
        figure, given = plt.subplots(2, 2)
        found, axes = make_axes(given, 1, 4, size=(1, 1))
        assert found is figure
        assert axes.ravel().tolist() == given.ravel().tolist()

    def test_a_wrong_number(self):
        _, given = plt.subplots(1, 3)
        with pytest.raises(ValueError, match=r"ax has 3 axes, but 2 are needed \(1 rows of 2\)"):
            make_axes(given, 1, 2, size=(1, 1))

    def test_one_that_cannot_be_divided(self):
        ax = plt.figure().add_axes((0, 0, 1, 1))
        with pytest.raises(ValueError, match=r"was placed by hand\. Pass None or 2 axes"):
            make_axes(ax, 1, 2, size=(1, 1))
