"""Compare the "opensmile" and the "corrected" variant of eGeMAPSv02.

    python benchmarks/variants.py [--shared DIR] [--jobs N] [--part PART] [--vowels N]
        [--languages N] [--draws N]

Prints the error of F1-F3 on synthesised vowels and speech with known formants,
the time either variant takes, and which of them recognises the emotions of
corpora better that a classifier was not trained on. DIR holds ``corpora/`` with
EMO-DB, RAVDESS and URDU; by default it is what SKLEARN_SER_SHARED names, else
``../shared``. Without it the last part is left out.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import CorpusScaler, EGeMAPSExtractor, cross_corpus_validate
from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import load_corpora, load_truth, make_corpora
from sklearn_ser.datasets._synthesis._vowel import synthesise_vowel
from sklearn_ser.features import egemaps, egemaps_lld
from sklearn_ser.metrics import unweighted_average_recall

VARIANTS = ("opensmile", "corrected")
RATES = (8000, 16000, 22050, 44100, 48000)
EMOTIONS = ("anger", "happiness", "neutral", "sadness")
FORMANTS = ("F1", "F2", "F3")
PARTS = ("vowels", "speech", "time", "recognition")
# Mean formants of American vowels, i ɪ ɛ æ ɑ ɔ ʊ u ʌ ɝ: Peterson & Barney (1952),
# "Control methods used in a study of the vowels", JASA 24(2), table II.
SPEAKERS = {
    "man": (
        (90, 120, 160),
        "270/2290/3010 390/1990/2550 530/1840/2480 660/1720/2410 730/1090/2440 "
        "570/840/2410 440/1020/2240 300/870/2240 640/1190/2390 490/1350/1690",
    ),
    "woman": (
        (160, 220, 270),
        "310/2790/3310 430/2480/3070 610/2330/2990 860/2050/2850 850/1220/2810 "
        "590/920/2710 470/1160/2680 370/950/2670 760/1400/2780 500/1640/1960",
    ),
    "child": (
        (220, 270, 330),
        "370/3200/3730 530/2730/3600 690/2610/3570 1010/2320/3320 1030/1370/3170 "
        "680/1060/3180 560/1410/3310 430/1170/3260 850/1590/3360 560/1820/2160",
    ),
}


def voiced_formants(y, sr, variant):
    """F1-F3 in Hz of each frame, NaN where unvoiced or not found."""
    lld = egemaps_lld(y, sr, variant=variant).iloc[:-1]
    found = lld[[f"{name}frequency_sma3nz" for name in FORMANTS]].to_numpy()
    voiced = lld["F0semitoneFrom27.5Hz_sma3nz"].to_numpy()[:, None] > 0
    return np.where(voiced & (found > 0), found, np.nan)


def vowel_errors(sr, speaker, f0, formants):
    """Median over frames of the relative error; a formant that was not found is off by 1."""
    formants = np.array(formants.split("/"), float)
    y = synthesise_vowel(
        formants,
        f0=[0.97 * f0, 1.03 * f0],
        duration=0.4,
        sampling_rate=sr,
        jitter=0.005,
        shimmer=0.02,
        breathiness=0.02,
    )
    rows = []
    for variant in VARIANTS:
        error = np.abs(voiced_formants(y, sr, variant) / formants - 1)
        error = np.median(np.nan_to_num(error, nan=1), axis=0)
        error[formants > 0.45 * sr] = np.nan
        rows.append({"sr": sr, "speaker": speaker, "f0": f0, "variant": variant})
        rows[-1].update(zip(FORMANTS, error, strict=True))
    return rows


def report_vowels(jobs, n_vowels):
    tasks = [
        delayed(vowel_errors)(sr, speaker, f0, formants)
        for sr in RATES
        for speaker, (pitches, vowels) in SPEAKERS.items()
        for f0 in pitches
        for formants in vowels.split()[:n_vowels]
    ]
    table = pd.DataFrame([row for rows in Parallel(n_jobs=jobs)(tasks) for row in rows])
    print(f"Relative error of F1-F3 in %, median over vowels ({len(tasks)} in all)")
    for by in (["sr"], ["speaker", "f0"]):
        errors = 100 * table.groupby([*by, "variant"])[list(FORMANTS)].median().unstack()
        print(f"\n{errors.swaplevel(axis=1)[list(VARIANTS)].round(1).to_string()}")
    total = 100 * table.groupby("variant")[list(FORMANTS)].median().loc[list(VARIANTS)]
    print(f"\n{total.round(1).to_string()}")


def speech_errors(path, variant):
    """Relative errors in the frames all of whose 60 ms are voiced."""
    found = voiced_formants(*load_audio(path), variant)
    truth = load_truth(path, frame_length=0.06)
    n = min(len(found), len(truth.f0))
    throughout = np.convolve(truth.f0[:n] > 0, np.ones(7), "same") == 7
    return np.abs(found[:n] / truth.formants[:n, :3] - 1)[throughout]


def report_speech(jobs, n_languages):
    with tempfile.TemporaryDirectory() as folder:
        speech = make_corpora(folder, n_corpora=n_languages, n_utterances=24, n_jobs=jobs)
        rows = {}
        for variant in VARIANTS:
            errors = np.concatenate(
                Parallel(n_jobs=jobs)(delayed(speech_errors)(p, variant) for p in speech.path)
            )
            off = np.nan_to_num(errors, nan=1) > 0.2
            rows[variant] = 100 * np.r_[np.nanmedian(errors, axis=0), off.mean(axis=0)]
    columns = [*FORMANTS, *(f"{name} off by > 20 %" for name in FORMANTS)]
    print(
        f"\nConnected speech, {len(speech)} utterances, {len(errors)} voiced frames: median error"
    )
    print("in %, and share of the frames with a larger error or no formant in %")
    print(pd.DataFrame(rows, index=columns).T.round(1).to_string())


def report_time():
    print("\nMilliseconds per second of audio, one thread, best of 5")
    rows = {}
    for sr in (16000, 44100, 48000):
        f0 = np.where(np.sin(np.linspace(0, 60, 1000)) > -0.3, 140.0, 0.0)
        y = synthesise_vowel([500, 1500, 2500], f0=f0, duration=10, sampling_rate=sr)
        best = dict.fromkeys(VARIANTS, np.inf)
        for _ in range(6):
            for variant in VARIANTS:
                start = time.perf_counter()
                egemaps(y, sr, variant=variant)
                best[variant] = min(best[variant], time.perf_counter() - start)
        rows[sr] = {variant: best[variant] * 100 for variant in VARIANTS}
    print(pd.DataFrame(rows).T.round(2).to_string())


def paired_interval(predictions, n_draws):
    """Interval of the difference of mean UAR between two sets of predictions.

    Draws the speakers of each corpus anew, the same ones for both.
    """
    first, second = predictions
    rng = np.random.default_rng(0)
    corpora = [
        [group.index.to_numpy() for _, group in corpus.groupby("speaker")]
        for _, corpus in first.groupby("corpus")
    ]
    differences = np.empty(n_draws)
    for i in range(n_draws):
        gains = []
        for speakers in corpora:
            rows = np.concatenate(
                [speakers[j] for j in rng.integers(len(speakers), size=len(speakers))]
            )
            before, after = (
                unweighted_average_recall(p.y_true[rows], p.y_pred[rows]) for p in (first, second)
            )
            gains.append(after - before)
        differences[i] = np.mean(gains)
    return np.percentile(differences, (2.5, 97.5))


def report_recognition(shared, jobs, n_draws):
    names = ("emodb", "ravdess", "urdu")
    speech = load_corpora({name: shared / "corpora" / name for name in names}, emotions=EMOTIONS)
    features = {
        variant: EGeMAPSExtractor(variant=variant, n_jobs=jobs).transform(speech.path)
        for variant in VARIANTS
    }
    print(f"\nUAR of an SVM on the corpus left out, {len(speech)} recordings, 4 emotions")
    for scaler in (CorpusScaler(), StandardScaler()):
        model = make_pipeline(scaler, SVC(class_weight="balanced"))
        results = {
            variant: cross_corpus_validate(
                model, X, speech.emotion, speech.corpus, speaker=speech.speaker
            )
            for variant, X in features.items()
        }
        table = pd.DataFrame({v: r.scores.set_index("corpus").uar for v, r in results.items()})
        table.loc["mean"] = table.mean()
        low, high = paired_interval([results[v].predictions for v in VARIANTS], n_draws)
        print(f"\n{type(scaler).__name__}\n{table.round(3).to_string()}")
        print(f"corrected - opensmile: 95 % interval over speakers {low:+.3f} to {high:+.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--vowels", type=int, help="the first so many of ten alone")
    parser.add_argument("--languages", type=int, default=6, help="of synthesised speech")
    parser.add_argument("--draws", type=int, default=2000, help="for intervals over speakers")
    arguments = parser.parse_args()
    parts = arguments.part or PARTS
    if "vowels" in parts:
        report_vowels(arguments.jobs, arguments.vowels)
    if "speech" in parts:
        report_speech(arguments.jobs, arguments.languages)
    if "time" in parts:
        report_time()
    if "recognition" not in parts:
        return
    if (arguments.shared / "corpora").is_dir():
        report_recognition(arguments.shared, arguments.jobs, arguments.draws)
    else:
        print(f"\nNo corpora in {arguments.shared}: no recognition.")


if __name__ == "__main__":
    main()
