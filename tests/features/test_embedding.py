import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
from sklearn import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import EmbeddingExtractor, LeaveOneCorpusOut
from sklearn_ser.encoders import _pooling, _whisper
from sklearn_ser.exceptions import AudioError, EncoderError, ExtractionWarning
from sklearn_ser.features import _embedding
from sklearn_ser.utils._advice import advising

N_LAYERS, WIDTH = 4, 16


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("recordings"), np.random.default_rng(0)
    names = []
    for i, n_samples in enumerate((16000, 9000, 24000, 16000, 1600, 31000)):
        tone = np.sin(2 * np.pi * (120 + 40 * i) * np.arange(n_samples) / 16000) / 5
        names.append(str(folder / f"{i}.wav"))
        soundfile.write(names[-1], tone + rng.normal(0, 0.01, n_samples), 16000, subtype="FLOAT")
    return names


@pytest.fixture
def passes(monkeypatch):
    """The number of forward passes, counted."""
    calls, real = [], _pooling.embed

    def counting(encoder, signals, **settings):
        calls.append(len(signals))
        return real(encoder, signals, **settings)

    monkeypatch.setattr(_pooling, "embed", counting)
    return calls


def test_default_is_the_mean_of_all_layers(paths, whisper_folder):
    extractor = EmbeddingExtractor(whisper_folder)
    X = extractor.fit_transform(paths)
    assert X.shape == (6, N_LAYERS * WIDTH)
    assert X.dtype == np.float32
    assert extractor.layers_ == (0, 1, 2, 3)
    assert extractor.n_layers_ == N_LAYERS
    encoder = extractor._find().load("cpu")
    y = soundfile.read(paths[0], dtype="float32")[0]
    with torch.inference_mode():
        layers = [frames[0].numpy() for frames, _ in encoder.layers([torch.from_numpy(y)], 3)]
    expected = np.hstack([frames.mean(axis=0) for frames in layers])
    np.testing.assert_allclose(X[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "pooling", "numbers", "statistics"),
    [
        (2, "mean", (2,), ("mean",)),
        (-1, "std", (3,), ("std",)),
        ((3, 0), "both", (3, 0), ("mean", "std")),
        ([1], "mean", (1,), ("mean",)),
        (np.array([0, 2]), "mean", (0, 2), ("mean",)),
        ("all", "both", (0, 1, 2, 3), ("mean", "std")),
    ],
)
@pytest.mark.parametrize("cached", [False, True])
def test_layers_and_statistics(
    layer, pooling, numbers, statistics, cached, paths, whisper_folder, tmp_path
):
    cache = tmp_path / "rows.db" if cached else None
    extractor = EmbeddingExtractor(whisper_folder, layer=layer, pooling=pooling, cache=cache)
    X = extractor.fit_transform(paths[:2])
    assert extractor.layers_ == numbers
    columns = [
        EmbeddingExtractor(whisper_folder, layer=one, pooling=statistic).transform(paths[:2])
        for one in numbers
        for statistic in statistics
    ]
    np.testing.assert_array_equal(X, np.hstack(columns))
    names = [f"small_layer{n}_{s}_{i}" for n in numbers for s in statistics for i in range(WIDTH)]
    assert extractor.get_feature_names_out().tolist() == names


@pytest.mark.parametrize("layer", [4, -5, (0, 4), (), (1, 1), (1, -3), ("a",), (1.5,), True])
def test_layers_that_there_are_not(layer, paths, whisper_folder):
    with pytest.raises(ValueError, match=r"layer is .*, expected a number from 0, .* to 3"):
        EmbeddingExtractor(whisper_folder, layer=layer).fit(paths)


def test_the_cache_keeps_all_layers(paths, whisper_folder, tmp_path, passes):
    extractor = EmbeddingExtractor(whisper_folder, cache=tmp_path / "rows.db")
    extractor.transform(paths)
    assert sum(passes) == len(paths)
    for layer in (0, 3, (1, 2), "all"):
        for pooling in ("mean", "std", "both"):
            extractor.set_params(layer=layer, pooling=pooling).transform(paths)
    assert sum(passes) == len(paths)


def test_a_search_over_layers_runs_no_encoder(paths, whisper_folder, tmp_path, passes):
    X, y = paths * 4, np.array(["a", "b"] * 12)
    groups = np.repeat(["de", "en", "ur", "it"], 6)
    model = make_pipeline(
        EmbeddingExtractor(whisper_folder, cache=tmp_path / "rows.db"), StandardScaler(), SVC()
    )
    model[0].transform(paths)
    del passes[:]
    grid = {"embeddingextractor__layer": [0, 1, (1, 2), "all"], "svc__C": [0.1, 10]}
    search = GridSearchCV(model, grid, cv=LeaveOneCorpusOut()).fit(X, y, groups=groups)
    assert search.predict(X).shape == (24,)
    assert not passes


def test_a_warm_cache_needs_no_torch_and_no_device(paths, whisper_folder, tmp_path):
    EmbeddingExtractor(whisper_folder, cache=tmp_path / "rows.db").transform(paths)
    code = f"""
import sys
from sklearn_ser import EmbeddingExtractor
extractor = EmbeddingExtractor({str(whisper_folder)!r}, cache={str(tmp_path / "rows.db")!r})
assert extractor.fit_transform({paths!r}).shape == (6, 64)
assert extractor.set_params(device="cuda:99").transform({paths!r}).shape == (6, 64)
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_cache_knows_the_encoder_by_its_content(paths, whisper_folder, tmp_path, passes):
    cache, copy = tmp_path / "rows.db", tmp_path / "copy"
    X = EmbeddingExtractor(whisper_folder, cache=cache).transform(paths)
    shutil.copytree(whisper_folder, copy)
    np.testing.assert_array_equal(EmbeddingExtractor(copy, cache=cache).transform(paths), X)
    assert sum(passes) == len(paths)
    with (copy / "model.bin").open("r+b") as file:
        file.seek(20000)
        file.write(b"\x3f")
    EmbeddingExtractor(copy, cache=cache).transform(paths)
    assert sum(passes) == 2 * len(paths)


def test_rows_depend_on_their_recording_alone(paths, whisper_folder):
    extractor = EmbeddingExtractor(whisper_folder, pooling="both")
    X = extractor.transform(paths)
    np.testing.assert_array_equal(extractor.transform(paths[::-1]), X[::-1])
    np.testing.assert_array_equal(extractor.transform(paths[2:3]), X[2:3])


def test_processes_change_no_bit(paths, whisper_folder):
    extractor = EmbeddingExtractor(whisper_folder)
    X = extractor.transform(paths)
    np.testing.assert_array_equal(clone(extractor).set_params(n_jobs=2).transform(paths), X)


def test_threads_of_torch_are_put_back(paths, whisper_folder):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        EmbeddingExtractor(whisper_folder).transform(paths[:2])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_waveforms_and_paths(paths, whisper_folder):
    waveforms = [soundfile.read(path, dtype="float32")[0] for path in paths]
    extractor = EmbeddingExtractor(whisper_folder)
    np.testing.assert_array_equal(extractor.transform(waveforms), extractor.transform(paths))


def test_long_recordings_are_pooled_over_windows(whisper_folder):
    y = np.random.default_rng(0).normal(0, 0.1, 70 * 16000).astype(np.float32)
    thirds = [y[: len(y) // 3], y[len(y) // 3 : 2 * len(y) // 3], y[2 * len(y) // 3 :]]
    extractor = EmbeddingExtractor(whisper_folder)
    whole = extractor.transform([y])[0]
    np.testing.assert_allclose(whole, extractor.transform(thirds).mean(axis=0), atol=1e-3)


def test_silence_and_clips(whisper_folder):
    extractor = EmbeddingExtractor(whisper_folder)
    with pytest.warns(UserWarning, match="silence"):
        assert np.isfinite(extractor.transform([np.zeros(16000)])).all()
    with pytest.raises(
        AudioError, match=r"waveform 0: 320 samples .* expected at least 960 .*0.06 s"
    ):
        extractor.transform([np.ones(320) / 2])
    with pytest.raises(AudioError, match="waveform 0"):
        extractor.transform([np.full(16000, np.nan)])


def test_recordings_that_fail(paths, whisper_folder, tmp_path):
    extractor = EmbeddingExtractor(whisper_folder, on_error="nan")
    with pytest.warns(ExtractionWarning, match="1 of 3 recordings have no features"):
        X = extractor.transform([paths[0], str(tmp_path / "none.wav"), paths[1]])
    assert np.isnan(X).all(axis=1).tolist() == [False, True, False]


def test_values_that_are_not_finite_name_the_recording(paths):
    def overflow(y):
        return np.full((3, 2), np.inf if len(y) == 9000 else 1.0)

    extractor = EmbeddingExtractor(overflow)
    with pytest.raises(AudioError, match=r"1\.wav: the encoder gives 2 of 2 values"):
        extractor.transform(paths)


def test_copies_hold_no_weights(paths, whisper_folder):
    extractor = EmbeddingExtractor(str(whisper_folder)).fit(paths)
    X = extractor.transform(paths)
    data = pickle.dumps(extractor)
    assert len(data) < 2000
    np.testing.assert_array_equal(pickle.loads(data).transform(paths), X)
    np.testing.assert_array_equal(clone(extractor).transform(paths), X)


def test_other_weights_than_those_of_fit_are_refused(paths, whisper_folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(whisper_folder, copy)
    extractor = EmbeddingExtractor(copy).fit(paths)
    assert extractor.encoder_["name"] == "copy"
    moved = copy.rename(tmp_path / "moved")
    with pytest.raises(EncoderError, match=r"not there.* fitted with 'copy' \(ctranslate2: model"):
        extractor.transform(paths)
    extractor.set_params(encoder=moved).transform(paths)
    with (moved / "model.bin").open("r+b") as file:
        file.seek(20000)
        file.write(b"\x3f")
    with pytest.raises(EncoderError, match="but the model was fitted with"):
        extractor.transform(paths)
    extractor.fit(paths).transform(paths)


def test_names_in_tables(paths, whisper_folder):
    table = EmbeddingExtractor(whisper_folder).set_output(transform="pandas").transform(paths)
    assert table.columns[0] == "small_layer0_mean_0"


@pytest.fixture
def as_if_on_a_gpu(monkeypatch):
    monkeypatch.setattr(_embedding, "is_cpu", lambda device: False)
    monkeypatch.setattr(_pooling, "_most_samples", lambda device: 10**7)


def test_batches_give_the_same_rows(paths, whisper_folder, monkeypatch, passes, request):
    extractor = EmbeddingExtractor(whisper_folder, layer="all", pooling="both")
    X = extractor.transform(paths)
    request.getfixturevalue("as_if_on_a_gpu")
    del passes[:]
    np.testing.assert_allclose(extractor.transform(paths), X, rtol=1e-3, atol=1e-5)
    assert passes == [len(paths)]


@pytest.mark.usefixtures("as_if_on_a_gpu")
def test_batches_use_the_cache_and_report_failures(paths, whisper_folder, tmp_path, passes):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    extractor = EmbeddingExtractor(whisper_folder, cache=tmp_path / "rows.db", on_error="nan")
    with pytest.warns(ExtractionWarning, match=r"1 of 7 .*broken\.wav"):
        X = extractor.transform([*paths[:3], broken, *paths[3:]])
    assert np.isnan(X[3]).all()
    assert sum(passes) == len(paths)
    np.testing.assert_array_equal(extractor.transform(paths), np.delete(X, 3, axis=0))
    assert sum(passes) == len(paths)
    with pytest.raises(AudioError, match=r"broken\.wav"):
        extractor.set_params(on_error="raise").transform([broken, *paths])


@pytest.mark.usefixtures("as_if_on_a_gpu")
def test_batches_name_what_is_not_finite(paths):
    extractor = EmbeddingExtractor(lambda y: np.full((3, 2), np.inf if len(y) == 9000 else 1.0))
    with pytest.raises(AudioError, match=r"1\.wav: the encoder gives"):
        extractor.transform(paths)


@pytest.mark.usefixtures("as_if_on_a_gpu")
def test_threads_that_read_advise_whoever_reads(paths, whisper_folder):
    extractor = EmbeddingExtractor(whisper_folder, max_duration=0.3)
    with advising(to_shell=True), pytest.raises(AudioError, match="pass a longer --max-duration"):
        extractor.transform(paths)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_gives_the_same_rows(paths, whisper_folder):
    X = EmbeddingExtractor(whisper_folder, layer="all").transform(paths)
    there = EmbeddingExtractor(whisper_folder, layer="all", device="cuda").transform(paths)
    np.testing.assert_allclose(there, X, rtol=1e-3, atol=1e-4)


def test_blocks_behind_the_layer_are_not_computed(paths, whisper_folder, monkeypatch):
    ran, real = [], _whisper._Block.forward

    def forward(block, *args):
        ran.append(block)
        return real(block, *args)

    monkeypatch.setattr(_whisper._Block, "forward", forward)
    EmbeddingExtractor(whisper_folder, layer=1).transform(paths[:1])
    assert len(ran) == 1
    EmbeddingExtractor(whisper_folder, layer=-1).transform(paths[:1])
    assert len(ran) == 4


def test_unknown_devices(paths, whisper_folder):
    with pytest.raises(ValueError, match="device must be"):
        EmbeddingExtractor(whisper_folder, device="abacus").transform(paths)


def test_frames_of_speech_have_rows_of_their_own(whisper_folder, tmp_path):
    rng = np.random.default_rng(0)
    loud = rng.normal(0, 0.1, 16000).astype(np.float32)
    quiet = rng.normal(0, 1e-4, 16000).astype(np.float32)
    extractor = EmbeddingExtractor(whisper_folder, frames="speech", cache=tmp_path / "rows.db")
    X = extractor.transform([np.concatenate([loud, quiet])])
    everything = extractor.set_params(frames="all").transform([np.concatenate([loud, quiet])])
    assert np.abs(X - everything).max() > 0.1
    encoder = extractor._find().load("cpu")
    with torch.inference_mode():
        y = torch.from_numpy(np.concatenate([loud, quiet]))
        layers = [frames[0, :50].mean(dim=0).numpy() for frames, _ in encoder.layers([y], 3)]
    np.testing.assert_allclose(X[0], np.hstack(layers), rtol=1e-3, atol=1e-4)
