"""Source-filter speech synthesis: from control contours to a waveform.

Each glottal pulse and each slice of noise is computed in the frequency domain
and added to the waveform. Pulses can therefore fall between samples, there is
no aliasing, and the sound below half the sampling rate does not depend on that
rate.
"""

from typing import NamedTuple

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.optimize import brentq

__all__ = [
    "CONTROL_STEP",
    "Contours",
    "Pulses",
    "Voice",
    "place_pulses",
    "pulse_spectra",
    "synthesise",
    "tract_response",
    "usual_bandwidths",
]

#: Seconds between two values of a control contour.
CONTROL_STEP = 0.005

# Seconds after which the response of a formant of 60 Hz bandwidth has decayed by 80 dB.
_RESPONSE = 0.050
# Hz. Independent of the sampling rate, since each resonance also affects lower frequencies.
_HIGHEST_FORMANT = 48000
# Control steps rendered at once: few enough for their spectra to fit in a processor's cache.
_BATCH = 128
# E|a - b| = 2 sd / sqrt(pi) for two independent normal a and b.
_SD_OF_MEAN_DIFFERENCE = np.sqrt(np.pi) / 2


class Voice(NamedTuple):
    """Settings of the glottal source for one utterance.

    Attributes
    ----------
    jitter, shimmer : float
        Expected mean absolute difference of consecutive periods and of
        consecutive pulse amplitudes, as fractions of their means.
    breathiness : float
        Standard deviation of the noise during pulses, in a band of 8 kHz, as a
        fraction of their negative peak.
    open_quotient : float
        Fraction of a period in which the glottis is open.
    asymmetry : float
        Time of maximum flow as a fraction of the open phase, above 0.5.
    tilt_cutoff : float
        Hz above which the source falls by another 6 dB per octave: the return
        phase of the pulse. Low is soft, high is pressed.
    """

    jitter: float = 0.0
    shimmer: float = 0.0
    breathiness: float = 0.0
    open_quotient: float = 0.6
    asymmetry: float = 0.7
    tilt_cutoff: float = 1500.0


class Contours(NamedTuple):
    """Control contours, one row each ``CONTROL_STEP`` seconds.

    Attributes
    ----------
    f0 : ndarray of shape (n_steps,)
        Hz, also defined in unvoiced stretches.
    voicing : ndarray of shape (n_steps,)
        Amplitude of the pulses; 0 = unvoiced.
    aspiration : ndarray of shape (n_steps,)
        Noise at the glottis in addition to breathiness, on the scale of
        `voicing`: its standard deviation in a band of 8 kHz.
    frication : ndarray of shape (n_steps,)
        Noise at a constriction, which is filtered by its own resonance.
    frication_centre, frication_width : ndarray of shape (n_steps,)
        Hz of that resonance and of its bandwidth.
    formants, bandwidths : ndarray of shape (n_steps, n_formants)
        Hz.
    """

    f0: np.ndarray
    voicing: np.ndarray
    aspiration: np.ndarray
    frication: np.ndarray
    frication_centre: np.ndarray
    frication_width: np.ndarray
    formants: np.ndarray
    bandwidths: np.ndarray


class Pulses(NamedTuple):
    """The glottal pulses of an utterance.

    Attributes
    ----------
    times : ndarray of shape (n_pulses,)
        Times of glottal closure in seconds.
    amplitudes : ndarray of shape (n_pulses,)
        The negative peak of the flow derivative at that moment.
    periods : ndarray of shape (n_pulses,)
        The undisturbed period 1/F0 there, in seconds.
    jitter, shimmer : float
        Values of the actual random draws, on the scale of `Voice`.
    """

    times: np.ndarray
    amplitudes: np.ndarray
    periods: np.ndarray
    jitter: float
    shimmer: float


def _perturbation(n_pulses, expected, rng):
    noise = rng.standard_normal(n_pulses) * expected * _SD_OF_MEAN_DIFFERENCE
    return 1 + np.clip(noise, -0.5, 0.5)


def _mean_difference(factors, follows):
    if not follows.any():
        return 0.0
    return float(np.abs(np.diff(factors))[follows].mean() / factors.mean())


def place_pulses(f0, voicing, voice, rng):
    """Place a pulse whenever the phase, the integral of F0, has advanced by one cycle.

    With jitter, a cycle is multiplied by 1 + noise: periods are disturbed
    independently, and F0 does not drift.
    """
    time = np.arange(len(f0)) * CONTROL_STEP
    cycles = np.concatenate([[0.0], np.cumsum((f0[1:] + f0[:-1]) / 2) * CONTROL_STEP])
    n_pulses = int(1.2 * cycles[-1]) + 10
    length = _perturbation(n_pulses, voice.jitter, rng)
    height = _perturbation(n_pulses, voice.shimmer, rng)
    phase = np.cumsum(length)
    times = np.interp(phase, cycles, time)
    gain = np.interp(times, time, voicing)
    used = np.flatnonzero((phase < cycles[-1]) & (gain > 0))
    follows = np.diff(used) == 1
    return Pulses(
        times[used],
        (gain * height)[used],
        1 / np.interp(times[used], time, f0),
        _mean_difference(length[used], follows),
        _mean_difference(height[used], follows),
    )


def open_phase_growth(asymmetry):
    """Return the growth exponent of the open phase, in units of its duration.

    The derivative ``exp(g t) sin(π t / asymmetry)``, 0 ≤ t ≤ 1, must integrate to
    zero; otherwise the flow would not return to zero at closure.
    """
    b = np.pi / asymmetry
    return brentq(lambda g: g * np.sin(b) - b * np.cos(b) + b * np.exp(-g), 1e-6, 200.0)


def phasors(frequencies, delays):
    """Return ``exp(-2πj f d)`` for equally spaced f from 0 on, with one row per delay.

    The product of a coarse and a fine table costs a tenth of direct exponentials.
    """
    n_fine = 32
    n_coarse = -(-len(frequencies) // n_fine)
    turn = -2j * np.pi * frequencies[1] * delays[:, None]
    fine = np.exp(turn * np.arange(n_fine)).astype(np.complex64)
    coarse = np.exp(turn * (n_fine * np.arange(n_coarse))).astype(np.complex64)
    table = coarse[:, :, None] * fine[:, None, :]
    return table.reshape(len(delays), n_coarse * n_fine)[:, : len(frequencies)]


def pulse_spectra(frequencies, periods, delays, voice):
    """Return spectra of the glottal flow derivative, with closure at `delays` seconds.

    The open phase follows the model of Liljencrants and Fant, whose transform has
    a closed form; a first-order low-pass replaces its return phase.

    Parameters
    ----------
    frequencies : ndarray of shape (n_bins,)
    periods, delays : ndarray of shape (n_pulses,)
    voice : Voice

    Returns
    -------
    ndarray of shape (n_pulses, n_bins)
        In seconds, for pulses with a negative peak of 1.
    """
    growth = open_phase_growth(voice.asymmetry)
    b = np.pi / voice.asymmetry
    opened = (voice.open_quotient * periods)[:, None]
    p = (growth - 2j * np.pi * frequencies * opened).astype(np.complex64)
    spectra = p * np.float32(np.sin(b)) - np.float32(b * np.cos(b))
    spectra += np.float32(b * np.exp(-growth)) * phasors(frequencies, -opened[:, 0])
    spectra /= p * p + np.float32(b * b)
    spectra *= (opened / -np.sin(b)).astype(np.float32)
    spectra *= (1 / (1 + 1j * frequencies / voice.tilt_cutoff)).astype(np.complex64)
    spectra *= phasors(frequencies, delays)
    return spectra


def tract_response(frequencies, formants, bandwidths):
    """Return the gain of a cascade of resonances, each 1 at 0 Hz; shape (n_rows, n_bins)."""
    response = np.ones((len(formants), len(frequencies)), dtype=np.complex64)
    factor = np.empty_like(response)
    frequencies = frequencies.astype(np.float32)
    squares = frequencies**2
    resonances = (formants**2 + bandwidths**2 / 4).astype(np.float32)
    damping = (bandwidths / resonances).astype(np.float32)
    for k in range(formants.shape[1]):
        np.subtract(1, squares / resonances[:, k, None], out=factor.real)
        np.multiply(frequencies, damping[:, k, None], out=factor.imag)
        response *= factor
    return np.reciprocal(response, out=response)


def usual_bandwidths(formants):
    """Return bandwidths in Hz of an ordinary vocal tract, which damps higher formants more."""
    return 50 + 0.04 * formants


def _higher_formants(frequencies, formants):
    """Return the gain of the resonances above the controlled ones.

    A vocal tract has infinitely many resonances; without the higher ones, the
    spectrum would fall too steeply above the last formant.
    """
    n_formants = formants.shape[1]
    spacing = formants[:, -1].mean() / (n_formants - 0.5)
    centres = np.arange(formants[:, -1].mean() + spacing, _HIGHEST_FORMANT, spacing)
    return tract_response(frequencies, centres[None], usual_bandwidths(centres[None]))[0]


def constriction_response(frequencies, centres, widths):
    """Return the gain of one band-pass resonance per row, 1 at its centre."""
    response = tract_response(frequencies, centres[:, None], widths[:, None])
    response *= 1j * frequencies.astype(np.float32)
    response *= (widths / (centres**2 + widths**2 / 4)).astype(np.float32)[:, None]
    return response


def _noise_slices(noise, steps, sampling_rate):
    """Return overlapping slices of noise around control steps, which sum to the noise."""
    centres = steps[:, None] * CONTROL_STEP * sampling_rate
    reach = CONTROL_STEP * sampling_rate
    starts = np.ceil(centres[:, 0] - reach).astype(int)
    rows = starts[:, None] + np.arange(int(2 * reach) + 1)
    distance = ((rows - centres) / reach).clip(-1, 1).astype(np.float32)
    return noise[rows % len(noise)] * np.cos(distance * np.float32(np.pi / 2)) ** 2, starts


class _Renderer:
    """Renderer of one utterance, with its grid of frequencies and its output."""

    def __init__(self, contours, voice, pulses, noise, sampling_rate):
        opened = voice.open_quotient * pulses.periods.max(initial=0.0)
        self.contours, self.voice, self.pulses, self.noise = contours, voice, pulses, noise
        self.sampling_rate = sampling_rate
        self.lead = int(opened * sampling_rate) + 2
        self.n_fft = next_fast_len(int((_RESPONSE + opened) * sampling_rate), real=True)
        self.frequencies = rfftfreq(self.n_fft, 1 / sampling_rate)
        self.higher = _higher_formants(self.frequencies, contours.formants)
        # The output starts n_fft samples before time 0, for the opening phase of the first pulse.
        self.y = np.zeros(len(noise) + 2 * self.n_fft + self.lead)
        last = len(contours.f0) - 1
        self.step_of_pulse = np.round(pulses.times / CONTROL_STEP).astype(int).clip(0, last)

    def tract(self, steps):
        return self.higher * tract_response(
            self.frequencies, self.contours.formants[steps], self.contours.bandwidths[steps]
        )

    def add(self, spectra, starts):
        for piece, start in zip(irfft(spectra, self.n_fft), starts + self.n_fft, strict=True):
            self.y[start : start + self.n_fft] += piece

    def add_pulses(self, steps, tract):
        first, stop = np.searchsorted(self.step_of_pulse, [steps[0], steps[-1] + 1])
        closes = self.pulses.times[first:stop] * self.sampling_rate
        starts = np.floor(closes).astype(int) - self.lead
        delays = (closes - starts) / self.sampling_rate
        periods = self.pulses.periods[first:stop]
        spectra = pulse_spectra(self.frequencies, periods, delays, self.voice)
        spectra *= tract[self.step_of_pulse[first:stop] - steps[0]]
        gains = self.sampling_rate * self.pulses.amplitudes[first:stop, None]
        spectra *= gains.astype(np.float32)
        self.add(spectra, starts)

    def add_noise(self, steps, tract):
        frication = self.contours.frication[steps]
        aspiration = self.contours.aspiration + self.voice.breathiness * self.contours.voicing
        aspiration = aspiration[steps]
        noisy = aspiration + frication > 0
        if not noisy.any():
            return
        slices, starts = _noise_slices(self.noise, steps[noisy], self.sampling_rate)
        gain = aspiration[noisy, None].astype(np.float32) * tract[noisy]
        hissing = frication > 0
        gain[hissing[noisy]] += frication[hissing, None].astype(np.float32) * constriction_response(
            self.frequencies,
            self.contours.frication_centre[steps[hissing]],
            self.contours.frication_width[steps[hissing]],
        )
        self.add(rfft(slices, self.n_fft) * gain, starts)


def synthesise(contours, voice, *, sampling_rate, rng):
    """Synthesise a waveform from control contours.

    Parameters
    ----------
    contours : Contours
    voice : Voice
    sampling_rate : int
        Hz.
    rng : RandomState or Generator
        Source of jitter, shimmer and noise.

    Returns
    -------
    y : ndarray of shape (n_samples,)
        Not normalised.
    pulses : Pulses
    """
    pulses = place_pulses(contours.f0, contours.voicing, voice, rng)
    n_samples = round(len(contours.f0) * CONTROL_STEP * sampling_rate)
    # Scaled to a constant density, so that the noise in a band does not depend on the rate.
    noise = (rng.standard_normal(n_samples) * np.sqrt(sampling_rate / 16000)).astype(np.float32)
    renderer = _Renderer(contours, voice, pulses, noise, sampling_rate)
    for first in range(0, len(contours.f0), _BATCH):
        steps = np.arange(first, min(first + _BATCH, len(contours.f0)))
        tract = renderer.tract(steps)
        renderer.add_pulses(steps, tract)
        renderer.add_noise(steps, tract)
    return renderer.y[renderer.n_fft : renderer.n_fft + n_samples], pulses
