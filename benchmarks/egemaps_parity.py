"""Print how closely the 88 functionals agree with openSMILE's on real recordings.

    python benchmarks/egemaps_parity.py [--shared DIR] [--jobs N]

DIR holds ``corpora/`` with recordings and ``reference/`` with the tables that
openSMILE 2.6.0, run as a black box, made of them; by default it is what
SKLEARN_SER_SHARED names, else ``../shared``.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_ser.audio import load_audio
from sklearn_ser.features import DESCRIPTORS, FUNCTIONAL_NAMES, EGeMAPSExtractor, egemaps_lld

# Values that carry the rounding noise of formants or of near-silent frames.
LOOSE = ("F1", "F2", "F3", "logRelF0-H1-A3", "hammarbergIndexUV")
RATES = {"16k": 16000, "native": None}


def relative_error(ours, theirs):
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    return np.abs(ours - theirs) / np.where(theirs == 0, 1, np.abs(theirs))


def compare(shared, rate, jobs):
    """One row for each functional: correlation and relative error over all recordings."""
    reference = pd.read_parquet(shared / "reference" / f"egemaps_functionals_{rate}.parquet")
    theirs = reference[list(FUNCTIONAL_NAMES)].to_numpy(float)
    extractor = EGeMAPSExtractor(sampling_rate=RATES[rate], n_jobs=jobs, verbose=1)
    ours = extractor.transform([shared / "corpora" / file for file in reference.file]).astype(float)
    error = relative_error(ours, theirs)
    table = pd.DataFrame(
        {
            "r": [np.corrcoef(a, b)[0, 1] for a, b in zip(ours.T, theirs.T, strict=True)],
            "median": np.median(error, axis=0),
            "p95": np.percentile(error, 95, axis=0),
            "files > 1e-3": (error > 1e-3).sum(axis=0),
        },
        index=list(FUNCTIONAL_NAMES),
    )
    return table, error


def summarise(table, error, rate):
    core = ~table.index.str.startswith(LOOSE)
    off = (error[:, core] > 1e-3).any(axis=1)
    print(
        f"\n{rate}: {core.sum()} core functionals, {len(error)} recordings: largest median "
        f"{table['median'][core].max():.1e}, largest 95th percentile {table.p95[core].max():.1e}, "
        f"recordings with any value off by more than 1e-3: {off.sum()} ({off.mean():.1%})"
    )
    spread = table.index.str.match(r"F\d(frequency|bandwidth).*stddevNorm")
    for name, rows in (
        ("amplitudes, H1-A3, hammarbergIndexUV, formant means", ~core & ~spread),
        ("formant stddevNorm", spread),
    ):
        print(f"{rate}: {rows.sum()} {name}: largest 95th percentile {table.p95[rows].max():.1e}")


def compare_descriptors(shared):
    reference = pd.read_parquet(shared / "reference" / "egemaps_lld_16k.parquet")
    ours = pd.concat(
        egemaps_lld(*load_audio(shared / "corpora" / file)) for file in reference.file.unique()
    )
    error = relative_error(ours, reference[list(DESCRIPTORS)])
    return pd.DataFrame(
        {
            "r": [np.corrcoef(ours[name], reference[name])[0, 1] for name in DESCRIPTORS],
            "within 1e-3": (error <= 1e-3).mean(axis=0),
        },
        index=list(DESCRIPTORS),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared")
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--jobs", type=int, default=-1)
    arguments = parser.parse_args()
    formats = {
        "r": "{:.6f}".format,
        "median": "{:.0e}".format,
        "p95": "{:.0e}".format,
        "within 1e-3": "{:.4f}".format,
    }
    results = {rate: compare(arguments.shared, rate, arguments.jobs) for rate in RATES}
    both = pd.concat({rate: table for rate, (table, _) in results.items()}, axis=1)
    print(both.to_string(formatters={c: formats[c[1]] for c in both if c[1] in formats}))
    print(f"\n{compare_descriptors(arguments.shared).to_string(formatters=formats)}")
    for rate, (table, error) in results.items():
        summarise(table, error, rate)


if __name__ == "__main__":
    main()
