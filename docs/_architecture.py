"""Tables and drawing of the parts of the package, from its source and from the layer test."""

import ast
from pathlib import Path

from _layers import count_imports, draw_arcs
from _tables import lay_out

import sklearn_ser

PACKAGE = Path(sklearn_ser.__file__).parent
LAYERS = Path(__file__).parents[1] / "tests" / "test_layers.py"


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
    return draw_arcs(rules["MAY_IMPORT"], rules["LEAVES"], rules["ON_TOP"], count_imports(PACKAGE))
