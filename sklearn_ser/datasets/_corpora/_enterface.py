"""eNTERFACE'05, videos of acted English: ``subject 1/anger/sentence 1/s1_an_1.avi``."""

import re

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["ENTERFACE"]

# Some names have an underscore before the number of the speaker, one repeats the suffix; the
# videos of speaker 6 are not cut into sentences.
_match = name_scheme(r"s_?(\d{1,2})_(an|di|fe|ha|sa|su)(?:_([1-5])(?:avi)?)?\.avi")
_SUBJECT = re.compile(r"subject[ _]?(\d{1,2})", re.IGNORECASE | re.ASCII)


def parse(path):
    """Read ``s<speaker>_<emotion>_<sentence>``; the folder of the speaker comes first.

    Those of speaker 11 have names of speaker 12. Each emotion has sentences of its own.
    """
    match = _match(path)
    if match is None:
        return None
    folders = map(_SUBJECT.fullmatch, reversed(path.parts[:-1]))
    subject = next((folder[1] for folder in folders if folder), match[1])
    labels = {"speaker": f"{int(subject):02d}", "emotion_raw": match[2].lower()}
    return {**labels, "sentence": f"{match[2].lower()}{match[3]}"} if match[3] else labels


ENTERFACE = Corpus(
    name="enterface",
    title="eNTERFACE'05",
    language="en",
    licence="research only",
    homepage="https://enterface.net/results/",
    citation="""\
@inproceedings{martin2006enterface,
  author    = {Martin, Olivier and Kotsia, Irene and Macq, Benoit and Pitas, Ioannis},
  title     = {The {eNTERFACE'05} Audio-Visual Emotion Database},
  booktitle = {22nd International Conference on Data Engineering Workshops (ICDEW)},
  year      = {2006},
  doi       = {10.1109/ICDEW.2006.145}
}""",
    sampling_rate=48000,
    emotions={
        "an": "anger",
        "di": "disgust",
        "fe": "fear",
        "ha": "happiness",
        "sa": "sadness",
        "su": "surprise",
    },
    n_recordings=1263,
    n_speakers=43,
    counts={
        "anger": 211,
        "disgust": 211,
        "fear": 211,
        "happiness": 208,
        "sadness": 211,
        "surprise": 211,
    },
    pattern="*.avi",
    parse=parse,
    examples=examples_of(
        "speaker emotion_raw sentence",
        {
            "subject 1/anger/sentence 1/s1_an_1.avi": "01 an an1",
            "subject 1/disgust/sentence 2/s1_di_2.avi": "01 di di2",
            "subject 3/fear/sentence 5/s_3_fe_5.avi": "03 fe fe5",
            "subject 3/happiness/sentence 1/s_3_ha_1.avi": "03 ha ha1",
            "subject 6/sadness/s6_sa.avi": "06 sa -",
            "subject 11/anger/sentence 1/s12_an_1.avi": "11 an an1",
            "subject 16/surprise/sentence 3/s16_su_3avi.avi": "16 su su3",
        },
    ),
    note="Videos, whose sound the program ffmpeg decodes. The speakers, of many nations, have no "
    "neutral recordings. Files of subject 11 are named s12, and the six videos of subject 6 hold "
    "all five sentences each. The names do not show the sex of the speakers.",
    terms="research",
)
