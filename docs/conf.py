import sklearn_ser

project = "sklearn-ser"
author = "The sklearn-ser developers"
copyright = "2026, the sklearn-ser developers"
version = release = sklearn_ser.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
]
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
default_role = "py:obj"
exclude_patterns = ["_build"]

html_theme = "pydata_sphinx_theme"
html_title = "sklearn-ser"
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}
