"""CaFE, the Canadian French emotional speech dataset: ``02-C-2-5.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, Download, examples_of, name_scheme

__all__ = ["CAFE"]

_match = name_scheme(r"(0[1-9]|1[0-2])-([A-Z])-([12])-([1-6])\.wav")
_INTENSITY = {"1": "mild", "2": "strong"}


def parse(path):
    """Read actor, emotion, intensity and sentence; neutral speech has one intensity only."""
    match = _match(path)
    if match is None:
        return None
    labels = {
        "speaker": match[1],
        "sex": "m" if int(match[1]) % 2 else "f",
        "sentence": match[4],
        "emotion_raw": match[2].upper(),
    }
    if labels["emotion_raw"] == "N":
        return labels if match[3] == "1" else None
    return {**labels, "intensity": _INTENSITY[match[3]]}


CAFE = Corpus(
    name="cafe",
    title="CaFE",
    language="fr-CA",
    licence="CC BY-NC-SA 4.0",
    terms="open",
    homepage="https://zenodo.org/records/1478765",
    citation="""\
@inproceedings{gournay2018cafe,
  author    = {Gournay, Philippe and Lahaie, Olivier and Lefebvre, Roch},
  title     = {A {Canadian} {French} Emotional Speech Dataset},
  booktitle = {Proceedings of the 9th ACM Multimedia Systems Conference},
  year      = {2018},
  pages     = {399--402}
}""",
    sampling_rate=48000,
    # The initials of colère, dégoût, joie, neutre, peur, surprise, tristesse.
    emotions={
        "C": "anger",
        "D": "disgust",
        "J": "happiness",
        "N": "neutral",
        "P": "fear",
        "S": "surprise",
        "T": "sadness",
    },
    n_recordings=936,
    n_speakers=12,
    n_women=6,
    counts={
        "anger": 144,
        "disgust": 144,
        "fear": 144,
        "happiness": 144,
        "neutral": 72,
        "sadness": 144,
        "surprise": 144,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence intensity",
        {
            "Colère/Faible/01-C-1-1.wav": "01 m C 1 mild",
            "Dégoût/Fort/02-D-2-2.wav": "02 f D 2 strong",
            "Joie/Faible/03-J-1-3.wav": "03 m J 3 mild",
            "Neutre/04-N-1-4.wav": "04 f N 4 -",
            "Peur/Fort/11-P-2-5.wav": "11 m P 5 strong",
            "Surprise/Faible/12-S-1-6.wav": "12 f S 6 mild",
            "Tristesse/Fort/10-T-2-1.wav": "10 f T 1 strong",
        },
    ),
    download=Download(
        url="https://zenodo.org/records/1478765/files/CaFE_48k.zip",
        unpacked_bytes=2_000_000_000,
    ),
)
