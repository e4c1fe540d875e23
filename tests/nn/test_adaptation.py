"""The steps that NNPMClassifier adapts by, one at a time."""

import pytest
import torch
from torch.nn import functional

from sklearn_ser.nn._adaptation import Adaptation, AdaptationSettings, Source, collapse, source_loss
from sklearn_ser.nn._memory import MemoryNet
from sklearn_ser.nn._multilabel import at_prior, geometric_mean, select_balanced
from sklearn_ser.nn._readout import Readout, embed_rows, has_length_1
from sklearn_ser.nn._training import EpochState

PRIOR = torch.tensor([0.5, 0.3, 0.2])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed))


def settings(**changes):
    return AdaptationSettings(
        **{
            "loss": "softmax",
            "label_prediction": "vote",
            "soft_labels": True,
            "n_neighbors": None,
            "similarity_threshold": 0.3,
            "selection": 0.5,
            "temperature": 0.1,
            "memory_momentum": 0.8,
            "target_weight": 1.0,
            "prior": PRIOR,
            **changes,
        }
    )


@pytest.fixture
def module():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return MemoryNet(5, (6,), 4, 3, 2, 0.5)


@pytest.fixture
def start(module):
    """Begin an adaptation with twelve source rows and twenty target rows."""

    def start(keep_source=True, **changes):
        chosen = settings(**changes)
        rows, codes = normal(12, 5), torch.arange(12) % 3
        source = Source(codes, torch.linspace(0.5, 1.5, 12), rows if keep_source else None)
        readout = Readout(
            embed_rows(module, rows),
            codes,
            n_classes=3,
            temperature=chosen.temperature,
            prior=chosen.prior,
        )
        return Adaptation(readout, source, normal(20, 5, seed=1), chosen)

    return start


def change(module, seed=5):
    """Another encoder, as after an epoch of training."""
    with torch.no_grad():
        for position, parameter in enumerate(module.parameters()):
            parameter.add_(0.3 * normal(*parameter.shape, seed=seed + position))


def now(state, module):
    """Pseudo labels as the present network would give them."""
    head, votes = state.readout.raw(module, embed_rows(module, state.target))
    if state.settings.prior is not None:
        head, votes = (at_prior(one, one.mean(dim=1, keepdim=True), PRIOR) for one in (head, votes))
    return geometric_mean(head, votes).mean(dim=0)


class TestEpochs:
    @pytest.mark.parametrize("prior", [PRIOR, None], ids=["prior", "none"])
    def test_pseudo_labels_come_from_both_votes(self, start, module, prior):
        state = start(prior=prior)
        figures = state.begin_epoch(module, 0)
        torch.testing.assert_close(state.probabilities, now(state, module))
        torch.testing.assert_close(state.selected, select_balanced(state.probabilities, 0.5))
        assert figures["label_agreement"] == 1
        assert figures["drift"] == pytest.approx(0, abs=1e-6)
        shares = torch.bincount(state.probabilities.argmax(dim=1), minlength=3) / 20
        assert figures["smallest_class"] == pytest.approx(shares.min().item())
        assert figures["selected"] == pytest.approx(state.selected.float().mean().item())

    def test_they_are_averaged_over_epochs(self, start, module):
        state = start()
        state.begin_epoch(module, 0)
        first, first_embedding = state.probabilities, embed_rows(module, state.target)
        change(module)
        figures = state.begin_epoch(module, 1)
        expected = 0.5 * first + 0.5 * now(state, module)
        torch.testing.assert_close(state.probabilities, expected)
        same = first.argmax(dim=1) == expected.argmax(dim=1)
        assert 0 < figures["label_agreement"] < 1
        assert figures["label_agreement"] == pytest.approx(same.float().mean().item())
        cosine = (embed_rows(module, state.target) * first_embedding).sum(dim=2).mean()
        assert figures["drift"] == pytest.approx(1 - cosine.item(), abs=1e-6)

    def test_the_memory_is_renewed_from_the_second_epoch_on(self, start, module):
        state = start()
        before = state.readout.memory
        state.begin_epoch(module, 0)
        assert state.readout.memory is before
        change(module)
        state.begin_epoch(module, 1)
        mixed = 0.8 * before + 0.2 * embed_rows(module, state.source.rows)
        expected = mixed / mixed.norm(dim=2, keepdim=True)
        torch.testing.assert_close(state.readout.memory, expected)

    def test_it_stays_without_source_rows(self, start, module):
        state = start(keep_source=False)
        before = state.readout.memory
        state.begin_epoch(module, 0)
        change(module)
        state.begin_epoch(module, 1)
        assert state.readout.memory is before

    @pytest.mark.parametrize("label_prediction", ["vote", "threshold", "cycle"])
    def test_predictions_are_corrected_by_means_of_the_last_embedding(
        self, start, module, label_prediction
    ):
        state = start(label_prediction=label_prediction, n_neighbors=3)
        state.begin_epoch(module, 0)
        change(module)
        state.finish(module)
        raw = state.readout.raw(module, embed_rows(module, state.target))
        for learnt, one in zip(state.readout.means, raw, strict=True):
            torch.testing.assert_close(learnt, one.mean(dim=1, keepdim=True))

    def test_votes_of_a_multilabel_are_the_weights_of_its_classes(self, start, module):
        state = start(label_prediction="threshold", prior=None)
        state.begin_epoch(module, 0)
        head, _ = state.readout.raw(module, embed_rows(module, state.target))
        one_hot = functional.one_hot(state.readout.codes, 3).float()
        found = state.multilabel
        votes = torch.einsum("enp,enpk->enk", found.weights, one_hot[found.rows])
        expected = geometric_mean(head, votes).mean(dim=0)
        torch.testing.assert_close(state.probabilities, expected)


class TestMultilabels:
    def test_of_all_rows_need_no_list(self, start, module):
        state = start()
        state.begin_epoch(module, 0)
        assert state.multilabel is None
        memory, codes = state.readout.memory, state.readout.codes
        class_mean = torch.stack([memory[:, codes == k].mean(dim=1) for k in range(3)], dim=1)
        torch.testing.assert_close(state.means, state.probabilities @ class_mean)

    def test_hard_ones(self, start, module):
        state = start(soft_labels=False)
        state.begin_epoch(module, 0)
        memory, codes = state.readout.memory, state.readout.codes
        for query, label in enumerate(state.probabilities.argmax(dim=1)):
            expected = memory[:, codes == label].mean(dim=1)
            torch.testing.assert_close(state.means[:, query], expected)

    @pytest.mark.parametrize("soft_labels", [True, False])
    @pytest.mark.parametrize("n_neighbors", [2, None])
    def test_the_square_loss_takes_rows_of_one_class(self, start, module, soft_labels, n_neighbors):
        state = start(loss="mmcl", soft_labels=soft_labels, n_neighbors=n_neighbors)
        state.begin_epoch(module, 0)
        labels = state.probabilities.argmax(dim=1)[None, :, None]
        found = state.multilabel
        named = found.weights > 0
        assert (state.readout.codes[found.rows] == labels)[named].all()
        assert (named.sum(dim=2) == (n_neighbors or 4)).all()

    def test_the_nearest_rows_of_each_class(self, start, module):
        state = start(n_neighbors=1)
        state.begin_epoch(module, 0)
        assert state.multilabel.rows.shape == (2, 20, 3)
        assert (state.readout.codes[state.multilabel.rows] == torch.arange(3)).all()
        expected = state.probabilities.expand(2, 20, 3)
        torch.testing.assert_close(state.multilabel.weights, expected)


class TestLoss:
    QUERIES = torch.tensor([3, 7, 1, 12])

    def terms(self, state, module, seed=3):
        batch = {"X": state.target[self.QUERIES], "row": self.QUERIES}
        return state.loss_terms(module, batch, EpochState(0, {}, generator(seed)))

    @pytest.mark.parametrize("soft_labels", [True, False])
    def test_only_selected_rows_count(self, start, module, soft_labels):
        module.dropout = 0.0
        state = start(soft_labels=soft_labels)
        state.begin_epoch(module, 0)
        state.selected = torch.zeros(20, dtype=torch.bool)
        state.selected[[7, 12, 15]] = True
        terms = self.terms(state, module)
        chosen = torch.tensor([7, 12])
        z = module.embed(state.target[chosen])
        goals = state.probabilities[chosen]
        if not soft_labels:
            goals = functional.one_hot(goals.argmax(dim=1), 3).float()
        head = -(goals * module.classify(z).log_softmax(dim=2)).sum(dim=2)
        torch.testing.assert_close(terms["head"], head.mean())
        scores = z @ state.readout.memory.transpose(1, 2) / 0.1
        share_of_row = goals[:, state.readout.codes] / 4
        multilabel = -(share_of_row * scores.log_softmax(dim=2)).sum(dim=2)
        torch.testing.assert_close(terms["multilabel"], multilabel.mean())

    @pytest.mark.parametrize("loss", ["softmax", "mmcl"])
    def test_a_batch_without_selected_rows_teaches_nothing_about_the_target(
        self, start, module, loss
    ):
        state = start(loss=loss)
        state.begin_epoch(module, 0)
        state.selected = torch.zeros(20, dtype=torch.bool)
        terms = self.terms(state, module)
        assert terms["head"].item() == terms["multilabel"].item() == 0
        (terms["head"] + terms["multilabel"]).backward()
        assert all(
            parameter.grad is None or (parameter.grad == 0).all()
            for parameter in module.parameters()
        )
        assert terms["source"].item() > 0

    @pytest.mark.parametrize("keep_source", [True, False])
    def test_as_many_source_rows(self, start, module, keep_source):
        module.dropout = 0.0
        state = start(keep_source)
        state.begin_epoch(module, 0)
        terms = self.terms(state, module)
        drawn = torch.randint(12, (4,), generator=generator(3))
        z = (
            module.embed(state.source.rows[drawn])
            if keep_source
            else state.readout.memory[:, drawn]
        )
        expected = source_loss(
            module.classify(z), state.source.codes[drawn], state.source.row_weights[drawn]
        )
        torch.testing.assert_close(terms["source"], expected)

    def test_units_are_dropped_by_the_generator_of_the_epoch(self, start, module):
        state = start()
        state.begin_epoch(module, 0)
        before = torch.get_rng_state()
        first, second, other = (self.terms(state, module, seed) for seed in (1, 1, 2))
        assert torch.equal(torch.get_rng_state(), before)
        for name in ("source", "multilabel", "head"):
            assert torch.equal(first[name], second[name])
            assert not torch.equal(first[name], other[name])

    def test_cross_entropy_of_the_source(self):
        logits, codes = normal(2, 6, 3), torch.tensor([0, 2, 1, 1, 0, 2])
        weights = torch.tensor([1.0, 2.0, 0.0, 1.0, 0.5, 1.5])
        both = [
            functional.cross_entropy(member, codes, reduction="none") * weights for member in logits
        ]
        expected = torch.stack(both).mean()
        torch.testing.assert_close(source_loss(logits, codes, weights), expected)


class TestSoundness:
    def test_of_what_was_learnt(self, start, module):
        state = start()
        state.begin_epoch(module, 0)
        assert state.is_finite()
        for value in (torch.nan, 0.0):
            broken = start()
            broken.begin_epoch(module, 0)
            broken.readout.memory = broken.readout.memory.clone()
            broken.readout.memory[1, 3] = value
            assert not broken.is_finite()
        state.probabilities[4, 1] = torch.nan
        assert not state.is_finite()

    @pytest.mark.parametrize("scale", [1e15, 1e30])
    def test_of_an_embedding_that_overflows(self, start, module, scale):
        state = start()
        state.begin_epoch(module, 0)
        with torch.no_grad():
            for layer in module.encoder:
                layer.weight.mul_(scale)
        state.begin_epoch(module, 1)
        assert not state.is_finite()

    def test_lengths(self):
        z = functional.normalize(normal(2, 5, 3), dim=2)
        assert has_length_1(z)
        z[1, 4] = 0
        assert not has_length_1(z)


BEFORE = {"smallest_class": 0.2}
HEALTHY = {"smallest_class": 0.2, "label_agreement": 0.9, "head_memory_agreement": 0.9}


class TestCollapse:
    def test_nothing_to_be_seen(self):
        assert collapse(BEFORE, HEALTHY, smallest_prior=0.25) == ""

    @pytest.mark.parametrize(
        ("figures", "reason"),
        [
            ({"smallest_class": 0.01}, r"a class is predicted for 1.0% .* about 25% and were 20"),
            ({"label_agreement": 0.5}, r"did not settle: 50% of them were the same"),
            ({"head_memory_agreement": 0.3}, r"same class for only 30% of the target rows"),
        ],
    )
    def test_signs(self, figures, reason):
        with pytest.raises(AssertionError, match=reason):
            assert collapse(BEFORE, HEALTHY | figures, smallest_prior=0.25) == ""

    def test_a_class_that_was_small_before_is_not_lost(self):
        few = HEALTHY | {"smallest_class": 0.01}
        assert collapse({"smallest_class": 0.01}, few, smallest_prior=0.25) == ""
        assert collapse({"smallest_class": 0.02}, few, smallest_prior=0.25) != ""

    def test_a_class_that_should_be_rare_is_not_lost(self):
        assert collapse(BEFORE, HEALTHY | {"smallest_class": 0.01}, smallest_prior=0.04) == ""
