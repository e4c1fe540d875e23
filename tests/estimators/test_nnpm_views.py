"""Members of NNPMClassifier that see different columns."""

import numpy as np
import pandas as pd
import pytest

from sklearn_ser import NNPMClassifier
from sklearn_ser.estimators._views import view_columns

SMALL = {"n_components": 8, "hidden_layer_sizes": (16,), "warmup_epochs": 3, "max_epochs": 2}


@pytest.fixture(scope="module")
def rows():
    """Source and target of two classes, twice: as they are, and with an offset, plus noise."""
    rng = np.random.default_rng(0)
    y = np.tile(["anger", "sadness"], 40)

    def draw(shift):
        X = rng.normal(size=(80, 4)) + 2 * (y == "anger")[:, None]
        return np.hstack([X, X + shift, rng.normal(size=(80, 2))]).astype(np.float32)

    return draw(0), y, draw(1)


class TestColumns:
    def test_none(self):
        assert view_columns(None, 4) is None

    def test_equal_blocks(self):
        assert view_columns(3, 6) == ((0, 1), (2, 3), (4, 5))

    @pytest.mark.parametrize(
        "view",
        [slice(-2, None), [2, 3], np.array([-2, -1]), [False, False, True, True], ["c", "d"]],
    )
    def test_a_selection_of_any_kind(self, view):
        assert view_columns([[0], view], 4, np.array(list("abcd"))) == ((0,), (2, 3))

    def test_views_may_overlap(self):
        assert view_columns([slice(2), slice(1, 3)], 3) == ((0, 1), (1, 2))

    @pytest.mark.parametrize(
        ("views", "match"),
        [
            (3, r"views=3 .* X has 4 features, .* such as \[slice\(0, 2\), slice\(2, 4\)\]"),
            ([], "views is empty"),
            ([[0], []], r"View 1 of views .*a slice, positions"),
            ([slice(9, 12)], "View 0 of views has no column of the 4"),
            ([[0, 4]], "View 0 of views names the column 4, but X has 4 features"),
            ([[True, False]], r"View 0 of views is \[True, False\]"),
            ([[0.5]], r"View 0 of views is \[0.5\]"),
            ([["a"]], "View 0 of views names 'a', but X has no names"),
            ([[[0], [1, 2]]], r"View 0 of views is \[\[0\], \[1, 2\]\]; a view is a slice"),
            ([slice("a", "b")], r"View 0 of views is slice\('a', 'b', None\); a view is a slice"),
            ([slice(0, 4, 0)], r"View 0 of views is slice\(0, 4, 0\); a view is a slice"),
        ],
    )
    def test_a_wrong_selection(self, views, match):
        with pytest.raises(ValueError, match=match):
            view_columns(views, 4)

    def test_an_unknown_name(self):
        with pytest.raises(ValueError, match="names 'z', but X has no such column"):
            view_columns([["z"]], 2, np.array(["a", "b"]))


class TestClassifier:
    def test_members_of_all_views(self, rows):
        X, y, X_target = rows
        model = NNPMClassifier(
            views=[slice(0, 4), slice(4, 8)], n_estimators=2, random_state=0, **SMALL
        )
        model.fit(X, y, X_target=X_target)
        assert model.memory_.shape == (4, 80, 8)
        assert model.transform(X_target).shape == (80, 32)
        assert model.score(X_target, y) > 0.7

    def test_columns_outside_of_all_views_do_not_count(self, rows):
        X, y, X_target = rows
        model = NNPMClassifier(views=[slice(0, 4), slice(4, 8)], random_state=0, **SMALL)
        before = model.fit(X, y, X_target=X_target).predict_proba(X_target)
        other = X_target.copy()
        other[:, 8:] = 5
        np.testing.assert_array_equal(model.predict_proba(other), before)
        other[:, 7] = 5
        assert (model.predict_proba(other) != before).any()

    def test_one_view_of_all_columns_is_no_view(self, rows):
        X, y, X_target = rows
        plain, viewed = (
            NNPMClassifier(views=views, random_state=0, **SMALL)
            .fit(X, y, X_target=X_target)
            .predict_proba(X_target)
            for views in (None, 1)
        )
        np.testing.assert_array_equal(plain, viewed)

    def test_names_of_columns(self, rows):
        X, y, X_target = rows
        names = [f"column_{i}" for i in range(10)]
        frames = [pd.DataFrame(one, columns=names) for one in (X, X_target)]
        by_name, by_position = (
            NNPMClassifier(views=views, random_state=0, **SMALL)
            .fit(frames[0], y, X_target=frames[1])
            .predict_proba(frames[1])
            for views in ([names[:4], names[4:8]], [[0, 1, 2, 3], slice(4, 8)])
        )
        np.testing.assert_array_equal(by_name, by_position)

    def test_adapting_with_other_views_is_refused(self, rows):
        X, y, X_target = rows
        model = NNPMClassifier(views=2, random_state=0, **SMALL).fit(X, y)
        with pytest.raises(ValueError, match=r"another network: views was \(\(0, 1"):
            model.set_params(views=5).adapt(X_target)

    def test_wrong_views_are_reported_by_fit(self, rows):
        X, y, _ = rows
        with pytest.raises(ValueError, match="views=3 means"):
            NNPMClassifier(views=3, **SMALL).fit(X, y)

    def test_saved_and_loaded(self, rows, tmp_path):
        from sklearn_ser import load, save

        X, y, X_target = rows
        model = NNPMClassifier(views=[slice(0, 4), [4, 5, 6, 7]], random_state=0, **SMALL)
        model.fit(X, y, X_target=X_target)
        save(model, tmp_path / "model.skops")
        loaded = load(tmp_path / "model.skops")
        np.testing.assert_array_equal(loaded.predict_proba(X_target), model.predict_proba(X_target))

    @pytest.mark.parametrize("last", [[5, 6, 99], [5, 6, -3], [5, 6, 0.5], [5, 6, "a"], 7], ids=str)
    def test_damaged_columns_are_refused(self, rows, last):
        X, y, _ = rows
        model = NNPMClassifier(views=[slice(0, 4), [4, 5, 6]], random_state=0, **SMALL).fit(X, y)
        state = model.__getstate__()
        name, arguments = state["_recipe"]
        state["_recipe"] = name, {**arguments, "views": (arguments["views"][0], last)}
        with pytest.raises(ValueError, match="columns of the views are no positions among 10"):
            NNPMClassifier().__setstate__(state)
