"""A training that does not get to its end leaves no half of a model behind."""

import pickle

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_ser import (
    DAETransformer,
    DANNClassifier,
    KLAnnealedVAE,
    MetricDAE,
    NNPMClassifier,
    SemiSupervisedVAE,
    adapt,
)
from sklearn_ser.nn._training import TermsNet

RNG = np.random.default_rng(0)
Y = np.tile(["anger", "neutral", "sadness"], 30)
X = RNG.normal(size=(90, 5)) + 3 * np.eye(5)[np.tile([0, 1, 2], 30)]
OTHER = RNG.normal(size=(60, 7))
OTHER_Y = np.tile(["joy", "fear"], 30)
TARGET = X[::2] + 0.5

SMALL = {"hidden_layer_sizes": (8,), "max_epochs": 3, "random_state": 0}
ESTIMATORS = {
    "dae": (DAETransformer(2, **SMALL), {}),
    "vae": (KLAnnealedVAE(2, beta=0.1, **SMALL), {}),
    "ssvae": (SemiSupervisedVAE(2, beta=0.1, **SMALL), {}),
    "classifying ssvae": (
        SemiSupervisedVAE(2, beta=0.1, supervision="classifier", **SMALL),
        {},
    ),
    "metric dae": (MetricDAE(2, **SMALL), {"activation": RNG.normal(size=90)}),
    "dann": (DANNClassifier(2, n_estimators=1, **SMALL), {"X_target": TARGET}),
    "nnpm": (
        NNPMClassifier(2, n_estimators=1, warmup_epochs=3, guard=False, adaptation="fit", **SMALL),
        {"X_target": TARGET},
    ),
}
ENDS = [KeyboardInterrupt, MemoryError, SystemExit]

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=ESTIMATORS)
def case(request):
    estimator, arguments = ESTIMATORS[request.param]
    return pickle.loads(pickle.dumps(estimator)), arguments


@pytest.fixture
def interrupt(monkeypatch):
    """Make the n-th step of a training from now on the last one."""

    def after(n_steps, end=KeyboardInterrupt):
        step, left = TermsNet.train_step, [n_steps]

        def train_step(self, *args, **kwargs):
            left[0] -= 1
            terms = step(self, *args, **kwargs)
            if left[0] <= 0:
                raise end
            return terms

        monkeypatch.setattr(TermsNet, "train_step", train_step)
        return lambda: monkeypatch.setattr(TermsNet, "train_step", step)

    return after


def answers(model, rows):
    methods = [name for name in ("transform", "predict_proba") if hasattr(model, name)]
    found = [getattr(model, name)(rows) for name in methods]
    return [*found, model.memory_] if hasattr(model, "memory_") else found


def state(model):
    return pickle.dumps({name: value for name, value in vars(model).items() if name != "net_"})


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("n_steps", [1, 3])
def test_first_fit(case, interrupt, n_steps, end):
    model, arguments = case
    interrupt(n_steps, end)
    with pytest.raises(end):
        model.fit(X, Y, **arguments)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        answers(model, X)
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize("n_steps", [1, 3])
def test_refit(case, interrupt, n_steps):
    model, arguments = case
    model.fit(X, Y, **arguments)
    before, described = answers(model, X), state(model)
    go_on = interrupt(n_steps)
    others = {"activation": OTHER[:, 0]} if "activation" in arguments else {}
    with pytest.raises(KeyboardInterrupt):
        model.fit(OTHER, OTHER_Y, **others)
    for one, other in zip(before, answers(model, X), strict=True):
        np.testing.assert_array_equal(one, other)
    assert state(model) == described
    assert not model.net_.module_.training
    go_on()
    for one, other in zip(before, answers(model.fit(X, Y, **arguments), X), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("how", ["warm_start", "partial_fit"])
def test_going_on(case, interrupt, how):
    model, arguments = case
    if not hasattr(model, "warm_start"):
        pytest.skip("it starts anew at each fit")
    model.set_params(warm_start=how == "warm_start")
    uninterrupted = pickle.loads(pickle.dumps(model))
    train = type(model).fit if how == "warm_start" else type(model).partial_fit
    for one in (model, uninterrupted):
        train(one, X, Y, **arguments)
    before, n_epochs = answers(model, X), len(model.net_.history)
    go_on = interrupt(2)
    with pytest.raises(KeyboardInterrupt):
        train(model, X, Y, **arguments)
    for one, other in zip(before, answers(model, X), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(model.net_.history) == n_epochs
    go_on()
    # Moments of the optimiser and seeds are what they were, too.
    for one in (model, uninterrupted):
        train(one, X, Y, **arguments)
    for one, other in zip(answers(model, X), answers(uninterrupted, X), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_error_between_training_and_its_measures(monkeypatch):
    vae = KLAnnealedVAE(2, beta=0.1, **SMALL)
    monkeypatch.setattr(KLAnnealedVAE, "_measure", lambda self, X: 1 / 0)
    with pytest.raises(ZeroDivisionError, match="division"):
        vae.fit(X)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        vae.sample()


class TestAdaptation:
    @pytest.mark.parametrize("end", ENDS)
    @pytest.mark.parametrize("n_steps", [1, 2])
    @pytest.mark.parametrize("keep_source", [True, False])
    def test_leaves_the_model_as_it_was(self, interrupt, end, n_steps, keep_source):
        model = pickle.loads(pickle.dumps(ESTIMATORS["nnpm"][0]))
        model.set_params(keep_source=keep_source, adaptation="fit").fit(X, Y)
        before, described = answers(model, X), state(model)
        twin = pickle.loads(pickle.dumps(model))
        go_on = interrupt(n_steps, end)
        with pytest.raises(end):
            model.adapt(TARGET)
        assert not model.adapted_
        assert state(model) == described
        for one, other in zip(before, answers(model, X), strict=True):
            np.testing.assert_array_equal(one, other)
        go_on()
        for one, other in zip(
            answers(model.adapt(TARGET), X), answers(twin.adapt(TARGET), X), strict=True
        ):
            np.testing.assert_array_equal(one, other)

    def test_of_a_copy(self, interrupt):
        model = pickle.loads(pickle.dumps(ESTIMATORS["nnpm"][0])).fit(X, Y)
        before = answers(model, X)
        interrupt(2)
        with pytest.raises(KeyboardInterrupt):
            adapt(model, TARGET)
        for one, other in zip(before, answers(model, X), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_of_a_batch(self, interrupt):
        model = pickle.loads(pickle.dumps(ESTIMATORS["nnpm"][0])).set_params(adaptation="predict")
        model.fit(X, Y)
        expected = model.predict_proba(TARGET)
        model.predict_proba(X)
        go_on = interrupt(2)
        with pytest.raises(KeyboardInterrupt):
            model.predict_proba(TARGET)
        go_on()
        np.testing.assert_array_equal(model.predict_proba(TARGET), expected)
