"""Control contours of an utterance, for a sentence, a speaker and an emotional state.

Directions and magnitudes of the acoustic effects follow reviews of vocal
expression: activation strongly changes F0, its range, rate, level and spectral
tilt; valence weakly changes the melody, the perturbation of the voice and, by
smiling, the formants.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import convolve1d

from sklearn_ser.datasets._synthesis._languages import CONSONANTS, NEUTRAL_TRACT, VOWELS, Segment
from sklearn_ser.datasets._synthesis._sound import CONTROL_STEP, Contours, Voice, usual_bandwidths

__all__ = [
    "AFFECT",
    "Custom",
    "Speaker",
    "make_custom",
    "make_sentence",
    "make_speaker",
    "make_utterance",
]

#: Mean (activation, valence) of a strong portrayal, 1 to 5 with 3 in the middle.
AFFECT = {
    "anger": (4.3, 1.8),
    "boredom": (1.8, 2.2),
    "calm": (2.0, 3.7),
    "disgust": (2.9, 1.7),
    "fear": (4.0, 2.0),
    "happiness": (4.0, 4.2),
    "neutral": (2.8, 3.0),
    "sadness": (1.8, 1.9),
    "surprise": (4.2, 3.5),
}

# Approximate root mean square of vowels with pulses of amplitude 1.
_VOWEL_LEVEL = 0.6
# Below this amplitude the glottis counts as not vibrating.
_SILENT = 0.08


class Speaker(NamedTuple):
    """The constant properties of a voice.

    Attributes
    ----------
    sex : {"f", "m"}
    f0 : float
        Habitual F0 in Hz.
    tract : float
        Factor for all formants: 17.5 cm over the length of the vocal tract.
    rate, level : float
        Habitual speaking rate (factor) and level (dB).
    jitter, shimmer, breathiness, open_quotient, tilt_cutoff : float
        Habitual voice quality; see `synthesise_vowel`.
    cues : ndarray of shape (8,)
        Expressiveness of this voice for each emotional change; 1 = average.
    """

    sex: str
    f0: float
    tract: float
    rate: float
    level: float
    jitter: float
    shimmer: float
    breathiness: float
    open_quotient: float
    tilt_cutoff: float
    cues: np.ndarray


class Delivery(NamedTuple):
    """Deviation of an utterance from the speaker's habits."""

    pitch: float  # semitones
    span: float  # factor of all pitch movements
    rate: float  # factor
    level: float  # dB
    tilt: float  # factor of the tilt cutoff
    roughness: float  # factor of jitter and shimmer
    breath: float  # factor of breathiness
    smile: float  # relative change of the formants
    articulation: float  # distance of vowels from the neutral tract, factor
    rise: float  # semitones at the end; lateness of accents


class Custom(NamedTuple):
    """How the speakers of a language express one emotion, where languages differ in it.

    Attributes
    ----------
    weights : ndarray of shape (8,)
        Factors of `Speaker.cues`, the same for all emotions of the language.
    shift : Delivery
        What is added to pitch, level, smile and rise, and multiplied to the rest.
    """

    weights: np.ndarray
    shift: Delivery


# Standard deviations of the differences between languages, calibrated as the docstring of
# `make_corpora` says. Logarithms of factors, except semitones (pitch, rise) and dB (level).
_STRENGTH = 0.26
_WEIGHTS = 1.5
_SHIFTS = Delivery(
    pitch=0.4,
    span=0.06,
    rate=0.024,
    level=0.6,
    tilt=0.08,
    roughness=0.07,
    breath=0.07,
    smile=0.006,
    articulation=0.02,
    rise=0.24,
)
_ADDED = {"pitch", "level", "smile", "rise"}


def make_custom(mismatch, of_language, of_emotion):
    """Draw how a language expresses an emotion.

    Parameters
    ----------
    mismatch : float
        How much languages differ; 0 gives the custom that changes nothing.
    of_language, of_emotion : Generator
        The source of what its emotions have in common, and that of the emotion.
    """
    weights = np.exp(mismatch * (_STRENGTH + _WEIGHTS * of_language.standard_normal(8)))
    drawn = mismatch * np.array(_SHIFTS) * of_emotion.standard_normal(len(_SHIFTS))
    shift = Delivery(*drawn)._asdict()
    factors = {name: np.exp(value) for name, value in shift.items() if name not in _ADDED}
    return Custom(weights, Delivery(**shift | factors))


def make_speaker(language, sex, rng):
    """Draw a speaker of a language."""
    spread = rng.standard_normal(9)
    female = sex == "f"
    return Speaker(
        sex=sex,
        f0=(205.0 if female else 118.0) * np.exp(0.10 * spread[0]),
        tract=(1.16 if female else 1.0) * np.exp(0.03 * spread[1]),
        rate=np.exp(0.08 * spread[2]),
        level=1.5 * spread[3],
        jitter=0.004 * np.exp(0.25 * spread[4]),
        shimmer=0.03 * np.exp(0.25 * spread[5]),
        breathiness=(0.06 if female else 0.04) * np.exp(0.3 * spread[6]),
        open_quotient=(0.65 if female else 0.58) + 0.03 * spread[7],
        tilt_cutoff=(2000.0 if female else 2400.0) * np.exp(0.2 * spread[8]),
        cues=language.expressiveness * np.exp(0.2 * rng.standard_normal(8)),
    )


def make_sentence(language, rng):
    """Draw a sentence: a list of syllables (onset, vowel, coda); "" = no sound."""
    syllables = []
    for _ in range(rng.integers(language.syllables[0], language.syllables[1] + 1)):
        onset, vowel = rng.choice(list(language.onsets)), rng.choice(list(language.vowels))
        coda = rng.choice(list(language.codas)) if rng.random() < language.coda_rate else ""
        syllables.append((str(onset), str(vowel), str(coda)))
    return syllables


def deliver(activation, valence, speaker, custom, rng):
    """Convert an emotional state to changes of delivery, with random parts."""
    a, v = (activation - 3) / 2, (valence - 3) / 2
    cue, chance = speaker.cues * custom.weights, rng.standard_normal(9)
    delivery = Delivery(
        pitch=cue[0] * (5.0 * a + 1.0 * v) + 0.9 * chance[0],
        span=np.exp(cue[1] * (0.55 * a + 0.45 * v) + 0.15 * chance[1]),
        rate=np.exp(cue[2] * (0.22 * a + 0.08 * v) + 0.06 * chance[2]),
        level=cue[3] * 7.0 * a + 1.5 * chance[3],
        tilt=np.exp(cue[4] * (0.80 * a - 0.30 * v) + 0.15 * chance[4]),
        roughness=np.exp(cue[5] * (0.2 * abs(a) - 0.70 * v) + 0.20 * chance[5]),
        breath=np.exp(cue[6] * (0.30 * v - 0.70 * a) + 0.20 * chance[6]),
        smile=cue[7] * 0.08 * v + 0.01 * chance[7],
        articulation=np.exp(0.12 * a),
        rise=cue[1] * 2.5 * v + 0.6 * chance[8],
    )
    pairs = zip(Delivery._fields, delivery, custom.shift, strict=True)
    return Delivery(*(one + by if name in _ADDED else one * by for name, one, by in pairs))


def _lay_out(sentence, language, delivery, pace, rng):
    """Return the segments with their durations, and centre, length, stress of the vowels."""
    rest = Segment(0.0, 0.0, NEUTRAL_TRACT[:3])
    segments, seconds, vowels = [rest], [rng.uniform(0.08, 0.15)], []
    middle = len(sentence) // 2 if rng.random() < 0.3 / delivery.rate else None
    phase = rng.integers(language.stress_every)
    for i, (onset, vowel, coda) in enumerate(sentence):
        if i == middle:
            segments.append(rest)
            seconds.append(rng.uniform(0.12, 0.30) / pace)
        stressed = i % language.stress_every == phase
        length = language.vowel_seconds * np.exp(0.12 * rng.standard_normal()) / pace
        length *= language.stress_lengthening if stressed else 1.0
        length *= 1.5 if i == len(sentence) - 1 else 1.0
        before, after = CONSONANTS[onset], CONSONANTS[coda] if coda else ()
        squeeze = language.consonant_scale / np.sqrt(pace)
        seconds += [part.seconds * squeeze for part in before]
        vowels.append((sum(seconds) + length / 2, length, stressed))
        seconds += [length] + [part.seconds * squeeze for part in after]
        segments += [*before, Segment(length, 1.0, VOWELS[vowel]), *after]
    return [*segments, rest], [*seconds, rng.uniform(0.10, 0.18)], np.array(vowels)


def _smooth(contour, seconds):
    n = max(1, round(seconds / CONTROL_STEP / 2))
    window = np.hanning(2 * n + 1)[1:-1]
    return convolve1d(contour, window / window.sum(), axis=0, mode="nearest")


def _melody(time, vowels, language, delivery, rng):
    """Semitones above the speaker's F0: base line, accents, final movement, drift."""
    delay = language.accent_delay + 0.1 * delivery.rise
    height = language.accent * np.where(vowels[:, 2], 1.0, 0.3)
    height *= np.exp(0.25 * rng.standard_normal(len(vowels)))
    peak = vowels[:, 0] + delay * vowels[:, 1]
    accents = height * np.exp(-0.5 * ((time[:, None] - peak) / 0.11) ** 2)
    spoken = (time - time[-1] / 2) * language.declination
    end = vowels[-1, 0]
    final = (language.final + delivery.rise) / (1 + np.exp(-(time - end) / 0.05))
    drift = _smooth(rng.standard_normal(len(time)), 0.3) * 0.8
    return delivery.span * (accents.sum(axis=1) + spoken + final) + drift


def make_utterance(sentence, language, speaker, activation, valence, custom, rng):
    """Plan an utterance.

    Returns
    -------
    contours : Contours
    voice : Voice
    """
    delivery = deliver(activation, valence, speaker, custom, rng)
    segments, seconds, vowels = _lay_out(
        sentence, language, delivery, delivery.rate * speaker.rate, rng
    )
    ends = np.round(np.cumsum(seconds) / CONTROL_STEP).astype(int)
    counts = np.diff(ends, prepend=0)
    _, voicing, formants, aspiration, frication, centre, width = (
        np.repeat(np.array(values, dtype=float), counts, axis=0)
        for values in zip(*segments, strict=True)
    )
    time = np.arange(len(voicing)) * CONTROL_STEP
    loudness = 10 ** ((delivery.level + speaker.level - 1.0 * (time - 1.0)) / 20) / _VOWEL_LEVEL
    voicing = _smooth(voicing, 0.035)
    voicing[voicing < _SILENT] = 0.0
    breathiness = speaker.breathiness * delivery.breath
    melody = _melody(time, vowels, language, delivery, rng)

    neutral = np.array(NEUTRAL_TRACT)
    targets = np.tile(neutral, (len(time), 1))
    targets[:, :3] += delivery.articulation * (_smooth(formants, 0.07) - neutral[:3])
    smile = 1 + delivery.smile * np.array([0.5, 1.0, 1.0, 0.5, 0.5])
    targets *= speaker.tract * smile
    contours = Contours(
        f0=np.clip(speaker.f0 * 2 ** ((melody + delivery.pitch) / 12), 60.0, 550.0),
        voicing=loudness * voicing,
        aspiration=loudness * _smooth(aspiration, 0.02),
        frication=loudness * _smooth(frication, 0.012),
        frication_centre=centre,
        frication_width=width,
        formants=targets,
        bandwidths=usual_bandwidths(targets) * (1 + breathiness),
    )
    voice = Voice(
        jitter=min(speaker.jitter * delivery.roughness, 0.05),
        shimmer=min(speaker.shimmer * delivery.roughness, 0.2),
        breathiness=breathiness,
        open_quotient=float(np.clip(speaker.open_quotient - 0.03 * delivery.pitch / 5, 0.4, 0.8)),
        tilt_cutoff=float(np.clip(speaker.tilt_cutoff * delivery.tilt, 200, 6000)),
    )
    return contours, voice
