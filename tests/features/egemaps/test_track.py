import numpy as np
import pytest

from sklearn_ser.features._egemaps._pitch import N_CANDIDATES
from sklearn_ser.features._egemaps._track import semitones, track_pitch


def candidates(*frames):
    """Make arrays of one candidate a frame from (frequency, voicing)."""
    frequency = np.zeros((len(frames), N_CANDIDATES), np.float32)
    voicing = np.zeros_like(frequency)
    for t, (f, v) in enumerate(frames):
        frequency[t, 0], voicing[t, 0] = f, v
    return frequency, voicing, np.ones(len(frames))


def test_a_clear_voice_is_tracked_and_silence_is_not():
    f0, _ = track_pitch(*candidates(*[(0, 0)] * 10, *[(150, 0.9)] * 20, *[(0, 0)] * 10))
    np.testing.assert_array_equal(f0[:10], 0)
    np.testing.assert_array_equal(f0[10:30], 150)
    np.testing.assert_array_equal(f0[30:], 0)


def test_the_energy_gate_silences_quiet_frames():
    frequency, voicing, level = candidates(*[(150, 0.9)] * 20)
    level[5:8] = 0.001
    f0, _ = track_pitch(frequency, voicing, level)
    np.testing.assert_array_equal(np.flatnonzero(f0 == 0), [5, 6, 7])


def test_an_octave_jump_of_one_frame_is_not_followed():
    frequency, voicing, level = candidates(*[(150, 0.9)] * 20)
    frequency[10, :2], voicing[10, :2] = (300, 150), (0.92, 0.85)
    np.testing.assert_array_equal(track_pitch(frequency, voicing, level)[0], 150)


@pytest.mark.parametrize("seed", range(5))
def test_look_ahead_never_exceeds_forty_frames(seed):
    rng = np.random.default_rng(seed)
    # Two constant candidates of equal merit: no frame ever decides between them.
    n = 100
    frequency = np.zeros((n, N_CANDIDATES), np.float32)
    voicing = np.zeros_like(frequency)
    frequency[:, :2] = 120, 240
    voicing[:, :2] = 0.9
    frequency *= 1 + rng.uniform(0, 1e-6, (n, 1)).astype(np.float32)
    _, n_decided = track_pitch(frequency, voicing, np.ones(n))
    assert n - 40 < n_decided < n


def test_semitones():
    np.testing.assert_allclose(semitones(np.array([0, 20, 27.5, 55, 440])), [0, 1, 1, 12, 48])
