"""The transformer that changes recordings in training only."""

import os
from collections import Counter
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils import check_random_state

from sklearn_ser._sklearn import Interval, _fit_context
from sklearn_ser.features._augmentation import KINDS, LINES, Augmentation, identity
from sklearn_ser.features._transformer import RecordingTransformer
from sklearn_ser.features._union import with_settings
from sklearn_ser.features._worker import digest
from sklearn_ser.utils._messages import plain

__all__ = ["AudioAugmenter", "check_noise"]

# Recordings that babble is made of: enough for different mixtures, few enough for a message.
_N_TALKERS = 32


def _range(value, name):
    """Return a range in dB as a pair of numbers; None stays None."""
    if value is None:
        return None
    pair = tuple(value) if np.ndim(value) == 1 else ()
    if (
        len(pair) != 2
        or not all(isinstance(one, Real) and np.isfinite(one) for one in pair)
        or pair[0] > pair[1]
    ):
        raise ValueError(
            f"{name} is {plain(value)!r}, expected the smallest and the largest value in dB, such "
            "as (5, 20), or None."
        )
    return float(pair[0]), float(pair[1])


def _check_band(band):
    """Return a name in `LINES`, or a sampling rate as a plain int."""
    if isinstance(band, str) and band in LINES:
        return band
    if isinstance(band, Integral) and not isinstance(band, bool) and 4000 <= band <= 1_000_000:
        return int(band)
    raise ValueError(
        f"bands holds {plain(band)!r}, expected {', '.join(map(repr, LINES))} or a sampling rate "
        "of 4000 Hz or more."
    )


def check_noise(kind):
    """Return a kind of noise, or the path of a recording, as text."""
    if isinstance(kind, str | bytes | os.PathLike):
        return os.fsdecode(os.fspath(kind))
    raise ValueError(
        f"noise holds {plain(kind)!r}, expected {', '.join(map(repr, KINDS))} or the path of a "
        "recording."
    )


def _absolute(path):
    """Return the path for worker processes, which may have another working directory."""
    return os.path.join(os.getcwd(), path)


def _talkers(recordings, seed):
    """Draw recordings to make babble of, with their digests; their order plays no part."""
    by_key = {}
    for item in recordings:
        key = digest(item)
        if key is not None:
            by_key.setdefault(key, _absolute(item) if isinstance(item, str) else item)
    keys = sorted(by_key)
    chosen = np.random.default_rng(seed).permutation(len(keys))[:_N_TALKERS]
    return tuple((by_key[keys[i]], keys[i]) for i in chosen)


def _copies(recordings):
    """Return for each row how many earlier ones are of the same recording."""
    earlier, copies = Counter(), []
    for item in recordings:
        key = item if isinstance(item, str) else digest(item)
        copies.append(earlier[key])
        earlier[key] += 1
    return np.array(copies)


class AudioAugmenter(RecordingTransformer):
    """Compute features of recordings, in training of recordings with noise and other channels.

    A model that has seen noise and telephone lines in training depends less on the channel of
    the recordings to predict. `fit_transform`, which a pipeline calls in `fit`, changes a part of
    the recordings before their features are computed; `transform` changes none. In
    cross-validation, recordings of the test fold are therefore never changed, and no copy of
    them is in the training folds. The number of rows stays the same, as scikit-learn requires; to
    train on more, repeat recordings (see Notes).

    Each changed recording gets, in this order: noise of a kind and at a signal-to-noise ratio
    drawn from the given ones, a band, and a gain. All draws follow from `random_state` and the
    content of the recording, so they are the same in each fold and in any order of the rows.

    Parameters
    ----------
    extractor : RecordingTransformer
        What computes the features, such as `EGeMAPSExtractor`. `fit` fits it in place, as a
        pipeline does with its steps.
    noise : sequence of str or path-like, default=("white", "pink")
        Kinds of noise, each as probable as the others: "white"; "pink", whose power falls by 3
        dB per octave; "babble", six other recordings of the training set at once; or the path
        of a recording of noise, of which any part is taken; if it lasts more than a minute, that
        part alone is read. Empty for none.
        `sklearn_ser.datasets.list_recordings` lists those of a folder.
    snr : (float, float) or None, default=(5, 20)
        Range of the signal-to-noise ratio in dB, over the whole recording; None for no noise.
    gain : (float, float) or None, default=(-6, 6)
        Range of the change of level in dB; less where a recording would exceed full scale.
    bands : sequence of str or int, default=("full", "telephone")
        What a recording passes through, each as probable as the others: "full", nothing;
        "telephone", a line of 300 to 3400 Hz; "mu-law", such a line with the noise of its 8-bit
        coding; or a sampling rate such as 8000, to which it is resampled and back.
    probability : float, default=0.5
        Probability that a recording is changed at all.
    random_state : int, RandomState instance or None, default=None
        Determines all draws. With None, no two fits are alike, and cached rows of changed
        recordings are not found again.
    max_duration : float or None, default=None
        Seconds that a recording may last. None leaves the extractor its own.
    cache : str, path-like or None, default=None
        File for the rows, of changed recordings too. None leaves the extractor its own.
    n_jobs : int or None, default=None
        Number of processes. None leaves the extractor its own.
    on_error : {"raise", "nan"}, default="raise"
        As in `EGeMAPSExtractor`, in place of that of the extractor.
    verbose : int or bool, default=0
        Shows a progress bar if above 0. 0 leaves the extractor its own.

    See Also
    --------
    sklearn_ser.audio.add_noise, sklearn_ser.audio.simulate_telephone : The changes themselves.
    sklearn.preprocessing.TargetEncoder : Another transformer whose `fit_transform` is not
        `fit` and `transform`.

    Notes
    -----
    If a recording occurs several times in `X`, each of its rows is drawn by itself. To train on
    three versions of each, repeat the rows of the table, and keep them in one fold by passing the
    corpora or the speakers as groups::

        speech = pd.concat([speech] * 3, ignore_index=True)

    Scores stay the same then, since a recording in the test fold is never changed.

    Statistics of a corpus that `CorpusScaler` learns in `fit` are those of the changed
    recordings.

    Rows of changed recordings are cached under what determines them. With "babble", this
    includes the training set, so each fold computes its own.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import EGeMAPSExtractor
    >>> from sklearn_ser.features import AudioAugmenter
    >>> augmenter = AudioAugmenter(EGeMAPSExtractor(), probability=1, random_state=0)
    >>> recordings = [np.random.default_rng(n).normal(0, 0.1, 8000) for n in range(3)]
    >>> X = augmenter.fit_transform(recordings)
    >>> np.array_equal(X, augmenter.fit_transform(recordings))
    True
    >>> np.array_equal(augmenter.transform(recordings), EGeMAPSExtractor().transform(recordings))
    True
    >>> np.array_equal(X, augmenter.transform(recordings))
    False
    """

    _parameter_constraints: ClassVar[dict] = {
        **RecordingTransformer._parameter_constraints,
        "extractor": [RecordingTransformer],
        "noise": [list, tuple],
        "snr": [list, tuple, None],
        "gain": [list, tuple, None],
        "bands": [list, tuple],
        "probability": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
        "max_duration": [*RecordingTransformer._parameter_constraints["max_duration"], None],
    }
    _parameter_constraints.pop("sampling_rate")

    def __init__(
        self,
        extractor,
        *,
        noise=("white", "pink"),
        snr=(5, 20),
        gain=(-6, 6),
        bands=("full", "telephone"),
        probability=0.5,
        random_state=None,
        max_duration=None,
        cache=None,
        n_jobs=None,
        on_error="raise",
        verbose=0,
    ):
        self.extractor = extractor
        self.noise = noise
        self.snr = snr
        self.gain = gain
        self.bands = bands
        self.probability = probability
        self.random_state = random_state
        self.max_duration = max_duration
        self.cache = cache
        self.n_jobs = n_jobs
        self.on_error = on_error
        self.verbose = verbose

    _is_outermost = True

    @property
    def sampling_rate(self):
        """The rate at which waveforms are taken to be."""
        return self.extractor.sampling_rate

    @property
    def feature_set_name(self):
        """Name of the features of the extractor, str."""
        return self.extractor.feature_set_name

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the extractor and check the parameters; no recording is changed.

        Parameters
        ----------
        X : sequence of n_recordings paths or waveforms
            See `transform`.
        y : None
            Ignored.

        Returns
        -------
        self : AudioAugmenter
            The same object.
        """
        if self.extractor._is_outermost:
            raise ValueError(
                "extractor is AudioAugmenter, which would change no recording inside another. Name "
                "all changes in one, around the extractor itself."
            )
        self._recordings(X)
        self._draws(seed=0)
        self.extractor.fit(X)
        return self

    def fit_transform(self, X, y=None):
        """Fit the extractor, and compute the features of recordings of which a part is changed.

        Parameters
        ----------
        X : sequence of n_recordings paths or waveforms
            The training set; see `transform`.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_recordings, n_features), dtype float32
            A row for each recording, in the order of `X`.
        """
        self.fit(X)
        recordings = self._recordings(X)
        draws = self._draws(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        if "babble" in draws.noise:
            draws = draws._replace(talkers=_talkers(recordings, draws.seed))
        copies = _copies(recordings)
        rows = np.empty((len(recordings), len(self._names())), np.float32)
        for copy in range(copies.max() + 1):
            extractor = with_settings(self.extractor, self)
            extractor._augmentation = draws._replace(copy=copy)
            chosen = np.flatnonzero(copies == copy)
            rows[chosen] = extractor.transform([recordings[i] for i in chosen])
        return rows

    def _draws(self, seed):
        """Return the changes that the parameters allow."""
        noise = tuple(map(check_noise, self.noise))
        noise = tuple(one if one in KINDS else _absolute(one) for one in noise)
        for path in set(noise).difference(KINDS):
            identity(path)  # raises if it cannot be read
        return Augmentation(
            noise,
            _range(self.snr, "snr"),
            _range(self.gain, "gain"),
            tuple(map(_check_band, self.bands)),
            float(self.probability),
            int(seed),
            copy=0,
        )

    def _function(self):
        """Return None: the extractor has the function."""

    def _names(self):
        return self.extractor._names()

    def _transform_parts(self, recordings, size, *, stop):
        return with_settings(self.extractor, self)._transform_parts(recordings, size, stop=stop)
