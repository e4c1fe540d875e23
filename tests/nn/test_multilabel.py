import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from sklearn_ser.nn import _multilabel as multilabel
from sklearn_ser.nn._multilabel import (
    Multilabel,
    at_prior,
    class_means,
    geometric_mean,
    memory_votes,
    multilabel_of_cycle,
    multilabel_of_threshold,
    multilabel_of_votes,
    select_balanced,
)

SEEDS = range(4)

CODES = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2])


def unit(*shape, seed=0):
    rows = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return functional.normalize(rows, dim=-1)


def problem(seed, n_queries=7, n_members=2, n_components=3):
    """Queries, a memory of eleven rows in three classes, and class probabilities."""
    z = unit(n_members, n_queries, n_components, seed=seed)
    memory = unit(n_members, len(CODES), n_components, seed=seed + 100)
    chances = torch.rand(n_queries, 3, generator=torch.Generator().manual_seed(seed))
    return z, memory, chances / chances.sum(dim=1, keepdim=True)


def on_circle(*degrees):
    angles = torch.tensor(degrees, dtype=torch.float32).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], dim=1)[None]


def as_tables(found, n_rows):
    """The weights as an array (E, n, m), and where a row is listed twice, an error."""
    tables = torch.zeros(*found.rows.shape[:2], n_rows)
    for member, query in np.ndindex(*found.rows.shape[:2]):
        rows = found.rows[member, query]
        assert len(rows.unique()) == len(rows)
        tables[member, query, rows] = found.weights[member, query]
    return tables


class TestVotes:
    def test_by_hand(self):
        # Cosines 1, 0 and -1; class 1 has two rows, which share its weight.
        z, memory = on_circle(0), on_circle(0, 90, 180)
        votes = memory_votes(z, memory, torch.tensor([0, 1, 1]), n_classes=2, temperature=0.5)
        first, second = math.exp(2), (math.exp(0) + math.exp(-2)) / 2
        expected = torch.tensor([[[first, second]]]) / (first + second)
        torch.testing.assert_close(votes, expected)

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("temperature", [0.05, 0.3, 2.0])
    def test_against_loops(self, seed, temperature):
        z, memory, _ = problem(seed)
        votes = memory_votes(z, memory, CODES, n_classes=3, temperature=temperature)
        for member, query in np.ndindex(2, 7):
            sums = []
            for k in range(3):
                own = [row for row, code in zip(memory[member], CODES, strict=True) if code == k]
                terms = [
                    math.exp(float(row.double() @ z[member, query].double()) / temperature)
                    for row in own
                ]
                sums.append(sum(terms) / len(own))
            expected = torch.tensor(sums, dtype=torch.float64) / sum(sums)
            torch.testing.assert_close(votes[member, query].double(), expected, rtol=1e-4, atol=0)

    def test_a_row_that_is_there_many_times_counts_no_more(self):
        z, memory, _ = problem(0)
        rows = torch.cat([torch.arange(6).repeat(50), torch.arange(6, 11)])
        once = memory_votes(z, memory, CODES, n_classes=3, temperature=0.1)
        often = memory_votes(z, memory[:, rows], CODES[rows], n_classes=3, temperature=0.1)
        torch.testing.assert_close(often, once, rtol=1e-5, atol=1e-7)

    def test_a_class_without_rows_gets_none(self):
        z, memory, _ = problem(0)
        votes = memory_votes(z, memory, CODES, n_classes=4, temperature=0.1)
        assert (votes[..., 3] == 0).all()
        torch.testing.assert_close(votes.sum(dim=2), torch.ones(2, 7))

    @pytest.mark.parametrize("temperature", [1e-4, 1e-3, 0.01, 0.02, 0.03, 1e4])
    def test_any_temperature_gives_shares(self, temperature):
        # The query is opposite to all rows: exp(-2 / temperature) would be 0.
        z, memory = on_circle(180), on_circle(0, 20, 35)
        codes = torch.tensor([0, 1, 2])
        votes = memory_votes(z, memory, codes, n_classes=3, temperature=temperature)[0, 0]
        exact = torch.softmax((memory[0] @ z[0, 0]).double() / temperature, dim=0)
        torch.testing.assert_close(votes.double(), exact, rtol=1e-3, atol=1e-6)

    @pytest.mark.parametrize("entries", [1, 11, 25, 70])
    @pytest.mark.parametrize("temperature", [0.1, 0.01])
    def test_parts_change_nothing(self, monkeypatch, entries, temperature):
        z, memory, _ = problem(0)
        whole = memory_votes(z, memory, CODES, n_classes=3, temperature=temperature)
        monkeypatch.setattr(multilabel, "_ENTRIES_AT_ONCE", entries)
        parts = memory_votes(z, memory, CODES, n_classes=3, temperature=temperature)
        torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-6)


class TestPrior:
    def test_by_hand(self):
        # 0.8 · 0.5 / 0.8 = 0.5 and 0.2 · 0.5 / 0.2 = 0.5; 0.5 · 5 / 8 against 0.5 · 5 / 2.
        probabilities = torch.tensor([[0.8, 0.2], [0.5, 0.5]])
        mean, prior = torch.tensor([[0.8, 0.2]]), torch.tensor([0.5, 0.5])
        corrected = at_prior(probabilities, mean, prior)
        torch.testing.assert_close(corrected, torch.tensor([[0.5, 0.5], [0.2, 0.8]]))

    def test_the_formula(self):
        _, _, probabilities = problem(3)
        mean, prior = probabilities.mean(dim=0, keepdim=True), torch.tensor([0.5, 0.3, 0.2])
        unscaled = probabilities * prior / mean
        torch.testing.assert_close(
            at_prior(probabilities, mean, prior), unscaled / unscaled.sum(dim=1, keepdim=True)
        )

    def test_classes_as_frequent_as_they_should_be_stay(self):
        _, _, probabilities = problem(1)
        mean = probabilities.mean(dim=0, keepdim=True)
        torch.testing.assert_close(at_prior(probabilities, mean, mean[0]), probabilities)

    def test_a_class_that_nobody_predicts_gives_numbers(self):
        probabilities = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
        corrected = at_prior(probabilities, torch.tensor([[1.0, 0.0]]), torch.tensor([0.5, 0.5]))
        assert corrected.isfinite().all()
        torch.testing.assert_close(corrected.sum(dim=1), torch.ones(2))


class TestGeometricMean:
    def test_by_hand(self):
        # Roots of 0.8 · 0.2 and 0.2 · 0.8 are equal; of 0.09, 0.01: 0.3 and 0.1.
        first = torch.tensor([[0.8, 0.2], [0.9, 0.1]])
        second = torch.tensor([[0.2, 0.8], [0.1, 0.1]])
        expected = torch.tensor([[0.5, 0.5], [0.75, 0.25]])
        torch.testing.assert_close(geometric_mean(first, second), expected)

    def test_of_something_and_itself(self):
        _, _, probabilities = problem(2)
        torch.testing.assert_close(geometric_mean(probabilities, probabilities), probabilities)

    def test_what_both_exclude_gives_numbers(self):
        first, second = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0])
        mean = geometric_mean(first, second)
        torch.testing.assert_close(mean, torch.tensor([0.5, 0.5, 5e-5]), rtol=1e-3, atol=1e-4)


class TestSelection:
    def test_by_hand(self):
        # Class 0 is predicted with 0.9, 0.6, 0.8, 0.7 and class 1 with 0.55, 0.51.
        chance = torch.tensor([0.9, 0.45, 0.6, 0.8, 0.49, 0.7])
        selected = select_balanced(torch.stack([chance, 1 - chance], dim=1), 0.5)
        assert selected.tolist() == [True, True, False, True, False, False]

    def test_one_of_each_class_at_least(self):
        chance = torch.tensor([0.99, 0.98, 0.97, 0.49])
        selected = select_balanced(torch.stack([chance, 1 - chance], dim=1), 0.01)
        assert selected.tolist() == [True, False, False, True]

    def test_all(self):
        _, _, probabilities = problem(0, n_queries=20)
        assert select_balanced(probabilities, 1.0).all()

    def test_of_equally_confident_rows_the_first_are_selected(self):
        probabilities = torch.tensor([[0.2, 0.8], [0.4, 0.6]]).repeat(5000, 1)
        selected = select_balanced(probabilities, 0.25)
        assert selected.nonzero()[:, 0].tolist() == list(range(0, 5000, 2))

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("share", [0.1, 0.6, 0.9])
    def test_the_share_of_each_class_and_no_less_confident_row(self, seed, share):
        _, _, probabilities = problem(seed, n_queries=60)
        selected = select_balanced(probabilities, share)
        confidence, labels = probabilities.max(dim=1)
        for k in range(3):
            own = labels == k
            assert selected[own].sum() == max(1, round(share * int(own.sum())))
            left_out = confidence[own & ~selected]
            assert len(left_out) == 0 or confidence[own & selected].min() >= left_out.max()

    def test_no_rows(self):
        assert select_balanced(torch.empty(0, 3), 0.5).shape == (0,)


class TestMultilabelOfVotes:
    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("n_neighbors", [1, 2, 3, 100])
    def test_against_loops(self, seed, n_neighbors):
        z, memory, probabilities = problem(seed)
        found = multilabel_of_votes(z, memory, CODES, probabilities, n_neighbors=n_neighbors)
        expected = torch.zeros(2, 7, 11)
        for member, query in np.ndindex(2, 7):
            similarity = memory[member] @ z[member, query]
            for k in range(3):
                own = sorted(np.flatnonzero(k == CODES), key=lambda row: -similarity[row])
                nearest = own[:n_neighbors]
                expected[member, query, nearest] = probabilities[query, k] / len(nearest)
        torch.testing.assert_close(as_tables(found, 11), expected)
        torch.testing.assert_close(found.weights.sum(dim=2), torch.ones(2, 7))

    def test_a_class_without_rows_leaves_its_share_to_the_others(self):
        z, memory, _ = problem(0)
        probabilities = torch.tensor([[0.5, 0.2, 0.1, 0.2]]).repeat(7, 1)
        found = multilabel_of_votes(z, memory, CODES, probabilities, n_neighbors=2)
        assert found.rows.shape == (2, 7, 6)
        torch.testing.assert_close(found.weights[0, 0, :2], torch.full((2,), 0.25 / 0.8))

    def test_one_hot_probabilities_name_rows_of_one_class(self):
        z, memory, _ = problem(0)
        one_hot = functional.one_hot(torch.tensor([2, 0, 1, 2, 0, 1, 2]), 3).float()
        tables = as_tables(multilabel_of_votes(z, memory, CODES, one_hot, n_neighbors=2), 11)
        of_class = torch.stack([tables[..., k == CODES].sum(dim=2) for k in range(3)], dim=2)
        torch.testing.assert_close(of_class, one_hot.expand(2, 7, 3))


class TestMultilabelOfThreshold:
    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("n_neighbors", [1, 3, 11, 100, None])
    @pytest.mark.parametrize("threshold", [-1.0, 0.2, 0.999])
    def test_against_loops(self, seed, n_neighbors, threshold):
        z, memory, _ = problem(seed)
        found = multilabel_of_threshold(z, memory, threshold=threshold, n_neighbors=n_neighbors)
        expected = torch.zeros(2, 7, 11)
        for member, query in np.ndindex(2, 7):
            similarity = memory[member] @ z[member, query]
            order = sorted(range(11), key=lambda row: -similarity[row])[:n_neighbors]
            kept = [row for row in order if similarity[row] > threshold] or order[:1]
            expected[member, query, kept] = 1 / len(kept)
        torch.testing.assert_close(as_tables(found, 11), expected)

    def test_the_nearest_row_is_kept_however_far(self):
        z, memory = on_circle(180), on_circle(20, 0)
        found = multilabel_of_threshold(z, memory, threshold=0.9, n_neighbors=None)
        assert as_tables(found, 2).tolist() == [[[1.0, 0.0]]]


def cycle_by_loops(z, memory, *, threshold, n_neighbors):
    expected = torch.zeros(z.shape[0], z.shape[1], memory.shape[1])
    for member in range(len(z)):
        similarity = z[member] @ memory[member].T
        for query in range(z.shape[1]):
            order = sorted(range(memory.shape[1]), key=lambda row: -similarity[query, row])
            similar = [row for row in order if similarity[query, row] > threshold]
            k = len(similar) if n_neighbors is None else n_neighbors
            kept = []
            for row in similar[:k]:
                back = sorted(range(z.shape[1]), key=lambda other: -similarity[other, row])
                if query not in back[:k]:
                    break
                kept.append(row)
            kept = kept or order[:1]
            expected[member, query, kept] = 1 / len(kept)
    return expected


class TestMultilabelOfCycle:
    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("n_neighbors", [1, 2, 4, 100, None])
    @pytest.mark.parametrize("threshold", [-1.0, 0.2, 0.8, 1.0])
    def test_against_loops(self, seed, n_neighbors, threshold):
        z, memory, _ = problem(seed, n_queries=9)
        settings = {"threshold": threshold, "n_neighbors": n_neighbors}
        found = multilabel_of_cycle(z, memory, **settings)
        torch.testing.assert_close(as_tables(found, 11), cycle_by_loops(z, memory, **settings))

    def test_the_first_candidate_that_fails_ends_the_list(self):
        # Query 0 at 0°. Row 1 has two other queries nearer; row 2 has query 0 among its two.
        z = on_circle(0, 19, 21, 120)
        memory = on_circle(1, 20, -30)
        found = multilabel_of_cycle(z, memory, threshold=0.5, n_neighbors=2)
        assert as_tables(found, 3)[0, 0].tolist() == [1.0, 0.0, 0.0]
        found = multilabel_of_cycle(z, memory, threshold=0.5, n_neighbors=3)
        torch.testing.assert_close(as_tables(found, 3)[0, 0], torch.full((3,), 1 / 3))

    def test_the_nearest_row_is_kept_even_if_it_has_nearer_queries(self):
        z, memory = on_circle(0, 50), on_circle(45, 46)
        found = multilabel_of_cycle(z, memory, threshold=0.0, n_neighbors=1)
        assert as_tables(found, 2)[0].tolist() == [[1.0, 0.0], [0.0, 1.0]]

    def test_no_more_rows_than_the_threshold_alone_finds(self):
        z, memory, _ = problem(5, n_queries=30)
        settings = {"threshold": 0.3, "n_neighbors": 4}
        mutual = as_tables(multilabel_of_cycle(z, memory, **settings), 11) > 0
        similar = as_tables(multilabel_of_threshold(z, memory, **settings), 11) > 0
        assert (mutual <= similar).all()
        assert mutual.sum() < similar.sum()


FINDERS = {
    "votes": lambda z, memory, p: multilabel_of_votes(z, memory, CODES, p, n_neighbors=2),
    "threshold": lambda z, memory, p: multilabel_of_threshold(
        z, memory, threshold=0.1, n_neighbors=5
    ),
    "cycle": lambda z, memory, p: multilabel_of_cycle(z, memory, threshold=0.1, n_neighbors=5),
}


@pytest.mark.parametrize("find", FINDERS.values(), ids=FINDERS)
class TestAnyMultilabel:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_weights_sum_to_1(self, find, seed):
        found = find(*problem(seed))
        assert found.rows.shape == found.weights.shape
        assert (found.weights >= 0).all()
        torch.testing.assert_close(found.weights.sum(dim=2), torch.ones(2, 7))

    @pytest.mark.parametrize("entries", [1, 25])
    def test_parts_change_nothing(self, find, entries, monkeypatch):
        z, memory, probabilities = problem(0)
        whole = find(z, memory, probabilities)
        means = whole.means(memory)
        monkeypatch.setattr(multilabel, "_ENTRIES_AT_ONCE", entries)
        parts = find(z, memory, probabilities)
        torch.testing.assert_close(as_tables(parts, 11), as_tables(whole, 11))
        torch.testing.assert_close(parts.means(memory), means)

    def test_some_of_the_queries(self, find):
        z, memory, probabilities = problem(0)
        found = find(z, memory, probabilities)
        some = found.of(torch.tensor([4, 1]))
        assert torch.equal(some.rows, found.rows[:, [4, 1]])
        assert torch.equal(some.weights, found.weights[:, [4, 1]])

    def test_means(self, find):
        z, memory, probabilities = problem(0)
        found = find(z, memory, probabilities)
        expected = as_tables(found, 11) @ memory
        torch.testing.assert_close(found.means(memory), expected)


class TestMeans:
    def test_by_hand(self):
        memory = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]])
        found = Multilabel(torch.tensor([[[0, 1], [2, 0]]]), torch.tensor([[[0.25, 0.75], [1, 0]]]))
        assert found.means(memory).tolist() == [[[0.25, 0.75], [-1.0, 0.0]]]

    @pytest.mark.parametrize("seed", SEEDS)
    def test_class_means_are_those_of_all_rows(self, seed):
        z, memory, probabilities = problem(seed)
        found = multilabel_of_votes(z, memory, CODES, probabilities, n_neighbors=len(CODES))
        means = class_means(memory, CODES, probabilities)
        assert means.shape == (2, 7, 3)
        torch.testing.assert_close(means, found.means(memory))
