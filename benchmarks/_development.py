"""Development transfers: whole corpora, and many small ones that are hard in different ways."""

from dataclasses import dataclass

import numpy as np
import soundfile
from _cross_lingual import CORPORA, EMOTIONS, leave_one_out, pairs, scale
from encoders import Data
from scipy.signal import butter, sosfiltfilt

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.audio import load_audio

KINDS = ("leave one out", "single source", "small corpora")

# Each corpus is split by speakers into so many small ones.
N_PARTS = {"emodb": 2, "ravdess": 3, "urdu": 2}
# Drawn with equal chances, so that 2 of 5 small corpora are clean.
CONDITIONS = ("clean", "clean", "phone", "noise", "word")
# Cumulative chances that a small corpus keeps all, half, a fifth or none of an emotion.
KEPT = ((0.5, 1.0), (0.75, 0.5), (0.93, 0.2), (1.0, 0.0))
MIN_ROWS = 20


def telephone(y, rate, rng):
    """Keep the band of a telephone, in 8 bits by the mu-law."""
    band = butter(4, [300, 3400], "band", fs=rate, output="sos")
    y = sosfiltfilt(band, y)
    coded = np.sign(y) * np.log1p(255 * np.abs(y) / np.abs(y).max()) / np.log(256)
    coded = np.round(coded * 127) / 127
    return np.sign(coded) * (256 ** np.abs(coded) - 1) / 255


def pink_noise(y, rate, rng):
    """Add noise with a spectrum of 1/f, 5 to 15 dB below the speech."""
    frequency = np.fft.rfftfreq(len(y), 1 / rate)
    phases = rng.normal(size=len(frequency)) + 1j * rng.normal(size=len(frequency))
    noise = np.fft.irfft(phases / np.sqrt(np.maximum(frequency, 20)), len(y))
    ratio = 10 ** (rng.uniform(5, 15) / 10)
    return y + noise * np.sqrt(np.mean(y**2) / np.mean(noise**2) / ratio)


def one_word(y, rate, rng):
    """Cut out the loudest 0.5 to 0.9 s, about a word."""
    length = int(rng.uniform(0.5, 0.9) * rate)
    if len(y) <= length:
        return y
    total = np.concatenate([[0], np.cumsum(y.astype(float) ** 2)])
    start = int(np.argmax(total[length:] - total[:-length]))
    return y[start : start + length]


DEGRADE = {"phone": telephone, "noise": pink_noise, "word": one_word}


def write_degraded(paths, condition, folder):
    """Write recordings as WAV files and return their paths; the same bits each time."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, written = np.random.default_rng(0), []
    for number, path in enumerate(paths):
        y, rate = load_audio(path)
        y = DEGRADE[condition](y, rate, rng)
        y = np.asarray(y / max(1e-9, np.abs(y).max()) * 0.5, dtype=np.float32)
        written.append(folder / f"{number}.wav")
        soundfile.write(written[-1], y, rate)
    return written


@dataclass(frozen=True)
class Part:
    """Some recordings of a corpus under one condition, taken for a corpus of their own."""

    corpus: str
    name: str
    rows: np.ndarray
    condition: str = "clean"


@dataclass(frozen=True)
class Transfer:
    """Corpora to learn from and one to predict, which stems from another language."""

    kind: str
    source: tuple[Part, ...]
    target: Part


class Development(Data):
    """Recordings, their features under each condition, and the transfers among them."""

    def __init__(self, arguments):
        super().__init__(arguments)
        self.scratch = arguments.scratch
        self.emotion, self.corpus, self.speaker = (
            self.speech[name].to_numpy(str) for name in ("emotion", "corpus", "speaker")
        )
        self._paths = {"clean": list(self.speech.path)}
        self._features = {}

    def features(self, representation, condition):
        """Return the eGeMAPS functionals, or the middle layer of Whisper tiny.en."""
        key = representation, condition
        if key not in self._features:
            if condition not in self._paths:
                folder = self.scratch / condition
                self._paths[condition] = write_degraded(self.speech.path, condition, folder)
            extractor = {
                "eGeMAPS": lambda: EGeMAPSExtractor(cache=self.cache),
                "encoder": lambda: self.extractor("tiny.en", layer=2),
            }[representation]()
            self._features[key] = extractor.transform(self._paths[condition])
        return self._features[key]

    def whole(self, name):
        return Part(name, name, np.flatnonzero(self.corpus == name))

    def small_corpora(self, seed):
        """Split each corpus by speakers; draw a condition, and how much of each emotion to keep."""
        rng, parts = np.random.default_rng(1000 + seed), []
        for corpus in CORPORA:
            speakers = rng.permutation(np.unique(self.speaker[self.corpus == corpus]))
            for number, some in enumerate(np.array_split(speakers, N_PARTS[corpus])):
                condition = str(rng.choice(CONDITIONS))
                spoken = (self.corpus == corpus) & np.isin(self.speaker, some)
                rows = np.concatenate(
                    [self._thinned(spoken & (self.emotion == one), rng) for one in EMOTIONS]
                )
                if len(rows) < MIN_ROWS:
                    rows = np.flatnonzero(spoken)
                parts.append(Part(corpus, f"{corpus}{number}", np.sort(rows), condition))
        return parts

    def _thinned(self, mask, rng):
        rows, drawn = np.flatnonzero(mask), rng.random()
        share = next(share for chance, share in KEPT if drawn < chance)
        return rng.permutation(rows)[: round(share * len(rows))]

    def transfers(self, n_draws=3):
        """Return all transfers, with `n_draws` draws of small corpora.

        The source of a small corpus is all small ones of the same draw from other corpora.
        """
        found = []
        for kind, chosen in zip(KINDS, (leave_one_out(), pairs()), strict=False):
            for source, target in chosen:
                parts = tuple(self.whole(name) for name in source)
                found.append(Transfer(kind, parts, self.whole(target)))
        for draw in range(n_draws):
            parts = self.small_corpora(draw)
            for target in parts:
                others = tuple(part for part in parts if part.corpus != target.corpus)
                found.append(Transfer(KINDS[2], others, target))
        return found

    def arrays(self, transfer, representation, scaling):
        """Return scaled source rows and target rows."""
        X = np.vstack(
            [self.features(representation, one.condition)[one.rows] for one in transfer.source]
        )
        target = transfer.target
        T = self.features(representation, target.condition)[target.rows]
        return scale(scaling, X, self.names(transfer), T)

    def names(self, transfer):
        """Return the corpus of each source row."""
        return np.concatenate([[one.name] * len(one.rows) for one in transfer.source])

    def labels(self, transfer):
        """Return the emotions of source and target."""
        source = np.concatenate([self.emotion[one.rows] for one in transfer.source])
        return source, self.emotion[transfer.target.rows]
