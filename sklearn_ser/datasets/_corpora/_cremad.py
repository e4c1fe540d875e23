"""CREMA-D: ``AudioWAV/1001_DFA_ANG_XX.wav``, with the actors in ``VideoDemographics.csv``."""

from sklearn_ser.datasets._base import find_files, read_rows
from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["CREMAD"]

# Some copies have a level with a single X.
_match = name_scheme(
    r"(1\d{3})_(DFA|IEO|IOM|ITH|ITS|IWL|IWW|MTI|TAI|TIE|TSI|WSI)_([A-Z]{3})_(LO|MD|HI|XX?)\.wav"
)
_SEX = {"female": "f", "male": "m"}


def read_demographics(folder):
    """Read the sex and age of the actors; empty if the table is missing."""
    actors = {}
    for file in find_files(folder, ["videodemographics.csv"]):
        for row in read_rows(folder / file):
            sex, age = (row.get(name, "").strip().lower() for name in ("Sex", "Age"))
            actors[row.get("ActorID")] = {
                "sex": _SEX.get(sex),
                "age": float(age) if age.isdecimal() else None,
            }
    return actors


def parse(path, actors):
    """Read ``<actor>_<sentence>_<emotion>_<level>``; level XX means that none was requested."""
    match = _match(path)
    if match is None:
        return None
    labels = {
        "speaker": match[1],
        **actors.get(match[1], {}),
        "sentence": match[2].upper(),
        "intensity": match[4].upper() if match[4][0] not in "Xx" else None,
        "emotion_raw": match[3].upper(),
    }
    return {column: label for column, label in labels.items() if label is not None}


CREMAD = Corpus(
    name="cremad",
    title="CREMA-D",
    language="en-US",
    licence="ODbL",
    terms="open",
    homepage="https://github.com/CheyneyComputerScience/CREMA-D",
    citation="""\
@article{cao2014cremad,
  author  = {Cao, Houwei and Cooper, David G. and Keutmann, Michael K. and Gur, Ruben C. and
             Nenkova, Ani and Verma, Ragini},
  title   = {{CREMA-D}: Crowd-sourced Emotional Multimodal Actors Dataset},
  journal = {IEEE Transactions on Affective Computing},
  volume  = {5},
  number  = {4},
  pages   = {377--390},
  year    = {2014},
  doi     = {10.1109/TAFFC.2014.2336244}
}""",
    sampling_rate=16000,
    emotions={
        "ANG": "anger",
        "DIS": "disgust",
        "FEA": "fear",
        "HAP": "happiness",
        "NEU": "neutral",
        "SAD": "sadness",
    },
    n_recordings=7442,
    n_speakers=91,
    n_women=43,
    counts={
        "anger": 1271,
        "disgust": 1271,
        "fear": 1271,
        "happiness": 1271,
        "neutral": 1087,
        "sadness": 1271,
    },
    parse=parse,
    prepare=read_demographics,
    examples=examples_of(
        "speaker sex age emotion_raw sentence intensity",
        {
            "AudioWAV/1001_DFA_ANG_XX.wav": "1001 m 51 ANG DFA -",
            "AudioWAV/1001_IEO_DIS_LO.wav": "1001 m 51 DIS IEO LO",
            "AudioWAV/1002_IEO_FEA_MD.wav": "1002 f 21 FEA IEO MD",
            "AudioWAV/1002_IEO_HAP_HI.wav": "1002 f 21 HAP IEO HI",
            "AudioWAV/1002_TIE_NEU_XX.wav": "1002 f 21 NEU TIE -",
            "AudioWAV/1040_ITH_SAD_X.wav": "1040 m 42 SAD ITH -",
        },
    ),
    side_files={
        "VideoDemographics.csv": "ActorID,Age,Sex,Race,Ethnicity\n"
        "1001,51,Male,Caucasian,Not Hispanic\n"
        "1002,21,Female,Caucasian,Not Hispanic\n"
        "1040,42,Male,Caucasian,Not Hispanic\n"
    },
    access="by git-lfs",
)
