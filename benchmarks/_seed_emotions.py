"""Emotions from latents and by adaptation, within and across corpora, for `seed_tables`."""

from itertools import product

import numpy as np
from _cross_lingual import CORPORA, leave_one_out
from _seed_ratings import transfer
from _seed_tables import N_FOLDS, RATED, Linear, fold_of_seed, print_table, spread
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import DAETransformer, KLAnnealedVAE, NNPMClassifier, SemiSupervisedVAE
from sklearn_ser.metrics import latent_consistency, unweighted_average_recall


def forms(estimator, **given):
    """Return an autoencoder in the papers' form, and with our defaults."""
    return {
        "das2022": lambda seed: estimator.das2022(random_state=seed, **given),
        "defaults": lambda seed: estimator(random_state=seed, **given),
    }


ENCODERS = {
    "DAE": forms(DAETransformer),
    "VAE, constant": forms(KLAnnealedVAE, kl_annealing="constant"),
    "VAE, annealed": forms(KLAnnealedVAE, kl_annealing="linear"),
    "semi-supervised, cluster": forms(SemiSupervisedVAE),
    "semi-supervised, classifier": forms(SemiSupervisedVAE, supervision="classifier"),
}
LINEAR = {
    "all features": {"": lambda seed: make_pipeline("passthrough")},
    "PCA": {
        "2 components": lambda seed: Linear("PCA", 2),
        "32 components": lambda seed: Linear("PCA", 32),
    },
}


def recogniser():
    return make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000)
    )


def emotions_of(model, X, y, X_test):
    """Return latents of both, and emotions that a light classifier tells from the second."""
    Z = model.fit(X, y).transform(X)
    Z_test = model.transform(X_test)
    return Z, Z_test, recogniser().fit(Z, y).predict(Z_test)


def within_score(speech, corpus, apart, make, seed):
    """Return UAR on a held-out fold of a corpus; `apart` keeps speakers apart."""
    rows = speech.of(corpus)
    y, speaker = speech.emotion[rows], speech.speaker[rows]
    split = StratifiedGroupKFold if apart else StratifiedKFold
    split = split(N_FOLDS, shuffle=True, random_state=4).split(rows, y, speaker if apart else None)
    train, test = [*split][fold_of_seed(seed)]
    scaler = StandardScaler().fit(speech.X[rows[train]])
    X, X_test = (scaler.transform(speech.X[rows[some]]) for some in (train, test))
    return unweighted_average_recall(y[test], emotions_of(make(seed), X, y[train], X_test)[2])


def part_within(speech, seeds):
    for apart, split in ((True, "speakers apart"), (False, "rows, as in the paper")):
        rows = []
        for name, made in (ENCODERS | LINEAR).items():
            for form, make in made.items():
                # Folds differ, so that linear latents take as many as there are.
                some = range(N_FOLDS) if name in LINEAR else seeds
                found = [
                    [within_score(speech, corpus, apart, make, seed) for seed in some]
                    for corpus in CORPORA
                ]
                rows.append([name, form, *map(spread, found)])
        print_table(f"UAR within a corpus, {split}", ["latent", "form", *CORPORA], rows)


def across_scores(speech, kind, source, target, make, seed):
    """Return UAR on a corpus left out, and how far apart corpora are in the latent."""
    X, X_target, train, test = transfer(speech, source, target, kind)
    Z, Z_target, predicted = emotions_of(make(seed), X, speech.emotion[train], X_target)
    consistency = latent_consistency(
        np.vstack([Z, Z_target]), speech.corpus[np.append(train, test)], random_state=0
    )
    uar = unweighted_average_recall(speech.emotion[test], predicted)
    return uar, consistency.sliced_wasserstein, consistency.separability


def part_across(speech, seeds):
    rows = []
    for name, made in (ENCODERS | LINEAR).items():
        for form, (kind, title) in product(made, {"global": "fold", "corpus": "corpus"}.items()):
            make = made[form]
            # Of an encoder, our form is enough.
            if speech.X.shape[1] != 88 and (form == "das2022" or kind == "global"):
                continue
            some = [0] if name in LINEAR else seeds
            found = np.array(
                [
                    [across_scores(speech, kind, *one, make, seed) for seed in some]
                    for one in leave_one_out()
                ]
            )
            uar, apart, separability = np.moveaxis(found.mean(axis=0), -1, 0)
            by_corpus = [f"{value:.2f}" for value in found[:, :, 0].mean(axis=1)]
            rows.append(
                [name, form, title, spread(uar, 3), *by_corpus, spread(apart), spread(separability)]
            )
            print(*rows[-1], sep=" | ", flush=True)
    print_table(
        "UAR on the corpus left out, and distances between corpora",
        ["latent", "form", "scaling", "mean UAR", *CORPORA, "sliced Wasserstein", "separability"],
        rows,
    )


def part_adaptation(speech, seeds):
    """Weighted accuracy and UAR of NNPM, adapted or not, on the corpora with ratings."""
    kind = "both" if speech.X.shape[1] == 88 else "corpus"
    rows = []
    for target in RATED[:2]:
        others = tuple(name for name in CORPORA if name != target)
        for source in (others, *((name,) for name in others)):
            X, X_target, train, test = transfer(speech, source, target, kind)
            cells = {}
            for adaptation in (None, "fit"):
                for seed in seeds:
                    model = NNPMClassifier(adaptation=adaptation, random_state=seed)
                    model.fit(X, speech.emotion[train], X_target=X_target)
                    predicted = model.predict(X_target)
                    for measure in (accuracy_score, unweighted_average_recall):
                        value = measure(speech.emotion[test], predicted)
                        cells.setdefault((measure.__name__, adaptation), []).append(value)
            # Accuracy before and after, then UAR before and after.
            values = [cells[key] for key in sorted(cells, key=lambda key: (key[0], key[1] or ""))]
            rows.append([" + ".join(source), target, *map(spread, values)])
            print(*rows[-1], sep=" | ", flush=True)
    print_table(
        f"NNPM, scaling {kind}",
        ["source", "target", "WA, not adapted", "WA, adapted", "UAR, not adapted", "UAR, adapted"],
        rows,
    )
