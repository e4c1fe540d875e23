"""Corpora of synthesised emotional speech, with the true values of every utterance."""

import sys
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from joblib import Parallel, delayed
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from tqdm import tqdm

from sklearn_ser import __version__
from sklearn_ser.datasets._base import EMOTIONS, as_table, check_emotions
from sklearn_ser.datasets._paths import absolute_path
from sklearn_ser.datasets._synthesis._languages import LANGUAGES
from sklearn_ser.datasets._synthesis._sound import synthesise
from sklearn_ser.datasets._synthesis._speaking import (
    AFFECT,
    make_sentence,
    make_speaker,
    make_utterance,
)
from sklearn_ser.datasets._synthesis._truth import SpeechTruth, load_truth, read_stamp, save_truth
from sklearn_ser.datasets._synthesis._vowel import synthesise_vowel
from sklearn_ser.utils._files import NewFile, remove_stale
from sklearn_ser.utils._messages import plain

__all__ = ["SpeechTruth", "load_truth", "make_corpora", "synthesise_vowel"]

# To be raised whenever a waveform changes: files of an earlier recipe are then made anew.
_RECIPE = 1
_N_SENTENCES = 10
# What a spawn key seeds; utterances of different requests share all that they have in common.
_SENTENCE, _SPEAKER, _UTTERANCE = range(3)


class _Recording(NamedTuple):
    """All that determines one recording: equal values, equal bytes."""

    seed: int
    corpus: int
    speaker: int
    emotion: str
    sentence: int
    take: int

    @property
    def stem(self):
        return f"{self.speaker + 1:02d}_s{self.sentence + 1:02d}_{self.emotion}_{self.take + 1}"

    @property
    def stamp(self):
        return f"sklearn_ser {__version__}, recipe {_RECIPE}, {tuple(self)}"

    def rng(self, *key):
        return np.random.default_rng(
            np.random.SeedSequence(self.seed, spawn_key=(self.corpus, *key))
        )

    def utterance_rng(self):
        emotion = EMOTIONS.index(self.emotion)
        return self.rng(_UTTERANCE, self.speaker, emotion, self.sentence, self.take)


def _sex(speaker):
    return "fm"[speaker % 2]


def _draw_affect(emotion, rng):
    """Draw how strongly an emotion is played and where in the plane that comes to lie."""
    strength = 1.0 if emotion == "neutral" else rng.uniform(0.6, 1.2)
    place = 3 + strength * (np.array(AFFECT[emotion]) - 3) + 0.3 * rng.standard_normal(2)
    activation, valence = np.clip(place, 1, 5).round(2).tolist()
    strong = emotion != "neutral" and strength > 0.9
    return activation, valence, "strong" if strong else "normal"


def _record(speech, language, rng):
    """Pass speech through the channel of a corpus: band, slope, level, background."""
    n_fft = next_fast_len(len(speech), real=True)
    frequency = np.maximum(rfftfreq(n_fft, 1 / language.sampling_rate), 1.0)
    response = (frequency / 1000) ** (language.tilt / (20 * np.log10(2)))
    response /= np.sqrt(1 + (language.high_pass / frequency) ** 6)
    response /= np.sqrt(1 + (frequency / language.low_pass) ** 16)
    # Background noise falls by 6 dB per octave and has passed the same channel.
    background = rfft(rng.standard_normal(n_fft)) * (100 / (100 + frequency))
    background *= response
    background = irfft(background, n_fft)[: len(speech)]
    background *= 10 ** (language.noise / 20) / background.std()
    y = irfft(rfft(speech, n_fft) * response, n_fft)[: len(speech)]
    y = y * 10 ** (language.gain / 20) + background
    # An engineer would have turned the level down before it clips.
    return y * min(1.0, 0.95 / np.abs(y).max())


def _write(path, save):
    """Write a file so that it is either complete or not there."""
    # Not tidy, nor synchronised: there may be thousands, and they can be made again.
    with NewFile(path, "wb", tidy=False) as new:
        save(new.file)
        new.commit(sync=False)


def _make(recording, folder):
    """Make one recording unless it is there; return its row of the table, path below `folder`."""
    language = LANGUAGES[recording.corpus]
    rng = recording.utterance_rng()
    activation, valence, intensity = _draw_affect(recording.emotion, rng)
    name = f"{language.name}/{recording.stem}.wav"
    path = folder / name
    if not path.is_file() or read_stamp(path) != recording.stamp:
        sentence = make_sentence(language, recording.rng(_SENTENCE, recording.sentence))
        speaker = make_speaker(
            language, _sex(recording.speaker), recording.rng(_SPEAKER, recording.speaker)
        )
        contours, voice = make_utterance(sentence, language, speaker, activation, valence, rng)
        rate = language.sampling_rate
        speech, pulses = synthesise(contours, voice, sampling_rate=rate, rng=rng)
        y = _record(speech, language, rng)
        # The truth comes last: where its stamp is right, the recording is complete.
        _write(path, lambda file: soundfile.write(file, y, rate, "PCM_16", format="WAV"))
        _write(
            path.with_suffix(".npz"),
            lambda file: save_truth(file, contours, voice, pulses, recording.stamp),
        )
    return {
        "path": name,
        "corpus": language.name,
        "language": f"x-{language.name}",
        "speaker": f"{recording.speaker + 1:02d}",
        "sex": _sex(recording.speaker),
        "emotion": recording.emotion,
        "activation": activation,
        "valence": valence,
        "sentence": f"s{recording.sentence + 1:02d}",
        "intensity": intensity,
    }


def _check_count(name, value, low, high, reason):
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= value <= high:
        raise ValueError(
            f"{name}={plain(value)!r}: expected an integer from {low} to {high}, {reason}."
        )
    return int(value)


def _seed_of(random_state):
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if not isinstance(random_state, Integral) or isinstance(random_state, bool) or random_state < 0:
        raise ValueError(
            f"random_state={plain(random_state)!r}: expected a non-negative integer, a "
            "numpy.random.RandomState or None."
        )
    return int(random_state)


def make_corpora(
    folder,
    *,
    n_corpora=3,
    n_utterances=120,
    n_speakers=6,
    emotions=("anger", "happiness", "neutral", "sadness"),
    random_state=0,
    n_jobs=None,
    verbose=0,
):
    """Synthesise corpora of emotional speech in invented languages.

    A stand-in for real corpora in examples and tests: its labels, F0, formants
    and perturbation are known, it needs no licence, and it has the problem that
    cross-corpus recognition is about. Each corpus is one language with its own
    vowels, consonants, rhythm and melody, spoken by its own speakers and
    recorded through its own channel: sampling rate, band, slope, level, noise.

    Each utterance draws a point in the plane of activation and valence around
    the mean of its emotion. Speech follows from that point, and not from the
    name of the emotion: activation raises F0, its range, rate, level and the
    high frequencies and lowers breathiness; valence acts less, on the melody, on
    jitter and shimmer and, as smiling does, on the formants. Speakers differ in
    how much they show of it and chance acts on everything, so that emotions
    overlap and no method recognises all of them.

    The sound is that of a glottal flow derivative after Liljencrants and Fant
    [1]_ with jitter, shimmer and aspiration, through five gliding formants and
    the higher resonances of the tract, and of noise bursts and frication.

    Parameters
    ----------
    folder : str or path-like
        Where to write ``<corpus>/<recording>.wav`` (16 bit, mono) and, next to
        each, an ``.npz`` file for `load_truth`. Made if missing. Recordings that
        an earlier call made with the same `random_state` are kept, so that a
        repeated call is quick; others of the same name are replaced. A file
        appears only once it is complete, so that an interrupted call does no harm.
    n_corpora : int, default=3
        Number of languages, from 1 to 6.
    n_utterances : int, default=120
        Utterances in each corpus, at least one for each speaker and emotion.
        Multiples of ``n_speakers * len(emotions)`` are balanced exactly: every
        speaker says every sentence in every emotion.
    n_speakers : int, default=6
        Speakers of each corpus, from 1 to 99; women and men by turns.
    emotions : sequence of str
        Which emotions are played: any of the vocabulary but ``"other"``.
    random_state : int, RandomState instance or None, default=0
        The same integer gives the same bytes, whatever `n_jobs`; an utterance
        does not depend on how many others were asked for. None draws afresh.
    n_jobs : int, default=None
        Number of processes, as in scikit-learn.
    verbose : int, default=0
        Above 0, a terminal sees a progress bar.

    Returns
    -------
    table : DataFrame of n_corpora * n_utterances rows
        The columns that all loaders return, see :func:`load_corpus`, without
        dominance and sessions. `activation` and `valence`, from 1 to 5, are the
        point that the utterance was made from. Languages are private BCP 47
        tags such as ``x-alphish``.

    Raises
    ------
    ValueError
        A parameter is outside of its range.
    NotADirectoryError
        `folder` is a file.

    See Also
    --------
    load_truth : The true F0, formants and voice settings of a recording.

    References
    ----------
    .. [1] Fant, Liljencrants & Lin, "A four-parameter model of glottal flow",
       STL-QPSR 26(4), 1985.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_ser.datasets import load_truth, make_corpora
    >>> folder = tempfile.TemporaryDirectory()
    >>> speech = make_corpora(folder.name, n_corpora=2, n_utterances=8, n_speakers=2)
    >>> speech.groupby(["corpus", "emotion"]).size().unstack()
    emotion  anger  happiness  neutral  sadness
    corpus
    alphish      2          2        2        2
    betish       2          2        2        2
    >>> truth = load_truth(speech.path[0], frame_length=0.06)
    >>> truth.formants.shape[1]
    5
    >>> folder.cleanup()
    """
    n_corpora = _check_count(
        "n_corpora", n_corpora, 1, len(LANGUAGES), "for that many languages are known"
    )
    n_speakers = _check_count("n_speakers", n_speakers, 1, 99, "the speakers of each corpus")
    emotions = check_emotions(emotions)
    if emotions is None or len(set(emotions)) < len(emotions) or not AFFECT.keys() >= set(emotions):
        raise ValueError(
            f"emotions={plain(emotions)!r}: expected different ones of {', '.join(AFFECT)}."
        )
    each = n_speakers * len(emotions)
    reason = (
        f"for each of {n_speakers} speakers plays each of {len(emotions)} emotions at least once"
    )
    n_utterances = _check_count("n_utterances", n_utterances, each, 99 * each, reason)
    seed = _seed_of(random_state)

    # A reused worker process keeps the working directory it was started in.
    folder = Path(absolute_path(Path(folder).expanduser()))
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{str(folder)!r} is a file, expected a folder to write to.")
    recordings = []
    for corpus in range(n_corpora):
        (folder / LANGUAGES[corpus].name).mkdir(parents=True, exist_ok=True)
        remove_stale(folder / LANGUAGES[corpus].name)
        for i in range(n_utterances):
            i, emotion = divmod(i, len(emotions))
            i, speaker = divmod(i, n_speakers)
            take, sentence = divmod(i, _N_SENTENCES)
            recordings.append(_Recording(seed, corpus, speaker, emotions[emotion], sentence, take))
    rows = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_make)(recording, folder) for recording in recordings
    )
    # tqdm itself stays quiet where there is no terminal if `disable` is None.
    quiet = None if verbose and sys.stderr is not None else True
    rows = tqdm(rows, "speech", len(recordings), disable=quiet)
    return as_table([{**row, "path": str(folder / row["path"])} for row in rows])
