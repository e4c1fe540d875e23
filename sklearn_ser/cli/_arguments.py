"""Argument types and options that several commands share."""

import argparse
import difflib
import math
import os
import re
import textwrap
from pathlib import Path

DEFAULT_EMOTIONS = ("anger", "happiness", "neutral", "sadness")


def corpus_argument(text):
    """Split ``NAME=PATH``."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected NAME=PATH such as emodb=corpora/emodb"
        )
    return name, path


def mapping_argument(text):
    """Split ``LABEL=EMOTION`` and check the emotion; ``none`` is None."""
    from sklearn_ser.datasets import EMOTIONS

    # A label may contain the sign, an emotion cannot.
    label, equals, emotion = text.rpartition("=")
    emotion = emotion.strip().lower()
    if not (label.strip() and equals) or emotion not in (*EMOTIONS, "none"):
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected LABEL=EMOTION with one of the emotions {', '.join(EMOTIONS)}, "
            f"or LABEL=none to leave its recordings out"
        )
    return label, None if emotion == "none" else emotion


def annotations_argument(text):
    """Split ``NAME=DIR`` and check the name."""
    from sklearn_ser.datasets import ANNOTATIONS

    name, equals, path = text.partition("=")
    if not (equals and path and name in ANNOTATIONS):
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected NAME=DIR with one of the names {', '.join(ANNOTATIONS)}"
        )
    return name, path


def emotions_argument(text):
    """Split ``anger,sadness`` and check the words; ``all`` is None."""
    from sklearn_ser.datasets import EMOTIONS

    if text == "all":
        return None
    emotions = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    unknown = [word for word in emotions if word not in EMOTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown emotion {unknown[0]!r}; expected all, or a list such as anger,sadness of: "
            f"{', '.join(EMOTIONS)}"
        )
    if len(emotions) < 2:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected at least two emotions")
    return emotions


def _is_count(text):
    """Return whether a text is a number in digits, of a length that `int` reads."""
    # isdecimal refuses signs, blanks and underscores, all of which int accepts.
    return text.isdecimal() and len(text) <= 18


def rate_argument(text):
    """Convert a rate in Hz; ``native`` is None."""
    if text == "native":
        return None
    if not _is_count(text) or not 4000 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected native or a number of Hz from 4000 to 1000000"
        )
    return int(text)


def duration_argument(text):
    """Convert a number of seconds above 0."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number of seconds above 0")
    return seconds


def jobs_argument(text):
    """Convert a number of processes other than 0."""
    try:
        jobs = int(text)
    except ValueError:
        jobs = 0
    if jobs == 0:
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected a number of processes, or -1 for one per core"
        )
    return jobs


def output_argument(text):
    """Check the name of a table to write."""
    path = Path(text)
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a name in .csv or .parquet")
    if os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"{text!r} is a folder, expected a file")
    return path


def file_argument(text):
    """Convert the name of a file to write."""
    # Unlike those of Path, this function takes names that are too long for the system as well.
    if os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"{text!r} is a folder, expected a file")
    return Path(text)


def model_argument(text):
    """Check the name of a model to write."""
    path = Path(text)
    if path.suffix.lower() != ".skops":
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a name in .skops")
    if os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"{text!r} is a folder, expected a file")
    return path


def folder_argument(text):
    """Convert the name of a folder to write to."""
    if os.path.exists(text) and not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"{text!r} is a file, expected a folder")
    return Path(text)


def _corpus_meant(text, corpora):
    """Return the corpus whose name or title is close to a text, or None."""

    def bare(words):
        return "".join(filter(str.isalnum, words.lower()))

    names = {bare(words): c.name for c in corpora.values() for words in (c.title, c.name)}
    close = difflib.get_close_matches(bare(text), names, n=1, cutoff=0.8)
    return names[close[0]] if close else None


def name_argument(text):
    """Check the name of a registered corpus."""
    from sklearn_ser.datasets import CORPORA

    if text not in CORPORA:
        meant = _corpus_meant(text, CORPORA)
        hint = f" did you mean {meant!r}?" if meant else ""
        raise argparse.ArgumentTypeError(
            f"unknown corpus {text!r};{hint} known: {', '.join(CORPORA)}"
        )
    return text


def names_argument(text):
    """Split ``emodb,urdu`` and check the names of registered corpora."""
    names = list(dict.fromkeys(name_argument(name.strip()) for name in text.split(",")))
    if len(names) < 2:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected at least two corpora")
    return names


def count_argument(text):
    """Convert a positive number."""
    if not _is_count(text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a positive number")
    return int(text)


_LAYERS = re.compile(r"all|-?\d{1,9}(?:,-?\d{1,9})*")


def _existing_folder(text):
    """Return the absolute path of a folder, as a model is used from anywhere; None if absent."""
    folder = os.path.expanduser(text)
    return os.path.realpath(folder) if os.path.isdir(folder) else None


def _split_layers(encoder):
    """Split ``WHAT[:LAYER]``; without layers, they are all."""
    what, colon, layers = encoder.rpartition(":")
    # A folder may have a colon in its name, and a path of Windows has one after the drive.
    if not colon or _existing_folder(encoder) or re.search(r"[\\/]", layers):
        return encoder, "all"
    if not _LAYERS.fullmatch(layers):
        if len(what) == 1:
            return encoder, "all"
        raise argparse.ArgumentTypeError(
            f"LAYER is {layers!r}, expected all, the number of a layer such as 2 or -1, or several "
            "numbers such as 1,2"
        )
    return what, layers if layers == "all" else tuple(map(int, layers.split(",")))


def features_argument(text):
    """Return whether functionals are wanted, the encoder and its layers."""
    if text == "egemaps":
        return True, None, None
    kind, _, encoder = text.partition("=")
    encoder, layers = _split_layers(encoder)
    if kind not in ("encoder", "both") or not encoder:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not egemaps, encoder=WHAT[:LAYER] or both=WHAT[:LAYER]; WHAT is a folder "
            "with an encoder, or its name on the Hugging Face hub"
        )
    return kind == "both", _existing_folder(encoder) or encoder, layers


def encoder_argument(text):
    """Return the absolute path of a folder with an encoder."""
    folder = _existing_folder(text)
    if folder is None:
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    return folder


def add_command(commands, name, run, description, examples):
    """Add the parser of a command that calls ``run(args)``, and return it."""
    command = commands.add_parser(
        name,
        help=description[0].lower() + description.partition(".")[0][1:],
        description=textwrap.fill(description, 79),
        epilog="examples:\n" + textwrap.indent(textwrap.dedent(examples).strip(), "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.set_defaults(parser=command, run=run)
    return command


def add_common(command):
    """Add the options of every command."""
    # Suppressed defaults: those of the main parser hold, so that these options work before and
    # after the command.
    absent = argparse.SUPPRESS
    command.add_argument(
        "-v", "--verbose", action="store_true", default=absent, help="report what is being loaded"
    )
    command.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        default=absent,
        help="show no progress on the standard error; warnings and errors are still printed",
    )
    command.add_argument(
        "--debug", action="store_true", default=absent, help="show the traceback of an error"
    )


def add_corpus(command):
    """Add ``--corpus``."""
    command.add_argument(
        "--corpus",
        metavar="NAME=PATH",
        type=corpus_argument,
        action="append",
        default=[],
        help="a corpus and its folder; repeat for more corpora. Names that `sklearn-ser corpora` "
        "lists are read as these corpora, any other as a folder with a sub-folder per emotion or "
        "a .csv file with the columns path and emotion",
    )
    add_mapping(command, "in such folders and files")


def add_mapping(command, where):
    """Add ``--mapping``."""
    command.add_argument(
        "--mapping",
        metavar="LABEL=EMOTION",
        type=mapping_argument,
        action="append",
        default=[],
        help=f"what a label {where} stands for, such as Groll=anger, or =none to leave its "
        f"recordings out; repeat for more labels. Common words and codes are known",
    )


def mapping_of(args):
    """Return the values of all ``--mapping`` options as a dict."""
    mapping = dict(args.mapping)
    for label, emotion in args.mapping:
        if mapping[label] != emotion:
            args.parser.error(f"argument --mapping: {label!r} is given two emotions")
    return mapping


def add_features(command):
    """Add the options that determine the values of features."""
    command.add_argument(
        "--features",
        metavar="WHAT",
        type=features_argument,
        default="egemaps",
        help="egemaps: the 88 eGeMAPSv02 functionals; encoder=WHAT[:LAYER]: the mean over time of "
        "a layer of a pretrained speech encoder, in a folder or by its name on the Hugging Face "
        "hub, such as encoder=openai/whisper-base:2 (several layers as :1,2; by default, all); "
        "both=WHAT[:LAYER]: both side by side (default: %(default)s)",
    )
    command.add_argument(
        "--device",
        metavar="NAME",
        default="cpu",
        help="where the encoder runs: cpu, cuda, or auto for a GPU if there is one (default: cpu)",
    )
    command.add_argument(
        "--sampling-rate",
        metavar="HZ",
        type=rate_argument,
        default=16000,
        help="resample recordings to this rate for functionals; native keeps the rate of each "
        "(default: 16000). Encoders take 16000",
    )
    command.add_argument(
        "--max-duration",
        metavar="SECONDS",
        type=duration_argument,
        default=14400,
        help="refuse longer recordings: a small compressed file can contain days of silence "
        "(default: %(default)s)",
    )
    command.add_argument(
        "--variant",
        choices=("opensmile", "corrected"),
        default="opensmile",
        help="functionals as in openSMILE, or with corrected formants and harmonic differences, "
        "which match their names (default: %(default)s)",
    )


def add_workers(command):
    """Add the options for cache and processes; return the group of ``--jobs``."""
    command.add_argument(
        "--cache",
        metavar="FILE",
        type=file_argument,
        help="store the features of each recording in this file, and read those already there",
    )
    workers = command.add_mutually_exclusive_group()
    workers.add_argument(
        "--jobs",
        metavar="N",
        type=jobs_argument,
        default=1,
        help="number of processes, -1 for one per core (default: 1)",
    )
    return workers


def add_extraction(command):
    """Add corpora and the options of their features; return the group of ``--jobs``."""
    add_corpus(command)
    add_features(command)
    return add_workers(command)


def add_on_error(command, *, gaps=True):
    """Add ``--on-error``, for tables that may have gaps or for training."""
    keep = " leave their fields empty," if gaps else ""
    command.add_argument(
        "--on-error",
        choices=("skip", "nan", "raise") if gaps else ("skip", "raise"),
        default="skip",
        help=f"what to do about recordings that cannot be used: omit them,{keep} or stop "
        "(default: %(default)s)",
    )


def add_training_data(command):
    """Add the selection of recordings and their ratings."""
    command.add_argument(
        "--emotions",
        metavar="LIST",
        type=emotions_argument,
        default=DEFAULT_EMOTIONS,
        help=f"emotions to distinguish, or all (default: {','.join(DEFAULT_EMOTIONS)})",
    )
    command.add_argument(
        "--utterances",
        metavar="N",
        type=count_argument,
        help="size of each synthesised corpus (default: 240)",
    )
    command.add_argument(
        "--annotations",
        metavar="NAME=DIR",
        type=annotations_argument,
        action="append",
        default=[],
        help="published ratings of activation and valence, and the folder of their files, such as "
        "das2022=annotations; for methods that need ratings",
    )
    command.add_argument(
        "--circumplex",
        action="store_true",
        help="for corpora without ratings of activation or valence, use typical values of each "
        "emotion",
    )
