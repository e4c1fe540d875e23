"""A few seconds of the audio fuzzer, and headers that lie, made by hand."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from _audio_inputs import damaged, ogg_pages, recordings, seal, set_flac_total, voice
from _children import Outcome, load_script

fuzz_audio = load_script(Path(__file__).with_name("audio.py"))


@pytest.fixture(scope="module")
def made():
    return recordings()


def test_recordings_are_valid_and_the_same_every_time(made):
    assert made == recordings()
    labels = {recording.label for recording in made}
    assert labels >= {"wav", "rifx", "rf64", "w64", "flac", "vorbis", "opus", "mp3", "aiff", "aifc"}
    for label, suffix, content, *_ in made[::3]:
        verdict, faults = fuzz_audio.judge((label, suffix, content, False))
        assert (verdict, faults) == ({"loaded"}, []), (label, suffix)


def test_damage_depends_on_seed_and_index_alone(made):
    inputs = [damaged(made, 5, index) for index in range(40)]
    assert [damaged(made, 5, index) for index in reversed(range(40))] == inputs[::-1]
    assert len(set(inputs)) > 35
    assert damaged(made, 6, 0) != inputs[0]


@pytest.mark.parametrize("part", range(6))
def test_damaged_recordings_are_loaded_or_refused(made, part):
    found = {}
    for index in range(25 * part, 25 * part + 25):
        label, suffix, content = damaged(made, 0, index)
        verdict, faults = fuzz_audio.judge((label, suffix, content, index % 8 == 0))
        assert verdict & {"loaded", "refused"}
        if faults:
            found[index, label] = faults
    assert found == {}


_RATE = 16000


def _write(format, subtype="PCM_16", seconds=0.5, **options):
    file = io.BytesIO()
    samples = voice(_RATE, 1, seconds)
    soundfile.write(file, samples, _RATE, subtype, format=format, **options)
    return file.getvalue()


def _put(content, marker, distance, code, *values):
    """Overwrite what stands `distance` bytes behind the beginning of a marker."""
    content = bytearray(content)
    struct.pack_into(code, content, content.index(marker) + distance, *values)
    return bytes(content)


def _loud():
    """Return samples that are finite, but are no longer so when they are resampled."""
    file, samples = io.BytesIO(), voice(44100, 1, 0.5)
    samples[9000:9002] = 3.4e38
    soundfile.write(file, samples, 44100, "FLOAT", format="WAV")
    return file.getvalue()


def _half(content):
    return content[: len(content) // 2]


def _ogg_hole(content):
    """Leave a page in the middle out."""
    pages = list(ogg_pages(content))
    start, end = pages[len(pages) // 2]
    return content[:start] + content[end:]


def _wav(**options):
    return _write("WAV", **options)


WHOLE, CUT, NO = {"loaded"}, {"loaded", "warned"}, {"refused"}
ANY = [WHOLE, CUT, NO]
_NANS = struct.pack("<100f", *[np.nan] * 100)
_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def _rf64(*sizes):
    """Return a recording whose chunk of long sizes holds others: data, and maybe frames."""
    return _put(_write("RF64"), b"ds64", 16, f"<{len(sizes)}Q", *sizes)


def _aiff(frames):
    return _put(_write("AIFF"), b"COMM", 10, ">I", frames)


# Name, suffix, content, and what may come of it.
CASES = [
    # The size of a stream is not known when its header is written.
    ("WAV, data of 0 bytes", ".wav", lambda: _put(_wav(), b"data", 4, "<I", 0), [WHOLE]),
    ("WAV, 0x7FFFF000", ".wav", lambda: _put(_wav(), b"data", 4, "<I", 0x7FFFF000), [WHOLE]),
    ("WAV, 0xFFFFFFFF", ".wav", lambda: _put(_wav(), b"data", 4, "<I", 0xFFFFFFFF), [WHOLE]),
    ("AU, 0xFFFFFFFF", ".au", lambda: _put(_write("AU"), b".snd", 8, ">I", 2**32 - 1), [WHOLE]),
    ("CAF, data of -1 bytes", ".caf", lambda: _put(_write("CAF"), b"data", 4, ">q", -1), [WHOLE]),
    ("FLAC, 0 samples", ".flac", lambda: set_flac_total(_write("FLAC"), 0), [WHOLE]),
    # Lengths that are lies.
    ("FLAC, 2³⁶-1", ".flac", lambda: set_flac_total(_write("FLAC"), 2**36 - 1), [CUT, NO]),
    ("FLAC, one more", ".flac", lambda: set_flac_total(_write("FLAC"), 16000), [CUT, NO]),
    ("WAV, 1 GB", ".wav", lambda: _put(_wav(), b"data", 4, "<I", 10**9), [CUT, NO]),
    ("RF64, 1 GB", ".rf64", lambda: _rf64(10**9, 5 * 10**8), [CUT, NO]),
    ("W64, 1 GB", ".w64", lambda: _put(_write("W64"), b"data", 16, "<Q", 10**9), [CUT, NO]),
    ("CAF, 1 GB", ".caf", lambda: _put(_write("CAF"), b"data", 4, ">Q", 10**9), [CUT, NO]),
    ("AIFF, 1 GB", ".aiff", lambda: _put(_write("AIFF"), b"SSND", 4, ">I", 10**9), [CUT, NO]),
    ("AU, 1 GB", ".au", lambda: _put(_write("AU"), b".snd", 8, ">I", 10**9), [CUT, NO]),
    # So large that they may stand for "unknown", too.
    ("RF64, 2⁶²", ".rf64", lambda: _rf64(2**62, 2**61), ANY),
    ("RF64, 2⁶⁴-1", ".rf64", lambda: _rf64(2**64 - 1), ANY),
    ("W64, 2⁶²", ".w64", lambda: _put(_write("W64"), b"data", 16, "<Q", 2**62), ANY),
    ("CAF, 2⁶²", ".caf", lambda: _put(_write("CAF"), b"data", 4, ">Q", 2**62), ANY),
    ("AIFF, 2 GB", ".aiff", lambda: _put(_write("AIFF"), b"SSND", 4, ">I", 2**31), ANY),
    ("AIFF, 2³²-1", ".aiff", lambda: _aiff(2**32 - 1), ANY),
    # Half of a recording.
    ("half a WAV", ".wav", lambda: _half(_wav()), [CUT]),
    ("half a WAV of floats", ".wav", lambda: _half(_wav(subtype="FLOAT")), [CUT]),
    ("half a coded WAV", ".wav", lambda: _half(_wav(subtype="IMA_ADPCM")), [CUT]),
    ("half a RIFX", ".wav", lambda: _half(_wav(endian="BIG")), [CUT]),
    ("half an AIFF", ".aiff", lambda: _half(_write("AIFF")), [CUT]),
    ("half an AU", ".au", lambda: _half(_write("AU")), [CUT]),
    ("half a CAF", ".caf", lambda: _half(_write("CAF")), [CUT]),
    ("half a W64", ".w64", lambda: _half(_write("W64")), [CUT]),
    ("half an RF64", ".rf64", lambda: _half(_write("RF64")), [CUT]),
    ("half a FLAC", ".flac", lambda: _half(_write("FLAC")), [CUT, NO]),
    ("half an MP3", ".mp3", lambda: _half(_write("MP3", "MPEG_LAYER_III", 2)), [CUT]),
    ("OGG with a hole", ".ogg", lambda: _ogg_hole(_write("OGG", "VORBIS", 8)), [CUT]),
    # Rates, channels and sizes that no recording has.
    ("WAV, rate 0", ".wav", lambda: _put(_wav(), b"fmt ", 12, "<I", 0), [NO]),
    ("WAV, rate 1", ".wav", lambda: _put(_wav(), b"fmt ", 12, "<I", 1), [NO]),
    ("WAV, rate 2³¹", ".wav", lambda: _put(_wav(), b"fmt ", 12, "<I", 2**31), [NO]),
    ("WAV, rate 2³²-1", ".wav", lambda: _put(_wav(), b"fmt ", 12, "<I", 2**32 - 1), [NO]),
    ("WAV, 0 channels", ".wav", lambda: _put(_wav(), b"fmt ", 10, "<H", 0), [NO]),
    ("WAV, 65535 channels", ".wav", lambda: _put(_wav(), b"fmt ", 10, "<H", 65535), [NO]),
    ("WAV, blocks of 0 bytes", ".wav", lambda: _put(_wav(), b"fmt ", 20, "<H", 0), ANY),
    ("WAV, 0 bits", ".wav", lambda: _put(_wav(), b"fmt ", 22, "<H", 0), ANY),
    ("CAF, rate NaN", ".caf", lambda: _put(_write("CAF"), b"desc", 12, ">d", np.nan), [NO]),
    ("AIFF, 0 channels", ".aiff", lambda: _put(_write("AIFF"), b"COMM", 8, ">H", 0), [NO]),
    # Samples that no recording has.
    ("NaN", ".wav", lambda: _wav(subtype="FLOAT")[:-400] + _NANS, [NO]),
    ("infinity", ".wav", lambda: _wav(subtype="FLOAT")[:-4] + struct.pack("<f", np.inf), [NO]),
    ("samples of 3e38", ".wav", _loud, [CUT, NO]),
    # Nothing, and what only looks like a recording.
    ("empty", ".wav", lambda: b"", [NO]),
    ("four bytes", ".wav", lambda: b"RIFF", [NO]),
    ("a header", ".wav", lambda: _wav()[:44], [NO]),
    ("a page of an error", ".wav", lambda: b"<!DOCTYPE html><html>404</html>" * 40, [NO]),
    ("a pointer", ".wav", lambda: _POINTER, [NO]),
    ("an archive", ".wav", lambda: b"PK\x03\x04" + bytes(4000), [NO]),
    ("zeros", ".mp3", lambda: bytes(20000), [NO]),
    ("zeros without a format", ".raw", lambda: bytes(20000), [NO]),
    # A name that does not fit.
    ("FLAC called WAV", ".wav", lambda: _write("FLAC"), [WHOLE]),
    ("WAV called MP3", ".mp3", _wav, [WHOLE]),
    ("WAV without a suffix", "", _wav, [WHOLE]),
    ("OGG called FLAC", ".flac", lambda: seal(_write("OGG", "VORBIS")), [WHOLE]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("suffix", "make", "right"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
def test_header_that_lies(suffix, make, right):
    verdict, faults = fuzz_audio.judge(("by hand", suffix, make(), True))
    assert faults == []
    assert verdict in right


def test_a_padded_mp3_is_the_same_everywhere(made):
    for label, suffix, content, *_ in made:
        if label == "mp3 padded":
            assert fuzz_audio.judge((label, suffix, content, True))[1] == []


def test_the_tally_counts_and_keeps_what_went_wrong(tmp_path):
    tally = fuzz_audio.Tally(tmp_path)
    outcome = Outcome("crash", None, "ended with -11\nSegmentation fault", 5 << 20, 0.2)
    tally.add(("wav", ".wav", b"RIFF"), outcome, "seed 0, input 3")
    done = outcome._replace(kind="done", value=({"loaded"}, []), grown=100 << 20)
    tally.add(("au", ".au", b".snd"), done, "seed 0, input 4")
    assert tally.n_faults == 2
    assert "memory: # bytes took ### MB" in str(tally)
    assert "crash: ended with -##" in str(tally)
    assert len(list(tmp_path.glob("*.wav"))) == 1
    assert "input 3 (wav): crash" in next(tmp_path.glob("*.wav.txt")).read_text()
