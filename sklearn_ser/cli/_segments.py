"""Split long recordings for the commands that take them in parts."""

from sklearn_ser.cli._arguments import duration_argument

_DEFAULTS = {"channels": "mix", "min_pause": 0.5, "min_segment": 0.5, "max_segment": 10.0}


def _option(name):
    return f"--{name.replace('_', '-')}"


def add_segments(command):
    """Add ``--segments`` and how to split."""
    group = command.add_argument_group("long recordings")
    group.add_argument(
        "--segments",
        action="store_true",
        help="split each recording at its pauses, and print a row for each segment with its start "
        "and end in seconds; recordings of --reference are split too",
    )
    group.add_argument(
        "--channels",
        choices=("mix", "separate"),
        help="average the channels, or split each by itself, for calls with one speaker per "
        "channel; they are counted from 0 (default: mix)",
    )
    for name, text in (
        ("min_pause", "shortest pause that divides two segments"),
        ("min_segment", "leave out shorter sounds"),
        ("max_segment", "cut longer segments at their quietest place"),
    ):
        group.add_argument(
            _option(name),
            metavar="SECONDS",
            type=duration_argument,
            help=f"{text} (default: {_DEFAULTS[name]:g})",
        )


def check_segments(args):
    """Refuse options that do not go together."""
    given = [name for name in _DEFAULTS if getattr(args, name) is not None]
    if given and not args.segments:
        args.parser.error(f"argument {_option(given[0])}: only --segments splits recordings")
    if args.segments and (args.ask or args.labels):
        option = "--ask" if args.ask else "--labels"
        args.parser.error(f"argument {option}: labels are of whole recordings, not of --segments")


def find_segments(args, paths):
    """Return the table of the segments of recordings.

    Returns
    -------
    table : DataFrame
        The columns of `sklearn_ser.datasets.list_segments`; missing channels are None.

    Raises
    ------
    AudioError
        If nobody speaks in any of them.
    """
    from sklearn_ser.datasets import list_segments
    from sklearn_ser.exceptions import AudioError

    options = {name: getattr(args, name) for name in _DEFAULTS}
    options = {name: value for name, value in options.items() if value is not None}
    on_error = "raise" if args.on_error == "raise" else "nan"
    table = list_segments(paths, n_jobs=args.jobs, on_error=on_error, **options)
    if table.empty:
        raise AudioError(f"Nobody seems to speak in {', '.join(paths[:5])}.")
    channels = table["channel"].astype(object)
    return table.assign(channel=channels.where(channels.notna(), None))
