import math

import pytest
import torch

from sklearn_ser.nn._domain_losses import adversarial_loss, confusion_loss, covariance_loss


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def logits_of(*rows):
    return torch.tensor([rows], dtype=torch.float64).log()


class TestConfusion:
    def test_by_hand(self):
        # Two rows, equally certain, so with equal weights: C is the sum of the outer products
        # [[.64, .16], [.16, .04]] and [[.04, .16], [.16, .64]], and .32 / (.68 + .32) off the
        # diagonal of each row.
        loss = confusion_loss(logits_of([0.8, 0.2], [0.2, 0.8]), temperature=1.0)
        assert loss.item() == pytest.approx(0.32)

    def test_certain_rows_weigh_more(self):
        # Weights 1 + exp(-H): 2 for the certain row, 1.5 for the one of entropy log 2.
        # C = 2 [[1, 0], [0, 0]] + 1.5 [[.25, .25], [.25, .25]].
        certain = torch.tensor([[[0.0, -800.0], [0.0, 0.0]]], dtype=torch.float64)
        expected = (0.375 / 2.75 + 0.375 / 0.75) / 2
        assert confusion_loss(certain, temperature=1.0).item() == pytest.approx(expected)

    def test_temperature_divides_the_logits(self):
        logits = normal(2, 9, 3)
        torch.testing.assert_close(
            confusion_loss(4 * logits, temperature=4.0), confusion_loss(logits, temperature=1.0)
        )

    def test_nothing_confused_and_everything(self):
        assert confusion_loss(1000 * torch.eye(3)[None], temperature=1.0) == 0
        everything = confusion_loss(torch.zeros(1, 5, 4), temperature=1.0)
        assert everything.item() == pytest.approx(0.75)

    def test_it_is_the_mean_over_members(self):
        logits = normal(3, 8, 4)
        single = [confusion_loss(logits[[e]], temperature=2.0) for e in range(3)]
        torch.testing.assert_close(
            confusion_loss(logits, temperature=2.0), torch.stack(single).mean()
        )

    def test_a_class_that_no_row_predicts_has_a_finite_gradient(self):
        logits = torch.tensor([[[0.0, 0.0, -1e4]]], requires_grad=True)
        loss = confusion_loss(logits, temperature=1.0)
        loss.backward()
        assert loss.item() == pytest.approx(1 / 3)
        assert logits.grad.isfinite().all()

    def test_no_rows(self):
        assert confusion_loss(torch.zeros(2, 0, 3), temperature=1.0) == 0


class TestCovariance:
    def test_by_hand(self):
        # Covariances [[2, 0], [0, 0]] and [[0, 0], [0, 8]]: (4 + 64) / (4 * 2**2).
        source = torch.tensor([[[0.0, 5.0], [2.0, 5.0]]])
        target = torch.tensor([[[1.0, 0.0], [1.0, 4.0]]])
        assert covariance_loss(source, target).item() == pytest.approx(4.25)

    def test_it_is_that_of_torch(self):
        source, target = normal(2, 7, 3), normal(2, 11, 3, seed=1)
        expected = [
            (torch.cov(a.T) - torch.cov(b.T)).square().sum() / 36
            for a, b in zip(source, target, strict=True)
        ]
        torch.testing.assert_close(covariance_loss(source, target), torch.stack(expected).mean())

    def test_an_offset_is_not_seen(self):
        z = normal(2, 7, 3)
        assert covariance_loss(z, z + 3).item() == pytest.approx(0, abs=1e-20)

    @pytest.mark.parametrize("n_rows", [0, 1])
    def test_less_than_two_rows_do_not_vary(self, n_rows):
        z = torch.zeros(2, n_rows, 3)
        assert covariance_loss(z, z) == 0


class TestAdversarial:
    def test_by_hand(self):
        # Logits 1 and -1 for the source, 2 for the target.
        source, target = torch.tensor([[[1.0], [-1.0]]]), torch.tensor([[[2.0]]])
        of_source = (math.log(1 + math.e) + math.log(1 + 1 / math.e)) / 2
        expected = of_source + math.log(1 + math.exp(-2))
        loss = adversarial_loss(lambda z: z[..., 0], source, target)
        assert loss.item() == pytest.approx(expected)

    def test_the_judge_learns_to_tell_and_the_embedding_not_to(self):
        scale = torch.ones((), dtype=torch.float64, requires_grad=True)
        source = normal(1, 5, 2).requires_grad_()
        target = normal(1, 4, 2, seed=1).requires_grad_()
        loss = adversarial_loss(lambda z: scale * z.sum(dim=2), source, target)
        found = torch.autograd.grad(loss, [scale, source, target])
        plain = (
            torch.nn.functional.softplus(scale * source.sum(dim=2)).mean()
            + torch.nn.functional.softplus(-scale * target.sum(dim=2)).mean()
        )
        expected = torch.autograd.grad(plain, [scale, source, target])
        torch.testing.assert_close(loss, plain)
        torch.testing.assert_close(found[0], expected[0])
        torch.testing.assert_close(found[1], -expected[1])
        torch.testing.assert_close(found[2], -expected[2])
