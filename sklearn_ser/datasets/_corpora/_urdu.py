"""URDU, utterances cut from Urdu talk shows: ``Angry/SM1_F1_A01.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, Download, examples_of, name_scheme

__all__ = ["URDU"]

_match = name_scheme(r"(S([MF])\d+)_F\d+_([A-Z])\d+\.wav")
_FOLDER = {"angry": "A", "happy": "H", "neutral": "N", "sad": "S"}


def parse(path):
    """Read speaker, sex and emotion from ``<speaker>_<file>_<emotion><number>``.

    The folder repeats the emotion. If the two disagree, neither can be trusted,
    and the path does not follow the naming scheme.
    """
    match = _match(path)
    if match is None:
        return None
    emotion = match[3].upper()
    if _FOLDER.get(path.parent.name.lower(), emotion) != emotion:
        return None
    return {"speaker": match[1].upper(), "sex": match[2].lower(), "emotion_raw": emotion}


URDU = Corpus(
    name="urdu",
    title="URDU",
    language="ur",
    licence="research only",
    terms="research",
    homepage="https://github.com/siddiquelatif/URDU-Dataset",
    citation="""\
@inproceedings{latif2018urdu,
  author    = {Latif, Siddique and Qayyum, Adnan and Usman, Muhammad and Qadir, Junaid},
  title     = {Cross Lingual Speech Emotion Recognition: {Urdu} vs. {Western} Languages},
  booktitle = {International Conference on Frontiers of Information Technology (FIT)},
  year      = {2018},
  pages     = {88--93},
  doi       = {10.1109/FIT.2018.00023}
}""",
    sampling_rate=44100,
    emotions={"A": "anger", "H": "happiness", "N": "neutral", "S": "sadness"},
    n_recordings=400,
    n_speakers=29,
    n_women=11,
    counts={"anger": 100, "happiness": 100, "neutral": 100, "sadness": 100},
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw",
        {
            "Angry/SM1_F1_A01.wav": "SM1 m A",
            "Angry/SM2_F10_A032.wav": "SM2 m A",
            "Happy/SF1_F6_H06.wav": "SF1 f H",
            "Neutral/SM25_F3_N053.wav": "SM25 m N",
            "Sad/SF11_F2_S02.wav": "SF11 f S",
        },
    ),
    # GitHub packs archives anew, hence no checksum.
    download=Download(
        url="https://github.com/siddiquelatif/URDU-Dataset/archive/4b546d4.zip",
        unpacked_bytes=500_000_000,
    ),
    note="The names of the files distinguish 29 speakers, although the README mentions 38.",
)
