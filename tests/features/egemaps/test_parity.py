"""Agreement with openSMILE 2.6.0, whose values were made by running it as a black box."""

import numpy as np
import pandas as pd
import pytest

from sklearn_ser.audio import load_audio
from sklearn_ser.features import DESCRIPTORS, FUNCTIONAL_NAMES, EGeMAPSExtractor, egemaps_lld

pytestmark = pytest.mark.corpus


def is_formant(name):
    return name[:2] in ("F1", "F2", "F3") and "amplitude" not in name


def is_loose(name):
    """Say whether a value inherits the rounding noise of formants or of near-silent frames."""
    return is_formant(name) or name.startswith(
        ("F1", "F2", "F3", "logRelF0-H1-A3", "hammarbergIndexUV")
    )


CORE = np.array([not is_loose(name) for name in FUNCTIONAL_NAMES])
FORMANT_SPREAD = np.array([is_formant(n) and n.endswith("stddevNorm") for n in FUNCTIONAL_NAMES])


def relative_error(ours, theirs):
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    return np.abs(ours - theirs) / np.where(theirs == 0, 1, np.abs(theirs))


@pytest.fixture(scope="module", params=["16k", "native"])
def errors(request, shared):
    reference = pd.read_parquet(
        shared / "reference" / f"egemaps_functionals_{request.param}.parquet"
    )
    assert list(reference.columns[1:]) == list(FUNCTIONAL_NAMES)
    extractor = EGeMAPSExtractor(sampling_rate=16000 if request.param == "16k" else None, n_jobs=2)
    ours = extractor.transform([shared / "corpora" / file for file in reference.file])
    assert len(ours) == 1075
    return relative_error(ours, reference.iloc[:, 1:])


def test_core_functionals(errors):
    assert CORE.sum() == 67
    core = errors[:, CORE]
    assert np.median(core, axis=0).max() <= 1e-5
    assert np.percentile(core, 95, axis=0).max() <= 1e-4
    assert (core > 1e-3).any(axis=1).mean() <= 0.01


def test_formants_and_what_follows_them(errors):
    spread = np.percentile(errors, 95, axis=0)
    assert spread[~CORE & ~FORMANT_SPREAD].max() <= 2e-2
    assert spread[FORMANT_SPREAD].max() <= 8e-2


def test_descriptors(shared):
    reference = pd.read_parquet(shared / "reference" / "egemaps_lld_16k.parquet")
    ours = []
    for file, table in reference.groupby("file", sort=False):
        lld = egemaps_lld(*load_audio(shared / "corpora" / file))
        assert len(lld) == len(table)
        ours.append(lld)
    ours = pd.concat(ours)
    for name in DESCRIPTORS:
        r = np.corrcoef(ours[name], reference[name])[0, 1]
        assert r >= (0.97 if is_formant(name) else 0.999), name
