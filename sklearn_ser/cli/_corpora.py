"""``sklearn-ser corpora``: list the registered corpora, or describe one."""

import textwrap

from sklearn_ser.cli._arguments import add_command, add_common, name_argument


def add_corpora(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "corpora",
        _run,
        "List the corpora known by name, with language, size, licence and source.",
        """
        sklearn-ser corpora
        sklearn-ser corpora emodb ravdess
        """,
    )
    command.add_argument(
        "names",
        metavar="NAME",
        type=name_argument,
        nargs="*",
        help="show the facts about this corpus",
    )
    add_common(command)


def _run(args):
    """Print a table of the corpora, or the facts about some."""
    from sklearn_ser.datasets import CORPORA, list_corpora

    if not args.names:
        table = list_corpora().drop(columns=["title", "download"]).astype(object)
        table = table.where(table.notna(), "?").astype(str)
        for column in ("name", "language", "licence", "homepage"):
            width = table[column].str.len().max()
            table[column] = table[column].str.ljust(width)
            table = table.rename(columns={column: column.ljust(width)})
        print("\n".join(line.rstrip() for line in table.to_string(index=False).splitlines()))
        print(
            "\nThis package contains no recordings: each corpus has its own terms. For its\n"
            "emotions, file names and citation: sklearn-ser corpora NAME"
        )
    for name in args.names:
        corpus = CORPORA[name]
        counted = [f"{word} {corpus.counts.get(word, '')}".rstrip() for word in corpus.vocabulary]
        facts = {
            "title": corpus.title,
            "language": corpus.language,
            "recordings": f"{corpus.n_recordings or '?'} at {corpus.sampling_rate} Hz",
            "speakers": corpus.n_speakers or "?",
            "emotions": ", ".join(counted),
            "file names": f"such as {next(iter(corpus.examples))}",
            "licence": corpus.licence,
            "available": f"{corpus.homepage} {corpus.access}".rstrip(),
        }
        if corpus.note:
            facts["note"] = textwrap.fill(corpus.note, 65).replace("\n", "\n" + 14 * " ")
        print(name)
        for title, fact in facts.items():
            print(f"  {title:<12}{fact}")
        print(textwrap.indent(corpus.citation, "  "), end="\n\n")
