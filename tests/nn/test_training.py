import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_ser.nn._devices import build_module
from sklearn_ser.nn._modules import Autoencoder
from sklearn_ser.nn._state import load_state, state_to_numpy
from sklearn_ser.nn._training import (
    EpochState,
    TensorRows,
    TermsNet,
    TrainingPlan,
    Watch,
    weighted_sum,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def make_net(n_features=5, batch_size=8, learning_rate=1e-2):
    module = build_module(lambda: Autoencoder(n_features, (4,), 2), seed=0)
    return TermsNet.around(
        module,
        learning_rate=learning_rate,
        batch_size=batch_size,
        device=torch.device("cpu"),
    )


def make_rows(n=20, n_features=5):
    X = torch.randn(n, n_features, generator=generator())
    return TensorRows.all_of({"X": X, "row": torch.arange(n)})


def reconstruction(module, batch, state):
    return {"reconstruction": nn.functional.mse_loss(module(batch["X"]), batch["X"])}


def make_plan(loss_terms=reconstruction, weights=None, **settings):
    return TrainingPlan(
        loss_terms=loss_terms,
        total=weighted_sum,
        weights=lambda epoch: weights or {},
        generator=generator(),
        **settings,
    )


def weights_of(net):
    return [parameter.detach().clone() for parameter in net.module_.parameters()]


def test_terms_without_a_weight_count_once():
    terms = {"reconstruction": torch.tensor(3.0), "kl": torch.tensor(5.0)}
    assert weighted_sum(terms, {"kl": 0.1}).item() == pytest.approx(3.5)
    assert weighted_sum(terms, {"kl": 0.0, "reconstruction": 2.0}).item() == 6.0
    assert weighted_sum(terms, {"kl": 1}).item() == 8.0
    assert weighted_sum(terms, {"kl": np.float32(0.5)}).item() == 5.5


class TestBatches:
    def test_in_order_without_a_generator(self):
        batches = list(make_rows(20).batches(8))
        assert [batch["row"].tolist() for batch in batches] == [
            list(range(8)),
            list(range(8, 16)),
            list(range(16, 20)),
        ]

    def test_every_row_once_with_what_belongs_to_it(self):
        rows = make_rows(20)
        batches = list(rows.batches(8, generator()))
        order = torch.cat([batch["row"] for batch in batches])
        assert sorted(order.tolist()) == list(range(20))
        assert order.tolist() != list(range(20))
        X = torch.cat([batch["X"] for batch in batches])
        assert torch.equal(X, rows.tensors["X"][order])

    def test_a_new_order_each_time_that_the_generator_repeats(self):
        rows, shared = make_rows(20), generator()
        first, second = (next(rows.batches(20, shared))["row"] for _ in range(2))
        again = next(rows.batches(20, generator()))["row"]
        assert not torch.equal(first, second)
        assert torch.equal(first, again)

    def test_only_the_chosen_rows(self):
        tensors = make_rows(20).tensors
        chosen = TensorRows(tensors, torch.tensor([3, 5, 8]))
        order = torch.cat([batch["row"] for batch in chosen.batches(2, generator())])
        assert sorted(order.tolist()) == [3, 5, 8]

    def test_a_batch_larger_than_the_data(self):
        assert [len(batch["X"]) for batch in make_rows(3).batches(64, generator())] == [3]


def test_noise_has_shape_and_dtype_of_its_model():
    X = torch.zeros(2000, 3, dtype=torch.float64)
    noise = EpochState(0, {}, generator()).normal_like(X)
    assert noise.shape == X.shape
    assert noise.dtype == X.dtype
    # Four standard errors of mean and standard deviation of 6,000 numbers.
    assert abs(noise.mean()) < 4 / 6000**0.5
    assert abs(noise.std() - 1) < 4 / 12000**0.5
    assert torch.equal(noise, EpochState(9, {}, generator()).normal_like(X))


class TestWatch:
    def look_at(self, watch, losses):
        """Show it losses; the weight of the module is the number of the epoch."""
        module = nn.Linear(1, 1, bias=False)
        watch.keep(module)
        for epoch, loss in enumerate(losses, start=1):
            nn.init.constant_(module.weight, epoch)
            if watch.stops(module, {"epoch": epoch, "loss": 1.0, "validation_loss": loss}):
                break
        watch.restore(module)
        return epoch, module.weight.item()

    @pytest.mark.parametrize(
        ("losses", "patience", "tol", "stopped", "best"),
        [
            ([5, 4, 3, 2], 2, 0.0, 4, 4),
            ([5, 4, 4, 4, 1], 2, 0.0, 4, 2),
            ([5, 6, 4, 6, 6, 1], 2, 0.0, 5, 3),
            # Slow progress is kept, and does not go on for ever.
            ([5.0, 4.9, 4.8, 4.7], 2, 0.5, 3, 3),
            ([5.0, 4.9, 4.3, 4.2, 4.1, 3.0], 2, 0.5, 5, 5),
            ([5, 6, 7], 1, 0.0, 2, 1),
        ],
    )
    def test_by_hand(self, losses, patience, tol, stopped, best):
        watch = Watch(patience, tol)
        assert self.look_at(watch, losses) == (stopped, best)
        assert watch.best_epoch == best
        assert watch.n_epochs == stopped
        assert not watch.diverged

    def test_it_looks_only_from_the_first_epoch_on(self):
        watch = Watch(patience=2, first_epoch=3)
        assert self.look_at(watch, [1, 2, 3, 9, 8, 8.5, 8.5, 1]) == (7, 5)

    def test_without_validation_the_last_epoch_is_kept(self):
        assert self.look_at(Watch(), [1, 2, 3]) == (3, 3)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_it_returns_to_the_last_finite_epoch(self, bad):
        watch = Watch(patience=9)
        assert self.look_at(watch, [3, 2, bad, 1]) == (3, 2)
        assert watch.diverged

    def test_weights_that_are_not_finite_are_not_kept(self):
        module = nn.Linear(1, 1)
        watch = Watch()
        watch.keep(module)
        before = module.weight.item()
        nn.init.constant_(module.weight, np.nan)
        assert watch.stops(module, {"epoch": 1, "loss": 0.5})
        watch.restore(module)
        assert watch.diverged
        assert watch.best_epoch is None
        assert module.weight.item() == before


class TestLoop:
    def test_it_is_adam_on_batches(self):
        net, rows = make_net(), make_rows()
        by_hand = build_module(lambda: Autoencoder(5, (4,), 2), seed=0)
        net.fit_loop(rows, epochs=3, plan=make_plan())
        adam = torch.optim.Adam(by_hand.parameters(), lr=1e-2)
        order = generator()
        for _ in range(3):
            for batch in rows.batches(8, order):
                adam.zero_grad()
                nn.functional.mse_loss(by_hand(batch["X"]), batch["X"]).backward()
                adam.step()
        for ours, expected in zip(weights_of(net), by_hand.parameters(), strict=True):
            torch.testing.assert_close(ours, expected.detach(), rtol=1e-5, atol=1e-6)

    def test_losses_are_means_over_rows_not_batches(self):
        def mean_row(module, batch, state):
            nothing = 0 * module.encoder[0].weight.sum()
            return {"row": batch["row"].double().mean() + nothing}

        net = make_net()
        net.fit_loop(make_rows(20), epochs=2, plan=make_plan(mean_row))
        # Batches of 8, 8 and 4 rows.
        assert net.history[:, "row"] == pytest.approx([9.5, 9.5])

    def test_the_history_has_terms_weights_and_total(self):
        def two_terms(module, batch, state):
            return {**reconstruction(module, batch, state), "size": module(batch["X"]).mean()}

        plan = make_plan(
            two_terms,
            {"size": 0.25},
            validation=TensorRows(make_rows().tensors, torch.arange(4)),
            validation_weights={"size": 0.5},
        )
        net = make_net(learning_rate=1e-12)
        net.fit_loop(make_rows(), epochs=1, plan=plan)
        row = {name: value for name, value in net.history[-1].items() if name != "batches"}
        assert sorted(row) == [
            "duration",
            "epoch",
            "loss",
            "reconstruction",
            "size",
            "size_weight",
            "validation_loss",
            "validation_reconstruction",
            "validation_size",
        ]
        assert row["epoch"] == 1
        assert row["size_weight"] == 0.25
        assert row["duration"] > 0
        X = make_rows().tensors["X"]
        with torch.no_grad():
            mse, size = nn.functional.mse_loss(net.module_(X), X), net.module_(X).mean()
        assert row["loss"] == pytest.approx(mse.item() + 0.25 * size.item(), rel=1e-5)
        expected = row["validation_reconstruction"] + 0.5 * row["validation_size"]
        assert row["validation_loss"] == pytest.approx(expected, rel=1e-6)

    def test_every_validation_draws_the_same_numbers(self):
        def noise(module, batch, state):
            nothing = 0 * module.encoder[0].weight.sum()
            return {"noise": state.normal_like(batch["X"]).mean() + nothing}

        net, rows = make_net(), make_rows()
        net.fit_loop(rows, epochs=3, plan=make_plan(noise, validation=rows))
        assert len(set(net.history[:, "noise"])) == 3
        assert len(set(net.history[:, "validation_noise"])) == 1

    def test_validation_changes_nothing(self):
        held_out = TensorRows(
            {"X": torch.full((3, 5), 100.0), "row": torch.arange(3)}, torch.arange(3)
        )
        alone, watched = make_net(), make_net()
        alone.fit_loop(make_rows(), epochs=3, plan=make_plan())
        watched.fit_loop(make_rows(), epochs=3, plan=make_plan(validation=held_out))
        for one, other in zip(weights_of(alone), weights_of(watched), strict=True):
            assert torch.equal(one, other)

    def test_epochs_are_counted_on(self):
        seen = []

        def spy(module, batch, state):
            seen.append((state.epoch, state.training))
            return reconstruction(module, batch, state)

        rows = make_rows(4)
        make_net().fit_loop(rows, epochs=2, plan=make_plan(spy, first_epoch=5, validation=rows))
        assert seen == [(5, True), (5, False), (6, True), (6, False)]

    def test_the_rest_is_a_net_of_skorch(self, tmp_path):
        net = make_net().fit_loop(make_rows(), epochs=1, plan=make_plan())
        X = make_rows().tensors["X"]
        torch.testing.assert_close(net.forward(X), net.module_(X).detach())
        net.save_params(f_params=tmp_path / "weights.pt")
        other = make_net()
        other.load_params(f_params=tmp_path / "weights.pt")
        for one, same in zip(weights_of(net), weights_of(other), strict=True):
            assert torch.equal(one, same)


class TestState:
    def train(self, net, seed):
        plan = make_plan()
        plan.generator.manual_seed(seed)
        return net.fit_loop(make_rows(), epochs=2, plan=plan)

    @pytest.mark.parametrize("with_optimizer", [True, False])
    def test_only_with_moments_training_goes_on_as_before(self, with_optimizer):
        net = self.train(make_net(), 0)
        state = state_to_numpy(net, with_optimizer=with_optimizer)
        copy = make_net()
        load_state(copy, state)
        for one, same in zip(weights_of(net), weights_of(copy), strict=True):
            assert torch.equal(one, same)
        self.train(net, 1)
        self.train(copy, 1)
        same = [torch.equal(*pair) for pair in zip(weights_of(net), weights_of(copy), strict=True)]
        assert all(same) is with_optimizer

    def test_it_is_a_copy_without_tensors(self):
        net = self.train(make_net(), 0)
        state = state_to_numpy(net, with_optimizer=True)
        arrays = [*state["weights"].values()]
        arrays += [array for moments in state["moments"].values() for array in moments.values()]
        assert all(isinstance(array, np.ndarray) for array in arrays)
        before = [array.copy() for array in arrays]
        self.train(net, 1)
        for array, unchanged in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, unchanged)


def test_memory_of_an_epoch_does_not_grow_with_its_batches():
    code = """
import resource
import numpy as np
from sklearn_ser import DAETransformer
X = np.random.default_rng(0).standard_normal((400_000, 88), dtype=np.float32)
dae = DAETransformer(max_epochs=1, batch_size=4096, n_components=2, readout=None)
dae.fit(X[:200])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
dae.fit(X)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, X.nbytes / 2**20)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    growth, size = map(float, done.stdout.split())
    assert growth < 0.7 * size
