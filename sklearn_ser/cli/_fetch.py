"""``sklearn-ser fetch``: download a corpus that is freely available."""

import sys

from sklearn_ser.cli._arguments import add_command, add_common, folder_argument, name_argument


def add_fetch(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "fetch",
        _run,
        "Download a freely available corpus. Its licence is shown first, and its folder is printed "
        "at the end. A corpus that is already there is not downloaded again.",
        """
        sklearn-ser fetch ravdess
        sklearn-ser extract $(sklearn-ser fetch urdu --data-home corpora --yes) --out urdu.csv
        """,
    )
    command.add_argument(
        "name", metavar="NAME", type=name_argument, help="a name that `sklearn-ser corpora` lists"
    )
    command.add_argument(
        "--data-home",
        metavar="DIR",
        type=folder_argument,
        help="folder with a folder for each corpus (default: the environment variable "
        "SKLEARN_SER_DATA, or sklearn_ser_data in your home folder)",
    )
    command.add_argument(
        "--yes", action="store_true", help="accept the licence without being asked"
    )
    add_common(command)


def _run(args):
    """Download a corpus after the user has accepted its licence, and print its folder."""
    from sklearn_ser.datasets import fetch_corpus
    from sklearn_ser.exceptions import DownloadError

    def confirm():
        if args.yes:
            return
        # Input from a pipe was not written as an answer to this question.
        if not sys.stdin.isatty():
            args.parser.error("pass --yes: there is no terminal to ask for your consent")
        print("Download it? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise DownloadError(f"{args.name} was not downloaded")

    print(fetch_corpus(args.name, data_home=args.data_home, confirm=confirm))
