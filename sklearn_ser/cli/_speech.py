"""Load corpora and make extractors from the options that several commands share."""

from sklearn_ser.cli._arguments import mapping_of
from sklearn_ser.cli._model import extract


def corpora_to_paths(args):
    """Return the values of all ``--corpus`` options as a dict."""
    paths = dict(args.corpus)
    if len(paths) < len(args.corpus):
        names = [name for name, _ in args.corpus]
        twice = next(name for name in names if names.count(name) > 1)
        args.parser.error(f"argument --corpus: {twice} is given more than once")
    return paths


def _load_table(args, paths, folder):
    if paths:
        from sklearn_ser.datasets import load_corpora

        return load_corpora(paths, emotions=args.emotions, mapping=mapping_of(args))
    from sklearn_ser.datasets import EMOTIONS, make_corpora

    emotions = args.emotions or tuple(word for word in EMOTIONS if word != "other")
    n_utterances = args.utterances or 240
    return make_corpora(
        folder,
        n_utterances=n_utterances,
        # Tests over speakers need more than six of them, if there are utterances for more.
        n_speakers=max(6, min(12, n_utterances // len(emotions))),
        emotions=emotions,
        mismatch=1,
        n_jobs=args.jobs,
        verbose=1,
    )


def _with_prior(speech):
    """Add typical ratings to corpora without any rating of activation (valence)."""
    from sklearn_ser.datasets import circumplex

    speech = speech.copy()
    prior = circumplex(speech["emotion"])
    for column in prior:
        if column not in speech:
            speech[column] = float("nan")
        # A corpus with some ratings keeps its gaps: typical values would dilute its own.
        unrated = speech.groupby("corpus")[column].transform("count") == 0
        speech.loc[unrated, column] = prior.loc[unrated, column]
    return speech


def load_speech(args, paths, folder):
    """Return the table of the given corpora, or of synthesised ones made in `folder`.

    It has the ratings that ``--annotations`` and ``--circumplex`` ask for.
    """
    speech = _load_table(args, paths, folder)
    for name, place in args.annotations:
        from sklearn_ser.datasets import load_annotations

        speech = load_annotations(name, place, speech)
    return _with_prior(speech) if args.circumplex else speech


def extract_speech(args, extractor, speech):
    """Extract features; return them and the table, without recordings that cannot be used.

    Raises
    ------
    AudioError
        If a corpus has no usable recording, or any is unusable with ``--on-error raise``.
    """
    from sklearn_ser.exceptions import AudioError

    paths = speech["path"].tolist()
    X, kept = extract(extractor.fit(paths), paths, args.on_error)
    usable = speech[kept].reset_index(drop=True)
    for name in speech["corpus"].unique():
        if name not in usable["corpus"].unique():
            n = int((speech["corpus"] == name).sum())
            raise AudioError(f"None of the {n} recordings of {name} can be used; leave it out.")
    return X, usable


def check_mapping(args):
    """Refuse ``--mapping`` where no label is read."""
    if args.mapping and not args.corpus:
        args.parser.error("argument --mapping: only --corpus has labels to translate")


def check_needs(method, speech, *, at_least=1):
    """Raise an error if too few corpora have the ratings that a method needs.

    Parameters
    ----------
    method : Method
        Its `needs` name columns of the table.
    speech : DataFrame
        The table of recordings.
    at_least : int, default=1
        Number of corpora that must have them: 2 if each is held out in turn.

    Raises
    ------
    CorpusError
        The message names what is missing in which corpus, and a remedy.
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
        f"use typical ratings of each emotion (--circumplex)."
    )


def check_features(args):
    """Refuse options that the features of ``--features`` do not have."""
    functionals, encoder, _ = args.features
    if not functionals and args.sampling_rate != 16000:
        args.parser.error("argument --sampling-rate: encoders take signals at 16000 Hz")
    if not functionals and args.variant != "opensmile":
        args.parser.error("argument --variant: only functionals have variants, not encoders")
    if encoder is None and args.device != "cpu":
        args.parser.error(
            "argument --device: only encoders run on a device; name one with --features"
        )


def make_extractor(args, **options):
    """Return the extractor for the arguments; `options` override them."""
    from sklearn_ser.features import EGeMAPSExtractor, EmbeddingExtractor, make_extractor_union

    functionals, encoder, layer = args.features
    if args.cache is not None:
        args.cache.parent.mkdir(parents=True, exist_ok=True)
    options = {
        "cache": args.cache,
        "n_jobs": args.jobs,
        "max_duration": args.max_duration,
        "verbose": 1,
    } | options
    of_egemaps = {"variant": args.variant, "sampling_rate": args.sampling_rate}
    of_encoder = {"encoder": encoder, "layer": layer, "device": args.device}
    if encoder is None:
        return EGeMAPSExtractor(**of_egemaps, **options)
    if not functionals:
        return EmbeddingExtractor(**of_encoder, **options)
    return make_extractor_union(
        EGeMAPSExtractor(**of_egemaps), EmbeddingExtractor(**of_encoder), **options
    )


def describe_features(args, extractor):
    """Return what a fitted extractor computes, as plain values for reports and model cards."""
    functionals, encoder, _ = args.features
    facts = {"name": extractor.feature_set_name}
    if functionals:
        facts["set"] = "eGeMAPSv02, 88 functionals"
        facts["variant"] = args.variant
        facts["sampling rate"] = args.sampling_rate or "that of each file"
    if encoder is not None:
        embedding = extractor
        if functionals:
            embedding = dict(extractor.extractors)["embeddingextractor"]
        facts["encoder"] = embedding.encoder_["name"]
        facts["layers"] = list(embedding.layers_)
        facts["statistic"] = embedding.pooling
        facts["files"] = [
            {"name": name, "bytes": about["size"], "SHA-256": about["sha256"]}
            for name, about in embedding.encoder_["files"].items()
        ]
    return facts
