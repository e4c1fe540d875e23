"""Which part of the package may import which, read from the source.

Data flow one way: file, signal, descriptors, functionals, latent, label, report.
"""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

import sklearn_ser

ROOT = Path(sklearn_ser.__file__).parent

LEAVES = {"_sklearn", "exceptions", "utils"}

# Above the leaves, which all may use: what each part may import besides itself. The command
# line stands on top of everything.
MAY_IMPORT = {
    "adaptation": {"estimators"},
    "audio": set(),
    "encoders": {"nn"},
    "features": {"audio", "encoders"},
    "datasets": {"audio", "plotting"},
    "nn": set(),
    "estimators": {"nn"},
    "model_selection": set(),
    "metrics": set(),
    "evaluation": {"metrics", "model_selection"},
    "plotting": {"audio", "evaluation", "features", "metrics"},
    "report": {"evaluation", "plotting"},
    "persistence": {"estimators", "features", "nn"},
}
ON_TOP = {"cli", "__main__"}

# Parts whose import may pull in torch, librosa or matplotlib.
HEAVY_PARTS = {"encoders", "nn", "plotting", "report"}
HEAVY_LIBRARIES = {"IPython", "jinja2", "librosa", "matplotlib", "skorch", "torch"}


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imports_of(name, source):
    """Yield what a module imports, absolute and dotted, wherever in it the import stands."""
    package = name if MODULES.get(name, Path()).name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                origin = ".".join([*above, *([origin] if origin else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def own_imports(name):
    """Yield the modules of this package that a module of it imports."""
    for imported in imports_of(name, MODULES[name].read_text(encoding="utf-8")):
        if imported.partition(".")[0] != "sklearn_ser":
            continue
        if imported in MODULES:
            yield imported
        elif (origin := imported.rpartition(".")[0]) in MODULES:
            yield origin


def part_of(name):
    return name.split(".")[1] if "." in name else ""


def forbidden(importer, imported):
    here, there = part_of(importer), part_of(imported)
    if here in ON_TOP or here == there or there in LEAVES:
        return False
    if there == "":
        # The version stands in the root, whose names are looked up on use.
        return here in LEAVES
    return there not in MAY_IMPORT.get(here, set())


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name):
    wrong = sorted({imported for imported in own_imports(name) if forbidden(name, imported)})
    assert not wrong, f"{name} must not import {wrong}"


def test_every_part_has_a_place():
    parts = {part_of(name) for name in MODULES if part_of(name)}
    assert parts <= MAY_IMPORT.keys() | LEAVES | ON_TOP


def test_every_permission_is_used():
    """A permission that nobody needs hides the next wrong arrow."""
    used = {(part_of(name), part_of(other)) for name in MODULES for other in own_imports(name)}
    allowed = {(here, there) for here, others in MAY_IMPORT.items() for there in others}
    assert not allowed - used


def cycle_of(arrows):
    """Return a cycle in a graph, as a list of names; None if there is none."""
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return None


def test_parts_are_free_of_cycles():
    """Between parts as the source has them, with the command line, the leaves and the root."""
    arrows = {}
    for name in MODULES:
        here = part_of(name)
        there = {part_of(other) for other in own_imports(name)}
        # Everybody may ask the root for the version, which imports nothing when it is loaded.
        arrows.setdefault(here, set()).update(there - {here, ""})
    del arrows[""]
    assert cycle_of(arrows) is None
    # The graph is not an empty one, and an arrow up is seen in it.
    assert arrows["cli"] >= {"evaluation", "persistence", "report"}
    arrows["model_selection"].add("evaluation")
    assert {"model_selection", "evaluation"} <= set(cycle_of(arrows))


def test_modules_are_free_of_cycles():
    graph = {name: {other for other in own_imports(name) if other != name} for name in MODULES}
    assert cycle_of(graph) is None


def private_modules_of_other_parts(name, source):
    """Yield what a module imports from private modules outside its part and the leaves."""
    for imported in imports_of(name, source):
        top, *rest = imported.split(".")
        if top != "sklearn_ser" or not rest or rest[0] in LEAVES | {part_of(name)}:
            continue
        # The version is a public name in spite of its underscores.
        if any(part.startswith("_") for part in rest if part != "__version__"):
            yield imported


@pytest.mark.parametrize("name", [name for name in MODULES if part_of(name) in ON_TOP])
def test_the_command_line_imports_public_names_only(name):
    source = MODULES[name].read_text(encoding="utf-8")
    assert not list(private_modules_of_other_parts(name, source))


@pytest.mark.parametrize(
    ("statement", "private"),
    [
        ("from sklearn_ser.datasets._fetch import obtain", ["sklearn_ser.datasets._fetch.obtain"]),
        ("def f():\n    from sklearn_ser import _x", ["sklearn_ser._x"]),
        ("from sklearn_ser.evaluation import _fit", ["sklearn_ser.evaluation._fit"]),
        ("from sklearn_ser.cli._speech import load_speech", []),
        ("from sklearn_ser.utils._files import replacing", []),
        ("from sklearn_ser import __version__, adapt", []),
    ],
)
def test_the_guard_sees_private_names(statement, private):
    assert list(private_modules_of_other_parts("sklearn_ser.cli._train", statement)) == private


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("sklearn_ser.audio", "sklearn_ser.features"),
        ("sklearn_ser.features._egemaps._pitch", "sklearn_ser.datasets"),
        ("sklearn_ser.metrics._classification", "sklearn_ser.evaluation"),
        ("sklearn_ser.nn._training", "sklearn_ser.estimators"),
        ("sklearn_ser.evaluation", "sklearn_ser.cli"),
        ("sklearn_ser.exceptions", "sklearn_ser.audio"),
    ],
)
def test_the_guard_sees_a_wrong_arrow(importer, imported):
    assert forbidden(importer, imported)
    assert not forbidden(imported, "sklearn_ser.exceptions")


@pytest.mark.parametrize(
    ("statement", "imported"),
    [
        ("import sklearn_ser.audio", "sklearn_ser.audio"),
        ("from sklearn_ser import audio", "sklearn_ser.audio"),
        ("from ..audio import load_audio", "sklearn_ser.audio.load_audio"),
        ("from .. import audio", "sklearn_ser.audio"),
        ("def f():\n    from ._pitch import f0", "sklearn_ser.features._pitch.f0"),
    ],
)
def test_the_guard_reads_every_kind_of_import(statement, imported):
    assert list(imports_of("sklearn_ser.features._voice", statement)) == [imported]


# What scikit-learn's base classes have beside their public names, and where they keep requests.
PRIVATE_ATTRIBUTES = {
    name
    for base in (BaseEstimator, ClassifierMixin, TransformerMixin)
    for name in dir(base)
    if name.startswith("_") and not name.startswith("__")
} | {"_metadata_request"}


def private_names(name, source):
    imported = [
        imported
        for imported in imports_of(name, source)
        if imported.partition(".")[0] == "sklearn"
        and any(part.startswith("_") for part in imported.split("."))
    ]
    nodes = list(ast.walk(ast.parse(source)))
    used = [node.attr for node in nodes if isinstance(node, ast.Attribute)]
    # As the argument of getattr and the like.
    used += [node.value for node in nodes if isinstance(node, ast.Constant)]
    return imported + [one for one in used if one in PRIVATE_ATTRIBUTES]


@pytest.mark.parametrize("name", [name for name in MODULES if name != "sklearn_ser._sklearn"])
def test_private_names_of_scikit_learn_stay_in_one_file(name):
    assert not private_names(name, MODULES[name].read_text(encoding="utf-8"))


def test_the_one_file_has_them():
    name = "sklearn_ser._sklearn"
    found = private_names(name, MODULES[name].read_text("utf-8"))
    assert {"sklearn.base._fit_context", "_validate_params", "_metadata_request"} <= {*found}


@pytest.mark.parametrize(
    "statement",
    [
        "from sklearn.base import _fit_context",
        "self._validate_params()",
        'getattr(estimator, "_get_metadata_request")()',
        'requests = vars(estimator)["_metadata_request"]',
    ],
)
def test_the_guard_sees_private_names_of_scikit_learn(statement):
    assert private_names("sklearn_ser.estimators._nnpm", statement)


def test_light_parts_import_no_heavy_library():
    light = [name for name in MODULES if part_of(name) not in HEAVY_PARTS | {"__main__"}]
    # A module of an estimator may need torch; the package that lists it must not.
    light = [name for name in light if not name.startswith("sklearn_ser.estimators._")]
    code = f"""
import importlib, sys
for name in {light!r}:
    importlib.import_module(name)
    loaded = {HEAVY_LIBRARIES!r} & sys.modules.keys()
    assert not loaded, f"{{name}} imports {{sorted(loaded)}}"
import sklearn_ser
sklearn_ser.CorpusScaler, sklearn_ser.EGeMAPSExtractor, sklearn_ser.LeaveOneCorpusOut
loaded = {HEAVY_LIBRARIES!r} & sys.modules.keys()
assert not loaded, f"a public name imports {{sorted(loaded)}}"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
