"""The contents of the report's tables, as text."""

from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from sklearn_ser.evaluation._agreement import TOO_FEW
from sklearn_ser.report._text import interval, p_value, share, signed
from sklearn_ser.utils._words import count_of, format_score

__all__ = [
    "calibration_table",
    "comparison_table",
    "confusion_tables",
    "corpus_table",
    "detail_table",
    "group_tables",
    "missed_recordings",
    "notes_on_intervals",
    "recall_table",
    "score_table",
]

_MEAN = "mean"
_SHOWN = 10  # recordings that no method recognises


def _cell(rows, make):
    """Return what `make` says about the only row, or a dash if there is none."""
    if len(rows):
        return make(rows.iloc[0])
    return {"value": "–", "spread": "", "detail": "", "p": ""}


def _score(row):
    spread = row.get("uar_sd", np.nan)
    return {
        "value": format_score(row["uar"]),
        "spread": f"± {format_score(spread)}" if np.isfinite(spread) else "",
        "detail": interval(row["uar_low"], row["uar_high"]),
    }


def _difference(row):
    return {
        "value": signed(row["difference"]),
        "detail": interval(row["low"], row["high"]),
        "p": p_value(row["p_adjusted"], row["p_note"]),
    }


def _columns(record):
    """Return the corpora and their mean, which of one corpus is its score."""
    return [*record.corpora, _MEAN] if len(record.corpora) > 1 else record.corpora


def score_table(record):
    """Return the UAR of each method: columns are the corpora and their mean."""
    columns = _columns(record)
    table = pd.concat([record.scores, record.means], ignore_index=True).astype({"corpus": str})
    rows = []
    for method in record.methods:
        own = table[table["method"] == method]
        cells = [_cell(own[own["corpus"] == name], _score) for name in columns]
        rows.append({"name": method, "cells": cells})
    chance = record.scores.astype({"corpus": str}).drop_duplicates("corpus")
    chance = chance.set_index("corpus")["chance"]
    return {
        "columns": columns,
        "rows": rows,
        "chance": [format_score(chance.get(name, chance.mean())) for name in columns],
    }


def comparison_table(record):
    """Return each method less the first: columns are the corpora and their mean."""
    table = record.comparisons.astype({"corpus": str})
    if table.empty:
        return None
    columns = _columns(record)
    # What is true of a whole column is said once, above it.
    few = table["p_note"].eq(TOO_FEW).groupby(table["corpus"]).all()
    notes = dict.fromkeys(few.index[few], TOO_FEW)
    table["p_note"] = table["p_note"].where(~table["corpus"].isin(notes), "")
    return {
        "against": table["against"].iloc[0],
        "columns": columns,
        "notes": [notes.get(name, "") for name in columns],
        "rows": [
            {
                "name": method,
                "cells": [_cell(rows[rows["corpus"] == name], _difference) for name in columns],
            }
            for method, rows in table.groupby("method", sort=False)
        ],
    }


def detail_table(record):
    """Return further scores, corpus by corpus."""
    scores = record.scores.astype({"corpus": str})
    return [
        {
            "title": f"{corpus} held out",
            "n": int((scores["corpus"] == corpus).sum()),
            "rows": [
                {
                    "name": row["method"],
                    "cells": [
                        format_score(row["uar"]),
                        format_score(row["accuracy"]),
                        format_score(row["macro_f1"]),
                        f"{row['n_train']:,.0f}",
                        f"{row['n_test']:,.0f}",
                        f"{row['fit_time']:.1f}",
                    ],
                }
                for _, row in scores[scores["corpus"] == corpus].iterrows()
            ],
        }
        for corpus in record.corpora
    ]


def _recall(rows):
    # The mean of the ends of several intervals is not the end of an interval.
    single = len(rows) == 1
    low, high = rows.iloc[0][["recall_low", "recall_high"]] if single else (np.nan, np.nan)
    # If all speakers score alike, the interval has no width and no information.
    detail = interval(low, high, form="{:.0%}") if low < high else ""
    return {"value": share(rows["recall"].mean()), "detail": detail}


def recall_table(record):
    """Return the recall of each emotion, corpus by corpus."""
    recalls = record.recalls.astype({"corpus": str})
    emotions = sorted(recalls["label"].unique())
    groups = []
    for corpus in record.corpora:
        here = recalls[recalls["corpus"] == corpus]
        rows = []
        for method, own in here.groupby("method", sort=False):
            of = {emotion: own[own["label"] == emotion] for emotion in emotions}
            cells = [
                _recall(found) if len(found) else {"value": "–", "detail": ""}
                for found in of.values()
            ]
            rows.append({"name": method, "cells": cells})
        sizes = here.drop_duplicates("label").set_index("label").get("n_test", {})
        groups.append(
            {
                "title": f"{corpus} held out",
                "rows": rows,
                "n": len(rows),
                "sizes": [f"n = {sizes[word]:.0f}" if word in sizes else "" for word in emotions],
            }
        )
    return {"columns": emotions, "groups": groups}


def _confusions(counts, labels):
    """Return the rows of the matrix of a corpus."""
    rows = []
    for truth in labels:
        total = sum(counts.get((truth, answer), 0) for answer in labels)
        shares = [counts.get((truth, answer), 0) / total if total else None for answer in labels]
        # Darkness in steps of 10 %: a page without styles in its elements can only name a
        # step.
        cells = [
            {"value": "", "step": ""}
            if one is None
            else {"value": f"{100 * one:.0f}", "step": f"step{round(10 * one)}"}
            for one in shares
        ]
        rows.append({"name": truth, "n": total, "cells": cells})
    return rows


def confusion_tables(record):
    """Return the answers to each emotion in percent, by method and corpus."""
    predictions = record.predictions.astype({"corpus": str})
    labels = sorted({*predictions["y_true"], *predictions["y_pred"]})
    columns = ["method", "corpus", "y_true", "y_pred"]
    counts = predictions.groupby(columns, sort=False).size().to_dict()
    scores = record.scores.astype({"corpus": str}).set_index(["method", "corpus"])["uar"].to_dict()
    # A recording counts once, not once for each repeat.
    repeats = predictions.groupby("method")["repeat"].nunique()
    by_place = {}
    for (method, corpus, *pair), n in counts.items():
        by_place.setdefault((method, corpus), {})[tuple(pair)] = n / repeats[method]
    return {
        "columns": labels,
        "methods": [
            {
                "name": method,
                "corpora": [
                    {
                        "name": corpus,
                        "uar": f"{scores[method, corpus]:.3f}",
                        "rows": _confusions(by_place[method, corpus], labels),
                    }
                    for corpus in record.corpora
                    if (method, corpus) in by_place
                ],
            }
            for method in record.methods
        ],
    }


def notes_on_intervals(record):
    """List the scores without an interval, and the reasons."""
    noted = record.scores[record.scores["interval_note"] != ""].drop_duplicates(
        ["corpus", "interval_note"]
    )
    return [f"{row['corpus']}: {row['interval_note']}" for _, row in noted.iterrows()]


def _age_of(group):
    # "under 30" is the first group of ages, before the numbers.
    return not group.startswith("under"), group


def group_tables(record):
    """Return the scores of groups of speakers, a table for each fact about them."""
    if record.groups is None:
        return []
    tables = []
    for by, rows in record.groups.astype({"corpus": str}).groupby("by", sort=False):
        groups = sorted(rows["group"].unique(), key=_age_of)
        corpora = [name for name in (*record.corpora, _MEAN) if name in set(rows["corpus"])]
        pair = len(groups) == 2
        tables.append(
            {
                "by": by,
                "pair": pair,
                "columns": [*groups, f"{groups[0]} minus {groups[1]}"] if pair else groups,
                "groups": [
                    {
                        "title": "Mean of the corpora" if corpus == _MEAN else f"{corpus} held out",
                        **_group_rows(rows[rows["corpus"] == corpus], groups, record.methods),
                    }
                    for corpus in corpora
                ],
            }
        )
    return tables


def _group_rows(here, groups, methods):
    pair = len(groups) == 2
    speakers = here.drop_duplicates("group").set_index("group")["n_speakers"]
    rows = []
    for method in methods:
        own = here[here["method"] == method]
        found = [own[own["group"] == group] for group in groups]
        cells = [_cell(rows, _group if pair else _group_and_gap) for rows in found]
        if pair:
            cells.append(_cell(found[0], _gap))
        rows.append({"name": method, "cells": cells})
    sizes = [count_of(int(speakers[one]), "speaker") if one in speakers else "" for one in groups]
    return {"rows": rows, "n": len(rows), "sizes": sizes + [""] * pair}


def _group(row):
    return {
        "value": format_score(row["uar"]),
        "detail": interval(row["uar_low"], row["uar_high"]),
        "p": "",
    }


def _gap(row):
    return {
        "value": signed(row["gap"]) or "–",
        "detail": interval(row["gap_low"], row["gap_high"]),
        "p": "",
    }


def _group_and_gap(row):
    gap = _gap(row)
    others = f"{gap['value']} ({gap['detail']})" if gap["detail"] else ""
    return {**_group(row), "p": others}


def calibration_table(record):
    """Return Brier score and calibration error of the methods with probabilities, or None."""
    if record.calibration is None:
        return None
    table = record.calibration.astype({"corpus": str})
    columns = _columns(record)
    rows = []
    for method in record.methods:
        own = table[table["method"] == method].set_index("corpus")
        if len(own):
            cells = [
                {
                    "value": format_score(own.loc[name, "brier"]),
                    "detail": f"ECE {format_score(own.loc[name, 'ece'])}",
                }
                for name in columns
            ]
            rows.append({"name": method, "cells": cells})
    return {"columns": columns, "rows": rows}


def missed_recordings(record):
    """Return the recordings that no method recognises in any repeat."""
    predictions = record.predictions
    keys = ["corpus", "path", "y_true"]
    # Grouped by numbers: pandas keeps and compares strings as UTF-8, which names of files need
    # not be.
    names = [*zip(*(predictions[key] for key in keys), strict=True)]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    recording = np.array([numbers[name] for name in names])
    recordings = predictions[keys][~pd.Index(recording).duplicated()].reset_index(drop=True)
    # Wrong in every method and repeat: a suspect label or recording rather than a weak model.
    wrong = (predictions["y_true"] != predictions["y_pred"]).groupby(recording).all()
    missed = recordings[wrong]
    answers = predictions["y_pred"].groupby(recording)
    shown = []
    # A few of each corpus, rather than many of the first.
    order = missed.groupby("corpus", sort=False).cumcount().sort_values(kind="stable").index
    for number, row in missed.loc[order[:_SHOWN]].to_dict("index").items():
        shown.append({**row, "taken_for": answers.get_group(number).mode().iloc[0]})
    return {"n": len(missed), "of": len(recordings), "shown": shown}


def _link(address):
    """Return an address if it is safe to link to; otherwise None."""
    try:
        parts = urlsplit(str(address))
    except ValueError:
        return None
    return str(address) if parts.scheme in ("http", "https") and parts.netloc else None


def corpus_table(record):
    """Return the known facts about each corpus."""
    return [
        {
            "name": corpus["name"],
            "title": corpus.get("title") or "",
            "language": corpus.get("language") or "?",
            "recordings": corpus.get("recordings", "?"),
            "speakers": corpus.get("speakers") or "?",
            "emotions": ", ".join(f"{n} {word}" for word, n in corpus.get("emotions", {}).items()),
            "licence": corpus.get("licence") or "not known to this package",
            "homepage": corpus.get("homepage") or "",
            "link": _link(corpus.get("homepage", "")),
        }
        for corpus in record.run["corpora"]
    ]
