import re

from sklearn_ser.datasets import Corpus

NAME = re.compile(r"(s\d+)_(ang|hap|neu)_(\d+)\.wav", re.IGNORECASE)


def parse(path):
    match = NAME.fullmatch(path.name)
    if match is None:
        return None  # not a recording of this corpus
    return {"speaker": match[1], "emotion_raw": match[2].lower(), "sentence": match[3]}


KITCHEN = Corpus(
    name="kitchen",
    title="Emotions in kitchens",
    language="en",
    licence="CC BY 4.0",
    terms="open",
    homepage="https://example.org/kitchen",
    citation="@misc{kitchen, title = {Emotions in kitchens}, year = {2026}}",
    sampling_rate=16000,
    emotions={"ang": "anger", "hap": "happiness", "neu": "neutral"},
    parse=parse,
    examples={
        "s03_ang_2.wav": {"speaker": "s03", "emotion_raw": "ang", "sentence": "2"},
        "s04_hap_1.wav": {"speaker": "s04", "emotion_raw": "hap", "sentence": "1"},
        "s04_neu_1.wav": {"speaker": "s04", "emotion_raw": "neu", "sentence": "1"},
    },
)
