"""``sklearn-ser describe``: count the recordings of corpora, and show what is unbalanced."""

from sklearn_ser.cli._arguments import (
    add_command,
    add_common,
    add_corpus,
    emotions_argument,
    file_argument,
    jobs_argument,
    mapping_of,
)
from sklearn_ser.cli._speech import corpora_to_paths


def add_describe(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "describe",
        _run,
        "Count the recordings of corpora by emotion, speaker and sex, with durations and rates, "
        "and show the imbalances that will hurt.",
        """
        sklearn-ser describe --corpus emodb=corpora/emodb --corpus urdu=corpora/urdu
        sklearn-ser describe --corpus mine=recordings.csv --no-headers
        """,
    )
    add_corpus(command)
    command.add_argument(
        "--emotions",
        metavar="LIST",
        type=emotions_argument,
        default=None,
        help="emotions to count, such as anger,sadness, or all (default: all)",
    )
    command.add_argument(
        "--no-headers",
        action="store_true",
        help="open no recording; durations and rates are then unknown",
    )
    command.add_argument(
        "--plot",
        metavar="FILE",
        type=file_argument,
        help="draw numbers and durations in this file, such as counts.png or counts.svg",
    )
    command.add_argument(
        "--jobs",
        metavar="N",
        type=jobs_argument,
        default=1,
        help="number of threads that read headers, -1 for one per core (default: 1)",
    )
    add_common(command)


def _run(args):
    """Print the description of the corpora, and draw it."""
    from sklearn_ser.datasets import describe, load_corpora

    if not args.corpus:
        args.parser.error("argument --corpus: name at least one corpus and its folder")
    paths = corpora_to_paths(args)
    speech = load_corpora(paths, emotions=args.emotions, mapping=mapping_of(args))
    description = describe(speech, headers=not args.no_headers, n_jobs=args.jobs, verbose=1)
    print(description)
    if args.plot is not None:
        description.plot().figure_.savefig(args.plot)
