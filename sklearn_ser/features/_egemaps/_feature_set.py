"""eGeMAPSv02: 25 descriptors of frames, 88 functionals of recordings."""

import math
from typing import NamedTuple

import numpy as np

from sklearn_ser.audio import check_rate, check_waveform
from sklearn_ser.features._egemaps._corrected import harmonic_differences, resonances
from sklearn_ser.features._egemaps._formants import (
    N_FORMANTS,
    PREDICTOR_ORDER,
    formants,
    predictors,
)
from sklearn_ser.features._egemaps._framing import (
    Spectra,
    frame_grid,
    quantise,
    work_arrays,
)
from sklearn_ser.features._egemaps._functionals import (
    HOP,
    TEN_STATISTICS,
    contour_statistics,
    moments,
    nonzero_moments,
    segments,
    smooth,
    smooth_nonzero,
)
from sklearn_ser.features._egemaps._harmonics import UNVOICED_LEVEL, harmonic_levels
from sklearn_ser.features._egemaps._pitch import pitch_candidates
from sklearn_ser.features._egemaps._spectral import N_SPECTRAL, mean_square, spectral_descriptors
from sklearn_ser.features._egemaps._track import semitones, track_pitch
from sklearn_ser.features._egemaps._voice import harmonics_to_noise, jitter_shimmer
from sklearn_ser.utils._messages import plain

__all__ = [
    "DESCRIPTORS",
    "FUNCTIONALS",
    "FUNCTIONAL_NAMES",
    "VARIANTS",
    "egemaps",
    "egemaps_lld",
    "functionals",
]

#: openSMILE's values, or values that are what their names say.
VARIANTS = ("opensmile", "corrected")

_MFCC = ("mfcc1", "mfcc2", "mfcc3", "mfcc4")
_BALANCE = ("alphaRatio", "hammarbergIndex", "slope0-500", "slope500-1500", "spectralFlux")
_SPECTRAL = ("loudness", *_BALANCE, *_MFCC)
_PITCH = "F0semitoneFrom27.5Hz"
_VOICE = ("jitterLocal", "shimmerLocaldB", "HNRdBACF", "logRelF0-H1-H2", "logRelF0-H1-A3")
_FORMANTS = tuple(
    f"F{i}{quantity}"
    for i in range(1, N_FORMANTS + 1)
    for quantity in ("frequency", "bandwidth", "amplitudeLogRelF0")
)
_PITCHED = (_PITCH, *_VOICE, *_FORMANTS)
_FIRST_FORMANT = 1 + len(_VOICE)
_FREQUENCIES = slice(_FIRST_FORMANT, None, 3)
_BANDWIDTHS = slice(_FIRST_FORMANT + 1, None, 3)
_AMPLITUDES = slice(_FIRST_FORMANT + 2, None, 3)

# Power spectra of 60 ms frames are needed twice: to track F0, and for the descriptors that depend
# on F0. Those of 80 s at 16 kHz or 20 s at 48 kHz fit. In a longer recording those of voiced
# frames are computed again, because memory would otherwise grow with the duration.
_KEPT_BYTES = 1 << 24
# Frames whose power spectra are copied at once.
_PART = 64

#: Names of the 25 descriptors, in openSMILE's order.
DESCRIPTORS = (
    "Loudness_sma3",
    *(f"{name}_sma3" for name in _SPECTRAL[1:]),
    *(f"{name}_sma3nz" for name in _PITCHED),
)

_TWO_STATISTICS = TEN_STATISTICS[:2]
_SEGMENT_STATISTICS = (
    "VoicedSegmentsPerSec",
    "MeanVoicedSegmentLengthSec",
    "StddevVoicedSegmentLengthSec",
    "MeanUnvoicedSegmentLength",
    "StddevUnvoicedSegmentLength",
)
_PEAK_RATE = "PeaksPerSec"
_LEVEL = "equivalentSoundLevel_dBp"


class Functional(NamedTuple):
    """One of the 88 values: a statistic of a contour over some of its frames.

    `frames` is "all" (20 ms frames), "decided" (60 ms frames whose F0 was
    decided before the signal ended; in the corrected variant, all 60 ms
    frames), or "voiced" or "unvoiced" (parts of the decided frames).
    """

    name: str
    contour: str
    statistic: str
    frames: str


def _rows(contour, statistics, frames):
    mark = {"voiced": "V", "unvoiced": "UV"}.get(frames, "")
    suffix = "sma3" if frames == "all" else "sma3nz"
    stem, dash, band = contour.partition("0-" if contour == "slope0-500" else "500-1500")
    marked = f"{stem}{mark}{dash}{band}" if contour.startswith("slope") else f"{contour}{mark}"
    return [
        Functional(f"{marked}_{suffix}_{statistic}", contour, statistic, frames)
        for statistic in statistics
    ]


#: The 88 functionals, in openSMILE's order. Their names are defined here only.
FUNCTIONALS = (
    *_rows(_PITCH, TEN_STATISTICS, "decided"),
    *_rows("loudness", TEN_STATISTICS, "all"),
    *(row for c in ("spectralFlux", *_MFCC) for row in _rows(c, _TWO_STATISTICS, "all")),
    *(row for c in (*_VOICE, *_FORMANTS) for row in _rows(c, _TWO_STATISTICS, "decided")),
    *(row for c in (*_BALANCE, *_MFCC) for row in _rows(c, _TWO_STATISTICS, "voiced")),
    *(row for c in _BALANCE for row in _rows(c, TEN_STATISTICS[:1], "unvoiced")),
    Functional("loudnessPeaksPerSec", "loudness", _PEAK_RATE, "all"),
    *(Functional(name, _PITCH, name, "decided") for name in _SEGMENT_STATISTICS),
    Functional(_LEVEL, "level", _LEVEL, "all"),
)
FUNCTIONAL_NAMES = tuple(functional.name for functional in FUNCTIONALS)


class _Contours(NamedTuple):
    """Raw descriptors of one recording."""

    spectral: np.ndarray  # (10, n 20 ms frames), float32
    pitched: np.ndarray  # (15, n 60 ms frames), float32
    n_decided: int
    level: float  # mean square of the 20 ms frames


def _spectral_contours(spectra, wanted):
    """Describe all 20 ms frames, and predict the wanted ones linearly."""
    out = np.empty((spectra.n_frames, N_SPECTRAL), np.float32)
    predicted = np.empty((len(wanted), PREDICTOR_ORDER))
    previous = None
    for i, (start, stop) in enumerate(spectra.bounds):
        block = spectra.block(i)
        previous = block[0] if previous is None else previous
        spectral_descriptors(block, previous, spectra.grid, out[start:stop])
        previous = block[-1]
        first, last = np.searchsorted(wanted, (start, stop))
        if first < last:
            predictors(block, wanted[first:last] - start, spectra.grid, predicted[first:last])
    return np.ascontiguousarray(out.T), predicted


def _pitch_contour(spectra):
    """Return F0, the number of decided frames, and power spectra unless they are too many."""
    size = (spectra.n_frames, spectra.grid.n_bins)
    kept = work_arrays.take("power", size) if 4 * math.prod(size) <= _KEPT_BYTES else None
    blocks = [
        pitch_candidates(spectra.block(i), spectra.grid, None if kept is None else kept[start:stop])
        for i, (start, stop) in enumerate(spectra.bounds)
    ]
    f0, n_decided = track_pitch(*(np.concatenate(part) for part in zip(*blocks, strict=True)))
    return f0, n_decided, kept


def _with_power(frames, spectra, kept):
    """Yield numbers and power spectra of some frames, a part at a time."""
    for start in range(0, len(frames), _PART):
        part = frames[start : start + _PART]
        if kept is None:
            spectrum = spectra.some(part)
            yield part, spectrum.real**2 + spectrum.imag**2
        else:
            yield part, kept[part]


def _fill_pitched(out, f0, predicted, wanted, long, kept, variant):
    """Write formants of the wanted frames, and the other descriptors that depend on F0."""
    corrected = variant == "corrected"
    compare = harmonic_differences if corrected else harmonic_levels
    # 0 means "no value" to the functionals. In openSMILE the level of unvoiced frames is a
    # value, and dominates the mean over the recording.
    out[:, _AMPLITUDES] = 0 if corrected else UNVOICED_LEVEL
    if not corrected:
        tract = formants(predicted)
        out[wanted, _FREQUENCIES], out[wanted, _BANDWIDTHS] = tract[:, :, 0], tract[:, :, 1]
    for frames, power in _with_power(wanted, long, kept):
        magnitude = np.sqrt(power)
        if corrected:
            tract = resonances(magnitude, f0[frames], long.grid)
            out[frames, _FREQUENCIES], out[frames, _BANDWIDTHS] = tract[:, :, 0], tract[:, :, 1]
        voiced = f0[frames] > 0
        if not voiced.all():
            frames, power, magnitude = frames[voiced], power[voiced], magnitude[voiced]
        out[frames, 3] = harmonics_to_noise(power, f0[frames], long.grid)
        levels = compare(magnitude, f0[frames], out[frames, _FREQUENCIES], long.grid)
        out[frames, 4:6] = levels[:, :2]
        out[frames, _AMPLITUDES] = levels[:, 2:]


def _checked(y, sr, variant):
    if variant not in VARIANTS:
        raise ValueError(
            f"variant={plain(variant)!r}, expected one of {', '.join(map(repr, VARIANTS))}."
        )
    return check_waveform(y, sr), check_rate(sr, "the waveform")


def _describe(y, sr, variant, *, formants_everywhere=False):
    x, steps = quantise(y)
    short, long = Spectra(x, frame_grid(sr, 20)), Spectra(x, frame_grid(sr, 60))
    f0, n_decided, kept = _pitch_contour(long)
    # Functionals use formants of voiced frames only, descriptors those of all frames.
    wanted = np.arange(len(f0)) if formants_everywhere else np.flatnonzero(f0 > 0)
    predict = wanted if variant == "opensmile" else wanted[:0]
    spectral, predicted = _spectral_contours(short, predict)
    # openSMILE computes functionals before the search at the end of the signal decides on the
    # last frames; nothing but its order of processing is a reason to leave them out.
    if variant == "corrected":
        n_decided = long.n_frames
    pitched = np.zeros((long.n_frames, len(_PITCHED)), np.float32)
    pitched[:, 0] = semitones(f0)
    pitched[:, 1], pitched[:, 2] = jitter_shimmer(x, steps, f0, long.grid)
    _fill_pitched(pitched, f0, predicted, wanted, long, kept, variant)
    level = mean_square(x, short.grid)
    return _Contours(spectral, np.ascontiguousarray(pitched.T), n_decided, level)


def _layout():
    """Return (contour, statistic, frames) of the values that `_values` computes."""

    def table(names, frames, statistics=_TWO_STATISTICS):
        return [(name, statistic, frames) for name in names for statistic in statistics]

    return [
        *table(_SPECTRAL, "all"),
        *table(["loudness"], "all", (*TEN_STATISTICS, _PEAK_RATE)),
        *table(_SPECTRAL, "voiced"),
        *table(_SPECTRAL, "unvoiced"),
        *table([_PITCH], "decided", (*TEN_STATISTICS, _PEAK_RATE)),
        *table([_PITCH], "decided", _SEGMENT_STATISTICS),
        *table(_PITCHED[1:], "decided"),
        ("level", _LEVEL, "all"),
    ]


# Where the two tables meet, loudness has its mean twice: the last one counts.
_POSITIONS = {key: position for position, key in enumerate(_layout())}
_ORDER = np.array([_POSITIONS[functional[1:]] for functional in FUNCTIONALS])


def _values(contours):
    """Compute the values that `_layout` lists."""
    spectral, pitched, n_decided, level = contours
    n = pitched.shape[1]
    # A recording of up to 0.1 s may end before any frame is decided.
    decided = n_decided or n
    voiced = pitched[0] != 0
    smooth_all = smooth(spectral)
    parts = [moments(smooth_all), contour_statistics(smooth_all[0])]
    for mask in (voiced, ~voiced):
        masked = smooth_nonzero(np.where(mask, spectral[:, :n], np.float32(0)))
        parts.append(nonzero_moments(masked[:, :decided]))
    # openSMILE smooths F0 before the undecided frames are dropped, all else after.
    f0 = smooth_nonzero(pitched[:1])[0, :decided]
    parts += [contour_statistics(f0[f0 != 0]), segments(f0)]
    parts += [nonzero_moments(smooth_nonzero(pitched[1:, :decided]))]
    parts += [np.array([10 * math.log10(max(level, 1e-12))])]
    return np.concatenate([part.ravel() for part in parts])


def functionals(y, sr, *, variant):
    """Compute the functionals of a waveform that has passed `check_waveform`."""
    return _values(_describe(y, sr, variant))[_ORDER].astype(np.float32)


def egemaps(y, sr, *, variant="opensmile"):
    """Compute the 88 eGeMAPSv02 functionals of a recording.

    The Geneva Minimalistic Acoustic Parameter Set, extended, version 2:
    statistics of F0, loudness, spectral balance, MFCC 1-4, jitter, shimmer,
    harmonics-to-noise ratio, formants and the rhythm of voiced segments.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Mono floating-point samples, full scale at ±1, at least 60 ms. Values
        outside [-1, 32767/32768] are clipped.
    sr : int
        Sampling rate in Hz. Many of the values depend on it: use one rate for
        all recordings, 16000 unless there is a reason for another.
    variant : {"opensmile", "corrected"}, default="opensmile"
        "opensmile" gives openSMILE's values, including its errors. "corrected"
        replaces values that are something other than their name says, and
        leaves names, order and all other values as they are:

        - F1 to F3 are resonances of the vocal tract, from linear prediction of
          the pre-emphasised band up to 5.5 kHz at any sampling rate.
          openSMILE uses predictor coefficients of flipped sign, and a band that
          depends on the rate.
        - H1-H2 compares the harmonics at F0 and 2 F0; H1-A3 compares the
          harmonic at F0 with that at F3. openSMILE counts from 2 F0.
        - Formant amplitudes are statistics of the voiced frames in which the
          formant was found. openSMILE includes unvoiced frames as -201 dB.
        - All frames count. openSMILE leaves out the last 1 to 40 frames, whose
          F0 was not decided before the signal ended.

    Returns
    -------
    ndarray of shape (88,), dtype float32
        In the order of ``sklearn_ser.features.FUNCTIONAL_NAMES``. All values are
        finite: without any voiced frame, the values that describe voice are 0.

    Raises
    ------
    AudioError
        The signal is too short, not finite, not mono, not floating-point or in
        another unit than full scale = 1.
    ValueError
        The variant is unknown.

    Warns
    -----
    AudioWarning
        The signal is clipped, silent or too quiet; see
        `sklearn_ser.audio.check_waveform`.

    See Also
    --------
    egemaps_lld : The contours that the functionals summarise.
    EGeMAPSExtractor : The same from audio paths, as a transformer.

    References
    ----------
    .. [1] F. Eyben et al. (2016). The Geneva Minimalistic Acoustic Parameter
       Set (GeMAPS) for voice research and affective computing. IEEE
       Transactions on Affective Computing 7(2), 190-202.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.features import FUNCTIONAL_NAMES, egemaps
    >>> time = np.arange(16000) / 16000
    >>> y = sum(np.sin(2 * np.pi * 220 * k * time) / k for k in range(1, 20)) / 4
    >>> values = dict(zip(FUNCTIONAL_NAMES, egemaps(y, 16000)))
    >>> f"{values['F0semitoneFrom27.5Hz_sma3nz_amean']:.1f} semitones above 27.5 Hz"
    '36.0 semitones above 27.5 Hz'
    """
    return functionals(*_checked(y, sr, variant), variant=variant)


def egemaps_lld(y, sr, *, variant="opensmile"):
    """Compute the 25 eGeMAPSv02 descriptors of a recording, frame by frame.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Mono floating-point samples, full scale at ±1, at least 60 ms.
    sr : int
        Sampling rate in Hz.
    variant : {"opensmile", "corrected"}, default="opensmile"
        See `egemaps`. Corrected formants are estimated from the 60 ms frame
        that F0 is measured in, openSMILE's from the first 20 ms of it.

    Returns
    -------
    DataFrame of shape (n_frames, 25), dtype float32
        One row every 10 ms, indexed by the start of the frame in seconds.
        Columns have openSMILE's names and order. ``_sma3`` means smoothed over
        three frames, ``_sma3nz`` over the non-zero ones of three frames; 0
        means unvoiced. Formants are estimated in unvoiced frames, too. The last
        row repeats the end of the recording, as in openSMILE.

    Raises
    ------
    AudioError
        The signal is too short, not finite, not mono, not floating-point or in
        another unit than full scale = 1.
    ValueError
        The variant is unknown.

    Warns
    -----
    AudioWarning
        The signal is clipped, silent or too quiet; see
        `sklearn_ser.audio.check_waveform`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.features import egemaps_lld
    >>> noise = np.random.default_rng(0).normal(size=16000) / 10
    >>> lld = egemaps_lld(noise, 16000)
    >>> lld.shape, lld.columns[0]
    ((96, 25), 'Loudness_sma3')
    """
    import pandas as pd

    y, sr = _checked(y, sr, variant)
    spectral, pitched, n_decided, _ = _describe(y, sr, variant, formants_everywhere=True)
    n = pitched.shape[1]
    # openSMILE pads the contours that need F0 twice: after the frames that
    # were decided while the signal ran, and at its end.
    padded = np.concatenate([pitched, pitched[:, -1:]], axis=1)
    smoothed = smooth_nonzero(padded)
    smoothed[:, n] = pitched[:, -1]
    if 0 < n_decided < n:
        smoothed[:, :n_decided] = smooth_nonzero(pitched[:, :n_decided])
        smoothed[:, n_decided] = pitched[:, n_decided - 1]
    table = np.concatenate([smooth(spectral)[:, : n + 1], smoothed]).T
    start = pd.Index(np.round(np.arange(n + 1) * HOP, 2), name="start")
    return pd.DataFrame(table, index=start, columns=list(DESCRIPTORS))
