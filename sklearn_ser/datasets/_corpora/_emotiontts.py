"""EmotionTTS, Korean acted speech: ``emb/wav/emb00101.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["EMOTIONTTS"]

_match = name_scheme(r"((?:em|ne)[a-z])_?(\d{3,5})\.wav")
# The README has anger and sadness swapped.
_HUNDREDS = ("neutral", "happiness", "sadness", "anger")


def parse(path):
    """Read ``<voice><number>``; each hundred of the numbers is an emotion."""
    match = _match(path)
    if match is None or not 1 <= (number := int(match[2])) <= 400:
        return None
    return {
        "speaker": match[1].lower(),
        "sentence": str(number),
        "emotion_raw": _HUNDREDS[(number - 1) // 100],
    }


EMOTIONTTS = Corpus(
    name="emotiontts",
    title="EmotionTTS",
    language="ko",
    licence="see its README",
    homepage="https://github.com/emotiontts/emotiontts_open_db",
    citation="""\
@misc{emotiontts,
  author = {{EmotionTTS}},
  title  = {{EmotionTTS} open database},
  year   = {2019},
  url    = {https://github.com/emotiontts/emotiontts_open_db}
}""",
    sampling_rate=22050,
    emotions={emotion: emotion for emotion in _HUNDREDS},
    n_recordings=300,
    parse=parse,
    examples=examples_of(
        "speaker emotion_raw sentence",
        {
            "ema/wav/ema00001.wav": "ema neutral 1",
            "ema/wav/ema00100.wav": "ema neutral 100",
            "ema/wav/ema00101.wav": "ema happiness 101",
            "emb/wav/emb00201.wav": "emb sadness 201",
            "emb/wav/emb00301.wav": "emb anger 301",
        },
    ),
    note="The number tells the emotion: 1 to 100 neutral, 101 to 200 happiness, 201 to 300 "
    "sadness, 301 to 400 anger; the README has the last two swapped. The sentence is this "
    "number. Speech for synthesis under other names (not em. or ne. and a number) is not read. "
    "These prefixes, the licence and the citation are unverified. The names do not show the sex "
    "of the speakers.",
)
