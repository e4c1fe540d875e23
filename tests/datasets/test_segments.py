"""Tables of segments, and segments in tables of recordings."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser.audio import split_recording
from sklearn_ser.datasets import check_corpora, list_segments, load_table
from sklearn_ser.exceptions import AudioError, AudioWarning, CorpusError

RATE = 16000


@pytest.fixture
def calls(tmp_path):
    """Two calls of two channels, which speak by turns, and a file that is no recording."""
    rng = np.random.default_rng(0)
    paths = []
    for name, seconds in (("b.wav", 1.0), ("a.wav", 2.0)):
        speech = rng.normal(0, 0.1, round(seconds * RATE))
        pause, silence = np.zeros(RATE), np.zeros(len(speech))
        left = np.r_[pause, speech, pause, silence, pause]
        right = np.r_[pause, silence, pause, speech, pause]
        paths.append(str(tmp_path / name))
        soundfile.write(paths[-1], np.column_stack([left, right]), RATE)
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF and nothing else")
    return [*paths, str(broken)]


def test_a_row_for_each_segment(calls):
    table = list_segments(calls[:2], channels="separate", n_jobs=2)
    assert [*table] == ["path", "file", "channel", "start", "end"]
    segments = [one for path in calls[:2] for one in split_recording(path, channels="separate")]
    assert table["path"].tolist() == [str(one) for one in segments]
    assert table["file"].tolist() == [calls[0]] * 2 + [calls[1]] * 2
    assert table["channel"].tolist() == [0, 1, 0, 1]
    assert table["start"].tolist() == [one.start for one in segments]
    assert table["end"].tolist() == [one.end for one in segments]
    assert list_segments(calls[:2])["channel"].isna().all()


def test_parameters_reach_the_splitting(calls):
    assert len(list_segments(calls[1:2], max_segment=1.5)) > len(list_segments(calls[1:2]))
    assert len(list_segments(calls[:1], min_pause=1.5)) == 1
    with pytest.raises(AudioError, match="it lasts longer than 3 s"):
        list_segments(calls[:1], max_duration=3)


def test_what_to_do_about_broken_recordings(calls):
    with pytest.raises(AudioError, match=r"broken\.wav: not readable as audio"):
        list_segments(calls)
    table = list_segments(calls, on_error="nan")
    assert table["path"].iloc[-1] == table["file"].iloc[-1] == calls[-1]
    assert table.iloc[-1, 2:].isna().all()
    assert len(table) == len(list_segments(calls[:2])) + 1
    with pytest.raises(ValueError, match="on_error='skip': expected 'raise' or 'nan'"):
        list_segments(calls, on_error="skip")


def test_segments_are_not_split_again(calls):
    # An extractor would read it, and its row would be one without times.
    with pytest.raises(ValueError, match="#t=0,2: this is a segment already"):
        list_segments([f"{calls[0]}#t=0,2"], on_error="nan")


def test_a_single_path_is_refused(calls):
    with pytest.raises(ValueError, match=r"the single path .*\. Write \[path\]"):
        list_segments(calls[0])


def test_one_warning_for_all_recordings(tmp_path):
    paths = [tmp_path / f"{i}.wav" for i in range(7)]
    for path in paths:
        soundfile.write(path, np.zeros(RATE), RATE)
    with pytest.warns(AudioWarning, match=r"0\.wav: digital silence.*0\.wav: no speech") as found:
        assert list_segments(paths).empty
    assert len(found) == 1
    assert "; 9 more" in str(found[0].message)


def test_segments_as_recordings_of_a_corpus(calls, tmp_path):
    rows = pd.DataFrame(
        {
            "path": ["a.wav#t=1,3", " a.wav#t=4,6&channel=1 ", "b.wav"],
            "emotion": ["anger", "happiness", "neutral"],
            "speaker": ["1", "2", "3"],
        }
    )
    rows.to_csv(tmp_path / "calls.csv", index=False)
    speech = load_table(tmp_path / "calls.csv")
    expected = ["a.wav#t=1,3", "a.wav#t=4,6&channel=1", "b.wav"]
    assert speech["path"].tolist() == [str(tmp_path / path) for path in expected]
    assert check_corpora(speech, samples=True).empty
    for path, error in (("absent.wav#t=1,3", FileNotFoundError), ("a.wav#t=1.0,3.00", CorpusError)):
        more = pd.concat([rows, rows[:1].assign(path=path)])
        message = "1 of 4 recordings" if error is FileNotFoundError else "occurs more than once"
        with pytest.raises(error, match=message):
            load_table(more, root=tmp_path, corpus="calls")
