"""Leave out speakers where there is only one corpus to evaluate."""

__all__ = ["announcement", "check_speakers", "is_single"]


def is_single(speech):
    """Return whether all recordings are of one corpus."""
    return speech["corpus"].nunique() == 1


def _second_corpus(speech):
    """Return how to get a registered corpus with the same emotions in another language."""
    from sklearn_ser.datasets import CORPORA

    emotions, here = set(speech["emotion"]), set(speech["language"].dropna())

    def fitness(corpus):
        shared = len(emotions & set(corpus.vocabulary))
        verified = corpus.download is not None and bool(corpus.download.known_hash)
        return shared, verified, corpus.language not in here, corpus.n_speakers or 0

    present = set(speech["corpus"])
    others = [corpus for name, corpus in CORPORA.items() if corpus.download and name not in present]
    name = max(others, key=fitness).name
    return f"`sklearn-ser fetch {name}` and --corpus {name}=FOLDER"


def check_speakers(speech):
    """Raise an error if the speakers of the only corpus cannot be left out.

    Raises
    ------
    CorpusError
        If they are unknown, in part or all, or there is only one.
    """
    from sklearn_ser.exceptions import CorpusError

    [name] = speech["corpus"].unique()
    unknown = int(speech["speaker"].isna().sum())
    if unknown == len(speech):
        reason = "they are unknown"
    elif unknown:
        reason = f"that of {unknown} of {len(speech)} recordings is unknown"
    elif speech["speaker"].nunique() == 1:
        reason = "there is a single one"
    else:
        return
    raise CorpusError(
        f"{name} is the only corpus, so that its speakers would be left out in turn, but {reason}. "
        f"List the recordings in a .csv file with the columns path, emotion and speaker and pass "
        f"it as --corpus {name}=FILE.csv, or add a second corpus, for instance with "
        f"{_second_corpus(speech)}."
    )


def announcement(speech):
    """Return what an evaluation of the only corpus does, and how to have more."""
    [name] = speech["corpus"].unique()
    return (
        f"{name} is the only corpus, so its speakers are left out in turn. The scores hold for "
        f"other speakers in recordings like these; in another corpus, expect lower ones. To "
        f"measure that, add a second corpus, for instance with {_second_corpus(speech)}."
    )
