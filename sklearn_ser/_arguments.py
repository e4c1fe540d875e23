"""The grammar of the command ``sklearn-ser``: its arguments and their help."""

import argparse
import textwrap
from pathlib import Path

from sklearn_ser import __version__

__all__ = ["build_parser"]

_DEFAULT_EMOTIONS = ("anger", "happiness", "neutral", "sadness")


def _corpus_argument(text):
    """Split ``NAME=PATH``."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected NAME=PATH such as emodb=corpora/emodb"
        )
    return name, path


def _emotions_argument(text):
    """Split ``anger,sadness`` and check the words; ``all`` is None."""
    from sklearn_ser.datasets import EMOTIONS

    if text == "all":
        return None
    emotions = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    unknown = [word for word in emotions if word not in EMOTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown emotion {unknown[0]!r}; expected all, or a list such as anger,sadness of: "
            f"{', '.join(EMOTIONS)}"
        )
    if len(emotions) < 2:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected at least two emotions")
    return emotions


def _rate_argument(text):
    """Convert a rate in Hz; ``native`` is None."""
    if text == "native":
        return None
    if not text.isdecimal() or int(text) < 4000:
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected native or a number of Hz, at least 4000"
        )
    return int(text)


def _jobs_argument(text):
    """Convert a number of processes; 0 makes none."""
    try:
        jobs = int(text)
    except ValueError:
        jobs = 0
    if jobs == 0:
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected a number of processes, or -1 for one on each core"
        )
    return jobs


def _output_argument(text):
    path = Path(text)
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a name in .csv or .parquet")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder, expected a file")
    return path


def _cache_argument(text):
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder, expected a file")
    return path


def _folder_argument(text):
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a file, expected a folder")
    return path


def _name_argument(text):
    from sklearn_ser.datasets import CORPORA

    if text not in CORPORA:
        raise argparse.ArgumentTypeError(f"unknown corpus {text!r}; known: {', '.join(CORPORA)}")
    return text


def _count_argument(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a positive number")
    return int(text)


def _add_command(commands, name, description, examples):
    command = commands.add_parser(
        name,
        help=description[0].lower() + description.partition(".")[0][1:],
        description=textwrap.fill(description, 79),
        epilog="examples:\n" + textwrap.indent(textwrap.dedent(examples).strip(), "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.set_defaults(parser=command)
    return command


def _add_common(command):
    # Suppressed defaults: those of the main parser hold, so that the two options work
    # before and after the command.
    quiet = argparse.SUPPRESS
    command.add_argument(
        "-v", "--verbose", action="store_true", default=quiet, help="tell what is being loaded"
    )
    command.add_argument(
        "--debug", action="store_true", default=quiet, help="show the traceback of an error"
    )


def _add_extraction(command):
    command.add_argument(
        "--corpus",
        metavar="NAME=PATH",
        type=_corpus_argument,
        action="append",
        default=[],
        help="a corpus and its folder; repeat for more. Names that `sklearn-ser corpora` lists "
        "stand for these corpora, other names for a folder with a sub-folder per emotion or a "
        ".csv file with the columns path and emotion",
    )
    command.add_argument(
        "--sampling-rate",
        metavar="HZ",
        type=_rate_argument,
        default=16000,
        help="resample recordings to this rate; native keeps the rate of each (default: 16000)",
    )
    command.add_argument(
        "--variant",
        choices=("opensmile", "corrected"),
        default="opensmile",
        help="openSMILE's values, or formants and harmonic differences that are what their "
        "names say (default: %(default)s)",
    )
    command.add_argument(
        "--cache",
        metavar="FILE",
        type=_cache_argument,
        help="keep the features of each recording in this file, and take those it has from there",
    )
    workers = command.add_mutually_exclusive_group()
    workers.add_argument(
        "--jobs",
        metavar="N",
        type=_jobs_argument,
        default=1,
        help="number of processes, -1 for one on each core (default: 1)",
    )
    return workers


def _add_evaluate(commands, methods):
    command = _add_command(
        commands,
        "evaluate",
        "Leave one corpus out: train on all others, predict it, score. Without --corpus, three "
        "small corpora of synthesised speech are made and evaluated.",
        """
        sklearn-ser evaluate
        sklearn-ser evaluate --corpus emodb=corpora/emodb --corpus urdu=corpora/urdu --jobs -1
        sklearn-ser evaluate --corpus emodb=emodb --corpus mine=mine.csv --out results
        """,
    )
    _add_extraction(command)
    command.add_argument(
        "--method",
        choices=methods,
        default=next(iter(methods)),
        help="; ".join(f"{name}: {description}" for name, (description, _) in methods.items())
        + " (default: %(default)s)",
    )
    command.add_argument(
        "--emotions",
        metavar="LIST",
        type=_emotions_argument,
        default=_DEFAULT_EMOTIONS,
        help=f"emotions to tell apart, or all (default: {','.join(_DEFAULT_EMOTIONS)})",
    )
    command.add_argument(
        "--utterances",
        metavar="N",
        type=_count_argument,
        help="size of each synthesised corpus (default: 120)",
    )
    command.add_argument(
        "--out",
        metavar="DIR",
        type=_folder_argument,
        help="folder to write scores.csv and predictions.csv to, and synthesised corpora to keep",
    )
    _add_common(command)


def _add_extract(commands):
    command = _add_command(
        commands,
        "extract",
        "Compute the 88 eGeMAPSv02 functionals of recordings. The result has a column path and "
        "one for each functional, under openSMILE's names. The same command resumes a run that "
        "was interrupted. Recordings that cannot be used are listed in a file beside the result, "
        "in features.failed.csv if that is features.parquet.",
        """
        sklearn-ser extract speech.wav other.flac > features.csv
        sklearn-ser extract recordings/ --out features.parquet --jobs -1
        sklearn-ser extract --corpus emodb=corpora/emodb --out emodb.csv --cache features.sqlite
        sklearn-ser extract /data --out features.parquet --dask-scheduler tcp://head:8786
        """,
    )
    command.add_argument(
        "recordings",
        metavar="PATH",
        type=Path,
        nargs="*",
        help="a recording, or a folder of recordings with all its sub-folders",
    )
    workers = _add_extraction(command)
    workers.add_argument(
        "--dask-scheduler",
        metavar="ADDRESS",
        help="let the workers of this dask cluster compute; they must find the recordings under "
        "the same paths",
    )
    command.add_argument(
        "--on-error",
        choices=("skip", "nan", "raise"),
        default="skip",
        help="what to do about recordings that cannot be used: leave them out, leave their "
        "fields empty, or stop (default: %(default)s)",
    )
    command.add_argument(
        "--out",
        metavar="FILE",
        type=_output_argument,
        help="file to write to, .csv or .parquet (default: CSV to the standard output)",
    )
    _add_common(command)


def _add_corpora(commands):
    command = _add_command(
        commands,
        "corpora",
        "List the corpora known by name: language, size, licence, where to get them.",
        """
        sklearn-ser corpora
        sklearn-ser corpora emodb ravdess
        """,
    )
    command.add_argument(
        "names", metavar="NAME", type=_name_argument, nargs="*", help="tell all about this corpus"
    )
    _add_common(command)


def _add_fetch(commands):
    command = _add_command(
        commands,
        "fetch",
        "Download a corpus that is open to anybody. Its licence is shown before; its folder is "
        "printed after, and at once if the corpus is there already.",
        """
        sklearn-ser fetch ravdess
        sklearn-ser extract $(sklearn-ser fetch urdu --data-home corpora --yes) --out urdu.csv
        """,
    )
    command.add_argument(
        "name", metavar="NAME", type=_name_argument, help="a name that `sklearn-ser corpora` lists"
    )
    command.add_argument(
        "--data-home",
        metavar="DIR",
        type=_folder_argument,
        help="folder that holds a folder for each corpus (default: the environment variable "
        "SKLEARN_SER_DATA, or sklearn_ser_data in your home)",
    )
    command.add_argument(
        "--yes", action="store_true", help="agree to the licence without being asked"
    )
    _add_common(command)


def build_parser(methods):
    """Make the parser of the command line.

    Parameters
    ----------
    methods : dict from str to tuple
        What ``--method`` offers: name, and a tuple that begins with a description.

    Returns
    -------
    parser : argparse.ArgumentParser
        Its result names the sub-command in `command` and holds the parser of
        that sub-command in `parser`, for errors of usage.
    """
    parser = argparse.ArgumentParser(
        prog="sklearn-ser",
        description="Cross-lingual speech emotion recognition.",
        epilog="`sklearn-ser COMMAND --help` explains a command and gives examples.\n"
        "exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell what is being loaded")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_evaluate(commands, methods)
    _add_extract(commands)
    _add_corpora(commands)
    _add_fetch(commands)
    return parser
