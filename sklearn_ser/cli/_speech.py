"""What several commands have in common in what they do: recordings, their features."""

import os
from pathlib import Path


def corpora_to_paths(args):
    """Collect the repeated ``--corpus`` in a dict."""
    paths = dict(args.corpus)
    if len(paths) < len(args.corpus):
        names = [name for name, _ in args.corpus]
        twice = next(name for name in names if names.count(name) > 1)
        args.parser.error(f"argument --corpus: {twice} is given more than once")
    return paths


def _load_table(args, paths, folder):
    if paths:
        from sklearn_ser.datasets import load_corpora

        return load_corpora(paths, emotions=args.emotions)
    from sklearn_ser.datasets import EMOTIONS, make_corpora

    emotions = args.emotions or tuple(word for word in EMOTIONS if word != "other")
    return make_corpora(
        folder,
        n_utterances=args.utterances or 120,
        emotions=emotions,
        n_jobs=args.jobs,
        verbose=1,
    )


def _with_prior(speech):
    """Give corpora without any rating of activation (valence) those typical of the emotions."""
    from sklearn_ser.datasets import circumplex

    speech = speech.copy()
    prior = circumplex(speech["emotion"])
    for column in prior:
        if column not in speech:
            speech[column] = float("nan")
        unrated = speech.groupby("corpus")[column].transform("count") == 0
        speech.loc[unrated, column] = prior.loc[unrated, column]
    return speech


def load_speech(args, paths, folder):
    """Return the table of the corpora asked for, or of embedded ones made in `folder`.

    Ratings are joined to it as ``--annotations`` and ``--circumplex`` say.
    """
    speech = _load_table(args, paths, folder)
    for name, place in args.annotations:
        from sklearn_ser.datasets import load_annotations

        speech = load_annotations(name, place, speech)
    return _with_prior(speech) if args.circumplex else speech


def check_needs(method, speech, *, at_least=1):
    """Refuse to go on if too few corpora have the ratings that a method needs.

    Parameters
    ----------
    method : Method
        Its `needs` are columns of the table.
    speech : DataFrame
        The table of recordings.
    at_least : int, default=1
        How many corpora must have them: 2 where each is held out in turn.

    Raises
    ------
    CorpusError
        It names what is missing where, and what helps.
    """
    from sklearn_ser.exceptions import CorpusError

    missing = {}
    for corpus, rows in speech.groupby("corpus", sort=False):
        absent = [name for name in method.needs if name not in rows or rows[name].isna().all()]
        if absent:
            missing[corpus] = " and ".join(absent)
    if speech["corpus"].nunique() - len(missing) >= at_least:
        return
    where = "; ".join(f"{corpus} has no {absent}" for corpus, absent in missing.items())
    raise CorpusError(
        f"{method.name} learns from ratings of {' and '.join(method.needs)}, in at least "
        f"{at_least} of the corpora, but {where}. Add ratings (--annotations das2022=DIR), or "
        f"take those that are typical of each emotion (--circumplex)."
    )


def make_extractor(args, **options):
    """Return the extractor that the options ask for, told otherwise by `options`."""
    from sklearn_ser.features import EGeMAPSExtractor

    if args.cache is not None:
        args.cache.parent.mkdir(parents=True, exist_ok=True)
    options = {"cache": args.cache, "n_jobs": args.jobs} | options
    return EGeMAPSExtractor(
        variant=args.variant,
        sampling_rate=args.sampling_rate,
        max_duration=args.max_duration,
        verbose=1,
        **options,
    )


def _list_folder(folder):
    """Return the recordings of a folder that can be read, and notes on the others."""
    from sklearn_ser.datasets._formats import (
        find_recordings,
        format_notes,
        pointer_notes,
        split_readable,
    )
    from sklearn_ser.exceptions import CorpusError

    files, passed_over = split_readable(find_recordings(folder))
    kept = {file.parent for file in files}
    lost = dict.fromkeys(file.parent for file in passed_over)
    lost = [str(place) for place in lost if place not in kept and place.parts]
    notes = format_notes(files, passed_over, folder, lost)
    if not files:
        problem = f"No recordings in {folder} or its sub-folders"
        raise CorpusError("; ".join([problem, *notes]) + ".")
    paths = [str(folder / file) for file in files]
    return paths, pointer_notes(paths, folder) + notes


def list_recordings(arguments):
    """Collect the recordings of files and folders, each once, in the order given.

    Parameters
    ----------
    arguments : iterable of pathlib.Path
        Files are taken as they are, of folders all recordings that can be read.

    Returns
    -------
    paths : list of str
        Absolute paths.

    Raises
    ------
    CorpusError
        If there is nothing in a folder that can be read.

    Warns
    -----
    CorpusWarning
        If files in the folders are left out, are decoded by ffmpeg, or are
        pointers of git-lfs; one warning for all.
    """
    import warnings

    from sklearn_ser.datasets._paths import absolute_path, each_once
    from sklearn_ser.exceptions import CorpusWarning

    paths, notes = [], []
    for path in arguments:
        path = absolute_path(path)
        if os.path.isdir(path):
            found, new_notes = _list_folder(Path(path))
            paths += found
            notes += new_notes
        else:
            paths.append(path)
    if notes:
        warnings.warn("; ".join(notes) + ".", CorpusWarning, stacklevel=2)
    return each_once(paths)
