"""CASIA, Mandarin acted speech: ``wangzhe/angry/201.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["CASIA"]

_match = name_scheme(r"([2-6]\d\d)\.wav")
_SPEAKERS = ("liuchanhg", "wangzhe", "zhaoquanyin", "zhaozuoxiang")


def parse(path):
    """Read ``<speaker>/<emotion>/<sentence>``; the name of the file is the sentence alone."""
    match = _match(path)
    if match is None or len(path.parts) < 3:
        return None
    speaker, emotion = (folder.lower() for folder in path.parts[-3:-1])
    if speaker not in _SPEAKERS:
        return None
    return {"speaker": speaker, "sentence": match[1], "emotion_raw": emotion}


CASIA = Corpus(
    name="casia",
    title="CASIA",
    language="zh",
    licence="licence agreement, research only",
    terms="form",
    homepage="http://www.chineseldc.org/resource_info.php?rid=76",
    citation="""\
@inproceedings{tao2008casia,
  author    = {Tao, Jianhua and Liu, Fangzhou and Zhang, Meng and Jia, Huibin},
  title     = {Design of Speech Corpus for {Mandarin} Text to Speech},
  booktitle = {The Blizzard Challenge 2008 Workshop},
  year      = {2008}
}""",
    sampling_rate=16000,
    emotions={
        "angry": "anger",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "sad": "sadness",
        "surprise": "surprise",
    },
    n_recordings=1200,
    n_speakers=4,
    n_women=2,
    counts={
        "anger": 200,
        "fear": 200,
        "happiness": 200,
        "neutral": 200,
        "sadness": 200,
        "surprise": 200,
    },
    parse=parse,
    examples=examples_of(
        "speaker emotion_raw sentence",
        {
            "liuchanhg/angry/201.wav": "liuchanhg angry 201",
            "liuchanhg/fear/202.wav": "liuchanhg fear 202",
            "wangzhe/happy/203.wav": "wangzhe happy 203",
            "wangzhe/neutral/204.wav": "wangzhe neutral 204",
            "zhaoquanyin/sad/249.wav": "zhaoquanyin sad 249",
            "zhaozuoxiang/surprise/250.wav": "zhaozuoxiang surprise 250",
        },
    ),
    access="after signing an agreement",
    note="Numbers are those of the part that is passed around: all speakers read the same 50 "
    "sentences in six emotions, so a split by speaker tests on known texts. The whole corpus is "
    "said to have 9600 recordings. The names do not show which two speakers are women. Page, "
    "citation, licence, sampling rate and the number of women are unverified.",
)
