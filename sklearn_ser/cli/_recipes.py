"""The methods that the command line offers by name, each a pipeline."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

__all__ = ["METHODS", "Method", "describe_methods", "method_for"]

# Fixed, so that the same command gives the same numbers.
_SEED = 0

# Of eGeMAPSv02. Asking the extractor would compile it, for the help text too.
_N_FUNCTIONALS = 88

# With a decoder that leaves more noise than this on a feature, half of the units collapse.
_BETA = 0.03


def _classifier():
    from sklearn.svm import SVC

    return SVC(class_weight="balanced")


def _scaled(*steps):
    """Return a pipeline of steps behind a scaler that standardises each corpus by itself."""
    from sklearn.pipeline import make_pipeline

    from sklearn_ser import CorpusScaler

    return make_pipeline(CorpusScaler(), *steps)


def _svm():
    return _scaled(_classifier())


def _svm_global():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), _classifier())


def _logistic():
    from sklearn.linear_model import LogisticRegression

    return _scaled(LogisticRegression(class_weight="balanced", max_iter=1000))


def _dae(**sizes):
    from sklearn_ser import DAETransformer

    return _scaled(DAETransformer(readout=None, random_state=_SEED, **sizes), _classifier())


def _vae(**sizes):
    from sklearn_ser import KLAnnealedVAE

    vae = KLAnnealedVAE(beta=_BETA, readout=None, random_state=_SEED, **sizes)
    return _scaled(vae, _classifier())


def _ssvae(**sizes):
    from sklearn_ser import SemiSupervisedVAE

    # Stronger supervision overfits to the training corpora.
    vae = SemiSupervisedVAE(
        beta=_BETA, supervision_weight=0.01, readout=None, random_state=_SEED, **sizes
    )
    return _scaled(vae, _classifier())


def _metric(**sizes):
    from sklearn_ser import MetricDAE

    return _scaled(MetricDAE(readout=None, random_state=_SEED, **sizes), _classifier())


def _both_scalings():
    """Return a scaler that puts each corpus by itself and all together side by side."""
    from sklearn.pipeline import make_union
    from sklearn.preprocessing import StandardScaler

    from sklearn_ser import CorpusScaler

    return make_union(CorpusScaler(), StandardScaler())


def _mcc():
    from sklearn_ser import MCCClassifier

    return _scaled(MCCClassifier(random_state=_SEED))


def _coral():
    from sklearn.pipeline import make_pipeline

    from sklearn_ser import CORALClassifier

    return make_pipeline(_both_scalings(), CORALClassifier(random_state=_SEED))


def _dann():
    from sklearn_ser import DANNClassifier

    return _scaled(DANNClassifier(random_state=_SEED))


def _nnpm():
    from sklearn.pipeline import make_pipeline

    from sklearn_ser import NNPMClassifier

    # Statistics of each corpus remove the effect of its channel; common statistics keep the shift
    # that adaptation uses. Which is better depends on the number of corpora.
    return make_pipeline(_both_scalings(), NNPMClassifier(random_state=_SEED))


def _coral_on_encoder():
    from sklearn_ser import CORALClassifier

    return _scaled(CORALClassifier(random_state=_SEED))


def _nnpm_on_encoder():
    from sklearn_ser import NNPMClassifier

    # Some hundred units of an encoder say more about the corpus than about the emotion unless
    # each corpus is scaled by itself.
    return _scaled(NNPMClassifier(random_state=_SEED))


def _nnpm_on_both(n_features):
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.preprocessing import StandardScaler

    from sklearn_ser import CorpusScaler, NNPMClassifier

    # The functionals come first, and behind the union once more with the other scaling. Side by
    # side in one network, the many columns of the encoder would drown them.
    by_corpus, by_all = range(_N_FUNCTIONALS), range(n_features, n_features + _N_FUNCTIONALS)
    views = [
        slice(_N_FUNCTIONALS, n_features),
        slice(n_features + _N_FUNCTIONALS, 2 * n_features),
        [*by_corpus, *by_all],
    ]
    return make_pipeline(
        make_union(CorpusScaler(), StandardScaler()),
        NNPMClassifier(views=views, random_state=_SEED),
    )


@dataclass(frozen=True)
class Method:
    """A named pipeline from features to emotions.

    Parameters
    ----------
    name : str
        Its name in ``--method``.
    description : str
        A few words in lower case without a full stop.
    make : callable
        Returns the unfitted pipeline. Equal calls return equal pipelines, whose fits are the
        same to the last bit.
    needs : tuple of str, default=()
        Columns of the table of recordings, besides the emotion, that its `fit` takes as
        arguments of the same names.
    adapts : bool, default=False
        Whether `sklearn_ser.adapt` can adapt it to unlabelled recordings.
    """

    name: str
    description: str
    make: Callable
    needs: tuple[str, ...] = ()
    adapts: bool = False


METHODS = {
    method.name: method
    for method in (
        Method(
            "svm",
            "each corpus standardised by itself, then a support vector machine",
            _svm,
        ),
        Method(
            "svm-global",
            "all corpora standardised together, then a support vector machine",
            _svm_global,
        ),
        Method(
            "logistic",
            "each corpus standardised by itself, then logistic regression",
            _logistic,
        ),
        Method(
            "dae",
            "each corpus standardised by itself, then the embedding of a denoising autoencoder, "
            "read out by a support vector machine",
            _dae,
        ),
        Method(
            "vae",
            "as dae, with a KL-annealed variational autoencoder",
            _vae,
        ),
        Method(
            "ssvae",
            "as dae, with a variational autoencoder that sees the emotions",
            _ssvae,
        ),
        Method(
            "metric",
            "as dae, with an embedding whose distances follow activation and valence",
            _metric,
            needs=("activation", "valence"),
        ),
        Method(
            "mcc",
            "each corpus standardised by itself, then a network that is taught to confuse no "
            "classes of the recordings to predict",
            _mcc,
            adapts=True,
        ),
        Method(
            "coral",
            "each corpus standardised by itself and all together, side by side, then a network "
            "that gives the recordings to predict the covariance of the training recordings",
            _coral,
            adapts=True,
        ),
        Method(
            "dann",
            "each corpus standardised by itself, then a network whose embedding does not reveal "
            "which recordings are those to predict",
            _dann,
            adapts=True,
        ),
        Method(
            "nnpm",
            "each corpus standardised by itself and all together, side by side, then a memory of "
            "the training recordings that adapts to the unlabelled ones to predict",
            _nnpm,
            adapts=True,
        ),
    )
}


# The defaults are made for 88 features: of some thousand, 32 units keep too little.
_WIDE = {"n_components": 128, "hidden_layer_sizes": (512,)}

# Where features of an encoder, alone or beside others, need another pipeline.
_ON_ENCODERS = {
    **{
        name: replace(METHODS[name], make=functools.partial(METHODS[name].make, **_WIDE))
        for name in ("dae", "vae", "ssvae", "metric")
    },
    "coral": Method(
        "coral",
        "each corpus standardised by itself, then a network that gives the recordings to predict "
        "the covariance of the training recordings",
        _coral_on_encoder,
        adapts=True,
    ),
    "nnpm": Method(
        "nnpm",
        "each corpus standardised by itself, then a memory of the training recordings that adapts "
        "to the unlabelled ones to predict",
        _nnpm_on_encoder,
        adapts=True,
    ),
}


_NNPM_ON_BOTH = Method(
    "nnpm",
    "features of the encoder, with each corpus standardised by itself and all together, and "
    "functionals as views of a memory of the training recordings that adapts to the unlabelled "
    "ones to predict",
    _nnpm_on_both,
    adapts=True,
)


def method_for(name, features, n_features=None):
    """Return the method of a name for the features that an argument stands for.

    Parameters
    ----------
    name : str
        Name of the method.
    features : tuple
        Whether there are functionals, the encoder and its layers.
    n_features : int, default=None
        Their number; needed to make a pipeline on both.
    """
    functionals, encoder, _ = features
    if encoder is None:
        return METHODS[name]
    if functionals and name == "nnpm":
        return replace(_NNPM_ON_BOTH, make=functools.partial(_nnpm_on_both, n_features))
    return _ON_ENCODERS.get(name, METHODS[name])


def describe_methods():
    """Return the help text of ``--method``."""
    return "; ".join(f"{method.name}: {method.description}" for method in METHODS.values())
