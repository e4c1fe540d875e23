"""RESD, acted dialogues in Russian: ``train/anger_fear_14/14_anger_fear_f_040.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["RESD"]

_match = name_scheme(r"(\d\d)_([a-z]+)_([a-z]+)[ _]([a-z])_\d{3}\.wav")


def parse(path):
    """Read ``<dialogue>_<emotion>_<emotion>_<initial>_<turn>``.

    Each of the two people of a dialogue has one of its two emotions, and the
    initial tells whose turn it is.
    """
    match = _match(path)
    if match is None:
        return None
    emotions = {emotion[0]: emotion for emotion in (match[2].lower(), match[3].lower())}
    emotion = emotions.get(match[4].lower())
    return None if emotion is None else {"session": match[1], "emotion_raw": emotion}


RESD = Corpus(
    name="resd",
    title="RESD",
    language="ru",
    licence="MIT",
    terms="open",
    homepage="https://huggingface.co/datasets/Aniemore/resd",
    citation="""\
@misc{amentes2022resd,
  author    = {Amentes, Artem and Lubenets, Ilya and Davidchuk, Nikita},
  title     = {{RESD}: {Russian} Emotional Speech Dialogs},
  publisher = {Hugging Face},
  year      = {2022},
  url       = {https://huggingface.co/datasets/Aniemore/resd}
}""",
    sampling_rate=16000,
    emotions={
        "anger": "anger",
        "disgust": "disgust",
        "enthusiasm": "other",
        "fear": "fear",
        "happiness": "happiness",
        "neutral": "neutral",
        "sadness": "sadness",
    },
    n_recordings=1396,
    counts={
        "anger": 219,
        "disgust": 185,
        "fear": 223,
        "happiness": 218,
        "neutral": 191,
        "other": 198,
        "sadness": 162,
    },
    parse=parse,
    examples=examples_of(
        "session emotion_raw",
        {
            "test/01_happiness_anger/01_happiness_anger a_010.wav": "01 anger",
            "test/01_happiness_anger/01_happiness_anger h_010.wav": "01 happiness",
            "test/enthusiasm_sadness_50/50_enthusiasm_sadness_e_040.wav": "50 enthusiasm",
            "train/anger_fear_14/14_anger_fear_f_040.wav": "14 fear",
            "train/enthusiasm_neutral_43/43_enthusiasm_neutral_n_140.wav": "43 neutral",
            "train/sadness_anger_39/39_sadness_anger_s_050.wav": "39 sadness",
            "test/03_disgust_neutral/03_disgust_neutral d_090.wav": "03 disgust",
        },
    ),
    note="Each of 50 dialogues is a session; the names do not show who speaks, so a split by "
    "session is the nearest to one by speaker. The published train and test parts share all "
    "dialogues and are no such split. Enthusiasm counts as other, because happiness is a label "
    "of its own. Page, citation, licence and sampling rate are unverified.",
)
