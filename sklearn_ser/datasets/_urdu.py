"""URDU, utterances cut from Urdu talk shows: ``Angry/SM1_F1_A01.wav``."""

import re

from sklearn_ser.datasets._base import Corpus

__all__ = ["URDU"]

_NAME = re.compile(r"(S([MF])\d+)_F\d+_([AHNS])\d+\.wav", re.IGNORECASE)
_EMOTION = {"A": "anger", "H": "happiness", "N": "neutral", "S": "sadness"}
_FOLDER = {"angry": "anger", "happy": "happiness", "neutral": "neutral", "sad": "sadness"}


def parse(path):
    """Read speaker, sex and emotion from ``<speaker>_<file>_<emotion><number>``.

    The folder repeats the emotion; where the two disagree nobody can say which
    is right, and the path counts as breaking the scheme.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    emotion = _EMOTION[match[3].upper()]
    if _FOLDER.get(path.parent.name.lower(), emotion) != emotion:
        return None
    return {"speaker": match[1].upper(), "sex": match[2].lower(), "emotion": emotion}


URDU = Corpus(
    name="urdu",
    title="URDU",
    language="ur",
    licence="research only",
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
    counts={"anger": 100, "happiness": 100, "neutral": 100, "sadness": 100},
    # The names of the files tell 29 speakers apart, although the README speaks of 38.
    n_speakers=29,
    parse=parse,
    examples={
        "Angry/SM1_F1_A01.wav": {"speaker": "SM1", "sex": "m", "emotion": "anger"},
        "Angry/SM2_F10_A032.wav": {"speaker": "SM2", "sex": "m", "emotion": "anger"},
        "Happy/SF1_F6_H06.wav": {"speaker": "SF1", "sex": "f", "emotion": "happiness"},
        "Neutral/SM25_F3_N053.wav": {"speaker": "SM25", "sex": "m", "emotion": "neutral"},
        "Sad/SF11_F2_S02.wav": {"speaker": "SF11", "sex": "f", "emotion": "sadness"},
    },
)
