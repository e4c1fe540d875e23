"""Adaptation with labelled target rows: pseudo labels, selection, weights, draws."""

import pytest
import torch

from sklearn_ser.nn._adaptation import AdaptationSettings, Source
from sklearn_ser.nn._labelled import LabelledAdaptation, LabelledRows
from sklearn_ser.nn._memory import MemoryNet
from sklearn_ser.nn._multilabel import class_means, memory_votes
from sklearn_ser.nn._readout import Readout, embed_rows

LABELLED = LabelledRows(torch.tensor([3, 7, 8]), torch.tensor([2, 0, 0]))
SETTINGS = AdaptationSettings(
    loss="softmax",
    label_prediction="vote",
    soft_labels=True,
    n_neighbors=None,
    similarity_threshold=0.5,
    selection=0.2,
    temperature=0.1,
    memory_momentum=0.8,
    target_weight=1.0,
    prior=torch.full((3,), 1 / 3),
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def module():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return MemoryNet(5, (6,), 4, 3, 2, 0.5)


def start(module, *, alone=False, n_kept=15):
    """Begin with twelve source rows and the labelled ones in the memory, and ten target rows."""
    target = normal(10, 5, seed=1)
    rows = torch.cat([normal(12, 5), target[LABELLED.positions]])
    codes = torch.cat([torch.arange(12) % 3, LABELLED.codes])
    readout = Readout(
        embed_rows(module, rows), codes, n_classes=3, temperature=0.1, prior=SETTINGS.prior
    )
    source = Source(codes, torch.ones(15), rows[15 - n_kept :])
    return LabelledAdaptation(readout, source, target, SETTINGS, LABELLED, alone=alone)


class TestPseudoLabels:
    def test_known_ones_are_fixed_and_selected(self, module):
        state = start(module)
        state.begin_epoch(module, 0)
        state.begin_epoch(module, 1)
        expected = torch.tensor([[0.0, 0, 1], [1, 0, 0], [1, 0, 0]])
        torch.testing.assert_close(state.probabilities[LABELLED.positions], expected)
        assert state.selected[LABELLED.positions].all()
        assert not state.selected.all()

    def test_alone(self, module):
        state = start(module, alone=True)
        state.begin_epoch(module, 0)
        assert state.selected.nonzero()[:, 0].tolist() == [3, 7, 8]
        assert state.readout.means is None
        assert state.rows_to_train_on().tolist() == [3, 7, 8] * 5


class TestMemory:
    def test_only_rows_at_hand_are_renewed(self, module):
        state = start(module, n_kept=3)
        before = state.readout.memory.clone()
        state.begin_epoch(module, 0)
        with torch.no_grad():
            module.encoder[0].weight.add_(1)
        state.begin_epoch(module, 1)
        after = state.readout.memory
        torch.testing.assert_close(after[:, :12], before[:, :12], rtol=0, atol=0)
        mixed = 0.8 * before[:, 12:] + 0.2 * embed_rows(module, state.target[LABELLED.positions])
        torch.testing.assert_close(after[:, 12:], mixed / mixed.norm(dim=2, keepdim=True))

    @pytest.mark.parametrize("weight", [1, 3])
    def test_a_weight_is_a_number_of_copies(self, weight):
        z, memory = (torch.nn.functional.normalize(normal(1, n, 4, seed=n), dim=2) for n in (5, 6))
        codes = torch.tensor([0, 1, 0, 1, 0, 1])
        rows = torch.tensor([0, 1, 2, 3, 4, *[5] * weight])
        weights = torch.tensor([1.0, 1, 1, 1, 1, weight])
        torch.testing.assert_close(
            memory_votes(z, memory, codes, n_classes=2, temperature=0.1, weights=weights),
            memory_votes(z, memory[:, rows], codes[rows], n_classes=2, temperature=0.1),
        )
        chances = torch.tensor([[0.3, 0.7]])
        torch.testing.assert_close(
            class_means(memory, codes, chances, weights),
            class_means(memory[:, rows], codes[rows], chances),
        )


def test_rows_are_drawn_by_their_chances():
    chances = torch.tensor([0.1, 0.0, 0.6, 0.3])
    source = Source(torch.zeros(4, dtype=torch.int64), torch.ones(4), None, chances)
    drawn = source.draw(20_000, torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=4) / 20_000
    # Three standard deviations of a share are at most 0.011.
    torch.testing.assert_close(shares, chances, rtol=0, atol=0.011)
