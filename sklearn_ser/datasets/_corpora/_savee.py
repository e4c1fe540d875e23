"""SAVEE, four men from Surrey: ``DC/a01.wav`` or ``DC_a01.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["SAVEE"]

_match = name_scheme(r"(?:([A-Z]{2})_)?([a-z]{1,2})(\d\d)\.wav")
_SPEAKERS = ("DC", "JE", "JK", "KL")


def parse(path):
    """Read the speaker from the name or else the folder, and the emotion from the name."""
    match = _match(path)
    if match is None:
        return None
    speaker = (match[1] or path.parent.name).upper()
    if speaker not in _SPEAKERS:
        return None
    emotion = match[2].lower()
    # Numbers start anew with each emotion: a01 and d01 are different sentences.
    return {
        "speaker": speaker,
        "sex": "m",
        "sentence": emotion + match[3],
        "emotion_raw": emotion,
    }


SAVEE = Corpus(
    name="savee",
    title="SAVEE",
    language="en-GB",
    licence="research only, after registration",
    terms="form",
    homepage="http://kahlan.eps.surrey.ac.uk/savee/",
    citation="""\
@inproceedings{haq2009savee,
  author    = {Haq, Sanaul and Jackson, Philip J. B.},
  title     = {Speaker-dependent audio-visual emotion recognition},
  booktitle = {Proceedings of the International Conference on Auditory-Visual Speech
               Processing (AVSP)},
  year      = {2009},
  pages     = {53--58}
}""",
    sampling_rate=44100,
    emotions={
        "a": "anger",
        "d": "disgust",
        "f": "fear",
        "h": "happiness",
        "n": "neutral",
        "sa": "sadness",
        "su": "surprise",
    },
    n_recordings=480,
    n_speakers=4,
    n_women=0,
    counts={
        "anger": 60,
        "disgust": 60,
        "fear": 60,
        "happiness": 60,
        "neutral": 120,
        "sadness": 60,
        "surprise": 60,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "AudioData/DC/a01.wav": "DC m a a01",
            "AudioData/DC/sa01.wav": "DC m sa sa01",
            "AudioData/JE/d15.wav": "JE m d d15",
            "AudioData/JK/su02.wav": "JK m su su02",
            "ALL/DC_f01.wav": "DC m f f01",
            "ALL/KL_h07.wav": "KL m h h07",
            "ALL/KL_n30.wav": "KL m n n30",
            "ALL/JE_sa03.wav": "JE m sa sa03",
        },
    ),
    access="after registration",
)
