"""Layers of pretrained speech encoders, pooled over time, of recordings."""

import functools
import os
from numbers import Integral
from typing import ClassVar

import numpy as np

from sklearn_ser._sklearn import StrOptions, _fit_context
from sklearn_ser.audio import MAXIMUM_DURATION
from sklearn_ser.encoders._source import CustomSource, find_source, is_cpu, is_on_hub
from sklearn_ser.exceptions import EncoderError
from sklearn_ser.features._transformer import RecordingTransformer
from sklearn_ser.utils._advice import advice
from sklearn_ser.utils._messages import plain

__all__ = ["EmbeddingExtractor"]

# Raise it, and stored rows are computed again: when a value changes by more than rounding.
_ALGORITHM = 1

# Digits of the digest of the weights in the name of the features; 48 bits tell files apart.
_DIGITS = 12

_STATISTICS = {"mean": ("mean",), "std": ("std",), "both": ("mean", "std")}


def _rows(signals, *, source, device, **settings):
    from sklearn_ser.encoders._pooling import embed

    return embed(source.load(device), signals, **settings)


def _row(y, sr, **settings):
    [row] = _rows([y], **settings)
    if isinstance(row, Exception):
        raise row
    return row


class _Batches:
    """The function of several recordings at once, for devices that are quicker that way."""

    def __init__(self, **settings):
        self._settings = settings

    def __call__(self, y, sr):
        return _row(y, sr, **self._settings)

    def rows(self, signals):
        """Return a row or an error for each signal."""
        return _rows(signals, **self._settings)


def _layers_of(layer, n_layers):
    """Return the layers that a user asks for as numbers from 0 on."""
    if isinstance(layer, str):
        return tuple(range(n_layers))
    chosen = (layer,) if isinstance(layer, Integral) else tuple(layer)
    expected = (
        f"expected a number from 0, the input of the first block, to {n_layers - 1}, the output "
        f"of the last one, several different ones, or 'all'"
    )
    known = [
        isinstance(one, Integral) and not isinstance(one, bool) and -n_layers <= one < n_layers
        for one in chosen
    ]
    numbers = tuple(int(one) % n_layers for one, ok in zip(chosen, known, strict=True) if ok)
    if not chosen or not all(known) or len(set(numbers)) < len(numbers):
        raise ValueError(f"layer is {plain(layer)!r}, {expected}.")
    return numbers


def _describe(identity):
    """Return a clause with which somebody else can find the same encoder."""
    files = ", ".join(
        f"{name} of {about['size']:,} bytes with the SHA-256 {about['sha256']}"
        for name, about in identity.get("files", {}).items()
        if not name.endswith(".json")
    )
    return f"{plain(identity['name'])!r} ({identity['kind']}{f': {files}' if files else ''})"


class EmbeddingExtractor(RecordingTransformer):
    r"""Compute statistics over time of a layer of a pretrained speech encoder.

    The first step of a pipeline that takes audio paths. The encoder is not
    trained: of the frames :math:`h_1, \ldots, h_T` of a layer, whose number grows
    with the length of the recording, come

    .. math:: \mu = \frac{1}{T} \sum_t h_t, \qquad
              \sigma = \sqrt{\frac{1}{T} \sum_t (h_t - \mu)^2}

    for each unit. Nothing is padded to the length that the encoder was trained on.
    A recording longer than the encoder's window, 30 s, is split into windows of
    nearly equal length whose frames are pooled together.

    Parameters
    ----------
    encoder : str, path-like or callable
        What computes the frames:

        - a folder in the layout of Hugging Face's `transformers` (wav2vec 2.0,
          HuBERT, WavLM, data2vec, Whisper and whatever else ``AutoModel`` gives with
          hidden states), or the name of such an encoder on the hub
          (``"openai/whisper-base"``), which is fetched once;
        - a folder with a Whisper in the format of CTranslate2, ``model.bin``;
        - a `torch.nn.Module`, which is called with a tensor of shape (n_samples,),
          or another callable, which is called with such an array: one signal at
          16 kHz. It returns frames of shape (n_frames, width), or a list of them,
          one for each layer. A module is moved to `device`; `clone` copies it, as scikit-learn
          copies all parameters, so wrap what cannot be copied in a function.

        Weights are read as data; code beside them is not run.
    layer : int, sequence of int or "all", default="all"
        0 is what the first block is given, :math:`k` the output of block :math:`k`, and
        -1 that of the last one. Several layers are put side by side. All of them
        together are the default because no single layer is better in another
        language, and it need not be chosen; see the user guide for the measurements.
        A single layer makes for narrow rows: choose it on the training corpora, or
        take one in the middle. The last layer, which most toolkits give, is the worst.
    pooling : {"mean", "std", "both"}, default="mean"
        :math:`\mu`, :math:`\sigma` or both side by side.
    frames : {"all", "speech"}, default="all"
        Which frames count: all, or those whose level is within 40 dB of the loudest 20 ms
        of the recording. "speech" leaves out pauses, which makes a single layer better in
        another language; all layers together do not gain.
    device : str, default="cpu"
        Where the encoder runs: "cpu", "auto" (a GPU if there is one) or a device
        of torch. On a GPU, recordings of similar length are computed together, in
        this process; `n_jobs` then counts threads that read. Rows agree with those
        of a CPU up to rounding.
    version : str, int or None, default=None
        What identifies a callable or a module in the cache, together with its name (and
        the weights of a module), which you change whenever its values change. A folder is
        identified by its files. Without `cache` it has no effect.
    local_files_only : bool, default=False
        Whether a name on the hub is looked up on this machine only. A path never
        leads to the network.
    max_duration : float, default=14400
        Seconds that a recording may last; a longer one is an error.
    cache : str, path-like or None, default=None
        A file that keeps computed rows, as in `EGeMAPSExtractor`, which may share
        it. It keeps both statistics of *all* layers from a single pass, so that
        another `layer` or `pooling` costs a look-up, in ``GridSearchCV``, too. That
        takes 8 bytes for each unit of each layer: 15 kB a recording for Whisper
        tiny, 80 kB for a base model of twelve blocks. None keeps nothing; blocks
        behind the last layer that is needed are then not computed.
    n_jobs : int or None, default=None
        Number of processes, through `joblib`: None means 1 unless in a
        `joblib.parallel_config` context, -1 means all cores. Each loads the
        weights once; a callable is sent to them with each recording.
    on_error : {"raise", "nan"}, default="raise"
        What to do about a recording that cannot be read or used: "raise" stops
        with an error that names it, "nan" gives a row of NaN and one
        `ExtractionWarning` that names them all.
    verbose : int or bool, default=0
        Above 0, a progress bar is shown on a terminal; elsewhere a line is printed for each
        thousand recordings and at the end.

    Attributes
    ----------
    encoder_ : dict
        Name and kind of the encoder, and size and SHA-256 of its files: what a
        saved model keeps of it. Set by `fit`; `transform` refuses other weights.
    layers_ : tuple of int
        The layers that are used.
    n_layers_ : int
        How many there are to choose from.

    Raises
    ------
    EncoderError
        In `fit` and `transform`: there is no such encoder, it cannot be read, or it
        is not the one that the model was fitted with.

    See Also
    --------
    sklearn_ser.EGeMAPSExtractor : The 88 eGeMAPSv02 functionals.

    Notes
    -----
    `transform` needs no `fit`, and rows do not depend on which recordings come
    together or in which order. Signals are at 16 kHz, recordings are resampled to that
    and waveforms taken to be. Those without a single frame (with wav2vec 2.0, below
    25 ms) are followed by zeros. Encoders that want mean 0 and variance 1 (by
    ``preprocessor_config.json``) get each window so.

    Networks in the layout of `transformers` need the extra ``encoders``.

    Examples
    --------
    An encoder of one's own; a folder or a name takes its place:

    >>> import numpy as np
    >>> from sklearn_ser import EmbeddingExtractor
    >>> def levels(y):
    ...     return np.abs(y[: len(y) // 160 * 160]).reshape(-1, 160)
    >>> extractor = EmbeddingExtractor(levels, pooling="both")
    >>> recordings = [np.random.default_rng(n).normal(0, 0.1, n) for n in (8000, 16000)]
    >>> extractor.fit_transform(recordings).shape
    (2, 320)
    >>> extractor.get_feature_names_out()[[0, -1]].tolist()
    ['levels_layer0_mean_0', 'levels_layer0_std_159']
    """

    _parameter_constraints: ClassVar[dict] = {
        **RecordingTransformer._parameter_constraints,
        "encoder": [str, os.PathLike, callable],
        "layer": [Integral, StrOptions({"all"}), "array-like"],
        "pooling": [StrOptions(set(_STATISTICS))],
        "frames": [StrOptions({"all", "speech"})],
        "device": [str],
        "version": [str, Integral, None],
        "local_files_only": ["boolean"],
    }
    _parameter_constraints.pop("sampling_rate")

    # Encoders know signals at this rate; not a parameter.
    sampling_rate = 16000

    def __init__(
        self,
        encoder,
        *,
        layer="all",
        pooling="mean",
        frames="all",
        device="cpu",
        version=None,
        local_files_only=False,
        max_duration=MAXIMUM_DURATION,
        cache=None,
        n_jobs=None,
        on_error="raise",
        verbose=0,
    ):
        super().__init__(
            sampling_rate=16000,
            max_duration=max_duration,
            cache=cache,
            n_jobs=n_jobs,
            on_error=on_error,
            verbose=verbose,
        )
        self.encoder = encoder
        self.layer = layer
        self.pooling = pooling
        self.frames = frames
        self.device = device
        self.version = version
        self.local_files_only = local_files_only

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the kind of `X`, and note which encoder it is.

        Parameters
        ----------
        X : sequence of n_recordings paths or waveforms
            See `transform`.
        y : None
            Ignored.

        Returns
        -------
        self : EmbeddingExtractor
            The same object.

        Raises
        ------
        EncoderError
            If there is no such encoder, or it cannot be read.
        """
        self._recordings(X)
        source = self._find()
        self.n_layers_ = len(source.widths)
        self.layers_ = _layers_of(self.layer, self.n_layers_)
        self.encoder_ = self._noted(source)
        return self

    def _find(self):
        return find_source(
            self.encoder, version=self.version, local_files_only=bool(self.local_files_only)
        )

    def _noted(self, source):
        """Return what a fitted extractor keeps of its encoder."""
        if isinstance(source, CustomSource):
            return {"name": source.name, "kind": "custom"}
        return {"name": source.name, **source.identity()}

    def missing_encoder(self):
        """Return why there is no encoder to use and which one is needed, None if there is one.

        Nothing is fetched or read.
        """
        if callable(self.encoder) or is_on_hub(self.encoder):
            return None
        try:
            self._find()
        except EncoderError as error:
            return self._explained(error)
        return None

    def _explained(self, error):
        """Return the reason of an error, with what identifies the encoder of `fit`."""
        fitted = getattr(self, "encoder_", None)
        if not fitted or callable(self.encoder):
            return str(error)
        return (
            f"{error} The model was fitted with {_describe(fitted)}: bring these files here and "
            f"{advice('set the parameter encoder to their folder', 'pass --encoder FOLDER')}."
        )

    def _source(self):
        """Return the encoder to use, sure that it is the one of `fit`."""
        try:
            source = self._find()
        except EncoderError as error:
            raise EncoderError(self._explained(error)) from error
        fitted = getattr(self, "encoder_", None)
        if fitted is not None and fitted.get("files"):
            present = self._noted(source)
            if present.get("files") != fitted["files"]:
                raise EncoderError(
                    f"encoder={plain(self.encoder)!r} is {_describe(present)}, but the model was "
                    f"fitted with {_describe(fitted)}. Name the folder of that one, or fit again."
                )
        return source

    def _plan(self):
        """Return the encoder, the layers and statistics to compute, and those to return."""
        source = self._source()
        if isinstance(source, CustomSource):
            # Found once, and sent to workers with the function.
            source = source._replace(known=source.widths)
        widths = source.widths
        wanted = _layers_of(self.layer, len(widths))
        statistics = _STATISTICS[self.pooling]
        if self.cache is None:
            return source, widths, (wanted, statistics), (wanted, statistics)
        everything = tuple(range(len(widths))), _STATISTICS["both"]
        return source, widths, everything, (wanted, statistics)

    def _function(self):
        source, _, (layers, statistics), _ = self._plan()
        settings = {
            "source": source,
            "device": self.device,
            "layers": layers,
            "statistics": statistics,
            "speech": self.frames == "speech",
        }
        if is_cpu(self.device):
            return functools.partial(_row, **settings)
        return _Batches(**settings)

    def _names(self):
        source, widths, _, (layers, statistics) = self._plan()
        name = source.name.rpartition("/")[2]
        return [
            f"{name}_layer{layer}_{statistic}_{unit}"
            for layer in layers
            for statistic in statistics
            for unit in range(widths[layer])
        ]

    def _computed(self):
        _, widths, (layers, statistics), wanted = self._plan()
        starts, start = {}, 0
        for layer in layers:
            for statistic in statistics:
                starts[layer, statistic] = start, start + widths[layer]
                start += widths[layer]
        places = [
            np.arange(*starts[one, statistic]) for one in wanted[0] for statistic in wanted[1]
        ]
        return start, np.concatenate(places)

    @property
    def feature_set_name(self):
        """Name of the encoder with a digest of its weights and the version of what pools, str."""
        identity = getattr(self, "encoder_", None) or self._noted(self._source())
        digests = [
            about["sha256"]
            for name, about in identity.get("files", {}).items()
            if not name.endswith(".json")
        ]
        weights = f" (SHA-256 {digests[0][:_DIGITS]})" if digests else ""
        return self._versioned(f"{identity['name']}{weights}", _ALGORITHM)

    def _recipe(self):
        # Neither name nor folder: the same files are the same encoder.
        return {
            "algorithm": "embedding",
            "version": _ALGORITHM,
            "encoder": self._find().identity(),
            "frames": self.frames,
        }
