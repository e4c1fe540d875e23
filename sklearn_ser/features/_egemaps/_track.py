"""F0 track: Viterbi search among the candidates, with a short look-ahead."""

import math

import numpy as np

from sklearn_ser.features._egemaps._compiled import compiled, inlined
from sklearn_ser.features._egemaps._pitch import N_CANDIDATES

__all__ = ["semitones", "track_pitch"]

# The states of a frame: its candidates in order, then "unvoiced".
_UNVOICED = N_CANDIDATES
_N_STATES = N_CANDIDATES + 1
# Frames after which an undecided frame is fixed. openSMILE decides while it reads, so a
# search over the whole recording would give other tracks.
_LOOK_AHEAD = 40
_VOICING_THRESHOLD = np.float32(0.7)


# Costs in this module are openSMILE's. They act like negative log probabilities: the
# cheapest path is the most plausible contour.


@inlined
def _range_cost(f):
    # Nothing within the range of speech, more the further outside, most for an empty slot.
    if f <= 0:
        return 2.0
    if f < 100:
        return 1 - f / 100
    if f <= 350:
        return 0.0
    if f < 600:
        return (f - 350) / 250
    return 1.2


@compiled
def _local_costs(frequency, voicing, out):
    any_voiced = False
    for i in range(N_CANDIDATES):
        v = voicing[i]
        penalty = 0.0
        if v >= _VOICING_THRESHOLD:
            any_voiced = True
        else:
            penalty = 4.0
        v = min(max(np.float64(v), 0.01), 1.0)
        out[i] = 2 * (-math.log(v) + penalty) + _range_cost(np.float64(frequency[i]))
    # "Unvoiced" is free unless a candidate is clearly voiced.
    out[_UNVOICED] = 8.0 if any_voiced else 0.0


@inlined
def _advance(cost, new, previous, current, memory, local, back):
    """Advance by one Viterbi step, and return the log ratio of the last evaluated pair.

    A change of the log ratio costs extra. It is compared with the pair that was
    evaluated just before, so the loop order is part of the rule.
    """
    for i in range(_N_STATES):
        best, best_j = np.inf, 0
        for j in range(_N_STATES):
            if i == _UNVOICED and j == _UNVOICED:
                step = 1.0
            elif i == _UNVOICED or j == _UNVOICED:
                step = 10.0
                memory = 0.0
            elif current[i] == 0 or previous[j] == 0:
                # Empty slots are not states, but excluding them by cost keeps loops regular.
                step = 999.0
            else:
                ratio = math.log(np.float64(np.float32(current[i] / previous[j])))
                # |ratio| penalises jumps, above all by octaves; its change penalises zigzags.
                step = 10 * abs(ratio) + 10 * abs(ratio - memory)
                memory = ratio
            total = cost[j] + step
            if total < best:
                best, best_j = total, j
        new[i] = best + local[i]
        back[i] = best_j
    for i in range(_N_STATES):
        cost[i] = new[i]
    return memory


@compiled
def _cheapest(cost):
    state = 0
    for i in range(1, _N_STATES):
        if cost[i] < cost[state]:
            state = i
    return state


@inlined
def _settle(back, t, decided, cost, states, path):
    """Fix the frames on which all best paths agree, and return the number of fixed frames.

    At most 39 frames stay undecided.
    """
    for i in range(_N_STATES):
        states[i] = i
    for u in range(t, decided, -1):
        same = True
        for i in range(_N_STATES):
            states[i] = back[u, states[i]]
            same = same and states[i] == states[0]
        if same:
            state = states[0]
            for w in range(u - 1, decided - 1, -1):
                path[w] = state
                state = back[w, state]
            return u
    if t + 1 - decided >= _LOOK_AHEAD:
        state = _cheapest(cost)
        for u in range(t, decided, -1):
            state = back[u, state]
        path[decided] = state
        return decided + 1
    return decided


@compiled
def _track_kernel(frequency, voicing, back, costs, states, path):
    n = len(frequency)
    local, cost, new = costs[0], costs[1], costs[2]
    _local_costs(frequency[0], voicing[0], cost)
    memory = 1.0
    decided = 0
    for t in range(1, n):
        _local_costs(frequency[t], voicing[t], local)
        memory = _advance(cost, new, frequency[t - 1], frequency[t], memory, local, back[t])
        decided = _settle(back, t, decided, cost, states, path)
    # The end of the signal: the frames still open follow the cheapest path.
    state = _cheapest(cost)
    for t in range(n - 1, decided - 1, -1):
        path[t] = state
        state = back[t, state]
    return decided


def track_pitch(frequency, voicing, level):
    """Choose one candidate or "unvoiced" in every frame.

    Parameters
    ----------
    frequency, voicing : ndarray of shape (n_frames, 6), dtype float32
        Result of `pitch_candidates`.
    level : ndarray of shape (n_frames,)
        Root mean square of the windowed frames; a frame of at most 0.001 is
        unvoiced regardless of its spectrum.

    Returns
    -------
    f0 : ndarray of shape (n_frames,), dtype float32
        Hz; 0 where unvoiced.
    n_decided : int
        Number of frames that were decided before the signal ended.
    """
    n = len(frequency)
    path, back = np.empty(n, np.int64), np.empty((n, _N_STATES), np.int64)
    costs, states = np.empty((3, _N_STATES)), np.empty(_N_STATES, np.int64)
    n_decided = _track_kernel(frequency, voicing, back, costs, states, path)
    padded = np.concatenate([frequency, np.zeros((len(path), 1), np.float32)], axis=1)
    f0 = np.take_along_axis(padded, path[:, None], axis=1)[:, 0]
    # -60 dB of full scale; written so that NaN counts as silence.
    f0[~(level > 0.001)] = 0
    return f0, n_decided


def semitones(f0):
    """Convert Hz to semitones above 27.5 Hz; 0, "unvoiced", stays 0, other values are >= 1."""
    f0 = f0.astype(np.float64)
    # 29.136 Hz is one semitone above: less would come close to 0, the mark of unvoiced frames.
    with np.errstate(divide="ignore"):
        above = 12 * np.log2(f0 / 27.5)
    return np.where(f0 > 29.136, above, np.where(f0 > 0, 1.0, 0.0)).astype(np.float32)
