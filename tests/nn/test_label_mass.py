"""Shares of raters in place of codes: votes, multilabels and losses."""

import pytest
import torch
from torch.nn import functional

from sklearn_ser.nn._adaptation import source_loss
from sklearn_ser.nn._losses import classification_loss
from sklearn_ser.nn._memory_losses import multilabel_square_loss
from sklearn_ser.nn._multilabel import (
    Multilabel,
    class_means,
    memory_votes,
    multilabel_of_threshold,
    multilabel_of_votes,
)

CODES = torch.tensor([0, 0, 0, 1, 1, 2])
ONE_HOT = functional.one_hot(CODES).float()


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


Z = functional.normalize(numbers(2, 4, 3), dim=2)
MEMORY = functional.normalize(numbers(2, 6, 3, seed=1), dim=2)
SHARES = numbers(6, 3, seed=2).softmax(dim=1)
CHANCES = numbers(4, 3, seed=3).softmax(dim=1)


def votes(mass, weights=None):
    return memory_votes(Z, MEMORY, mass, n_classes=3, temperature=0.3, weights=weights)


def test_one_hot_mass_is_codes():
    weights = torch.tensor([1.0, 2.0, 1.0, 1.0, 1.0, 3.0])
    torch.testing.assert_close(votes(ONE_HOT), votes(CODES))
    torch.testing.assert_close(votes(ONE_HOT, weights[:, None]), votes(CODES, weights))
    torch.testing.assert_close(
        class_means(MEMORY, ONE_HOT, CHANCES), class_means(MEMORY, CODES, CHANCES)
    )
    for n_neighbors in (1, 2, 9):
        first, second = (
            multilabel_of_votes(Z, MEMORY, one, CHANCES, n_neighbors=n_neighbors)
            for one in (ONE_HOT, CODES)
        )
        torch.testing.assert_close(first.rows, second.rows)
        torch.testing.assert_close(first.weights, second.weights)
    found = multilabel_of_threshold(Z, MEMORY, threshold=0.0, n_neighbors=None)
    torch.testing.assert_close(found.votes(ONE_HOT, 3), found.votes(CODES, 3))
    logits, ones = numbers(2, 6, 3, seed=4), torch.ones(6)
    torch.testing.assert_close(source_loss(logits, ONE_HOT, ones), source_loss(logits, CODES, ones))


def test_votes_follow_the_formula():
    similarity = (Z @ MEMORY.transpose(1, 2) / 0.3).exp()
    expected = similarity @ (SHARES / SHARES.sum(dim=0))
    torch.testing.assert_close(votes(SHARES), expected / expected.sum(dim=2, keepdim=True))
    # However small the mass of a class is: it counts as much as the others.
    torch.testing.assert_close(votes(SHARES * torch.tensor([1.0, 0.01, 1.0])), votes(SHARES))


def test_a_row_with_two_shares_is_two_rows():
    half = torch.tensor([[0.5, 0.5]])
    split = memory_votes(
        Z,
        torch.cat([MEMORY, MEMORY[:, :1]], dim=1),
        torch.cat([torch.tensor([0.5, 0.0, 0.0])[None], ONE_HOT[1:], torch.eye(3)[1:2] / 2]),
        n_classes=3,
        temperature=0.3,
    )
    whole = votes(torch.cat([torch.cat([half, torch.zeros(1, 1)], dim=1), ONE_HOT[1:]]))
    torch.testing.assert_close(split, whole)


def test_multilabels_are_proportional_to_the_shares():
    mass = torch.tensor([[0.8, 0.2], [0.6, 0.4], [0.1, 0.9]])
    memory, query = MEMORY[:1, :3], Z[:1, :1]
    found = multilabel_of_votes(query, memory, mass, torch.tensor([[0.5, 0.5]]), n_neighbors=5)
    weights = dict(zip(found.rows[0, 0].tolist(), found.weights[0, 0].tolist(), strict=True))
    assert weights == pytest.approx({0: 0.5 * 0.8 / 1.4, 1: 0.5 * 0.6 / 1.4, 2: 0.5})
    # A class that is nowhere the largest share is represented by all rows that have some.
    found = multilabel_of_votes(query, memory, mass[:2], torch.tensor([[0.0, 1.0]]), n_neighbors=5)
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights[0, 0, -2:] > 0).all()


def test_a_row_that_is_named_twice_is_a_positive_row():
    rows = torch.tensor([[[0, 1, 0]]])
    twice = Multilabel(rows, torch.tensor([[[0.5, 0.5, 0.0]]]))
    once = Multilabel(rows[..., :2], torch.tensor([[[0.5, 0.5]]]))
    torch.testing.assert_close(
        *(multilabel_square_loss(Z[:1, :1], MEMORY[:1], one) for one in (twice, once))
    )


def test_losses_are_cross_entropies():
    logits = numbers(6, 3, seed=4)
    expected = -(SHARES * logits.log_softmax(dim=1)).sum(dim=1)
    torch.testing.assert_close(source_loss(logits[None], SHARES, torch.ones(6)), expected.mean())
    gapped = SHARES.clone()
    gapped[2:] = torch.nan
    logits.requires_grad_()
    loss = classification_loss(logits, gapped)
    torch.testing.assert_close(loss, expected[:2].mean())
    [gradient] = torch.autograd.grad(loss, logits)
    assert gradient.isfinite().all()
    assert (gradient[2:] == 0).all()
    assert classification_loss(logits, torch.full((6, 3), torch.nan)) == 0
