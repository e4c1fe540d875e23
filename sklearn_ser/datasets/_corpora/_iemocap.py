"""IEMOCAP: ``Ses01F_impro01_F000.wav``, with labels in ``dialog/EmoEvaluation``."""

import re

from sklearn_ser.datasets._base import find_files, read_text
from sklearn_ser.datasets._corpora._corpus import Corpus, name_scheme

__all__ = ["IEMOCAP"]

_match = name_scheme(r"Ses(0[1-5])([FM])_(?:impro|script)\w+_([FM])[\dX]{3}\.wav")
_NUMBER = r"(-?\d+(?:\.\d+)?)"
# [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]
_TURN = re.compile(
    rf"^\[[\d.]+ - [\d.]+\]\s+(\w+)\s+(\w+)\s+\[{_NUMBER}, *{_NUMBER}, *{_NUMBER}\]\s*$",
    re.ASCII | re.MULTILINE,
)


def read_evaluation(folder):
    """Read the summary of each turn: label, valence, activation, dominance.

    Only files directly in the folder ``EmoEvaluation`` hold summaries; its
    sub-folders have files of the same names with the votes of single raters.
    """
    turns = {}
    for file in find_files(folder, ["ses0*.txt"]):
        if file.parent.name.lower() == "emoevaluation":
            for name, label, *ratings in _TURN.findall(read_text(folder / file)):
                turns[name.lower()] = (label.lower(), *map(float, ratings))
    return turns


def parse(path, turns):
    """Read session and speaker from the name, and look up the labels of the turn.

    ``Ses01F`` means that the woman of session 1 wore the motion-capture markers in
    this dialogue; the speaker is the letter before the number of the turn.
    """
    match = _match(path)
    turn = turns.get(path.stem.lower())
    if match is None or turn is None:
        return None
    emotion, valence, activation, dominance = turn
    return {
        "speaker": f"{match[1]}{match[3].upper()}",
        "sex": match[3].lower(),
        "activation": activation,
        "valence": valence,
        "emotion_raw": emotion,
        "dominance": dominance,
        "session": match[1],
    }


_EXAMPLE_TURNS = {
    "Ses01F_impro01_F000": ("neu", 2.5, 2.5, 2.5),
    "Ses01F_impro01_M001": ("fru", 2.0, 3.5, 3.0),
    "Ses02F_script01_1_F003": ("ang", 1.5, 4.0, 4.5),
    "Ses02M_script01_1_M004": ("sad", 2.0, 1.5, 2.0),
    "Ses03M_impro05a_F005": ("hap", 4.5, 3.0, 3.0),
    "Ses03M_impro05a_M006": ("exc", 4.5, 4.0, 3.5),
    "Ses04F_script02_2_F007": ("sur", 3.5, 3.6667, 3.0),
    "Ses04F_script02_2_M008": ("fea", 2.0, 3.0, 1.5),
    "Ses05F_impro03_F009": ("dis", 2.0, 3.5, 3.5),
    "Ses05F_impro03_M010": ("oth", 3.0, 3.0, 3.0),
    "Ses05M_script01_1b_F011": ("xxx", 2.5, 2.5, 2.0),
}


def _example_files():
    """Return the examples as recordings with labels, and as files with these labels."""
    recordings, evaluations = {}, {}
    for i, (turn, (emotion, valence, activation, dominance)) in enumerate(_EXAMPLE_TURNS.items()):
        dialogue, session, speaker = turn[: turn.rindex("_")], turn[3:5], turn[-4]
        recordings[f"Session{int(session)}/sentences/wav/{dialogue}/{turn}.wav"] = {
            "speaker": f"{session}{speaker}",
            "sex": speaker.lower(),
            "activation": activation,
            "valence": valence,
            "emotion_raw": emotion,
            "dominance": dominance,
            "session": session,
        }
        file = f"Session{int(session)}/dialog/EmoEvaluation/{dialogue}.txt"
        head = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n"
        evaluations[file] = evaluations.get(file, head) + (
            f"\n[{i}.0100 - {i}.9700]\t{turn}\t{emotion}"
            f"\t[{valence:.4f}, {activation:.4f}, {dominance:.4f}]\n"
            "C-E2:\tNeutral;\t()\nA-E3:\tval 3; act 2; dom  2;\t()\n"
        )
    return recordings, evaluations


_RECORDINGS, _EVALUATIONS = _example_files()

IEMOCAP = Corpus(
    name="iemocap",
    title="IEMOCAP",
    language="en-US",
    licence="signed form, research only",
    terms="form",
    homepage="https://sail.usc.edu/iemocap/",
    citation="""\
@article{busso2008iemocap,
  author  = {Busso, Carlos and Bulut, Murtaza and Lee, Chi-Chun and Kazemzadeh, Abe and
             Mower, Emily and Kim, Samuel and Chang, Jeannette N. and Lee, Sungbok and
             Narayanan, Shrikanth S.},
  title   = {{IEMOCAP}: interactive emotional dyadic motion capture database},
  journal = {Language Resources and Evaluation},
  volume  = {42},
  number  = {4},
  pages   = {335--359},
  year    = {2008},
  doi     = {10.1007/s10579-008-9076-6}
}""",
    sampling_rate=16000,
    emotions={
        "ang": "anger",
        "dis": "disgust",
        "exc": "happiness",
        "fea": "fear",
        "fru": "other",
        "hap": "happiness",
        "neu": "neutral",
        "oth": "other",
        "sad": "sadness",
        "sur": "surprise",
        "xxx": "other",
    },
    n_recordings=10039,
    n_speakers=10,
    n_women=5,
    counts={
        "anger": 1103,
        "disgust": 2,
        "fear": 40,
        "happiness": 1636,
        "neutral": 1708,
        "sadness": 1084,
        "surprise": 107,
        "other": 4359,
    },
    parse=parse,
    prepare=read_evaluation,
    examples=_RECORDINGS,
    side_files=_EVALUATIONS,
    # The dialogues as a whole, of which the recordings are turns.
    ignored=tuple(
        f"ses0[1-5][fm]_{dialogue}{version}.wav"
        for dialogue in ("impro[0-9][0-9]", "script[0-9][0-9]_[0-9]")
        for version in ("", "[a-z]")
    ),
    access="after signing a form",
    note="Excitement (exc) counts as happiness, as is usual; frustration (fru) and turns without "
    "agreement of the raters (xxx) count as other. Activation, valence and dominance are means of "
    "raters on scales from 1 to 5.",
)
