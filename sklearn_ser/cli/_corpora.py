"""``sklearn-ser corpora``: list the registered corpora, compare or describe some."""

import textwrap

from sklearn_ser.cli._arguments import add_command, add_common, name_argument, names_argument


def add_corpora(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "corpora",
        _run,
        "List the corpora known by name, by language, with size, speakers, rate, terms and "
        "emotions.",
        """
        sklearn-ser corpora
        sklearn-ser corpora emodb ravdess
        sklearn-ser corpora --common emodb,ravdess,urdu
        """,
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument(
        "names",
        metavar="NAME",
        type=name_argument,
        nargs="*",
        default=[],
        help="show the facts about this corpus",
    )
    what.add_argument(
        "--common",
        metavar="LIST",
        type=names_argument,
        help="print the emotions that all of these corpora have, such as emodb,urdu, with the "
        "numbers of recordings",
    )
    add_common(command)


_EXPLANATION = """
Files: recordings. Terms: open, under a public licence; form, after a form or
registration; request, on request; research, freely but for research only; ?, unclear or
not on record. Emotions: the first letters of anger, boredom, calm, disgust, fear,
happiness, neutral, sadness, surprise and other.

This package contains no recordings: each corpus has its own terms. For licence, source,
file names and citation: sklearn-ser corpora NAME. For the emotions that some of them
share: sklearn-ser corpora --common NAME,NAME"""


def _cells(corpus, emotions):
    """Return what the list shows of a corpus, as texts."""
    words = (word[:3] if word in corpus.vocabulary else "" for word in emotions)
    women = "" if corpus.n_women is None else str(corpus.n_women)
    return [
        f"  {corpus.name}",
        corpus.language,
        str(corpus.n_recordings or "?"),
        str(corpus.n_speakers or "?"),
        women or "?",
        str(corpus.sampling_rate),
        corpus.terms or "?",
        " ".join(f"{word:3}" for word in words).rstrip(),
    ]


def _print_list():
    """Print a line for each corpus, below the name of its language."""
    from sklearn_ser.datasets import CORPORA, EMOTIONS, list_languages

    titles = ["", "tag", "files", "speakers", "women", "Hz", "terms", "emotions"]
    groups = {
        language: [_cells(CORPORA[name], EMOTIONS) for name in names]
        for language, names in list_languages().items()
    }
    rows = [titles, *(row for group in groups.values() for row in group)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = "<<>>>><<"

    def line(cells):
        shown = zip(cells, aligned, widths, strict=True)
        return "  ".join(f"{cell:{side}{width}}" for cell, side, width in shown).rstrip()

    print(line(titles))
    for language, group in groups.items():
        print("\n".join([language, *map(line, group)]))
    print(_EXPLANATION)


def _print_common(names):
    """Print the emotions that all of the corpora have, with their numbers."""
    from sklearn_ser.datasets import CORPORA, common_emotions

    table = common_emotions(names).T
    if table.empty:
        print(f"No emotion is common to {', '.join(names)}. They have:")
        for name in names:
            print(f"  {name}: {', '.join(CORPORA[name].vocabulary)}")
        return
    print(table.astype(object).where(table.notna(), "?").to_string())
    if table.isna().any(axis=None):
        print("\n?: the corpus has the emotion; how many recordings is not on record.")
    if len(table.columns) > 1:
        print(f"\nTo use them in a command: --emotions {','.join(table.columns)}")


def _print_facts(corpus):
    """Print what is on record about a corpus."""
    counted = [f"{word} {corpus.counts.get(word, '')}".rstrip() for word in corpus.vocabulary]
    women = "" if corpus.n_women is None else f", {corpus.n_women} of them women"
    facts = {
        "title": corpus.title,
        "language": corpus.language,
        "recordings": f"{corpus.n_recordings or '?'} at {corpus.sampling_rate} Hz",
        "speakers": f"{corpus.n_speakers or '?'}{women}",
        "known": ", ".join(corpus.labels),
        "emotions": ", ".join(counted),
        "file names": f"such as {next(iter(corpus.examples))}",
        "licence": corpus.licence,
        "terms": corpus.terms or "?",
        "available": f"{corpus.homepage} {corpus.access}".rstrip(),
    }
    if corpus.note:
        facts["note"] = textwrap.fill(corpus.note, 65).replace("\n", "\n" + 14 * " ")
    print(corpus.name)
    for title, fact in facts.items():
        print(f"  {title:<12}{fact}")
    print(textwrap.indent(corpus.citation, "  "), end="\n\n")


def _run(args):
    """Print a table of the corpora, the emotions that some share, or the facts about some."""
    from sklearn_ser.datasets import CORPORA

    if args.common:
        _print_common(args.common)
    elif not args.names:
        _print_list()
    for name in args.names:
        _print_facts(CORPORA[name])
