"""``sklearn-ser fetch``: download a corpus that is freely available."""

import sys

from sklearn_ser.cli._arguments import add_command, add_common, folder_argument, name_argument


def add_fetch(commands):
    """Add the grammar of the command."""
    command = add_command(
        commands,
        "fetch",
        _run,
        "Download a corpus that is open to anybody. Its licence is shown before; its folder is "
        "printed after, and at once if the corpus is there already.",
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
        help="folder that holds a folder for each corpus (default: the environment variable "
        "SKLEARN_SER_DATA, or sklearn_ser_data in your home)",
    )
    command.add_argument(
        "--yes", action="store_true", help="agree to the licence without being asked"
    )
    add_common(command)


def _run(args):
    """Download a corpus, once the user has agreed to its licence, and print its folder."""
    from sklearn_ser.datasets import fetch_corpus
    from sklearn_ser.exceptions import DownloadError

    def confirm():
        if args.yes:
            return
        if not sys.stdin.isatty():
            args.parser.error("say --yes: there is no terminal to ask for your consent on")
        print("Download it? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise DownloadError(f"{args.name} was not downloaded")

    print(fetch_corpus(args.name, data_home=args.data_home, confirm=confirm))
