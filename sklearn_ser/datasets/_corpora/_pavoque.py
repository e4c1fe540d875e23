"""PAVOQUE, German acted speech: ``pavoque-angry.flac``, with times in a YAML file."""

import re

from sklearn_ser.datasets._base import find_files, read_text
from sklearn_ser.datasets._corpora._corpus import Corpus, name_scheme

__all__ = ["PAVOQUE"]

_match = name_scheme(r"pavoque-(angry|happy|neutral|outtakes|poker|sad)\.flac")
_EMOTIONS = {
    "angry": "anger",
    "happy": "happiness",
    "neutral": "neutral",
    "poker": "other",
    "sad": "sadness",
}
# The keys of an utterance; those of its phones are indented further.
_KEY = re.compile(r"(?:- | {0,2})(\w+): *(.*)")


def read_utterances(folder):
    """Read the keys of each utterance, by the name of the file.

    Without a parser of YAML, which the scheme does not need: a list of flat
    mappings, apart from the phones.
    """
    utterances = {}
    for file in find_files(folder, ["pavoque-*.yaml", "pavoque-*.yml"]):
        listed = utterances[file.stem.lower()] = []
        for line in read_text(folder / file).splitlines():
            if line.startswith("- "):
                listed.append({})
            if listed and (pair := _KEY.fullmatch(line)):
                listed[-1][pair[1]] = pair[2].strip().strip("\"'")
    return utterances


def _labels(utterance, style):
    """Return the labels of an utterance, or None if its times or its style are not known."""
    try:
        start, end = float(utterance["start"]), float(utterance["end"])
    except (KeyError, ValueError):
        return None
    style = utterance.get("style", style).lower()
    if not 0 <= start < end < float("inf") or style not in _EMOTIONS:
        return None
    labels = {"speaker": "1", "sex": "m", "emotion_raw": style, "start": start, "end": end}
    prompt = utterance.get("prompt")
    return {**labels, "sentence": prompt} if prompt else labels


def parse(path, utterances):
    """Return the utterances of ``pavoque-<style>``; those of the outtakes have a style each."""
    match = _match(path)
    if match is None:
        return None
    listed = [_labels(one, match[1].lower()) for one in utterances.get(path.stem.lower(), ())]
    return [labels for labels in listed if labels is not None] or None


def _example_files():
    """Return one utterance per file, and the files of their times."""
    recordings, times = {}, {}
    styles = [*_EMOTIONS, "outtakes"]
    for i, name in enumerate(styles):
        style = "neutral" if name == "outtakes" else name
        recordings[f"pavoque-{name}.flac"] = {
            "speaker": "1",
            "sex": "m",
            "emotion_raw": style,
            "sentence": f"p{i:04d}",
            "start": i + 0.25,
            "end": i + 2.5,
        }
        times[f"pavoque-{name}.yaml"] = (
            f'- prompt: p{i:04d}\n  text: "Guten Tag: sagte er."\n  style: {style}\n'
            f"  start: {i}.25\n  end: {i + 2}.5\n  segments:\n  - lab: _\n    dur: 0.2\n"
        )
    return recordings, times


_RECORDINGS, _TIMES = _example_files()

PAVOQUE = Corpus(
    name="pavoque",
    title="PAVOQUE",
    language="de",
    licence="CC BY-NC-SA 4.0",
    homepage="https://github.com/marytts/pavoque-data",
    citation="""\
@article{steiner2013pavoque,
  author  = {Steiner, Ingmar and Schr{\\"o}der, Marc and Klepp, Annette},
  title   = {The {PAVOQUE} corpus as a resource for analysis and synthesis of expressive speech},
  journal = {Phonetik \\& Phonologie},
  volume  = {9},
  year    = {2013}
}""",
    sampling_rate=44100,
    emotions=_EMOTIONS,
    n_recordings=7334,
    n_speakers=1,
    n_women=0,
    counts={"anger": 724, "happiness": 746, "neutral": 4344, "sadness": 701, "other": 819},
    pattern="*.flac",
    parse=parse,
    prepare=read_utterances,
    examples=_RECORDINGS,
    side_files=_TIMES,
    note="One actor. Each FLAC file holds all utterances of a style, and a row of the table is a "
    "part of it: its path ends in times, such as #t=0.25,2.5. Poker, the style of a cool player, "
    "counts as other. The outtakes (1,892 utterances of all styles) are included. Licence, rate "
    "and the keys of the YAML files (prompt, style, start and end in seconds) are from memory.",
    terms="open",
)
