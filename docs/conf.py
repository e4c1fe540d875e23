import ast
import importlib
import json
import os
import runpy
import shutil
import textwrap
from pathlib import Path

import sklearn_ser
from sklearn_ser.datasets import CORPORA, EMOTIONS, common_emotions, list_languages

PACKAGE = Path(sklearn_ser.__file__).parent
LAYERS = Path(__file__).parents[1] / "tests" / "test_layers.py"
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
EXAMPLES = Path(__file__).parents[1] / "examples"
# Examples run where they are, and leave recordings and results beside them: a copy is run.
EXAMPLES_COPY = Path("_build", "examples")
HERE = Path(__file__).parent
DRAWING = runpy.run_path(str(HERE / "_layers.py"))
MARKDOWN = runpy.run_path(str(HERE / "_markdown.py"))

# The files of the repository that the site shows, and their pages.
PROJECT_FILES = {
    "CONTRIBUTING.md": "contributing",
    "SECURITY.md": "security",
    "CODE_OF_CONDUCT.md": "code_of_conduct",
}

OTHERS = (
    "audformat|concurrent|dask|datasets|ctranslate2|joblib|librosa|matplotlib|numpy|onnxruntime|"
    "pandas|pathlib|sklearn|skops|skorch|soundfile|torch|transformers|warnings"
)
FUZZ = Path(__file__).parents[1] / "tests" / "fuzz"

project = "sklearn-ser"
author = "The sklearn-ser developers"
copyright = "2026, the sklearn-ser developers"
version = release = sklearn_ser.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    # MathJax as files of the site: formulas are there without the network.
    "sphinx-mathjax-offline",
]
templates_path = ["_templates"]
# The context of the templates has a function, which cannot be stored: pages are written anew.
suppress_warnings = ["config.cache"]
autosummary_generate = True
# The docstrings name the types, with shapes and units that hints cannot express.
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
plot_formats = [("png", 100)]
plot_html_show_formats = False
plot_html_show_source_link = False
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [
    # numpydoc sets parameters, attributes and values between single backticks. Names with a dot or
    # a capital, and the roles class, meth, func and the like, must lead somewhere.
    ("py:obj", r"[a-z_]\w*|[XyZ]\w*"),
    # Other packages, whose indices are on the network.
    ("py:.*", rf"({OTHERS})(\.\w+)*"),
]
exclude_patterns = ["_build"]
sphinx_gallery_conf = {
    "examples_dirs": EXAMPLES_COPY.as_posix(),
    "gallery_dirs": "gallery",
    "subsection_order": [
        (EXAMPLES_COPY / section).as_posix()
        for section in ("evaluation", "representations", "adaptation", "practice")
    ],
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "reset_modules": ("matplotlib",),
    "reference_url": {"sklearn_ser": None},
    "doc_module": ("sklearn_ser",),
    "backreferences_dir": "gallery/backreferences",
    "image_srcset": ["2x"],
    "min_reported_time": 1,
    "show_signature": False,
    "write_computation_times": False,
    "ignore_repr_types": r"matplotlib|sklearn_ser\.plotting",
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "sklearn-ser"
html_static_path = ["_static"]
html_css_files = ["site.css"]
# Pages without others beside them.
html_sidebars = {"index": [], "getting_started": []}
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}


def describe_corpus(corpus):
    """Lay out the entry of a corpus in the registry, as a section."""
    counts = [f"{word} {corpus.counts.get(word, '')}".rstrip() for word in corpus.vocabulary]
    women = "" if corpus.n_women is None else f", {corpus.n_women} of them women"
    raw = [f"``{label}`` {emotion}" for label, emotion in corpus.emotions.items()]
    facts = {
        "Language": corpus.language,
        "Recordings": f"{corpus.n_recordings or 'number unknown'}, at {corpus.sampling_rate} Hz",
        "Speakers": f"{corpus.n_speakers or 'number unknown'}{women}",
        "Known": ", ".join(f"``{column}``" for column in corpus.labels) or "emotions only",
        "Emotions": ", ".join(counts),
        "Labels": ", ".join(raw),
        "File names": f"such as ``{next(iter(corpus.examples))}``",
        "Licence": corpus.licence,
        "Terms": corpus.terms or "unclear",
        "Available": f"{corpus.homepage} {corpus.access}".rstrip(),
        "Download": f"``fetch_corpus({corpus.name!r})``" if corpus.download else "by hand",
    }
    heading = f"{corpus.name}: {corpus.title}"
    lines = [f".. _corpus-{corpus.name}:", "", heading, "-" * len(heading), ""]
    lines += [f":{name}: {fact}" for name, fact in facts.items()]
    lines += ["", corpus.note, "", ".. code-block:: bibtex", ""]
    return "\n".join(lines) + "\n" + textwrap.indent(corpus.citation, "   ") + "\n"


def lay_out(header, rows):
    """Lay out a table."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: auto", ""]
    for row in (header, *rows):
        lines += [f"   {' ' if i else '*'} - {cell}" for i, cell in enumerate(row)]
    return [*lines, ""]


def list_sizes():
    """Lay out size, speakers, rate and terms of all corpora, grouped by language."""
    rows = []
    for language, names in list_languages().items():
        for number, name in enumerate(names):
            corpus = CORPORA[name]
            women = "?" if corpus.n_women is None else corpus.n_women
            rows.append(
                (
                    "" if number else language,
                    f":ref:`{name} <corpus-{name}>`",
                    corpus.language,
                    corpus.n_recordings or "?",
                    corpus.n_speakers or "?",
                    women,
                    corpus.sampling_rate,
                    corpus.terms or "?",
                )
            )
    header = ("language", "corpus", "tag", "recordings", "speakers", "women", "Hz", "terms")
    return lay_out(header, rows)


def list_emotions():
    """Lay out the number of recordings of each emotion in each corpus."""
    shown = [word for word in EMOTIONS if any(word in one.vocabulary for one in CORPORA.values())]
    rows = [
        (
            f":ref:`{name} <corpus-{name}>`",
            *(corpus.counts.get(word, "?") if word in corpus.vocabulary else "" for word in shown),
        )
        for name, corpus in CORPORA.items()
    ]
    return lay_out(("corpus", *(word[:3] for word in shown)), rows)


def list_corpora():
    """Lay out the page of all corpora."""
    shared = common_emotions(CORPORA).index
    lines = [
        "List of corpora",
        "===============",
        "",
        f"`sklearn_ser.datasets.load_corpus` loads these {len(CORPORA)} corpora in ",
        f"{len(list_languages())} languages by name. Numbers are those of the complete corpus; a ",
        "question mark stands for one that is not on record.",
        "",
        "By language",
        "-----------",
        "",
        "Terms in a word: *open* corpora are under a public licence, which may exclude commercial ",
        "use; others are available after a *form* or registration, on *request*, or freely but ",
        "for *research* only. A corpus in two languages is listed in both, with its whole size.",
        "",
        *list_sizes(),
        "Emotions",
        "--------",
        "",
        f"Common to all of them: {', '.join(shared) or 'nothing'}. What some of them have in ",
        "common is returned by `sklearn_ser.datasets.common_emotions` and printed by ",
        "``sklearn-ser corpora --common emodb,ravdess,urdu``. Columns are named by the first ",
        f"letters of {', '.join(EMOTIONS)}.",
        "",
        *list_emotions(),
    ]
    return "\n".join([*lines, *map(describe_corpus, CORPORA.values())])


def summarise(path):
    """Return the first line of the docstring of a module or package."""
    path = path / "__init__.py" if path.is_dir() else path
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


def read_layers():
    """Return the sets of names in the layer test, which stay literals for this purpose."""
    names = {"MAY_IMPORT", "LEAVES", "ON_TOP"}
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(LAYERS.read_text("utf-8")).body
        if isinstance(node, ast.Assign) and node.targets[0].id in names
    }


def list_layers():
    """Lay out what each part of the package is for, and which parts it may import."""
    layers = read_layers()
    leaves = dict.fromkeys(sorted(layers["LEAVES"]), "leaves only")
    top = dict.fromkeys(sorted(layers["ON_TOP"]), "every part")
    middle = {
        part: ", ".join(f"``{other}``" for other in sorted(others)) or "leaves only"
        for part, others in layers["MAY_IMPORT"].items()
    }
    rows = []
    for part, imports in (top | middle | leaves).items():
        folder = PACKAGE / part
        path = folder if folder.is_dir() else PACKAGE / f"{part}.py"
        name = f"{part}/" if folder.is_dir() else f"{part}.py"
        rows.append((f"``{name}``", summarise(path), imports))
    return "\n".join(lay_out(("part", "purpose", "may import"), rows))


def list_modules():
    """Lay out every module of every package, with the first line of its docstring."""
    lines = []
    for package in sorted(path.parent for path in PACKAGE.glob("*/__init__.py")):
        heading = f"``{package.name}/``"
        lines += [heading, "~" * len(heading), "", summarise(package), ""]
        rows = []
        for path in sorted(package.rglob("*.py")):
            name = path.relative_to(package).with_suffix("").as_posix()
            if name != "__init__":
                rows.append((f"``{name.replace('__init__', '')}``", summarise(path)))
        lines += lay_out(("module", "purpose"), rows)
    return "\n".join(lines)


def draw_layers():
    """Draw the parts of the package and the imports between them, as an SVG."""
    rules = read_layers()
    return DRAWING["draw_layers"](
        rules["MAY_IMPORT"], rules["LEAVES"], rules["ON_TOP"], DRAWING["count_imports"](PACKAGE)
    )


def own_methods(module, name, methods):
    """Return the methods of a class that this package defines and documents."""
    cls = getattr(importlib.import_module(module), name)
    owners = {
        method: next((one for one in cls.__mro__ if method in vars(one)), object)
        for method in methods
        if not method.startswith("_")
    }
    return [
        method
        for method, owner in owners.items()
        if owner.__module__.startswith("sklearn_ser")
        # Requests of metadata, which scikit-learn generates.
        and not (method.startswith("set_") and method.endswith("_request"))
        and getattr(cls, method).__doc__
    ]


autosummary_context = {"own_methods": own_methods}


def resolve_short_name(app, env, node, contnode):
    """Link a public name by its short forms: ``sklearn_ser.adapt``, ``CorpusScaler.fit``."""
    # Sphinx brings docutils; the tests, which run this file, need neither.
    from docutils import nodes

    name = node["reftarget"].removeprefix("sklearn_ser.")
    is_parameter = name == node["reftarget"] and name.islower() and "_" not in name
    if node["refdomain"] != "py" or is_parameter:
        return None
    objects = env.get_domain("py").objects
    found = [
        full
        for full in objects
        if full.startswith("sklearn_ser.") and full.split(".", 2)[-1] == name
    ]
    if len(found) != 1:
        return None
    entry = objects[found[0]]
    reference = nodes.reference("", "", internal=True, reftitle=found[0])
    reference["refuri"] = (
        app.builder.get_relative_uri(node["refdoc"], entry.docname) + f"#{entry.node_id}"
    )
    reference += contnode
    return reference


def read_citation(path=HERE.parent / "CITATION.cff"):
    """Return the plain entries of a citation file that stand at its left margin."""
    entries = {}
    for line in path.read_text("utf-8").splitlines():
        key, colon, value = line.partition(": ")
        if colon and not key.startswith((" ", "#", "-")):
            entries[key] = value.strip().strip('"')
    return entries


def cite():
    """Lay out the citation file as an entry for BibTeX."""
    entries = read_citation()
    lines = [
        ".. code-block:: bibtex",
        "",
        "   @software{sklearn_ser,",
        f"     title   = {{{entries['title']}}},",
        f"     author  = {{{{{author}}}}},",
        f"     version = {{{entries['version']}}},",
        f"     year    = {{{copyright.partition(',')[0]}}}",
        "   }",
    ]
    return "\n".join([*lines, ""])


def number(value):
    """Lay out a number with three digits, or more before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def describe_run(record):
    """Lay out date, commit, machine and Python version of a run."""
    machine = record["machine"]
    facts = [machine["processor"], f"{machine['cores']} cores"]
    facts += [f"{machine['memory_gib']:g} GiB"] if "memory_gib" in machine else []
    facts += [machine["system"]]
    facts += [f"load {machine['load']:g}"] if "load" in machine else []
    facts += [f"Python {record['versions']['python']}"]
    return f"{record['date']}, commit {record['commit'] or 'unknown'}: {', '.join(facts)}"


def list_ratios(path=BENCHMARKS / "results.json"):
    """Lay out the figures of benchmarks that compare with peers, and how they came about."""
    read_results = runpy.run_path(str(BENCHMARKS / "_record.py"))["read_results"]
    rows, runs = [], {}
    for record in read_results(path).values():
        compared = [figure for figure in record["figures"] if "peer" in figure]
        for figure in compared:
            ours, peer, ratio = (figure[name] for name in ("ours", "peer", "ratio"))
            rows.append(
                (
                    figure["task"],
                    f"``{ours['name']}``, {number(ours['median'])} {figure['unit']}",
                    f"{peer['name']} ({peer['package']} {peer['version']}), "
                    f"{number(peer['median'])} {figure['unit']}",
                    f"{number(ratio['median'])} ({number(ratio['min'])}-{number(ratio['max'])})",
                    f"``{record['command']}``",
                )
            )
        if compared:
            run = describe_run(record)
            runs.setdefault(run, []).append(f"``{record['command'].split()[1]}``")
    lines = lay_out(("task", "ours", "peer", "ratio (range)", "command"), rows)
    lines += [f"* {', '.join(names)}: {run}." for run, names in runs.items()]
    return "\n".join([*lines, ""])


def list_representations(path=Path(__file__).parent / "figures" / "representations.json"):
    """Lay out the UAR of each representation and method, with intervals."""
    cells = {}
    for row in json.loads(path.read_text("utf-8")):
        interval = f"({row['uar_low']:.2f}-{row['uar_high']:.2f})"
        cells[row["representation"], row["method"]] = f"{row['uar']:.3f} {interval}"
    features, methods = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    rows = [(name, *(cells.get((name, method), "") for method in methods)) for name in features]
    return "\n".join(lay_out(("features", *methods), rows))


def list_fuzzing(path=FUZZ / "results.json"):
    """Lay out how often readers were tried with what came of it, and how that was done."""
    results = json.loads(path.read_text(encoding="utf-8"))
    total, targets = results["total"], results["targets"]
    lines = [
        f"{total['executions']:,} executions of ``guided.py`` are on record in "
        f"``tests/fuzz/results.json``, where its option ``--record`` puts them; "
        f"{total['faults']:,} of them ended in a fault. What did so in earlier runs was mended, as "
        "listed below, and is in ``tests/fuzz/corpus/``. A branch is new if no input that the run "
        "began with reaches it.",
        "",
    ]
    rows = [
        (
            f"``{name}``",
            f"{one['executions']:,}",
            ", ".join(f"{verdict} {n:,}" for verdict, n in one["verdicts"].items()),
            f"{one['branches']} ({one['new_branches']})",
            one["faults"],
        )
        for name, one in targets.items()
    ]
    header = ("target", "executions", "what came of them", "branches (new)", "faults")
    lines += lay_out(header, rows)
    header = ("script", "executions", "faults", "command")
    rows = [
        (f"``{name}``", f"{one['executions']:,}", one["faults"], f"``{one['command']}``")
        for name, one in results["scripts"].items()
    ]
    lines += lay_out(header, rows)
    runs = {}
    for name, one in {**targets, **results["scripts"]}.items():
        versions = ", ".join(f"{package} {n}" for package, n in one["versions"].items() if n)
        runs.setdefault(f"{one['date']}, commit {one['commit']}: {versions}", []).append(name)
    lines += [
        f"* {', '.join(f'``{name}``' for name in names)}: {run}." for run, names in runs.items()
    ]
    return "\n".join([*lines, ""])


def write_pages(app):
    """Write what is generated before Sphinx looks for pages."""
    folder = Path(app.srcdir, "api", "generated")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "corpora_list.rst").write_text(list_corpora(), encoding="utf-8")
    (folder / "layers.inc").write_text(list_layers(), encoding="utf-8")
    (folder / "representations.inc").write_text(list_representations(), encoding="utf-8")
    (folder / "ratios.inc").write_text(list_ratios(), encoding="utf-8")
    (folder / "fuzzing.inc").write_text(list_fuzzing(), encoding="utf-8")
    (folder / "modules.inc").write_text(list_modules(), encoding="utf-8")
    (folder / "citing.inc").write_text(cite(), encoding="utf-8")
    (folder / "layers.svg").write_text(draw_layers(), encoding="utf-8")
    root = HERE.parent
    for name, page in PROJECT_FILES.items():
        pages = PROJECT_FILES | {f"docs/{one.name}": one.stem for one in HERE.glob("*.rst")}
        text = MARKDOWN["to_rst"]((root / name).read_text("utf-8"), pages)
        (folder / f"{page}.inc").write_text(text, encoding="utf-8")


def copy_examples(app):
    """Copy the examples, with one folder of recordings for all sections."""
    folder = Path(app.srcdir, EXAMPLES_COPY)
    shared = folder.parent / "speech"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__", "speech"))
    shared.mkdir(exist_ok=True)
    for section in folder.glob("*/"):
        os.symlink(shared, section / "speech", target_is_directory=True)


def setup(app):
    app.connect("builder-inited", write_pages)
    app.connect("builder-inited", copy_examples, priority=100)
    app.connect("missing-reference", resolve_short_name)
