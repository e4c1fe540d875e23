import struct
import warnings

import numpy as np
import pytest

from sklearn_ser.audio import inspect_recording, load_audio
from sklearn_ser.audio._containers import survey
from sklearn_ser.audio._opening import reader
from sklearn_ser.exceptions import AudioError, AudioWarning

# Container, encoding, suffix.
PLAIN = [
    ("WAV", "PCM_16", "wav"),
    ("WAV", "PCM_24", "wav"),
    ("WAV", "FLOAT", "wav"),
    ("WAV", "ULAW", "wav"),
    ("WAV", "IMA_ADPCM", "wav"),
    ("WAV", "GSM610", "wav"),
    ("WAVEX", "PCM_16", "wav"),
    ("RF64", "PCM_16", "rf64"),
    ("W64", "PCM_16", "w64"),
    ("AIFF", "PCM_16", "aif"),
    ("AIFF", "FLOAT", "aifc"),
    ("AU", "PCM_16", "au"),
    ("CAF", "PCM_16", "caf"),
    ("NIST", "PCM_16", "sph"),
    ("NIST", "ULAW", "sph"),
    ("VOC", "PCM_16", "voc"),
]
COMPRESSED = [
    ("FLAC", "PCM_16", "flac"),
    ("OGG", "VORBIS", "ogg"),
    ("OGG", "OPUS", "opus"),
    ("MP3", "MPEG_LAYER_III", "mp3"),
    ("CAF", "ALAC_16", "caf"),
]


def quietly(path, **options):
    """Load a recording; any warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_audio(path, **options)[0]


def put_size(content, container, size):
    """Declare another number of bytes of samples; "open" writes what means unknown."""
    content = bytearray(content)
    at = content.index({"AIFF": b"SSND", "AU": b".snd"}.get(container, b"data"))
    if container == "AU":
        content[8:12] = struct.pack(">I", size)
    elif container == "CAF":
        content[at + 4 : at + 12] = struct.pack(">q", -1 if size >= 2**31 else size)
    elif container == "W64":
        content[at + 16 : at + 24] = struct.pack("<Q", size)
    elif container == "RF64":
        at = content.index(b"ds64")
        content[at + 16 : at + 24] = struct.pack("<Q", size)
    else:
        order = ">" if container == "AIFF" else "<"
        content[at + 4 : at + 8] = struct.pack(f"{order}I", size)
    return content


@pytest.mark.parametrize(("container", "subtype", "suffix"), PLAIN + COMPRESSED)
def test_whole_files_pass_without_a_word(speech, encode, store, container, subtype, suffix):
    y = quietly(store(encode(speech, container, subtype), f"whole.{suffix}"))
    # Block codecs fill their last block.
    assert 32000 <= len(y) <= 32600


@pytest.mark.parametrize(("container", "subtype", "suffix"), PLAIN)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_half_a_file_is_half_a_recording(speech, encode, store, container, subtype, suffix, share):
    content = encode(speech, container, subtype)
    half = store(content[: int(share * len(content))], f"half.{suffix}")
    with pytest.warns(AudioWarning, match=rf"half\.{suffix}: cut off: it declares 2\.\d\d s and h"):
        y, _ = load_audio(half)
    assert len(y) / 32000 == pytest.approx(share, abs=0.1)
    whole, _ = load_audio(store(content, f"whole.{suffix}"))
    np.testing.assert_array_equal(y[:8000], whole[:8000])


@pytest.mark.parametrize(("container", "subtype", "suffix"), COMPRESSED)
@pytest.mark.parametrize("share", [0.35, 0.5, 0.9])
def test_half_a_compressed_file_never_passes_for_whole(
    speech, encode, store, container, subtype, suffix, share
):
    content = encode(np.tile(speech, 4), container, subtype)
    half = store(content[: int(share * len(content))], f"half.{suffix}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            (AudioError, AudioWarning), match=rf"half\.{suffix}: (cut off|not readable|no samples)"
        ):
            load_audio(half)


@pytest.mark.parametrize("suffix", ["flac", "mp3"])
@pytest.mark.parametrize("share", [0.35, 0.5, 0.85, 1])
def test_headers_of_compressed_files_are_compared_with_their_end(
    speech, encode, store, suffix, share
):
    container, subtype, _ = next(row for row in COMPRESSED if row[2] == suffix)
    content = encode(np.tile(speech, 4), container, subtype)
    path = store(content[: int(share * len(content))], f"half.{suffix}")
    kinds = [problem.kind for problem in inspect_recording(path).problems]
    assert kinds == ([] if share == 1 else ["cut off"])


@pytest.mark.parametrize(("container", "subtype", "suffix"), PLAIN[:-3])
@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_a_stream_lasts_until_its_end(speech, encode, store, container, subtype, suffix, size):
    content = encode(speech, container, subtype)
    whole = quietly(store(content, f"whole.{suffix}"))
    streamed = put_size(content, "WAV" if container == "WAVEX" else container, size)
    y = quietly(store(streamed, f"stream.{suffix}"))
    # GSM counts its last block as whole where no `fact` chunk is believed.
    assert 0 <= len(y) - len(whole) <= 320
    np.testing.assert_array_equal(y[: len(whole)], whole)


def test_an_empty_chunk_of_samples_before_another_chunk_is_empty(encode, store):
    content = encode(np.zeros(0), "WAV", "PCM_16") + b"LIST" + struct.pack("<I", 4000) + bytes(4000)
    with pytest.raises(AudioError, match=r"empty\.wav: no samples"):
        load_audio(store(content, "empty.wav"))


def declare_flac(content, total):
    content = bytearray(content)
    content[21] = (content[21] & 0xF0) | (total >> 32)
    content[22:26] = (total & 0xFFFFFFFF).to_bytes(4, "big")
    return content


@pytest.mark.parametrize("total", [0, 100, 31999, 32100])
def test_flac_is_read_to_its_end_whatever_it_declares(speech, encode, store, total):
    content = encode(speech, "FLAC")
    whole = quietly(store(content, "whole.flac"))
    y = quietly(store(declare_flac(content, total), "other.flac"))
    np.testing.assert_array_equal(y, whole)


@pytest.mark.parametrize("total", [40000, 2**31, 2**36 - 1])
def test_flac_that_declares_more_than_it_has(speech, encode, store, total):
    path = store(declare_flac(encode(speech, "FLAC"), total), "more.flac")
    with pytest.warns(AudioWarning, match=r"cut off: it declares [\d.]+ s and has 2\.00 s"):
        assert len(load_audio(path)[0]) == 32000


def pages(content):
    starts = [i for i in range(len(content)) if content[i : i + 4] == b"OggS"]
    return list(zip(starts, [*starts[1:], len(content)], strict=True))


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
class TestOgg:
    @pytest.fixture
    def content(self, speech, encode, subtype):
        return encode(np.tile(speech, 10), "OGG", subtype)

    def test_a_page_that_is_missing(self, content, store):
        first, last = pages(content)[-4]
        path = store(content[:first] + content[last:], "hole.ogg")
        with pytest.warns(AudioWarning, match=r"gap: page \d+ follows where page \d+ should"):
            load_audio(path)

    def test_a_page_that_is_damaged(self, content, store):
        first, last = pages(content)[-4]
        content[(first + last) // 2] ^= 0xFF
        with pytest.warns(AudioWarning, match=r"gap: page \d+ is damaged"):
            load_audio(store(content, "damaged.ogg"))

    def test_a_last_page_that_is_missing(self, content, store):
        first, _ = pages(content)[-1]
        with pytest.warns(AudioWarning, match="cut off: the last page does not end the stream"):
            load_audio(store(content[:first], "cut.ogg"))

    def test_what_follows_the_end_does_not_matter(self, content, store):
        whole = quietly(store(content, "whole.ogg"))
        tagged = quietly(store(content + b"TAG" + bytes(125), "tagged.ogg"))
        np.testing.assert_array_equal(tagged, whole)


def test_big_endian_waves(speech, store):
    samples = (np.clip(speech, -1, 1) * 32767).astype(">i2").tobytes()
    format_ = struct.pack(">4sIHHIIHH", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16)
    for size in (64000, 0, 0xFFFFFFFF):
        data = struct.pack(">4sI", b"data", size) + samples
        content = struct.pack(">4sI4s", b"RIFX", 64036, b"WAVE") + format_ + data
        assert len(quietly(store(content, "big.wav"))) == 32000
    content = content[:-32000].replace(b"\xff\xff\xff\xff", struct.pack(">I", 64000), 1)
    with pytest.warns(AudioWarning, match=r"declares 2\.00 s and has 1\.00 s"):
        load_audio(store(content, "half.wav"))


@pytest.mark.parametrize(
    "head",
    [
        b"", b"RIFF", b"RIFF\0\0\0\0WAVEdata", b"RIFF" + b"\xff" * 100, b"RF64" + bytes(100),
        b"riff" + bytes(100), b"riff" + b"\xff" * 100, b"FORM" + b"\xff" * 60, b".snd" + bytes(60),
        b"caff" + b"\xff" * 60, b"caff" + bytes(60), b"NIST_1A\n" + b"x" * 60, b"Crea" + bytes(60),
        b"fLaC" + bytes(60), b"OggS" + b"\xff" * 60, b"OggS" + bytes(60),
        b"riff" + bytes(36) + b"junk" + bytes(12) + b"\xff" * 40,
        b"caff\0\1\0\0junk" + b"\x7f" * 40,
    ],
)  # fmt: skip
def test_headers_of_nonsense_are_surveyed(head, store):
    with open(store(head, "nonsense"), "rb", buffering=0) as file:
        found = survey(reader(file), len(head))
    assert found.declared is None or found.present > 0
