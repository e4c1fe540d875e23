"""Predicted ratings of a corpus whose ratings are not known, for `seed_tables`."""

from functools import cache, partial
from itertools import product

import numpy as np
from _cross_lingual import CORPORA, scale
from _seed_tables import LABELS, RATED, Linear, print_table, spread
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.svm import SVR

from sklearn_ser import MetricDAE
from sklearn_ser.evaluation import speaker_interval
from sklearn_ser.metrics import concordance_correlation

DETERMINISTIC = ("PCA", "PLS", "ridge", "SVR")


def seeds_of(title, seeds):
    return [0] if title.startswith(DETERMINISTIC) else seeds


def transfer(speech, source, target, kind="corpus"):
    """Return scaled rows of source and target, and the numbers of these rows."""
    train, test = speech.of(source), speech.of(target)
    rows = scale(kind, speech.X[train], speech.corpus[train], speech.X[test])
    return *(one.astype(np.float32) for one in rows), train, test


def developments(target):
    """Return the transfers between the two corpora that are not the target, both ways."""
    first, second = (name for name in CORPORA if name != target)
    return [((first,), second), ((second,), first)]


def choose(names, score, target):
    """Return the setting with the best mean score between the corpora other than the target."""
    means = {name: np.mean([score(*one, name) for one in developments(target)]) for name in names}
    return max(means, key=means.get)


# Parameters of MetricDAE, whether it has both labels, and whether it sees the target's rows.
NETWORKS = {"2 components": {"n_components": 2}, "32 components": {}}
SETTINGS = {
    f"{title}, weight {weight}{', both labels' * both}{', X_target' * seen}": (
        {**network, "metric_weight": weight},
        both,
        seen,
    )
    for (title, network), weight, both, seen in product(
        NETWORKS.items(), (0.02, 0.2), (False, True), (False, True)
    )
}


@cache
def latents(speech, source, target, setting, label, seed):
    """Return latents of source and target; `label` is None for a model of both labels."""
    parameters, _, seen = SETTINGS[setting]
    X, X_target, train, _ = transfer(speech, source, target)
    ratings = {name: speech.label(name, train) for name in ([label] if label else LABELS)}
    model = MetricDAE(random_state=seed, **parameters)
    model.fit(X, **ratings, X_target=X_target if seen else None)
    return model.transform(X), model.transform(X_target)


def by_latent(setting, readout, speech, source, target, label, seed):
    """Rate by least squares on the position, or by ridge on the whole latent."""
    both = SETTINGS[setting][1]
    Z, Z_target = latents(speech, source, target, setting, None if both else label, seed)
    if readout == "position":
        # With both labels, the first half of the dimensions is for activation.
        half = -(-Z.shape[1] // 2) if both else Z.shape[1]
        own = slice(half) if label == LABELS[0] or not both else slice(half, None)
        Z, Z_target = (one[:, own].mean(axis=1, keepdims=True) for one in (Z, Z_target))
    model = LinearRegression() if readout == "position" else Ridge(10)
    return model.fit(Z, speech.label(label, speech.of(source))).predict(Z_target)


def by_regression(model, components, speech, source, target, label, seed):
    """Rate by features, or by principal components of source and target."""
    X, X_target, train, _ = transfer(speech, source, target)
    if components is not None:
        reduced = Linear("PCA", components).fit(np.vstack([X, X_target]))
        X, X_target = reduced.transform(X), reduced.transform(X_target)
    return model.fit(X, speech.label(label, train)).predict(X_target)


RIDGES = {f"ridge, alpha {alpha}": Ridge(alpha) for alpha in (10, 100, 1000)}
N_COMPONENTS = (1, 2, 4, 8, 16)


def choose_for(speech, target, label):
    """Return the best ridge, the best PCA, and the best setting and readout of MetricDAE."""
    ways = {name: partial(by_regression, model, None) for name, model in RIDGES.items()}
    reduced = {
        f"PCA({size})": partial(by_regression, LinearRegression(), size) for size in N_COMPONENTS
    }
    ways |= reduced | {
        one: partial(by_latent, *one) for one in product(SETTINGS, ("position", "ridge"))
    }

    def score(source, other, name):
        predicted = ways[name](speech, source, other, label, 0)
        return concordance_correlation(speech.label(label, speech.of(other)), predicted)

    latent = [name for name in ways if name not in RIDGES | reduced]
    return tuple(choose(names, score, target) for names in (RIDGES, reduced, latent))


def raters(ridge, components, latent):
    """Return ways to rate by title, among them those that were chosen."""
    plain = "2 components, weight 0.02"
    return {
        "ridge, alpha 1000": partial(by_regression, Ridge(1000), None),
        "ridge, alpha chosen": partial(by_regression, RIDGES[ridge], None),
        "SVR": partial(by_regression, SVR(), None),
        "PCA(1) of source and target": partial(by_regression, LinearRegression(), 1),
        "PCA, size chosen": partial(by_regression, LinearRegression(), int(components[4:-1])),
        "MetricDAE(2, X_target), position": partial(by_latent, f"{plain}, X_target", "position"),
        "MetricDAE, chosen": partial(by_latent, *latent),
    }


def concordance(way, speech, source, target, label, seeds):
    """Return CCC over seeds, and the mean ends of its intervals over speakers."""
    rows = speech.of(target)
    found = [
        speaker_interval(
            speech.label(label, rows),
            way(speech, source, target, label, seed),
            speech.speaker[rows],
            metric="ccc",
        )
        for seed in seeds
    ]
    low, high = (np.mean([getattr(one, end) for one in found]) for end in ("low", "high"))
    return f"{spread([one.estimate for one in found])} ({low:.2f} to {high:.2f})"


def part_rating(speech, seeds):
    """Print concordance with ratings of a corpus, by models that know those of others."""
    transfers = [
        (source, target)
        for target, other in zip(RATED[:2], RATED[1::-1], strict=True)
        for source in ((other,), (other, "ravdess"))
    ]
    for label in LABELS:
        chosen = {target: choose_for(speech, target, label) for target in RATED[:2]}
        for target, (ridge, components, latent) in chosen.items():
            found = "; ".join([ridge, components, f"MetricDAE, {', '.join(latent)}"])
            print(f"Chosen for {label} of {target}: {found}", flush=True)
        rows = [
            [title]
            + [
                concordance(
                    raters(*chosen[target])[title],
                    speech,
                    source,
                    target,
                    label,
                    seeds_of(title, seeds),
                )
                for source, target in transfers
            ]
            for title in raters(*chosen["emodb"])
        ]
        print_table(
            f"CCC of {label}: mean ± sd over seeds (interval over speakers)",
            ["model", *(f"{' + '.join(source)} to {target}" for source, target in transfers)],
            rows,
        )
