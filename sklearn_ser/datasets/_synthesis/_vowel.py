"""Single vowels with known F0, formants and perturbation."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from sklearn_ser.datasets._synthesis._sound import (
    CONTROL_STEP,
    Contours,
    Voice,
    synthesise,
    usual_bandwidths,
)
from sklearn_ser.utils._messages import plain

__all__ = ["synthesise_vowel"]


def _check_formants(formants, sampling_rate):
    if not isinstance(sampling_rate, Integral) or not 4000 <= sampling_rate <= 192000:
        raise ValueError(
            f"sampling_rate={plain(sampling_rate)!r}: expected an integer from 4000 to 192000 Hz."
        )
    formants = np.asarray(formants, dtype=float)
    if formants.ndim != 1 or formants.size == 0 or not (np.diff(formants, prepend=0.0) > 0).all():
        raise ValueError(
            f"formants={plain(formants)!r}: expected a sequence of positive, ascending "
            f"frequencies in Hz."
        )
    return formants


def _f0_contour(f0, n_steps):
    """Return F0 at every step, and the amplitude of the pulses, which is 0 where `f0` is 0."""
    given, f0 = f0, np.atleast_1d(np.asarray(f0, dtype=float))
    voiced = f0 > 0
    possible = (f0 == 0) | ((f0 >= 20) & (f0 <= 2000))
    if f0.ndim != 1 or not voiced.any() or not possible.all():
        raise ValueError(
            f"f0={plain(given)!r}: expected a number of hertz or a sequence of numbers, each from "
            f"20 to 2000, or 0 for silence, but not all 0."
        )
    position = np.linspace(0, len(f0) - 1, n_steps)
    contour = np.interp(position, np.flatnonzero(voiced), f0[voiced])
    return contour, voiced[np.round(position).astype(int)].astype(float)


def synthesise_vowel(
    formants,
    *,
    f0=120.0,
    duration=1.0,
    sampling_rate=16000,
    jitter=0.0,
    shimmer=0.0,
    breathiness=0.0,
    bandwidths=None,
    open_quotient=0.6,
    tilt_cutoff=1500.0,
    return_pulses=False,
    random_state=0,
):
    r"""Synthesise one sustained vowel with known F0, formants and perturbation.

    Pulses of the derivative of the glottal flow [1]_ are filtered by a cascade
    of resonances [2]_

    .. math:: V(f) = \prod_k \frac{F_k^2 + B_k^2/4}{F_k^2 + B_k^2/4 - f^2 + j f B_k}

    Pulses may fall between samples, so the requested jitter is exact at every
    sampling rate.

    Parameters
    ----------
    formants : array-like of shape (n_formants,)
        Centre frequencies in Hz, ascending. Higher resonances are added at the
        spacing of a uniform vocal tract with the same last formant.
    f0 : float or array-like, default=120.0
        Hz. A sequence is a contour, spread evenly over the duration and
        interpolated; 0 means silence.
    duration : float, default=1.0
        Seconds.
    sampling_rate : int, default=16000
        Hz.
    jitter, shimmer : float, default=0.0
        Expected mean absolute difference of consecutive periods (pulse
        amplitudes) over their mean, from 0 to 0.2. Ordinary voices have 0.01
        and 0.04.
    breathiness : float, default=0.0
        Standard deviation of the noise at the glottis, in a band of 8 kHz, as a
        fraction of the negative peak of a pulse; 0.05 is clear, 0.3 breathy.
    bandwidths : array-like of shape (n_formants,), default=None
        Hz. None means 50 Hz plus 4 % of each formant.
    open_quotient : float, default=0.6
        Fraction of a period in which the glottis is open, from 0.3 to 0.9.
    tilt_cutoff : float, default=1500.0
        Hz above which the source falls by 12 instead of 6 dB per octave.
    return_pulses : bool, default=False
        Whether to return the times of glottal closure as well.
    random_state : int, RandomState instance or None, default=0
        Source of jitter, shimmer and noise.

    Returns
    -------
    y : ndarray of shape (n_samples,)
        The vowel, with a peak of 0.5.
    pulses : Pulses
        Times, amplitudes, undisturbed periods, and the jitter and shimmer of
        the actual random draws. Only with ``return_pulses=True``.

    Raises
    ------
    ValueError
        A parameter is outside of its range.

    References
    ----------
    .. [1] Fant, Liljencrants & Lin, "A four-parameter model of glottal flow",
       STL-QPSR 26(4), 1985.
    .. [2] Fant, "Acoustic theory of speech production", 1960.

    Examples
    --------
    >>> from sklearn_ser.datasets import synthesise_vowel
    >>> y, pulses = synthesise_vowel([700, 1200, 2600], f0=100, jitter=0.02, return_pulses=True)
    >>> y.shape, len(pulses.times)
    ((16000,), 99)
    >>> round(pulses.jitter, 3)
    0.019
    """
    formants = _check_formants(formants, sampling_rate)
    for name, value, low, high in (
        ("jitter", jitter, 0, 0.2),
        ("shimmer", shimmer, 0, 0.2),
        ("breathiness", breathiness, 0, 10),
        ("open_quotient", open_quotient, 0.3, 0.9),
        ("tilt_cutoff", tilt_cutoff, 50, 20000),
        ("duration", duration, 0.02, 3600),
    ):
        if not isinstance(value, Real) or not low <= value <= high:
            raise ValueError(f"{name}={plain(value)!r}: expected a number from {low} to {high}.")
    widths = (
        usual_bandwidths(formants) if bandwidths is None else np.asarray(bandwidths, dtype=float)
    )
    if widths.shape != formants.shape or not (widths > 0).all():
        raise ValueError(
            f"bandwidths={plain(bandwidths)!r}: expected {len(formants)} positive numbers of "
            f"hertz, one for each formant."
        )
    n_steps = int(np.ceil(duration / CONTROL_STEP - 1e-9)) + 1
    contour, voicing = _f0_contour(f0, n_steps)
    silence = np.zeros(n_steps)
    contours = Contours(
        contour,
        voicing,
        silence,
        silence,
        silence,
        silence,
        np.tile(formants, (n_steps, 1)),
        np.tile(widths, (n_steps, 1)),
    )
    voice = Voice(jitter, shimmer, breathiness, open_quotient, tilt_cutoff=tilt_cutoff)
    rng = check_random_state(random_state)
    y, pulses = synthesise(contours, voice, sampling_rate=sampling_rate, rng=rng)
    y = y[: round(duration * sampling_rate)]
    y *= 0.5 / np.abs(y).max()
    return (y, pulses) if return_pulses else y
