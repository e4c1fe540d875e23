"""Combine the results of several methods to the tables of a record."""

import pandas as pd

from sklearn_ser.evaluation import compare_with_baseline
from sklearn_ser.evaluation._baseline import BASELINE_COLUMNS
from sklearn_ser.evaluation._calibration import CALIBRATION_COLUMNS, calibration_table
from sklearn_ser.evaluation._groups import age_groups
from sklearn_ser.report._columns import GROUP_COLUMNS
from sklearn_ser.utils._identities import canonical_ids, without_spelling_warnings
from sklearn_ser.utils._messages import plain

__all__ = ["make_tables", "stack", "with_canonical_ids"]

_SPEECH = ("path", "corpus", "language", "speaker", "sex", "age")
_DIGITS = 6
# An empty field is unknown.
_SEXES = {"f": "female", "F": "female", "m": "male", "M": "male", "": None}


def _check_results(results, speech):
    """Refuse results that cannot form a record."""
    if not results:
        raise ValueError("results is empty; pass at least one, by the name of its method.")
    for name, result in results.items():
        if not isinstance(name, str) or not name:
            # The folder that the record is saved in could not be read.
            raise TypeError(f"The names of methods must be text, got {plain(name)!r}.")
        if "uar" not in result.metrics:
            raise ValueError(
                f"The result of {plain(name)!r} has the metrics {', '.join(result.metrics)}; a "
                f"record is about emotions as labels and needs the result of a classifier."
            )
        if result.predictions["sample"].max() >= len(speech):
            raise ValueError(
                f"The result of {plain(name)!r} has predictions for recording "
                f"{result.predictions['sample'].max()}, but speech has {len(speech)} rows. Pass "
                f"the table of recordings that was evaluated."
            )
        differing = [
            column
            for column, known in (("corpus", "corpus"), ("emotion", "y_true"))
            if (
                speech[column].to_numpy(dtype=str)[result.predictions["sample"]]
                != result.predictions[known].to_numpy(dtype=str)
            ).any()
        ]
        if differing:
            raise ValueError(
                f"The result of {plain(name)!r} and speech differ in {' and '.join(differing)}. "
                f"Pass the table of recordings that was evaluated, with its rows in the same order."
            )
    if (speech["corpus"] == "mean").any():
        raise ValueError("A corpus is called 'mean', the name of the mean over corpora; rename it.")


def with_canonical_ids(speech):
    """Return the table with corpora and speakers spelled as in the results."""
    with without_spelling_warnings():
        ids = {
            # Objects, because pandas cannot infer a type for names that are not UTF-8.
            column: pd.Series(
                canonical_ids(speech[column], name=column), index=speech.index, dtype=object
            )
            for column in ("corpus", "speaker")
            if column in speech
        }
    return speech.assign(**ids)


def stack(results, table):
    """Concatenate one of the tables of all results, with a column `method`."""
    tables = {name: getattr(result, table) for name, result in results.items()}
    filled = {name: rows for name, rows in tables.items() if len(rows)}
    if not filled:
        return next(iter(tables.values())).assign(method=[])
    stacked = pd.concat(filled, names=["method"]).reset_index("method")
    return stacked.reset_index(drop=True)


def _split_summary(results, speech):
    """Return the scores of corpora, with language and chance, and the means over corpora."""
    summary = stack(results, "summary")
    is_mean = summary["corpus"] == "mean"
    scores = summary[~is_mean].reset_index(drop=True)
    by_corpus = speech.groupby("corpus")
    if "language" in speech:
        language = by_corpus["language"].agg(lambda words: "+".join(words.dropna().unique()))
        scores.insert(2, "language", scores["corpus"].map(language))
    # UAR of guessing, over the emotions that occur in the corpus: the others have no recall.
    chance = 1 / by_corpus["emotion"].nunique()
    scores.insert(scores.columns.get_loc("uar"), "chance", scores["corpus"].map(chance))
    return scores, summary[is_mean].reset_index(drop=True)


def _name_predictions(results, speech):
    """Return all predictions, with the known facts about each recording."""
    predictions = stack(results, "predictions")
    known = speech[[column for column in _SPEECH if column in speech]]
    named = known.iloc[predictions["sample"]].reset_index(drop=True)
    if "path" not in named:
        named.insert(0, "path", predictions["sample"].map("recording {}".format))
    own = [name for name in predictions if name not in ("sample", "corpus", "speaker")]
    # More digits would make the file larger, and say nothing.
    return named.join(predictions[own].round(_DIGITS))


def _compare(results):
    """Compare each method with the first; no rows if there is no other, or no known speaker."""
    first = next(iter(results.values()))
    if len(results) < 2 or first.predictions["speaker"].isna().all():
        return pd.DataFrame(columns=BASELINE_COLUMNS)
    return compare_with_baseline(results, confidence=first.confidence)


def _groups_of(speech):
    """Yield what is known about speakers, and the group of each recording."""
    if "sex" in speech:
        yield "sex", speech["sex"].map(lambda sex: _SEXES.get(sex, sex), na_action="ignore")
    if "age" in speech:
        yield "age", age_groups(speech["age"])


def _score_groups(results, speech):
    """Return the scores of groups of speakers, for what is known; None if there are none."""
    if next(iter(results.values())).predictions["speaker"].isna().all():
        return None
    tables = [
        result.group_scores(groups).assign(method=name, by=by)
        for by, groups in _groups_of(speech)
        for name, result in results.items()
    ]
    # A corpus in which no group has enough speakers says nothing about groups.
    tables = [table[table["uar"].notna()] for table in tables]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True)[GROUP_COLUMNS] if tables else None


def _score_probabilities(results):
    """Return the calibration of the methods with probabilities; None if there are none."""
    tables = {name: calibration_table(result.predictions) for name, result in results.items()}
    tables = [table.assign(method=name) for name, table in tables.items() if len(table)]
    if not tables:
        return None
    return pd.concat(tables, ignore_index=True)[["method", *CALIBRATION_COLUMNS]]


def make_tables(results, speech, transfer):
    """Return the tables of a record, by name."""
    _check_results(results, speech)
    scores, means = _split_summary(results, speech)
    cells = {name: result.cells.assign(method=name) for name, result in transfer.items()}
    return {
        "scores": scores,
        "means": means,
        "recalls": stack(results, "recalls"),
        "predictions": _name_predictions(results, speech),
        "comparisons": _compare(results),
        "transfer": pd.concat(cells, ignore_index=True) if cells else None,
        "groups": _score_groups(results, speech),
        "calibration": _score_probabilities(results),
    }
