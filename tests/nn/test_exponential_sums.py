import pytest
import torch
from torch.nn import functional

from sklearn_ser.nn import _exponential_sums
from sklearn_ser.nn._exponential_sums import exponential_sums, log_totals
from sklearn_ser.nn._multilabel import memory_votes


def units(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(*shape, generator=generator), dim=-1)


@pytest.fixture
def large():
    """Two members, more queries than share a part, and a memory of several parts."""
    return units(2, 300, 8), units(2, 5000, 8, seed=1)


def similarities(z, memory, temperature):
    return z.double() @ memory.double().transpose(1, 2) / temperature


@pytest.mark.parametrize("temperature", [0.005, 0.02, 0.05, 1.0])
class TestAgainstAllSimilaritiesAtOnce:
    def test_sums(self, large, temperature):
        z, memory = large
        values = torch.rand(5000, 3, generator=torch.Generator().manual_seed(2))
        highest, totals, sums = exponential_sums(z, memory, values, temperature)
        weights = (similarities(z, memory, temperature) - highest).exp()
        assert weights.max() < 1.001
        torch.testing.assert_close(totals[..., 0], weights.sum(2).float(), rtol=1e-4, atol=0)
        torch.testing.assert_close(sums, (weights @ values.double()).float(), rtol=1e-4, atol=0)

    def test_logarithms_and_gradients(self, large, temperature):
        z, memory = large
        by_parts = z.clone().requires_grad_()
        at_once = z.double().requires_grad_()
        expected = torch.logsumexp(similarities(at_once, memory, temperature), dim=2)
        found = log_totals(by_parts, memory, temperature)
        torch.testing.assert_close(found, expected.float(), rtol=1e-5, atol=1e-5)
        weights = torch.linspace(-1, 1, found.numel()).reshape(found.shape)
        (found * weights).sum().backward()
        (expected * weights).sum().backward()
        scale = at_once.grad.abs().max().item()
        torch.testing.assert_close(by_parts.grad, at_once.grad.float(), rtol=0, atol=1e-5 * scale)

    def test_votes(self, large, temperature):
        z, memory = large
        codes = torch.arange(5000) % 3
        arguments = {"n_classes": 3, "temperature": temperature}
        by_parts = memory_votes(z, memory, codes, **arguments)
        weights = similarities(z, memory, temperature).softmax(dim=2)
        shares = weights @ functional.one_hot(codes, 3).double()
        shares /= torch.bincount(codes)
        expected = shares / shares.sum(dim=2, keepdim=True)
        torch.testing.assert_close(by_parts, expected.float(), rtol=1e-4, atol=1e-6)


def test_a_memory_of_one_part_is_taken_at_once(monkeypatch):
    z, memory = units(2, 10, 8), units(2, 4096, 8, seed=1)
    monkeypatch.setattr(_exponential_sums, "exponential_sums", None)
    expected = torch.logsumexp(z @ memory.transpose(1, 2) / 0.05, dim=2)
    torch.testing.assert_close(log_totals(z, memory, 0.05), expected, rtol=0, atol=0)


def test_no_gradient_flows_into_the_memory(large):
    z, memory = large
    memory.requires_grad_()
    log_totals(z.requires_grad_(), memory, 0.05).sum().backward()
    assert memory.grad is None


def test_peak_of_entries_does_not_grow_with_the_memory(large, monkeypatch):
    z, memory = large
    seen = []
    exp = torch.Tensor.exp_
    monkeypatch.setattr(
        torch.Tensor, "exp_", lambda self: (seen.append(self.numel()), exp(self))[1]
    )
    exponential_sums(z, memory, memory, 0.05)
    assert sum(seen) == 2 * 300 * 5000
    assert max(seen) <= 2 * _exponential_sums._ENTRIES_AT_ONCE
