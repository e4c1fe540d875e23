import numpy as np
import pytest
import torch

from sklearn_ser.nn._multilabel import at_prior
from sklearn_ser.nn._shares import estimate_shares, means_for_shares


def mixture(shares, n_rows, seed, distance=2.0):
    """Draw rows of classes around corners, and their probabilities for equal shares."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(len(shares), size=n_rows, p=shares)
    centres = distance * np.eye(len(shares))
    rows = centres[codes] + rng.normal(size=(n_rows, len(shares)))
    log_density = -0.5 * ((rows[:, None] - centres) ** 2).sum(axis=2)
    return torch.softmax(torch.tensor(log_density), dim=1).float()


class TestEstimate:
    def test_against_the_closed_form_of_two_classes(self):
        # Half of the rows have odds 3 : 1, the others 1 : 2. With share s of the first class,
        # the likelihood is (3 s + 1 - s)(s + 2 (1 - s)) = (1 + 2 s)(2 - s): greatest at 3/4.
        p = torch.tensor([[3 / 4, 1 / 4], [1 / 3, 2 / 3]]).repeat(10, 1)
        shares = estimate_shares(p, prior_weight=0)
        np.testing.assert_allclose(shares.numpy(), [3 / 4, 1 / 4], atol=1e-4)

    def test_certain_rows_are_counted(self):
        p = torch.eye(3)[[0, 0, 0, 0, 0, 1, 1, 2]]
        np.testing.assert_allclose(
            estimate_shares(p, prior_weight=0).numpy(), [5 / 8, 2 / 8, 1 / 8], atol=1e-6
        )
        # The prior of w = 0.5 counts as half as many rows with equal shares.
        np.testing.assert_allclose(
            estimate_shares(p, prior_weight=0.5).numpy(),
            (np.array([5 / 8, 2 / 8, 1 / 8]) + 0.5 / 3) / 1.5,
            atol=1e-6,
        )

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("shares", [[0.7, 0.1, 0.1, 0.1], [0.4, 0.0, 0.3, 0.3]], ids=str)
    def test_shares_of_a_mixture_are_found_although_its_classes_overlap(self, shares, seed):
        p = mixture(shares, 4000, seed)
        found = estimate_shares(p, prior_weight=0).numpy()
        assert np.abs(found - shares).max() < 0.03
        # Plain means of the probabilities are biased towards equal shares.
        assert np.abs(p.mean(dim=0).numpy() - shares).max() > 0.08

    def test_a_large_weight_leaves_equal_shares(self):
        p = mixture([0.7, 0.1, 0.1, 0.1], 200, 0)
        distances = [
            float((estimate_shares(p, prior_weight=w) - 0.25).abs().max()) for w in (0, 0.3, 1, 1e4)
        ]
        assert distances == sorted(distances, reverse=True)
        assert distances[-1] < 1e-4 < distances[0]

    def test_rows_that_say_nothing_leave_equal_shares(self):
        p = torch.full((50, 4), 0.25)
        np.testing.assert_array_equal(estimate_shares(p, prior_weight=0).numpy(), [0.25] * 4)

    def test_the_order_of_rows_does_not_matter(self):
        p = mixture([0.5, 0.3, 0.2], 300, 1)
        shuffled = p[torch.randperm(300, generator=torch.Generator().manual_seed(0))]
        torch.testing.assert_close(
            estimate_shares(p, prior_weight=0.1),
            estimate_shares(shuffled, prior_weight=0.1),
            rtol=0,
            atol=1e-6,
        )


class TestMeans:
    @pytest.mark.parametrize("shares", [[0.7, 0.2, 0.1], [0.85, 0.15, 0.0], [0, 0, 1]], ids=str)
    def test_corrected_probabilities_have_the_shares(self, shares):
        p = torch.stack([mixture([0.2, 0.3, 0.5], 150, seed) for seed in range(2)])
        prior = torch.tensor(shares, dtype=torch.float32)
        means = means_for_shares(p, prior)
        assert means.shape == (2, 1, 3)
        corrected = at_prior(p, means, prior)
        np.testing.assert_allclose(
            corrected.mean(dim=1).numpy(), np.tile(shares, (2, 1)), atol=1e-3
        )
        assert (corrected[..., prior == 0] == 0).all()
        # The plain mean, where rows are certain, does not get there.
        plain = at_prior(p, p.mean(dim=1, keepdim=True), prior).mean(dim=1)
        if shares[0] > 0 and shares[2] > 0:
            assert (plain - prior).abs().max() > 0.01

    def test_by_hand(self):
        # Two rows with odds 3 : 1 and 1 : 1. Factors 1 : f bring them to 3 / (3 + f) and
        # 1 / (1 + f), whose mean is 1/2 where f² = 3.
        p = torch.tensor([[0.75, 0.25], [0.5, 0.5]])
        means = means_for_shares(p, torch.tensor([0.5, 0.5]))
        assert float(means[0, 0] / means[0, 1]) == pytest.approx(3**0.5, rel=1e-3)

    def test_shares_that_hold_already_change_nothing(self):
        p = mixture([0.2, 0.3, 0.5], 150, 0)
        prior = p.mean(dim=0)
        torch.testing.assert_close(
            at_prior(p, means_for_shares(p, prior), prior), p, rtol=0, atol=1e-4
        )

    def test_probabilities_of_0(self):
        p = torch.eye(3)[[0, 0, 0, 1]]
        corrected = at_prior(
            p, means_for_shares(p, torch.tensor([0.4, 0.3, 0.3])), torch.tensor([0.4, 0.3, 0.3])
        )
        assert corrected.isfinite().all()
