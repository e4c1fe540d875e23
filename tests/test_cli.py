import io
import json
import logging
import re
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score

import sklearn_ser
from sklearn_ser import EGeMAPSExtractor, cross_corpus_validate, datasets
from sklearn_ser.cli import METHODS, _corpora, _evaluate, _score_table, _terminal, main
from sklearn_ser.cli._arguments import emotions_argument
from sklearn_ser.datasets import (
    CORPORA,
    common_emotions,
    list_languages,
    load_corpora,
    make_corpora,
)
from sklearn_ser.exceptions import CorpusWarning
from sklearn_ser.report import EvaluationRecord
from sklearn_ser.utils._palette import COLOURS

EMOTIONS = ["anger", "happiness", "neutral", "sadness"]


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    return make_corpora(folder, n_corpora=2, n_speakers=3, n_utterances=16)


@pytest.fixture(scope="module")
def tables(speech, tmp_path_factory):
    """The two corpora as the arguments that name them."""
    folder = tmp_path_factory.mktemp("tables")
    arguments = []
    for name, rows in speech.groupby("corpus"):
        rows.to_csv(folder / f"{name}.csv", index=False)
        arguments += ["--corpus", f"{name}={folder / name}.csv"]
    return arguments


def run(*argv):
    return main([str(argument) for argument in argv])


def rows_of(text):
    """Read the printed table of scores of one method: a dict from its first column to the rest."""
    lines = text.split("\n\n")[0].splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines if not line.startswith("---")}


def interval_of(row):
    if np.isnan(row["uar_low"]):
        return ["-"]
    return [f"{row['uar_low']:.2f}", "to", f"{row['uar_high']:.2f}"]


def test_evaluate_embedded_corpora(tmp_path, capsys):
    out = tmp_path / "new" / "results"
    assert run("evaluate", "--utterances", 24, "--out", out) == 0
    printed = capsys.readouterr()
    # There is no bar, as this is not a terminal.
    assert re.findall(r"^held-out corpora: (\d/3), \w+$", printed.err, re.MULTILINE) == [
        "1/3",
        "2/3",
        "3/3",
    ]

    scores = pd.read_csv(out / "scores.csv").set_index("corpus")
    predictions = pd.read_csv(out / "predictions.csv")
    assert predictions.groupby("corpus").size().tolist() == [24, 24, 24]
    assert set(predictions["y_true"]) == set(EMOTIONS)
    assert predictions["path"].map(lambda path: path.startswith(str(out / "corpora"))).all()
    soundfile.info(predictions["path"].iloc[-1])
    assert scores["method"].tolist() == ["svm"] * 3
    assert scores["n_train"].tolist() == [48] * 3
    for name, rows in predictions.groupby("corpus"):
        expected = balanced_accuracy_score(rows["y_true"], rows["y_pred"])
        assert scores.loc[name, "uar"] == pytest.approx(expected)
        assert scores.loc[name, "accuracy"] == (rows["y_true"] == rows["y_pred"]).mean()
        assert scores.loc[name, "n_speakers"] == rows["speaker"].nunique() == 6

    table = rows_of(printed.out)
    for name, row in scores.iterrows():
        uar, accuracy = (f"{row[column]:.3f}" for column in ("uar", "accuracy"))
        figures = [uar, *interval_of(row), accuracy, "0.250"]
        assert table[name] == [row["language"], "24", "6", *figures]
    [mean] = pd.read_csv(out / "means.csv").to_dict("records")
    assert mean["uar"] == pytest.approx(scores["uar"].mean())
    figures = [f"{mean['uar']:.3f}", *interval_of(mean), f"{mean['accuracy']:.3f}", "0.250"]
    assert table["mean"] == figures
    assert "These corpora are synthesised" in printed.out


@pytest.fixture(scope="module")
def every_method(tables, tmp_path_factory):
    """The folder with the results of all methods on three emotions."""
    out = tmp_path_factory.mktemp("results")
    page = out / "report.html"
    options = ["--emotions", "anger,neutral,sadness", "--transfer", "--out", out]
    options += ["--latex", out / "new" / "scores.tex"]
    assert run("evaluate", *tables, "--method", "all", *options, "--report", page) == 0
    return out


# The corpora are smaller than what it takes to adapt.
@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.NotAdaptedWarning")
def test_every_method_scores_as_in_python(every_method, speech):
    record = EvaluationRecord.load(every_method)
    assert record.methods == list(METHODS)
    chosen = speech[speech["emotion"] != "happiness"]
    X = EGeMAPSExtractor().transform(chosen["path"])
    for name, method in METHODS.items():
        expected = cross_corpus_validate(
            method.make(),
            X,
            chosen["emotion"],
            chosen["corpus"],
            speaker=chosen["speaker"],
            params={column: chosen[column] for column in method.needs},
        )
        predictions = record.predictions[record.predictions["method"] == name]
        assert predictions["y_pred"].tolist() == expected.predictions["y_pred"].tolist(), name
        scores = record.scores[record.scores["method"] == name]
        assert scores["uar"].tolist() == expected.summary["uar"].tolist()[:-1]
        assert scores["chance"].tolist() == [1 / 3, 1 / 3]
    assert record.transfer["method"].unique().tolist() == ["svm"]
    assert set(record.comparisons["method"]) == set(METHODS) - {"svm"}


def test_results_tell_how_they_were_made(every_method, tables):
    run_facts = json.loads((every_method / "run.json").read_text(encoding="utf-8"))
    assert run_facts["command"].startswith("sklearn-ser evaluate --corpus alphish=")
    assert run_facts["command"].endswith("report.html")
    assert run_facts["notice"] == ""
    assert run_facts["settings"]["emotions"] == ["anger", "neutral", "sadness"]
    assert run_facts["settings"]["ratings"] == "those of the corpora"
    facts = {method["name"]: method for method in run_facts["methods"]}
    assert facts["dae"]["description"] == METHODS["dae"].description
    assert facts["dae"]["seeds"]["daetransformer__random_state"] == 0
    assert {"features", *METHODS} <= run_facts["seconds"].keys()
    few = [warning for warning in run_facts["warnings"] if warning["kind"] == "no interval"]
    assert [warning["detail"] for warning in few] == [
        "About the UAR: 3 speakers, fewer than 5."
    ] * 2


def test_a_table_of_several_methods(every_method):
    record = EvaluationRecord.load(every_method)
    text = _score_table.format_scores(record)
    corpora, scores = text.split("\n\n")
    assert corpora.splitlines()[2].split() == ["alphish", "x-alphish", "12", "3", "0.333"]
    lines = scores.splitlines()
    columns = ["held out", "method", "UAR", "95% interval", "accuracy", "vs svm", "p"]
    assert re.split("  +", lines[0].rstrip()) == columns
    assert max(map(len, lines)) < 80
    assert lines[2].split()[:2] == ["alphish", "svm"]
    for row in record.scores.to_dict("records") + record.means.to_dict("records"):
        figures = [f"{row['uar']:.3f}", *interval_of(row), f"{row['accuracy']:.3f}"]
        compared = record.comparisons.query(
            f"corpus == '{row['corpus']}' and method == '{row['method']}'"
        )
        for other in compared.to_dict("records"):
            # Six speakers, and more comparisons than they can decide.
            assert other["p_note"] == "too few speakers to tell"
            figures += [f"{other['difference']:+z.3f}", "too", "few"]
        expected = [row["method"], *figures]
        assert [line for line in lines if line.split()[-len(expected) :] == expected], expected
    legend = _score_table.format_legend(record)
    for method in METHODS.values():
        assert method.description in " ".join(legend.split())
    assert "permutation test against svm" in " ".join(legend.split())
    assert "too few: too few speakers to tell." in legend


def test_the_table_for_latex(every_method):
    text = (every_method / "new" / "scores.tex").read_text(encoding="utf-8")
    record = EvaluationRecord.load(every_method)
    assert text == record.to_latex()
    [row] = record.scores.query("method == 'dae' and corpus == 'betish'").to_dict("records")
    [line] = [line for line in text.splitlines() if line.startswith("    dae &")]
    assert line.split(" & ")[2] == f"{row['uar']:.3f}"


def test_methods_have_the_colours_of_the_figures_in_a_terminal(every_method):
    record = EvaluationRecord.load(every_method)
    plain = _score_table.format_scores(record)
    assert "\x1b" not in plain
    coloured = _score_table.format_scores(record, coloured=True)
    for number, name in enumerate(record.methods):
        red, green, blue = (int(COLOURS[number % 8][i : i + 2], 16) for i in (1, 3, 5))
        paint = f"\x1b[38;2;{red};{green};{blue}m" if red + green + blue else ""
        assert coloured.count(f"{paint}●\x1b[0m {name} ") == 3
    without = re.sub(r"\x1b\[[\d;]*m", "", coloured).replace("● ", "")
    # The table is wider by the markers, and so are its rules.
    assert re.sub("--+", "", without).split() == re.sub("--+", "", plain).split()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"tty": False}, False)],
)
def test_colours_are_for_terminals(changed, expected, monkeypatch):
    class Terminal(io.StringIO):
        encoding = "UTF-8"

        def isatty(self):
            return changed.get("tty", True)

    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("os.name", "posix")
    for name in changed.keys() - {"tty"}:
        monkeypatch.setenv(name, changed[name])
    assert _terminal.shows_colours() == expected


def test_the_page_is_that_of_the_results(every_method, tmp_path, capsys):
    page = (every_method / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    for method in METHODS.values():
        assert method.description[1:] in page
    again = tmp_path / "new" / "again.html"
    assert run("report", every_method, "--out", again) == 0
    assert capsys.readouterr().out == f"Written: {again}\n"
    assert again.read_text(encoding="utf-8") == page
    assert run("report", every_method) == 0
    assert capsys.readouterr().out == f"Written: {every_method / 'report.html'}\n"


def test_repeats_are_for_methods_with_a_seed(tables, tmp_path, capsys):
    options = ["--method", "svm,ssvae", "--repeats", 2, "--emotions", "anger,sadness"]
    assert run("evaluate", *tables, *options, "--out", tmp_path) == 0
    means = pd.read_csv(tmp_path / "means.csv").set_index("method")
    assert means["n_repeats"].to_dict() == {"svm": 1, "ssvae": 2}
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert predictions.groupby("method")["repeat"].nunique().to_dict() == {"svm": 1, "ssvae": 2}


def test_features_are_extracted_once(tables, monkeypatch):
    calls = []
    transform = EGeMAPSExtractor.transform_usable
    monkeypatch.setattr(
        EGeMAPSExtractor,
        "transform_usable",
        lambda self, X: calls.append(len(X)) or transform(self, X),
    )
    assert run("evaluate", *tables, "--method", "svm,logistic,svm-global") == 0
    assert calls == [32]


def test_a_method_without_its_ratings_is_refused_before_any_work(speech, tmp_path, capsys):
    arguments = []
    for name, rows in speech.groupby("corpus"):
        rows.drop(columns=["activation", "valence"]).to_csv(tmp_path / f"{name}.csv", index=False)
        arguments += ["--corpus", f"{name}={tmp_path / name}.csv"]
    for methods in ("metric", "svm,metric", "all"):
        assert run("evaluate", *arguments, "--method", methods) == 1
        printed = capsys.readouterr()
        assert "error: metric learns from ratings of activation and valence" in printed.err
        assert "alphish has no activation and valence" in printed.err
        assert "--circumplex" in printed.err
        assert printed.out == ""
    assert run("evaluate", *arguments, "--method", "metric", "--circumplex") == 0


def test_what_a_report_needs_is_looked_for_before_any_work(tables, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delattr(_evaluate, "load_speech")
    assert run("evaluate", *tables, "--report", "report.html") == 1
    assert "pip install 'sklearn-ser[report]'" in capsys.readouterr().err


def test_warnings_are_shown_and_kept():
    findings = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        shown = []
        warnings.showwarning = lambda message, *where: shown.append(str(message))
        with _evaluate._collect_warnings(findings):
            warnings.warn("something odd", CorpusWarning, stacklevel=1)
        warnings.warn("later", CorpusWarning, stacklevel=1)
    assert shown == ["something odd", "later"]
    assert findings == [{"about": "CorpusWarning", "kind": "warning", "detail": "something odd"}]


def test_methods_are_unfitted_classifiers_with_a_description():
    for name, method in METHODS.items():
        assert method.name == name
        assert is_classifier(method.make())
        assert method.make() is not method.make()
        assert repr(method.make()) == repr(method.make())
        assert len(method.description) > 10
        assert method.description[-1] != "."


@pytest.mark.filterwarnings("ignore:The recordings to train on for a lack")
def test_a_table_of_one_method_with_gaps():
    speech = pd.DataFrame(
        {
            "corpus": ["a"] * 4 + ["b"] * 4,
            "language": [None] * 4 + ["de", "fr"] * 2,
            "speaker": [None] * 4 + ["b_1", "b_2"] * 2,
            "emotion": [*EMOTIONS, "anger", "sadness", "anger", "sadness"],
        }
    )
    X = np.arange(8.0)[:, None] % 4
    result = cross_corpus_validate(
        DummyClassifier(), X, speech["emotion"], speech["corpus"], speaker=speech["speaker"]
    )
    record = EvaluationRecord.from_results({"guess": result}, speech)
    assert _score_table.format_scores(record).splitlines() == [
        "held out  language  recordings  speakers    UAR  95% interval  accuracy  chance",
        "-------------------------------------------------------------------------------",
        "a         ?                  4         ?  0.250             -     0.250   0.250",
        "b         de+fr              4         2  0.500             -     0.500   0.500",
        "-------------------------------------------------------------------------------",
        "mean                                      0.375             -     0.375   0.375",
    ]


def test_emotions_all_keeps_what_the_corpora_have(tables, speech, tmp_path):
    assert run("evaluate", *tables, "--emotions", "all", "--out", tmp_path) == 0
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert predictions["path"].tolist() == speech["path"].tolist()
    assert predictions["y_true"].tolist() == speech["emotion"].tolist()


def test_list_of_corpora(capsys):
    assert run("corpora") == 0
    printed = capsys.readouterr().out
    for corpus in CORPORA.values():
        lines = [line for line in printed.splitlines() if line.split()[:1] == [corpus.name]]
        # Once for each of its languages.
        assert len(lines) == len(corpus.language.split(", "))
        size, speakers = str(corpus.n_recordings or "?"), str(corpus.n_speakers or "?")
        for line in lines:
            facts = line.removeprefix(f"  {corpus.name}").replace(corpus.language, "", 1).split()
            assert facts[:2] == [size, speakers]
            assert facts[3:5] == [str(corpus.sampling_rate), corpus.terms or "?"]
            assert facts[5:] == [word[:3] for word in corpus.vocabulary]
    assert max(map(len, printed.splitlines())) <= 110


def test_list_of_corpora_is_grouped_by_language(capsys):
    assert run("corpora") == 0
    groups = re.findall(r"^([A-Z]\w+)\n((?:  .*\n)+)", capsys.readouterr().out, re.MULTILINE)
    found = {language: re.findall(r"^  (\w+)", lines, re.MULTILINE) for language, lines in groups}
    assert found == list_languages()


def test_emotions_that_corpora_have_in_common(capsys):
    assert run("corpora", "--common", "emodb, urdu,eesc") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["anger", "happiness", "neutral", "sadness"]
    assert printed[1].split() == ["emodb", "127", "71", "79", "62"]
    assert printed[3].split() == ["eesc", "?", "?", "?", "?"]
    assert "how many recordings is not on record" in printed[5]
    # What is to be pasted is what the option takes.
    emotions = printed[-1].rpartition("--emotions ")[2]
    assert emotions_argument(emotions) == ("anger", "happiness", "neutral", "sadness")


def test_nothing_in_common(capsys, monkeypatch):
    monkeypatch.setattr(datasets, "common_emotions", lambda names: common_emotions(names)[:0])
    assert run("corpora", "--common", "emodb,urdu") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "No emotion is common to emodb, urdu. They have:"
    assert printed[2] == "  urdu: anger, happiness, neutral, sadness"


@pytest.mark.parametrize("name", CORPORA)
def test_details_of_a_corpus(name, capsys):
    assert run("corpora", name) == 0
    printed = capsys.readouterr().out
    corpus = CORPORA[name]
    for emotion in corpus.vocabulary:
        assert f"{emotion} {corpus.counts.get(emotion, '')}".rstrip() in printed
    assert corpus.note in " ".join(printed.split())
    assert f"terms       {corpus.terms or '?'}\n" in printed
    assert str(corpus.sampling_rate) in printed
    assert next(iter(corpus.examples)) in printed
    for line in corpus.citation.splitlines():
        assert line in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "required: COMMAND"),
        ("learn", "invalid choice: 'learn'"),
        ("evaluate --corpus emodb", "got 'emodb', expected NAME=PATH"),
        ("evaluate --corpus emodb=", "expected NAME=PATH"),
        ("evaluate --corpus a=b --corpus a=c", "a is given more than once"),
        ("evaluate --corpus a=b --transfer", "needs at least two"),
        ("evaluate --mapping Groll=anger", "--mapping: only --corpus has labels to translate"),
        ("train --out m.skops --mapping Groll=anger", "only --corpus has labels to translate"),
        ("extract a.wav --mapping Groll=anger", "only --corpus has labels to translate"),
        ("predict m a.wav --mapping Groll=anger", "only --labels has labels to translate"),
        ("adapt m a.wav --out n.skops --mapping Groll=anger", "only --labels has labels to"),
        ("evaluate --corpus a=b --mapping Groll", "got 'Groll', expected LABEL=EMOTION"),
        ("evaluate --corpus a=b --mapping Groll=rage", "with one of the emotions anger, boredom"),
        ("evaluate --corpus a=b --mapping =anger", "got '=anger', expected LABEL=EMOTION"),
        ("evaluate --corpus a=b --mapping G=anger --mapping G=fear", "'G' is given two emotions"),
        ("evaluate --on-error nan", "invalid choice: 'nan'"),
        (
            "evaluate --corpus a=b --corpus c=d --utterances 9",
            "only synthesised corpora have a size",
        ),
        ("evaluate --method nnmp", "unknown method 'nnmp'; expected all, or a list such as svm"),
        ("evaluate --method svm,", "unknown method ''; expected all"),
        ("evaluate --corpus mean=b --corpus c=d", "a corpus cannot be called mean"),
        ("evaluate --report {folder}", "is a folder, expected a file"),
        ("report", "the following arguments are required: RESULTS"),
        ("report a --out {folder}", "is a folder, expected a file"),
        ("evaluate --emotions anger,rage", "unknown emotion 'rage'; expected all, or a list"),
        ("evaluate --emotions anger,anger", "expected at least two emotions"),
        ("evaluate --sampling-rate 16k", "got '16k', expected native or a number of Hz"),
        ("evaluate --sampling-rate 999", "from 4000 to 1000000"),
        ("evaluate --jobs 0", "got '0', expected a number of processes"),
        ("evaluate --jobs two", "got 'two', expected a number of processes"),
        ("evaluate --utterances -1", "expected a positive number"),
        ("evaluate --out {file}", "is a file, expected a folder"),
        ("extract", "name recordings, folders of recordings, or corpora"),
        ("extract a.wav --out x.txt", r"got 'x.txt', expected a name in .csv or .parquet"),
        ("extract a.wav --out {folder}", "is a folder, expected a file"),
        ("evaluate --utterances 1" + "0" * 5000, "0', expected a positive number"),
        ("evaluate --sampling-rate 1" + "0" * 5000, "0', expected native or a number of Hz"),
        ("extract a.wav --on-error ignore", "invalid choice: 'ignore'"),
        ("extract a.wav --variant praat", "invalid choice: 'praat'"),
        ("extract a.wav --cache {folder}", "is a folder, expected a file"),
        ("extract a.wav --jobs 2 --dask-scheduler tcp://a:1", "not allowed with argument --jobs"),
        ("corpora swahili", "unknown corpus 'swahili'; known: aesdd"),
        ("corpora --common emodb,swahili", "unknown corpus 'swahili'; known: aesdd"),
        ("corpora EmoV-DB", "unknown corpus 'EmoV-DB'; did you mean 'emovdb'? known: aesdd"),
        ("corpora --common emodb,URDU", "unknown corpus 'URDU'; did you mean 'urdu'? known: aesdd"),
        ("corpora --common emodb,emodb", "got 'emodb,emodb', expected at least two corpora"),
        ("corpora --common emodb,urdu tess", "not allowed with argument"),
    ],
)
def test_wrong_usage(arguments, message, tmp_path, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    places = {"file": tmp_path / "file", "folder": tmp_path / "folder.csv"}
    with pytest.raises(SystemExit, match="2") as stop:
        run(*arguments.format(**places).split())
    assert stop.value.code == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("usage: sklearn-ser")
    assert message in printed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("evaluate --corpus emodb={0}/no --corpus urdu={0}", r"No folder .*/no'.*emodb\.bilderbar"),
        (
            "evaluate --corpus a={0} --corpus b={0}",
            "'a' is not a registered corpus .*No recordings",
        ),
        ("extract {0}/no.wav", r"no file .*no\.wav"),
        ("extract {0}/a.wav --out {0}/" + "x" * 300 + ".csv", "File name too long: '.*x.csv'"),
        ("extract {0}", "No recordings in .* or its sub-folders"),
        ("evaluate --utterances 5", "n_utterances=5"),
        (
            "report {0}",
            r"has no run\.json, scores\.csv.*expected a folder written by `sklearn-ser evaluate",
        ),
        ("report {0}/no", "There is no folder '.*no'"),
    ],
)
def test_errors_take_one_line_unless_debugging(arguments, message, tmp_path, capsys):
    arguments = arguments.format(tmp_path).split()
    assert run(*arguments) == 1
    printed = capsys.readouterr()
    assert re.fullmatch(f"sklearn-ser: error: .*{message}.*\n", printed.err)
    for debugging in (["--debug", *arguments], [*arguments, "--debug"]):
        assert run(*debugging) == 1
        printed = capsys.readouterr()
        assert printed.err.startswith("Traceback (most recent call last)")
        assert re.search(message, printed.err)


def test_interruption(monkeypatch, capsys):
    def interrupted(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_corpora, "_run", interrupted)
    assert run("corpora") == 130
    assert capsys.readouterr().err == "sklearn-ser: interrupted\n"


def test_a_bug_is_not_disguised_as_a_message_to_the_user(monkeypatch):
    monkeypatch.setattr(_corpora, "_run", lambda args: [].missing)
    with pytest.raises(AttributeError, match="missing"):
        run("corpora")


def test_verbose_shows_the_log_and_leaves_logging_and_warnings_as_they_were(tmp_path, capsys):
    (tmp_path / "03a01Fa.wav").touch()
    logger = logging.getLogger("sklearn_ser")
    before = (logger.level, list(logger.handlers), warnings.showwarning, list(warnings.filters))
    for arguments in (["-v", "extract"], ["extract", "-v"]):
        assert run(*arguments, "--corpus", f"emodb={tmp_path}") == 1
        printed = capsys.readouterr().err.splitlines()
        assert printed[0].startswith("sklearn-ser: warning: EMO-DB in ")
        assert printed[1] == "emodb (de): 1 recordings, 1 speakers; happiness 1"
        assert printed[2].startswith("sklearn-ser: error: ")
        assert len(printed) == 3
    after = (logger.level, list(logger.handlers), warnings.showwarning, list(warnings.filters))
    assert after == before


@pytest.mark.parametrize("command", ["evaluate", "report", "extract", "corpora"])
def test_help_gives_examples(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        run(command, "--help")
    assert f"examples:\n  sklearn-ser {command}" in capsys.readouterr().out


def test_module_runs():
    command = [sys.executable, "-m", "sklearn_ser", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"sklearn-ser {sklearn_ser.__version__}"


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from sklearn_ser.cli import main\n"
        "try:\n    main(['evaluate', '--help'])\n"
        "except SystemExit:\n"
        "    print({'numpy', 'pandas', 'sklearn', 'numba'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"


def test_reader_that_has_seen_enough(speech):
    command = [sys.executable, "-m", "sklearn_ser", "extract", speech["path"].iloc[0]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


@pytest.mark.corpus
def test_real_corpora_score_as_with_features_of_opensmile(shared, tmp_path, capsys):
    names = ("emodb", "urdu", "ravdess")
    paths = {name: shared / "corpora" / name for name in names}
    arguments = [word for name in names for word in ("--corpus", f"{name}={paths[name]}")]
    assert run("evaluate", *arguments, "--jobs", 2, "--out", tmp_path) == 0
    assert set(rows_of(capsys.readouterr().out)) == {"held", *names, "mean"}
    scores = pd.read_csv(tmp_path / "scores.csv").set_index("corpus")

    with pytest.warns(UserWarning, match="RAVDESS"):
        speech = load_corpora(paths, emotions=EMOTIONS)
    reference = pd.read_parquet(shared / "reference" / "egemaps_functionals_16k.parquet")
    files = speech["path"].str.removeprefix(f"{shared / 'corpora'}/")
    X = reference.set_index("file").loc[files].to_numpy()
    expected = cross_corpus_validate(METHODS["svm"].make(), X, speech["emotion"], speech["corpus"])
    expected = expected.scores.set_index("corpus")
    assert list(scores.index) == list(expected.index)
    np.testing.assert_allclose(scores["uar"], expected["uar"], rtol=0, atol=0.03)
