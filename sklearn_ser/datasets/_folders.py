"""Load recordings that are sorted into one folder per emotion."""

import warnings

from sklearn_ser.audio import AUDIO_SUFFIXES
from sklearn_ser.datasets._base import EMOTIONS, as_table, check_emotions, check_folder
from sklearn_ser.datasets._formats import (
    find_recordings,
    format_notes,
    pointer_notes,
    split_readable,
)
from sklearn_ser.datasets._words import Translator, translate_all
from sklearn_ser.exceptions import CorpusError, CorpusWarning
from sklearn_ser.utils._advice import advice
from sklearn_ser.utils._spelling import visible

__all__ = ["load_folder", "read_folder"]


def _meanings(readable, passed_over, folder, translate):
    """Return the emotion of each sub-folder, or its name if unknown and without readable files."""
    for file in readable:
        if len(file.parts) == 1:
            remedy = advice(
                "use load_table", "list them in a .csv file with the columns path and emotion"
            )
            raise CorpusError(
                f"{file} lies directly in {folder}; expected one sub-folder per emotion "
                f"({', '.join(EMOTIONS)}). Sort the recordings, or {remedy}."
            )
    names = [file.parts[0] for file in readable]
    where = f"the names of sub-folders of {folder}"
    meanings = dict(zip(names, translate_all(names, translate, where), strict=True))
    for file in passed_over:
        name = file.parts[0]
        if name not in meanings:
            try:
                meanings[name] = translate(name)
            except KeyError:
                meanings[name] = name
    return meanings


def read_folder(path, *, corpus=None, language=None, mapping=None, emotions=None):
    """Return the table of `load_folder`, and notes for a warning."""
    emotions = check_emotions(emotions)
    translate = Translator.of(mapping)
    folder = check_folder(path)
    names = [p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    translate.check_keys(sorted(names), f"sub-folder of {folder}")
    readable, passed_over = split_readable(find_recordings(folder))
    meanings = _meanings(readable, passed_over, folder, translate)

    def wanted(file):
        meaning = meanings[file.parts[0]]
        known = meaning in EMOTIONS
        return meaning is not None and (emotions is None or not known or meaning in emotions)

    taken, passed_over = filter(wanted, readable), list(filter(wanted, passed_over))
    recordings = [
        {"path": str(folder / f), "emotion": meanings[f.parts[0]], "emotion_raw": f.parts[0]}
        for f in taken
    ]
    kept = {row["emotion"] for row in recordings}
    lost = dict.fromkeys(f.parts[0] for f in passed_over if len(f.parts) > 1)
    lost = [name for name in lost if meanings[name] not in kept]
    notes = format_notes([row["path"] for row in recordings], passed_over, folder, lost)
    if not recordings:
        problem = f"No recordings in the sub-folders of {folder}; expected one sub-folder per "
        problem += f"emotion with files that end in {', '.join(AUDIO_SUFFIXES)}"
        if found := sorted({meanings[f.parts[0]] or "" for f in readable} - {""}):
            problem = f"No {' or '.join(emotions)} in {folder}; its emotions are: "
            problem += ", ".join(found)
        raise CorpusError("; ".join([problem, *notes]) + ".")
    # Tables of scores contain the name of the corpus, and their text must be UTF-8.
    name = visible(folder.resolve().name) if corpus is None else corpus
    table = as_table(recordings, corpus=name, language=language)
    return table, pointer_notes(table["path"], folder) + notes


def load_folder(path, *, corpus=None, language=None, mapping=None, emotions=None):
    """Load recordings sorted into one sub-folder per emotion.

    The name of a sub-folder, in upper or lower case, is an emotion of the
    vocabulary, a code such as ``ang``, or a synonym in English, German, French,
    Spanish or Italian that cannot mean anything else; :doc:`/corpora` lists
    them. Sub-folders may contain further folders of any depth.
    Recordings are files in formats that libsndfile reads: WAV, FLAC, OGG, Opus,
    MP3, AIFF, AU, CAF, NIST SPHERE and others. M4A, MP4, 3GP, AMR, WMA, WebM and
    others count as recordings if the program ffmpeg is on the path; otherwise
    they are left out, and a warning counts them. Hidden files and folders are
    ignored. No recording is opened.

    Parameters
    ----------
    path : str or path-like
        The folder that holds the sub-folders.
    corpus : str, optional
        Name of the corpus; by default the name of the folder.
    language : str, optional
        Language of the recordings, as a BCP 47 tag such as ``"de"``.
    mapping : dict from str to str or None, optional
        Emotion of sub-folders with other names, for example
        ``{"Wut": "anger", "noise": None}``; None leaves a sub-folder out.
        Letter case and surrounding blanks are ignored. A key that matches no
        sub-folder is an error.
    emotions : sequence of str, optional
        Emotions to keep; by default all.

    Returns
    -------
    table : DataFrame
        One row per recording, sorted by path below `path`; columns as in
        :func:`load_corpus`. Paths are absolute. Speakers are unknown and
        therefore missing.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is not a folder.
    CorpusError
        If a recording is not in a sub-folder, names of sub-folders are not
        known emotions (all of them are listed), a key of `mapping` matches no
        sub-folder, or no recording is left.
    ValueError
        If `mapping` or `emotions` holds an unknown emotion, or `mapping` two
        keys for one sub-folder.

    Warns
    -----
    CorpusWarning
        If recordings are left out because their formats cannot be read (the
        warning names emotions without any recording left), if some are decoded
        by ffmpeg, or if some are git-lfs pointers. There is one warning for all.

    See Also
    --------
    load_table : For recordings with speakers, sentences or ratings.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_ser.datasets import load_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("Angry/one.wav", "Sad/two.wav"):
    ...         (Path(folder) / name).parent.mkdir()
    ...         (Path(folder) / name).touch()
    ...     speech = load_folder(folder, corpus="mine", language="en")
    >>> speech[["corpus", "language", "emotion"]]
      corpus language  emotion
    0   mine       en    anger
    1   mine       en  sadness
    """
    table, notes = read_folder(
        path, corpus=corpus, language=language, mapping=mapping, emotions=emotions
    )
    if notes:
        warnings.warn("; ".join(notes) + ".", CorpusWarning, stacklevel=2)
    return table
