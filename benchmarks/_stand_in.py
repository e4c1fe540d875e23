"""Synthesised recordings in the place of real corpora, to try the benchmarks without any."""

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from scipy.signal import resample_poly

from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import synthesise_vowel
from sklearn_ser.features import DESCRIPTORS, FUNCTIONAL_NAMES, egemaps, egemaps_lld

RATES = {"emodb": 16000, "ravdess": 48000, "urdu": 44100}
EMODB_SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
# Pitch in relation to the speaker's own, and level.
SOUND = {
    "anger": (1.5, 0.5),
    "happiness": (1.4, 0.4),
    "neutral": (1.0, 0.25),
    "sadness": (0.9, 0.15),
}
TYPICAL = {
    "activation": {"anger": 4.5, "happiness": 4.0, "neutral": 3.0, "sadness": 2.0},
    "valence": {"anger": 2.0, "happiness": 4.5, "neutral": 3.0, "sadness": 2.0},
}
EMODB = {"anger": "W", "happiness": "F", "neutral": "N", "sadness": "T"}
RAVDESS = {"anger": "05", "happiness": "03", "neutral": "01", "sadness": "04"}
URDU = {"anger": "Angry", "happiness": "Happy", "neutral": "Neutral", "sadness": "Sad"}


def name_of(corpus, speaker, emotion, take):
    """Return the path of a recording in the scheme of its corpus."""
    if corpus == "emodb":
        return f"wav/{EMODB_SPEAKERS[speaker]}a{take + 1:02}{EMODB[emotion]}a.wav"
    if corpus == "ravdess":
        statement, repetition = divmod(take, 2)
        # Of neutral speech there is one intensity.
        code = f"03-01-{RAVDESS[emotion]}-01-{statement % 2 + 1:02}-{repetition + 1:02}"
        return f"Actor_{speaker + 1:02}/{code}-{speaker + 1:02}.wav"
    folder = URDU[emotion]
    sex = "MF"[speaker % 2]
    return f"{folder}/S{sex}{speaker + 1}_F{take + 1}_{folder[0]}{take + 1:02}.wav"


def write_corpora(folder, n_speakers, n_takes):
    """Write one vowel for each speaker and emotion, `n_takes` times with other noise."""
    rng = np.random.default_rng(0)
    for (corpus, rate), emotion, speaker in (
        (one, emotion, speaker)
        for one in RATES.items()
        for emotion in SOUND
        for speaker in range(n_speakers)
    ):
        pitch, level = SOUND[emotion]
        f0 = pitch * (120 + 80 * (speaker % 2) + 4 * speaker)
        formants = np.array([600, 1300, 2500]) * rng.uniform(0.9, 1.1, 3)
        vowel = synthesise_vowel(
            formants, f0=[f0, 0.8 * f0], duration=0.5, jitter=0.01, random_state=speaker
        )
        if rate != 16000:
            vowel = resample_poly(vowel, rate // 100, 160)
        for take in range(n_takes):
            path = folder / corpus / name_of(corpus, speaker, emotion, take)
            path.parent.mkdir(parents=True, exist_ok=True)
            y = level * rng.uniform(0.8, 1.2) * vowel + rng.normal(0, 0.003, len(vowel))
            soundfile.write(path, y, rate)


def emotion_of(corpus, path):
    """Return the emotion that the name of a recording holds."""
    codes, code = (EMODB, path.stem[5]) if corpus == "emodb" else (URDU, path.parent.name)
    return next(emotion for emotion, one in codes.items() if one == code)


def write_labels(folder, corpora):
    """Write ratings around those typical of the emotion, in the files of the published ones."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    for corpus, file in (("emodb", "EMO_DB.csv"), ("urdu", "URDU.csv")):
        paths = sorted((corpora / corpus).rglob("*.wav"))
        table = pd.DataFrame({"filename": [path.name for path in paths]})
        for name, typical in TYPICAL.items():
            ratings = np.array([typical[emotion_of(corpus, path)] for path in paths])
            # Half steps from 1 to 5.
            table[name] = np.clip(ratings + rng.integers(-1, 2, len(paths)) / 2, 1, 5)
        table.to_csv(folder / file, index=False)


def write_reference(folder, corpora):
    """Write our own values where openSMILE's are expected."""
    folder.mkdir()
    files = sorted(path.relative_to(corpora).as_posix() for path in corpora.rglob("*.wav"))
    for name, rate in (("16k", 16000), ("native", None)):
        rows = [egemaps(*load_audio(corpora / file, rate)) for file in files]
        table = pd.DataFrame(np.array(rows), columns=list(FUNCTIONAL_NAMES))
        table.insert(0, "file", files)
        table.to_parquet(folder / f"egemaps_functionals_{name}.parquet")
    frames = []
    for file in files[:2]:
        table = egemaps_lld(*load_audio(corpora / file))[list(DESCRIPTORS)].reset_index(drop=True)
        frames.append(table.assign(file=file, frame=range(len(table))))
    pd.concat(frames).to_parquet(folder / "egemaps_lld_16k.parquet")


def write_stand_in(folder, *, n_speakers=8, n_takes=3):
    """Write corpora, ratings and reference values below a folder, in the layout of real ones."""
    folder = Path(folder)
    corpora = folder / "corpora"
    write_corpora(corpora, n_speakers, n_takes)
    write_labels(folder / "labels", corpora)
    write_reference(folder / "reference", corpora)
