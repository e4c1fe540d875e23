"""Emotions in Polish speech recordings, words of five men: ``m1.a_nie_1.wav``."""

from sklearn_ser.datasets._corpora._corpus import Corpus, examples_of, name_scheme

__all__ = ["POLISH"]

_match = name_scheme(r"(m[1-5])\.([ans])_(nie|oddaj|podaj|stop|tak|trzymaj)_([1-5])\.wav")


def parse(path):
    """Read ``<speaker>.<emotion>_<word>_<take>``."""
    match = _match(path)
    if match is None:
        return None
    return {
        "speaker": match[1].lower(),
        "sex": "m",
        "sentence": match[3].lower(),
        "emotion_raw": match[2].lower(),
    }


POLISH = Corpus(
    name="polish",
    title="Emotions in Polish speech recordings",
    language="pl",
    licence="CC BY 4.0",
    homepage="https://data.mendeley.com/",
    citation="""\
@misc{miesikowska2020polish,
  author = {Miesikowska, Marlena and Swisulski, Dariusz},
  title  = {Emotions in {Polish} speech recordings},
  year   = {2020},
  note   = {Mendeley Data}
}""",
    sampling_rate=44100,
    emotions={"a": "anger", "n": "neutral", "s": "fear"},
    n_recordings=450,
    n_speakers=5,
    n_women=0,
    counts={"anger": 150, "fear": 150, "neutral": 150},
    parse=parse,
    examples=examples_of(
        "speaker sex emotion_raw sentence",
        {
            "m1.a_nie_1.wav": "m1 m a nie",
            "m1.n_oddaj_2.wav": "m1 m n oddaj",
            "m2.s_podaj_3.wav": "m2 m s podaj",
            "m3.a_stop_4.wav": "m3 m a stop",
            "m4.n_tak_5.wav": "m4 m n tak",
            "m5.s_trzymaj_1.wav": "m5 m s trzymaj",
        },
    ),
    access="under its title",
    note="Single words. The letter s stands for fear (strach in Polish), not for sadness. Its "
    "meaning, authors, licence, rate and that all speakers are men aged 21 to 23 are from memory.",
    terms="open",
)
