"""The invented languages of the synthetic corpora: sounds, rhythm, melody, channel.

The numbers are round values in the ranges that phonetics textbooks give for
adult male speakers. None of the languages imitates a real one.
"""

from typing import NamedTuple

__all__ = ["CONSONANTS", "LANGUAGES", "NEUTRAL_TRACT", "VOWELS", "Language", "Segment"]

#: First to fifth formant of a uniform tract of 17.5 cm, in Hz.
NEUTRAL_TRACT = (500.0, 1500.0, 2500.0, 3500.0, 4500.0)

#: First three formants in Hz.
VOWELS = {
    "i": (280, 2250, 3000),
    "e": (420, 2050, 2650),
    "E": (570, 1800, 2500),
    "a": (740, 1280, 2500),
    "O": (570, 900, 2450),
    "o": (430, 780, 2450),
    "u": (310, 800, 2300),
    "y": (290, 1850, 2250),
    "2": (430, 1550, 2250),
    "@": (500, 1450, 2450),
    "1": (320, 1450, 2350),
}


class Segment(NamedTuple):
    """A stretch of sound with constant targets.

    Attributes
    ----------
    seconds : float
        Duration at an ordinary rate.
    voicing : float
        Amplitude of the glottal pulses; a vowel has 1.
    formants : tuple of three floats
        Targets in Hz; formants glide between the targets of neighbours.
    aspiration, frication : float
        Noise at the glottis and at a constriction, on the scale of `voicing`.
    centre, width : float
        Resonance of the constriction and its bandwidth in Hz.
    """

    seconds: float
    voicing: float
    formants: tuple
    aspiration: float = 0.0
    frication: float = 0.0
    centre: float = 4000.0
    width: float = 2000.0


def _stop(formants, centre, width, *, voiced=False):
    closure = Segment(0.05, 0.12, formants) if voiced else Segment(0.065, 0.0, formants)
    burst = Segment(0.01, 0.0, formants, 0.0, 0.25 if voiced else 0.5, centre, width)
    release = () if voiced else (Segment(0.03, 0.0, formants, 0.15),)
    return (closure, burst, *release)


def _fricative(formants, loudness, centre, width, *, voiced=False):
    return (
        Segment(
            0.08 if voiced else 0.11,
            0.3 if voiced else 0.0,
            formants,
            0.0,
            loudness,
            centre,
            width,
        ),
    )


#: The segments of each consonant.
CONSONANTS = {
    "p": _stop((250, 800, 2200), 900, 1500),
    "t": _stop((250, 1750, 2650), 4200, 2500),
    "k": _stop((250, 1700, 2100), 1900, 900),
    "b": _stop((220, 800, 2200), 800, 1200, voiced=True),
    "d": _stop((220, 1750, 2650), 3800, 2500, voiced=True),
    "g": _stop((220, 1700, 2100), 1800, 900, voiced=True),
    "f": _fricative((300, 1000, 2300), 0.08, 5500, 6000),
    "s": _fricative((300, 1700, 2600), 0.25, 6200, 2200),
    "S": _fricative((300, 1800, 2400), 0.25, 3200, 1500),
    "x": _fricative((350, 1500, 2300), 0.2, 1700, 900),
    "v": _fricative((280, 1000, 2300), 0.04, 5000, 6000, voiced=True),
    "z": _fricative((280, 1700, 2600), 0.12, 6000, 2200, voiced=True),
    "h": (Segment(0.07, 0.0, (500, 1500, 2500), 0.2),),
    "m": (Segment(0.075, 0.4, (260, 950, 2200)),),
    "n": (Segment(0.07, 0.4, (260, 1600, 2500)),),
    "l": (Segment(0.065, 0.6, (350, 1250, 2700)),),
    "r": (Segment(0.06, 0.55, (420, 1250, 1750)),),
    "j": (Segment(0.065, 0.7, (280, 2150, 2950)),),
    "w": (Segment(0.065, 0.7, (310, 720, 2250)),),
}


class Language(NamedTuple):
    """One invented language and the recording conditions of its corpus.

    Attributes
    ----------
    name : str
        Name of the language and of its corpus.
    sampling_rate : int
        Hz.
    vowels, onsets, codas : str
        Inventories; a letter is drawn as often as it occurs.
    coda_rate : float
        Fraction of syllables that end in a consonant.
    syllables : tuple of two ints
        Fewest and most syllables of a sentence.
    vowel_seconds, consonant_scale : float
        Duration of an unstressed vowel; factor of consonant durations.
    stress_every : int
        Distance between stressed syllables; with 1, none stands out.
    stress_lengthening : float
        Factor of the duration of stressed vowels.
    accent : float
        Height of the pitch accents in semitones.
    accent_delay : float
        Their position: 0 = middle of the vowel, ±0.5 = its edges.
    declination : float
        Slope of the base line in semitones per second.
    final : float
        Movement at the end of the sentence in semitones.
    expressiveness : float
        Factor for all effects of emotion on the voice.
    high_pass, low_pass : float
        Hz, the band of the recording channel.
    tilt : float
        Slope of the channel's response in dB per octave.
    gain, noise : float
        Recording level and level of the background, in dB re full scale.
    """

    name: str
    sampling_rate: int
    vowels: str
    onsets: str
    codas: str
    coda_rate: float
    syllables: tuple
    vowel_seconds: float
    consonant_scale: float
    stress_every: int
    stress_lengthening: float
    accent: float
    accent_delay: float
    declination: float
    final: float
    expressiveness: float
    high_pass: float
    low_pass: float
    tilt: float
    gain: float
    noise: float


LANGUAGES = (
    # Read sentences in a quiet studio: open syllables of equal length, five vowels.
    Language(
        name="alphish",
        sampling_rate=16000,
        vowels="iieeaaaoou",
        onsets="ptkkbdmnslrjt",
        codas="nsl",
        coda_rate=0.2,
        syllables=(9, 13),
        vowel_seconds=0.095,
        consonant_scale=0.9,
        stress_every=2,
        stress_lengthening=1.25,
        accent=3.9,
        accent_delay=0.0,
        declination=-1.2,
        final=-3.0,
        expressiveness=1.0,
        high_pass=60,
        low_pass=7600,
        tilt=0.0,
        gain=-24.0,
        noise=-68.0,
    ),
    # Compressed broadcast sound with a hiss: closed syllables, strong stress, reduced vowels.
    Language(
        name="betish",
        sampling_rate=44100,
        vowels="@@@1EaOiuy",
        onsets="ptkfsSxbdgvzmnrlw",
        codas="ptkfsSxmnrl",
        coda_rate=0.7,
        syllables=(6, 9),
        vowel_seconds=0.075,
        consonant_scale=1.1,
        stress_every=3,
        stress_lengthening=1.9,
        accent=4.8,
        accent_delay=0.3,
        declination=-0.6,
        final=1.0,
        expressiveness=0.9,
        high_pass=140,
        low_pass=13000,
        tilt=1.5,
        gain=-20.0,
        noise=-58.0,
    ),
    # A dull microphone some way off: long vowels, voiced consonants, a falling melody.
    Language(
        name="gammish",
        sampling_rate=22050,
        vowels="iyeE2aaOou",
        onsets="bdgvzmnlrjwhksf",
        codas="mnrlsk",
        coda_rate=0.4,
        syllables=(6, 9),
        vowel_seconds=0.12,
        consonant_scale=1.0,
        stress_every=2,
        stress_lengthening=1.5,
        accent=2.9,
        accent_delay=-0.3,
        declination=-2.0,
        final=-1.0,
        expressiveness=0.9,
        high_pass=90,
        low_pass=9000,
        tilt=-1.5,
        gain=-29.0,
        noise=-60.0,
    ),
    # A meeting room: three vowels, clusters of stops, a melody that keeps its height.
    Language(
        name="deltish",
        sampling_rate=48000,
        vowels="iiaaaau",
        onsets="ptktkkshmnlrjw",
        codas="ptksn",
        coda_rate=0.45,
        syllables=(8, 11),
        vowel_seconds=0.1,
        consonant_scale=1.0,
        stress_every=2,
        stress_lengthening=1.35,
        accent=4.5,
        accent_delay=0.15,
        declination=-0.3,
        final=-2.0,
        expressiveness=0.9,
        high_pass=100,
        low_pass=16000,
        tilt=-1.0,
        gain=-26.0,
        noise=-54.0,
    ),
    # A telephone line.
    Language(
        name="epsilish",
        sampling_rate=8000,
        vowels="ieEaaOou@",
        onsets="ptkbdgfsvmnlr",
        codas="stknmr",
        coda_rate=0.5,
        syllables=(7, 11),
        vowel_seconds=0.085,
        consonant_scale=0.95,
        stress_every=2,
        stress_lengthening=1.5,
        accent=3.6,
        accent_delay=0.2,
        declination=-1.0,
        final=-2.5,
        expressiveness=0.85,
        high_pass=280,
        low_pass=3500,
        tilt=1.0,
        gain=-20.0,
        noise=-52.0,
    ),
    # A close microphone: many rounded vowels, fricatives, a wide late accent.
    Language(
        name="zetish",
        sampling_rate=24000,
        vowels="iyyeE22aOou1",
        onsets="fsSxvzhmnlrjtk",
        codas="sSxfnl",
        coda_rate=0.4,
        syllables=(7, 11),
        vowel_seconds=0.1,
        consonant_scale=1.05,
        stress_every=1,
        stress_lengthening=1.0,
        accent=4.9,
        accent_delay=0.4,
        declination=-1.5,
        final=0.0,
        expressiveness=1.1,
        high_pass=40,
        low_pass=11000,
        tilt=0.8,
        gain=-22.0,
        noise=-62.0,
    ),
)
