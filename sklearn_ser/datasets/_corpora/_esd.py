"""ESD, parallel speech in English and Mandarin: ``0011/Angry/0011_000351.wav``."""

from sklearn_ser.datasets._base import find_files, read_text
from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["ESD"]

_match = name_scheme(r"(00(?:0[1-9]|1\d|20))_(\d{6})\.wav")
_EMOTIONS = {
    "angry": "anger",
    "happy": "happiness",
    "neutral": "neutral",
    "sad": "sadness",
    "surprise": "surprise",
}
_CHINESE = {
    "生气": "angry",
    "快乐": "happy",
    "高兴": "happy",
    "中立": "neutral",
    "中性": "neutral",
    "伤心": "sad",
    "悲伤": "sad",
    "惊喜": "surprise",
    "惊讶": "surprise",
}


def read_transcripts(folder):
    """Read the label of each utterance: ``<file> <tab> <text> <tab> <label>``."""
    labels = {}
    for file in find_files(folder, ["00[0-2][0-9].txt"]):
        for line in read_text(folder / file).splitlines():
            cells = line.split("\t") if "\t" in line else line.split()
            if len(cells) < 2:
                continue
            label = cells[-1].strip().lower()
            labels[cells[0].strip().lower()] = _CHINESE.get(label, label)
    return labels


def parse(path, labels):
    """Read speaker, language and emotion; folder and transcript must not contradict each other.

    Older copies have another folder, ``train``, ``test`` or ``evaluation``,
    between the recording and the folder of its emotion.
    """
    match = _match(path)
    if match is None:
        return None
    found = {folder.lower() for folder in path.parts[-3:-1]} & _EMOTIONS.keys()
    found |= {labels.get(path.stem.lower())} & _EMOTIONS.keys()
    if len(found) != 1:
        return None
    return {
        "language": "zh" if int(match[1]) <= 10 else "en",
        "speaker": match[1],
        "emotion_raw": found.pop(),
    }


ESD = Corpus(
    name="esd",
    title="ESD",
    language="en, zh",
    licence="signed form, research only",
    terms="form",
    homepage="https://github.com/HLTSingapore/Emotional-Speech-Data",
    citation="""\
@article{zhou2022esd,
  author  = {Zhou, Kun and Sisman, Berrak and Liu, Rui and Li, Haizhou},
  title   = {Emotional voice conversion: Theory, databases and {ESD}},
  journal = {Speech Communication},
  volume  = {137},
  pages   = {1--18},
  year    = {2022},
  doi     = {10.1016/j.specom.2021.11.006}
}""",
    sampling_rate=16000,
    emotions=_EMOTIONS,
    n_recordings=35000,
    n_speakers=20,
    n_women=10,
    counts={
        "anger": 7000,
        "happiness": 7000,
        "neutral": 7000,
        "sadness": 7000,
        "surprise": 7000,
    },
    parse=parse,
    prepare=read_transcripts,
    examples=examples_of(
        "language speaker emotion_raw",
        {
            "0001/Neutral/0001_000001.wav": "zh 0001 neutral",
            "0001/Angry/0001_000351.wav": "zh 0001 angry",
            "0010/Happy/0010_000701.wav": "zh 0010 happy",
            "0011/Angry/0011_000351.wav": "en 0011 angry",
            "0011/Neutral/train/0011_000021.wav": "en 0011 neutral",
            "0011/Happy/0011_000702.wav": "en 0011 happy",
            "0020/Sad/evaluation/0020_001051.wav": "en 0020 sad",
            "0020/Surprise/0020_001401.wav": "en 0020 surprise",
        },
    ),
    side_files={
        "0001/0001.txt": "0001_000001\t打远一看，它们的确很是美丽。\t中立\n"
        "0001_000351\t打远一看，它们的确很是美丽。\t生气\n",
        "0011/0011.txt": "0011_000021\tThe nine the eggs, I keep.\tNeutral\n"
        "0011_000351\tThe nine the eggs, I keep.\tAngry\n",
    },
    access="after signing a form",
    note="Speakers 0001 to 0010 speak Mandarin (zh), 0011 to 0020 English (en). The names of the "
    "files do not show the sex of the speakers.",
)
