"""Time this package against afx-audio, librosa and skada, one thread each.

    python benchmarks/peers.py [--shared DIR] [--files N] [--repeats N] [--only WORD] [--json FILE]

Both sides run in this process by turns; ratios are medians over the repeats. The recordings are
those of DIR (by default what SKLEARN_SER_SHARED names, else ``../shared``) at 16 kHz. afx-audio:
its 88 functionals against ours. librosa: LibrosaExtractor against a plain loop that calls
librosa's functions one by one and takes mean and standard deviation; both give the same values,
which is checked. skada: its MCC, DeepCoral and DANN against ours with the same network, weight
and epochs, on 700 random rows adapted to 350. afx-audio and skada are left out, with a line
that says so, if they are not installed. openSMILE is compared in ``extraction_speed.py``; skorch
and MLPRegressor are in ``training_speed.py``.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import warnings
from pathlib import Path

import librosa
import numpy as np
import torch
from _cross_lingual import CORPORA, EMOTIONS
from _record import Record, add_json, version
from _timing import by_turns
from cross_lingual import dann, deep, own

from sklearn_ser import CORALClassifier, DANNClassifier, MCCClassifier
from sklearn_ser.audio import load_audio
from sklearn_ser.features import LibrosaExtractor, egemaps


def recordings(shared, n_files):
    """Return signals at 16 kHz, `n_files` of each corpus."""
    signals = []
    for corpus in CORPORA:
        files = sorted((shared / "corpora" / corpus).rglob("*.wav"))
        if not files:
            raise SystemExit(f"no recordings in {shared / 'corpora' / corpus}")
        signals += [files[i] for i in np.linspace(0, len(files) - 1, n_files).astype(int)]
    return [load_audio(path)[0] for path in signals]


def plain_librosa(y, sr):
    """Return what LibrosaExtractor computes by default, as a page of librosa's manual would."""
    feature, shape = librosa.feature, {"n_fft": 2048, "hop_length": 512}
    spectral = {"y": y, "sr": sr, "pad_mode": "constant", **shape}
    mfcc = feature.mfcc(y=y, sr=sr, n_mfcc=20, **shape)
    contours = (
        mfcc,
        feature.delta(mfcc, mode="interp" if mfcc.shape[1] >= 9 else "nearest"),
        librosa.power_to_db(feature.melspectrogram(y=y, sr=sr, **shape)),
        feature.chroma_stft(y=y, sr=sr, tuning=0.0, **shape),
        feature.spectral_contrast(y=y, sr=sr, **shape),
        feature.spectral_centroid(**spectral),
        feature.spectral_bandwidth(**spectral),
        feature.spectral_rolloff(**spectral),
        feature.spectral_flatness(y=y, **shape),
        feature.zero_crossing_rate(y, frame_length=2048, hop_length=512),
        feature.rms(y=y, frame_length=2048, hop_length=512),
    )
    return np.concatenate(
        [np.stack([c.mean(axis=1), c.std(axis=1)], axis=1).ravel() for c in contours]
    )


def transfer(n_rows, n_target):
    """Return source rows, their classes and target rows, 88 random features each."""
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=n_rows)
    X = rng.standard_normal((n_rows, 88), dtype=np.float32) + y[:, None].astype(np.float32) / 4
    X_target = rng.standard_normal((n_target, 88), dtype=np.float32)
    return X, np.array(EMOTIONS)[y], X_target, 0


class Comparisons:
    """Comparisons by turns, printed and kept for the record."""

    def __init__(self, arguments):
        self.repeats, self.only = arguments.repeats, arguments.only
        self.record = Record()
        head = f"{'':<52} {'ours':>8} {'theirs':>8} {'ratio':>7}   (range)"
        print(head)

    def compare(self, task, unit, ours, peer, *, package, amount=1.0):
        """Time two (name, function), in `unit` of 1000 / `amount` a second."""
        if self.only not in task:
            return
        if version(package) is None:
            print(f"{task:<52} left out: {package} is not installed (extra bench)", flush=True)
            return
        mine, theirs = 1000 / amount * by_turns([ours[1], peer[1]], self.repeats)
        ratios = theirs / mine
        print(
            f"{task:<52} {np.median(mine):8.2f} {np.median(theirs):8.2f} {np.median(ratios):7.2f}"
            f"   ({ratios.min():.2f}-{ratios.max():.2f}) {unit}",
            flush=True,
        )
        self.record.compare(task, unit, (ours[0], mine), (peer[0], theirs), package=package)


def against_afx(comparisons, signals, seconds):
    def theirs():
        import afx_audio

        for y in signals:
            afx_audio.egemaps(y, 16000)

    comparisons.compare(
        "eGeMAPS, 16 kHz signals, all corpora",
        "ms per second of audio",
        ("egemaps", lambda: [egemaps(y, 16000) for y in signals]),
        ("afx_audio.egemaps", theirs),
        package="afx-audio",
        amount=seconds,
    )


def against_librosa(comparisons, signals, seconds):
    extractor = LibrosaExtractor()
    ours = extractor.transform(signals)
    np.testing.assert_allclose(
        [plain_librosa(y, 16000) for y in signals], ours, rtol=1e-2, atol=1e-3
    )
    comparisons.compare(
        "386 statistics of librosa's features, 16 kHz signals",
        "ms per second of audio",
        ("LibrosaExtractor", lambda: extractor.transform(signals)),
        (
            "one call of librosa for each feature",
            lambda: [plain_librosa(y, 16000) for y in signals],
        ),
        package="librosa",
        amount=seconds,
    )


def against_skada(comparisons, n_rows, n_target):
    rows = transfer(n_rows, n_target)
    for estimator, name, theirs in (
        (MCCClassifier, "MCC", deep("MCC")),
        (CORALClassifier, "DeepCoral", deep("DeepCoral")),
        (DANNClassifier, "DANN", dann),
    ):
        ours = own(estimator, n_estimators=1, target_weight=1.0)
        comparisons.compare(
            f"{name}, {n_rows} rows adapted to {n_target}, 25 epochs",
            "ms",
            (f"{estimator.__name__}", lambda ours=ours: ours(*rows)),
            (f"skada.deep.{name}", lambda theirs=theirs: theirs(*rows)),
            package="skada",
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--files", type=int, default=12, help="recordings of each corpus")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=700, help="of the source, for skada")
    parser.add_argument("--only", default="", help="tasks whose names have this word")
    add_json(parser)
    arguments = parser.parse_args()
    # Deprecations inside of skada.
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    signals = recordings(arguments.shared, arguments.files)
    seconds = sum(map(len, signals)) / 16000
    comparisons = Comparisons(arguments)
    against_afx(comparisons, signals, seconds)
    against_librosa(comparisons, signals, seconds)
    against_skada(comparisons, arguments.rows, arguments.rows // 2)
    comparisons.record.write(arguments.json)


if __name__ == "__main__":
    main()
