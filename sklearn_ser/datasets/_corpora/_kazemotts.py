"""KazEmoTTS, acted Kazakh for synthesis: ``805570882/train/805570882_sad_17.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["KAZEMOTTS"]

_SEX = {"1263201035": "f", "399172782": "m", "805570882": "m"}
_match = name_scheme(rf"({'|'.join(_SEX)})_(angry|fear|happy|neutral|sad|surprise)_(\d+)\.wav")


def parse(path):
    """Read ``<speaker>_<emotion>_<number>``."""
    match = _match(path)
    if match is None:
        return None
    return {"speaker": match[1], "sex": _SEX[match[1]], "emotion_raw": match[2].lower()}


KAZEMOTTS = Corpus(
    name="kazemotts",
    title="KazEmoTTS",
    language="kk",
    licence="see its page",
    homepage="https://github.com/IS2AI/KazEmoTTS",
    citation="""\
@inproceedings{abilbekov2024kazemotts,
  author    = {Abilbekov, Adal and Mussakhojayeva, Saida and Yeshpanov, Rustem and
               Varol, Huseyin Atakan},
  title     = {{KazEmoTTS}: A Dataset for {Kazakh} Emotional Text-to-Speech Synthesis},
  booktitle = {Proceedings of the 2024 Joint International Conference on Computational
               Linguistics, Language Resources and Evaluation (LREC-COLING)},
  year      = {2024}
}""",
    sampling_rate=22050,
    emotions={
        "angry": "anger",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "sad": "sadness",
        "surprise": "surprise",
    },
    n_recordings=54760,
    n_speakers=3,
    n_women=1,
    counts={
        "anger": 9059,
        "fear": 9098,
        "happiness": 9059,
        "neutral": 9385,
        "sadness": 8980,
        "surprise": 9179,
    },
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw",
        {
            "1263201035/train/1263201035_angry_5.wav": "1263201035 f angry",
            "1263201035/eval/1263201035_neutral_12.wav": "1263201035 f neutral",
            "399172782/train/399172782_fear_103.wav": "399172782 m fear",
            "399172782/train/399172782_happy_4410.wav": "399172782 m happy",
            "805570882/train/805570882_sad_17.wav": "805570882 m sad",
            "805570882/eval/805570882_surprise_18.wav": "805570882 m surprise",
        },
    ),
    note="Three speakers, so that a split by speaker tests on one or two voices. The published "
    "train and eval parts share all of them. All is from memory, the form of the names, the "
    "numbers and the sexes of the speakers included.",
)
