import shutil
import stat
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
import soundfile

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.audio import _ffmpeg, load_audio
from sklearn_ser.audio._ffmpeg import _command, _demuxer
from sklearn_ser.exceptions import AudioError, AudioWarning, ExtractionWarning

ffmpeg = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(ffmpeg is None, reason="the program ffmpeg is not installed")


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program called ffmpeg on the path that does what a test wants."""
    if sys.platform == "win32":
        pytest.skip("a script is no program on this system")

    def program(body):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / "ffmpeg"
        script.write_text(f"#!{sys.executable}\n{textwrap.dedent(body)}")
        script.chmod(script.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", str(folder))

    return program


@pytest.fixture
def phone(store):
    return store(b"\0\0\0\x20ftypM4A " + bytes(range(256)) * 40, "phone.m4a")


WAVE = """
    import struct, sys
    samples = b"".join(struct.pack("<2f", 0.5, 0.1) for _ in range(8000))
    size = {size}
    sys.stdout.buffer.write(
        struct.pack("<4sI4s", b"RIFF", size, b"WAVE")
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 2, 8000, 64000, 8, 32)
        + struct.pack("<4sI4s", b"LIST", 4, b"INFO") + struct.pack("<4sI", b"data", size) + samples
    )
"""


def test_without_the_program_the_error_says_how_to_convert(phone, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AudioError, match=r"phone\.m4a: reading \.m4a needs the program ffmpeg.*-i"):
        load_audio(phone)


def test_what_libsndfile_reads_takes_no_other_program(speech, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    soundfile.write(tmp_path / "wave.m4a", speech, 16000, format="WAV")
    assert len(load_audio(tmp_path / "wave.m4a")[0]) == 32000


@pytest.mark.parametrize("size", [64000, 0xFFFFFFFF])
def test_its_output_is_read_from_a_pipe(program, phone, size):
    program(WAVE.format(size=size))
    y, sr = load_audio(phone, None)
    assert (len(y), sr) == (8000, 8000)
    np.testing.assert_allclose(y, 0.3, rtol=1e-6)
    with pytest.raises(AudioError, match=r"phone\.m4a: it lasts longer than 0\.5 s, the limit"):
        load_audio(phone, max_duration=0.5)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import sys; sys.stderr.write('moov atom not found'); sys.exit(1)", "moov atom not found"),
        ("print('no wave at all' * 9)", "no audio"),
        ("print('RIFF', end='')", "no audio"),
        (WAVE.format(size=64000) + "    sys.exit(3)", "no audio"),
        ("import sys; sys.stderr.write('x' * 10**6); sys.exit(1)", "xxx"),
    ],
)
def test_its_failures_name_the_recording(program, phone, body, message):
    program(body)
    with pytest.raises(AudioError, match=rf"phone\.m4a: not readable as audio \(ffmpeg: {message}"):
        load_audio(phone)
    with pytest.warns(ExtractionWarning, match=r"1 of 1 recordings have no features.*phone\.m4a"):
        assert np.isnan(EGeMAPSExtractor(on_error="nan").transform([phone])).all()


def test_it_is_stopped_where_it_takes_too_long(program, phone, monkeypatch):
    monkeypatch.setattr(_ffmpeg, "_PATIENCE", 0.3)
    program("import time; time.sleep(600)")
    with pytest.raises(AudioError, match=r"phone\.m4a: ffmpeg did not finish within 0\.3 s"):
        load_audio(phone)


def test_the_command_keeps_names_and_formats_apart():
    command = _command("ffmpeg", "-i http:x|y.m4a", "mov", 10)
    name = command[command.index("-i") + 1]
    assert name.startswith(b"file:/")
    assert name.endswith(b"/-i http:x|y.m4a")
    # Formats that name other files or addresses, such as playlists, are never guessed.
    assert command[command.index("-f") + 1] == "mov"
    assert command[command.index("-format_whitelist") + 1] == "mov"
    assert command[command.index("-protocol_whitelist") + 1] == "file,pipe"


@pytest.mark.parametrize(
    ("head", "suffix", "demuxer"),
    [
        (b"\0\0\0\x20ftypisom", ".3gp", "mov"),
        (b"\xff\xf1\x50\x80", ".m4a", "aac"),
        (b"#!AMR\n", ".3gp", "amr"),
        (b"\x1a\x45\xdf\xa3", ".webm", "matroska"),
        (b"\x30\x26\xb2\x75\x8e\x66", ".wma", "asf"),
        (b"RIFF\0\0\0\x40AVI LIST", ".mp4", "avi"),
        (b"#EXTM3U\nhttp://", ".avi", "avi"),
        (b"\x0b\x77", ".ac3", "ac3"),
        (b"#EXTM3U\nhttp://", ".m4a", "mov"),
        (b"ffconcat version 1.0", ".mkv", "matroska"),
        (b"", ".aac", "aac"),
    ],
)
def test_the_format_is_told_by_the_first_bytes_or_the_suffix(head, suffix, demuxer):
    assert _demuxer(head + bytes(8), suffix) == demuxer


@needs_ffmpeg
@pytest.mark.parametrize(
    "suffix", [".m4a", ".mp4", ".aac", ".webm", ".mka", ".mov", ".ac3", ".avi"]
)
def test_real_recordings(speech, tmp_path, suffix):
    soundfile.write(tmp_path / "a.wav", speech, 16000)
    path = tmp_path / f"-i 100%{suffix}"
    command = [ffmpeg, "-loglevel", "error", "-i", tmp_path / "a.wav", f"file:{path}"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, sr = load_audio(path)
    assert sr == 16000
    assert len(y) / 16000 == pytest.approx(2, abs=0.15)
    assert np.std(y) == pytest.approx(np.std(speech), rel=0.1)


@needs_ffmpeg
@pytest.mark.parametrize("suffix", [".avi", ".mp4", ".m4v", ".wmv"])
def test_sound_of_a_video(speech, tmp_path, suffix):
    soundfile.write(tmp_path / "a.wav", speech, 16000)
    path = tmp_path / f"a{suffix}"
    command = [ffmpeg, "-loglevel", "error", "-f", "lavfi", "-i", "color=size=64x64:duration=2"]
    command += ["-i", tmp_path / "a.wav", "-c:v", "mpeg4" if suffix != ".wmv" else "wmv1", path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, sr = load_audio(path)
        part, _ = load_audio(f"{path}#t=0.5,1.5")
    assert sr == 16000
    assert len(y) / 16000 == pytest.approx(2, abs=0.15)
    assert np.std(y) == pytest.approx(np.std(speech), rel=0.1)
    assert len(part) / 16000 == pytest.approx(1, abs=0.01)


@needs_ffmpeg
def test_silent_video(tmp_path):
    path = tmp_path / "a.avi"
    command = [ffmpeg, "-loglevel", "error", "-f", "lavfi", "-i", "color=size=64x64:duration=1"]
    subprocess.run([*command, path], check=True, stdin=subprocess.DEVNULL)
    with pytest.raises(AudioError, match=r"a\.avi: not readable as audio \(ffmpeg: .*"):
        load_audio(path)


@needs_ffmpeg
@pytest.mark.parametrize("suffix", [".m4a", ".mka", ".webm"])
def test_half_a_real_recording_warns(speech, tmp_path, suffix):
    soundfile.write(tmp_path / "a.wav", np.tile(speech, 10), 16000)
    path = tmp_path / f"a{suffix}"
    command = [ffmpeg, "-loglevel", "error", "-i", tmp_path / "a.wav", "-movflags", "faststart"]
    subprocess.run([*command, path], check=True, stdin=subprocess.DEVNULL)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.warns(AudioWarning, match=rf"a{suffix}: gap: .* \(ffmpeg\); fetch the file again"):
        load_audio(path)


@needs_ffmpeg
def test_playlists_are_never_followed(speech, tmp_path):
    soundfile.write(tmp_path / "secret.wav", speech, 16000)
    for text in ("#EXTM3U\n#EXTINF:2,\nsecret.wav\n", "ffconcat version 1.0\nfile secret.wav\n"):
        path = tmp_path / "list.mkv"
        path.write_text(text + "\u00e9\x01")
        with pytest.raises(AudioError, match=r"list\.mkv: not readable as audio"):
            load_audio(path)
