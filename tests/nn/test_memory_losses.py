import pytest
import torch
from torch.nn import functional

from sklearn_ser.nn import _exponential_sums
from sklearn_ser.nn._memory_losses import multilabel_softmax_loss, multilabel_square_loss
from sklearn_ser.nn._multilabel import Multilabel

SEEDS = range(4)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def unit(*shape, seed=0):
    rows = torch.randn(*shape, generator=generator(seed), dtype=torch.float64)
    return functional.normalize(rows, dim=-1)


def problem(seed=0, n_queries=5, n_rows=12, n_positives=3):
    """Queries, a memory, and a multilabel with random weights, some of which are 0."""
    z, memory = unit(2, n_queries, 4, seed=seed), unit(2, n_rows, 4, seed=seed + 100)
    drawn = torch.rand(2, n_queries, n_rows, generator=generator(seed), dtype=torch.float64)
    weights, rows = drawn.topk(n_positives, dim=2)
    weights[:, 1::2, -1] = 0
    return z, memory, Multilabel(rows, weights / weights.sum(dim=2, keepdim=True))


def gradient(function, z):
    z = z.clone().requires_grad_()
    value = function(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    return value.detach(), slope


def in_parts(monkeypatch, rows):
    """Take memories by parts of some rows, however small they are."""
    monkeypatch.setattr(_exponential_sums, "ROWS_AT_ONCE", 0)
    monkeypatch.setattr(_exponential_sums, "_ENTRIES_AT_ONCE", 1)
    monkeypatch.setattr(_exponential_sums, "_FEWEST_ROWS", rows)


class TestSoftmax:
    def test_by_hand(self):
        # Similarities 1 and 0 at temperature 0.5, a quarter of the weight on the second.
        z, memory = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
        means = torch.tensor([[[0.75, 0.25]]])
        loss = multilabel_softmax_loss(z, memory, means, temperature=0.5)
        first = torch.softmax(torch.tensor([2.0, 0.0]), dim=0).log()
        torch.testing.assert_close(loss, (-(0.75 * first[0] + 0.25 * first[1]))[None, None])

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("temperature", [0.05, 1.0])
    def test_it_is_the_cross_entropy_over_all_rows(self, seed, temperature):
        z, memory, multilabel = problem(seed)
        loss = multilabel_softmax_loss(z, memory, multilabel.means(memory), temperature=temperature)
        assert loss.shape == (2, 5)
        assert (loss >= 0).all()
        for member in range(2):
            for query in range(5):
                scores = memory[member] @ z[member, query] / temperature
                log_share = scores - scores.exp().sum().log()
                rows = multilabel.rows[member, query]
                expected = -(multilabel.weights[member, query] * log_share[rows]).sum()
                torch.testing.assert_close(loss[member, query], expected)

    def test_its_gradient(self):
        z, memory, multilabel = problem()
        means = multilabel.means(memory)
        assert torch.autograd.gradcheck(
            lambda z: multilabel_softmax_loss(z, memory, means, temperature=0.3),
            z.requires_grad_(),
        )

    @pytest.mark.parametrize("rows", [1, 5, 11, 12])
    def test_parts_have_the_same_value_and_gradient(self, rows, monkeypatch):
        z, memory, multilabel = problem()
        means = multilabel.means(memory)

        def loss(z):
            return multilabel_softmax_loss(z, memory, means, temperature=0.1)

        direct = gradient(loss, z)
        in_parts(monkeypatch, rows)
        parts = gradient(loss, z)
        torch.testing.assert_close(parts, direct)

    def test_parts_have_the_gradient_of_finite_differences(self, monkeypatch):
        in_parts(monkeypatch, 5)
        z, memory, multilabel = problem()
        means = multilabel.means(memory)
        assert torch.autograd.gradcheck(
            lambda z: multilabel_softmax_loss(z, memory, means, temperature=0.3),
            z.requires_grad_(),
        )

    def test_small_temperatures_do_not_overflow(self):
        z, memory, multilabel = problem()
        z, memory = z.float(), memory.float()
        multilabel = Multilabel(multilabel.rows, multilabel.weights.float())
        value, slope = gradient(
            lambda z: multilabel_softmax_loss(
                z, memory, multilabel.means(memory), temperature=1e-4
            ),
            z,
        )
        assert value.isfinite().all()
        assert slope.isfinite().all()


def square_by_loops(z, memory, multilabel, positive_weight=5.0, hard_share=0.01):
    loss = torch.zeros(z.shape[:2], dtype=z.dtype)
    n_rows = memory.shape[1]
    for member in range(z.shape[0]):
        for query in range(z.shape[1]):
            similarity = memory[member] @ z[member, query]
            weights = dict(
                zip(
                    multilabel.rows[member, query].tolist(),
                    multilabel.weights[member, query].tolist(),
                    strict=True,
                )
            )
            positive = sum(w * (1 - similarity[row]) ** 2 for row, w in weights.items())
            others = [row for row in range(n_rows) if weights.get(row, 0) == 0]
            others.sort(key=lambda row: -similarity[row])
            hard = others[: max(1, int(hard_share * n_rows))]
            negative = sum((1 + similarity[row]) ** 2 for row in hard) / max(1, len(hard))
            loss[member, query] = positive_weight * positive + negative
    return loss


class TestSquare:
    def test_by_hand(self):
        # Similarities 0.6 (positive), 0 and -1: the hard negative is the one with 0.
        z = torch.tensor([[[1.0, 0.0]]])
        memory = torch.tensor([[[0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]]])
        multilabel = Multilabel(torch.tensor([[[0]]]), torch.tensor([[[1.0]]]))
        loss = multilabel_square_loss(z, memory, multilabel)
        torch.testing.assert_close(loss, torch.tensor([[5 * 0.4**2 + 1.0]]))

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("hard_share", [0.01, 0.3, 1.0])
    def test_against_loops(self, seed, hard_share):
        z, memory, multilabel = problem(seed)
        loss = multilabel_square_loss(
            z, memory, multilabel, positive_weight=3.0, hard_share=hard_share
        )
        expected = square_by_loops(z, memory, multilabel, 3.0, hard_share)
        torch.testing.assert_close(loss, expected)

    @pytest.mark.parametrize("hard_share", [0.01, 0.5])
    def test_its_gradient(self, hard_share):
        z, memory, multilabel = problem()
        assert torch.autograd.gradcheck(
            lambda z: multilabel_square_loss(z, memory, multilabel, hard_share=hard_share),
            z.requires_grad_(),
        )

    @pytest.mark.parametrize("n_rows", [3, 12, 99])
    def test_with_fewer_than_100_rows_one_negative_counts(self, n_rows):
        z, memory, multilabel = problem(n_rows=n_rows, n_positives=2)
        value, slope = gradient(lambda z: multilabel_square_loss(z, memory, multilabel), z)
        assert value.isfinite().all()
        assert slope.isfinite().all()
        torch.testing.assert_close(value, square_by_loops(z, memory, multilabel, hard_share=0))

    def test_without_negatives_the_first_term_is_left(self):
        z, memory, _ = problem(n_rows=3)
        rows = torch.arange(3).expand(2, 5, 3)
        multilabel = Multilabel(rows, torch.full((2, 5, 3), 1 / 3, dtype=torch.float64))
        value, slope = gradient(lambda z: multilabel_square_loss(z, memory, multilabel), z)
        similarity = z @ memory.transpose(1, 2)
        torch.testing.assert_close(value, 5 * (1 - similarity).square().mean(dim=2))
        assert slope.isfinite().all()

    def test_listed_rows_of_weight_0_are_negatives(self):
        z, memory, _ = problem(n_rows=4)
        rows = torch.arange(4).expand(2, 5, 4)
        weights = torch.tensor([0.5, 0.5, 0, 0], dtype=torch.float64).expand(2, 5, 4)
        listed = multilabel_square_loss(z, memory, Multilabel(rows, weights))
        short = multilabel_square_loss(z, memory, Multilabel(rows[..., :2], weights[..., :2]))
        torch.testing.assert_close(listed, short)
