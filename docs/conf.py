import os
import shutil
import sys
from pathlib import Path

import sklearn_ser

# Sphinx does not look for modules beside its configuration.
sys.path.append(str(Path(__file__).parent))

from _architecture import draw_layers, list_layers, list_modules
from _citation import cite
from _corpora import list_corpora
from _markdown import to_rst
from _reference import own_methods, resolve_short_name
from _results import list_fuzzing, list_ratios, list_representations

HERE = Path(__file__).parent
ROOT = HERE.parent
# The files of the repository that the site shows, and their pages.
PROJECT_FILES = {
    "CONTRIBUTING.md": "contributing",
    "SECURITY.md": "security",
    "CODE_OF_CONDUCT.md": "code_of_conduct",
}
# Examples run where they are, and leave recordings and results beside them: a copy is run.
EXAMPLES_COPY = Path("_build", "examples")

# Other packages, whose indices are on the network.
OTHERS = (
    "audformat|concurrent|dask|datasets|ctranslate2|joblib|librosa|matplotlib|numpy|onnxruntime|"
    "pandas|pathlib|sklearn|skops|skorch|soundfile|torch|transformers|warnings"
)

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
autosummary_context = {"own_methods": own_methods}
# The docstrings name the types, with shapes and units that hints cannot express.
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
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
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
# Pages without others beside them.
html_sidebars = {"index": [], "getting_started": []}
html_theme_options = {
    # All sections in the header.
    "header_links_before_dropdown": 7,
    # Methods in the contents of a class.
    "show_toc_level": 2,
    "navigation_with_keys": False,
}


def write_pages(app):
    """Write what is generated before Sphinx looks for pages."""
    folder = Path(app.srcdir, "api", "generated")
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "corpora_list.rst": list_corpora(),
        "layers.inc": list_layers(),
        "layers.svg": draw_layers(),
        "modules.inc": list_modules(),
        "representations.inc": list_representations(),
        "ratios.inc": list_ratios(),
        "fuzzing.inc": list_fuzzing(),
        "citing.inc": cite(author, copyright.partition(",")[0]),
    }
    targets = PROJECT_FILES | {f"docs/{one.name}": one.stem for one in HERE.glob("*.rst")}
    for name, page in PROJECT_FILES.items():
        pages[f"{page}.inc"] = to_rst((ROOT / name).read_text("utf-8"), targets)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def copy_examples(app):
    """Copy the examples, with one folder of recordings for all sections."""
    folder = Path(app.srcdir, EXAMPLES_COPY)
    shared = folder.parent / "speech"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        ROOT / "examples", folder, ignore=shutil.ignore_patterns("__pycache__", "speech")
    )
    shared.mkdir(exist_ok=True)
    for section in folder.glob("*/"):
        os.symlink(shared, section / "speech", target_is_directory=True)


def setup(app):
    app.connect("builder-inited", write_pages)
    app.connect("builder-inited", copy_examples, priority=100)
    app.connect("missing-reference", resolve_short_name)
