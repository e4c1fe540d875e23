import textwrap
from pathlib import Path

import sklearn_ser
from sklearn_ser.datasets import CORPORA

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
]
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
plot_formats = [("png", 100)]
plot_html_show_formats = False
plot_html_show_source_link = False
default_role = "py:obj"
exclude_patterns = ["_build"]

html_theme = "pydata_sphinx_theme"
html_title = "sklearn-ser"
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}


def describe_corpus(corpus):
    """Lay out what the registry knows of a corpus, as a section."""
    counts = [f"{word} {corpus.counts.get(word, '')}".rstrip() for word in corpus.vocabulary]
    women = "" if corpus.n_women is None else f", {corpus.n_women} of them women"
    raw = [f"``{label}`` {emotion}" for label, emotion in corpus.emotions.items()]
    facts = {
        "Language": corpus.language,
        "Recordings": f"{corpus.n_recordings or 'number unknown'}, at {corpus.sampling_rate} Hz",
        "Speakers": f"{corpus.n_speakers or 'number unknown'}{women}",
        "Emotions": ", ".join(counts),
        "Labels": ", ".join(raw),
        "File names": f"such as ``{next(iter(corpus.examples))}``",
        "Licence": corpus.licence,
        "Available": f"{corpus.homepage} {corpus.access}".rstrip(),
        "Download": f"``fetch_corpus({corpus.name!r})``" if corpus.download else "by hand",
    }
    heading = f"{corpus.name}: {corpus.title}"
    lines = [heading, "-" * len(heading), ""]
    lines += [f":{name}: {fact}" for name, fact in facts.items()]
    lines += ["", corpus.note, "", ".. code-block:: bibtex", ""]
    return "\n".join(lines) + "\n" + textwrap.indent(corpus.citation, "   ") + "\n"


def list_corpora():
    """Lay out the page of all corpora."""
    lines = [
        "List of corpora",
        "===============",
        "",
        "What `sklearn_ser.datasets.load_corpus` knows by name. Numbers are those of the",
        "complete corpus; a question mark stands for one that is not on record.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - name\n     - language\n     - recordings\n     - speakers\n     - licence",
    ]
    for corpus in CORPORA.values():
        lines += [f"   * - {corpus.name}", f"     - {corpus.language}"]
        lines += [f"     - {corpus.n_recordings or '?'}", f"     - {corpus.n_speakers or '?'}"]
        lines += [f"     - {corpus.licence}"]
    return "\n".join([*lines, "", *map(describe_corpus, CORPORA.values())])


def write_list_of_corpora(app):
    """Write the page before Sphinx looks for pages."""
    page = Path(app.srcdir, "api", "generated", "corpora_list.rst")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(list_corpora(), encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write_list_of_corpora)
