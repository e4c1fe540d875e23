"""The page of all registered corpora, from the registry."""

import textwrap

from _tables import lay_out

from sklearn_ser.datasets import CORPORA, EMOTIONS, common_emotions, list_languages


def describe_corpus(corpus):
    """Lay out the entry of a corpus in the registry, as a section."""
    counts = [f"{word} {corpus.counts.get(word, '')}".rstrip() for word in corpus.vocabulary]
    women = "" if corpus.n_women is None else f", {corpus.n_women} of them women"
    raw = [f"``{label}`` {emotion}" for label, emotion in corpus.emotions.items()]
    facts = {
        "Language": corpus.language,
        "Recordings": f"{corpus.n_recordings or 'number unknown'}, at {corpus.sampling_rate} Hz",
        "Speakers": f"{corpus.n_speakers or 'number unknown'}{women}",
        "Known": ", ".join(f"``{column}``" for column in corpus.labels) or "emotions only",
        "Emotions": ", ".join(counts),
        "Labels": ", ".join(raw),
        "File names": f"such as ``{next(iter(corpus.examples))}``",
        "Licence": corpus.licence,
        "Terms": corpus.terms or "unclear",
        "Available": f"{corpus.homepage} {corpus.access}".rstrip(),
        "Download": f"``fetch_corpus({corpus.name!r})``" if corpus.download else "by hand",
    }
    heading = f"{corpus.name}: {corpus.title}"
    lines = [f".. _corpus-{corpus.name}:", "", heading, "-" * len(heading), ""]
    lines += [f":{name}: {fact}" for name, fact in facts.items()]
    lines += ["", corpus.note, "", ".. code-block:: bibtex", ""]
    return "\n".join(lines) + "\n" + textwrap.indent(corpus.citation, "   ") + "\n"


def list_sizes():
    """Lay out size, speakers, rate and terms of all corpora, grouped by language."""
    rows = []
    for language, names in list_languages().items():
        for number, name in enumerate(names):
            corpus = CORPORA[name]
            women = "?" if corpus.n_women is None else corpus.n_women
            rows.append(
                (
                    "" if number else language,
                    f":ref:`{name} <corpus-{name}>`",
                    corpus.language,
                    corpus.n_recordings or "?",
                    corpus.n_speakers or "?",
                    women,
                    corpus.sampling_rate,
                    corpus.terms or "?",
                )
            )
    header = ("language", "corpus", "tag", "recordings", "speakers", "women", "Hz", "terms")
    return lay_out(header, rows)


def list_emotions():
    """Lay out the number of recordings of each emotion in each corpus."""
    shown = [word for word in EMOTIONS if any(word in one.vocabulary for one in CORPORA.values())]
    rows = [
        (
            f":ref:`{name} <corpus-{name}>`",
            *(corpus.counts.get(word, "?") if word in corpus.vocabulary else "" for word in shown),
        )
        for name, corpus in CORPORA.items()
    ]
    return lay_out(("corpus", *(word[:3] for word in shown)), rows)


def list_corpora():
    """Lay out the page of all corpora."""
    shared = common_emotions(CORPORA).index
    lines = [
        "List of corpora",
        "===============",
        "",
        f"`sklearn_ser.datasets.load_corpus` loads these {len(CORPORA)} corpora in ",
        f"{len(list_languages())} languages by name. Numbers are those of the complete corpus; a ",
        "question mark stands for one that is not on record.",
        "",
        "By language",
        "-----------",
        "",
        "Terms in a word: *open* corpora are under a public licence, which may exclude commercial ",
        "use; others are available after a *form* or registration, on *request*, or freely but ",
        "for *research* only. A corpus in two languages is listed in both, with its whole size.",
        "",
        *list_sizes(),
        "Emotions",
        "--------",
        "",
        f"Common to all of them: {', '.join(shared) or 'nothing'}. What some of them have in ",
        "common is returned by `sklearn_ser.datasets.common_emotions` and printed by ",
        "``sklearn-ser corpora --common emodb,ravdess,urdu``. Columns are named by the first ",
        f"letters of {', '.join(EMOTIONS)}.",
        "",
        *list_emotions(),
    ]
    return "\n".join([*lines, *map(describe_corpus, CORPORA.values())])
