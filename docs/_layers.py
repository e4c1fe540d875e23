"""Draw which part of the package imports which, as an SVG that follows the theme of the page."""

import ast
import graphlib
from html import escape

WIDTH, ROW, TEXT, LEFT = 360, 34, 14, 8
# Where arcs begin: behind the longest name.
START = 168

STYLE = """
.layers { max-width: 34rem; width: 100%; height: auto; color: var(--pst-color-text-base, #222); }
.layers text { fill: currentColor; font: 14px var(--pst-font-family-monospace, monospace); }
.layers .note { font: italic 12px var(--pst-font-family-base, sans-serif); }
.layers path { fill: none; stroke: currentColor; stroke-width: 1.5; opacity: .55; }
.layers marker path { fill: currentColor; stroke: none; opacity: 1; }
.layers g:hover path, .layers g:focus path {
  stroke: var(--pst-color-primary, #0a7d91); stroke-width: 3; opacity: 1; }
.layers line { stroke: currentColor; opacity: .25; }
"""


def count_imports(package):
    """Return how many modules of each part import each other part: ``{(here, there): number}``."""
    counts = {}
    for path in sorted(package.rglob("*.py")):
        here = path.relative_to(package).with_suffix("").parts[0]
        found = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
        names = [name.split(".") for name in found if name.startswith(f"{package.name}.")]
        for there in {name[1] for name in names} - {here}:
            counts[here, there] = counts.get((here, there), 0) + 1
    return counts


def order_parts(may_import):
    """Return the parts from top to bottom: none is above one that imports it."""
    sorter = graphlib.TopologicalSorter({part: sorted(may_import[part]) for part in may_import})
    return [*sorter.static_order()][::-1]


def _arc(here, there, rows, number):
    start, end = rows[here], rows[there]
    bulge = START + 14 + (WIDTH - START - 20) * (end - start) / (ROW * (len(rows) - 1))
    modules = "1 module" if number == 1 else f"{number} modules"
    label = escape(f"{here} imports {there} ({modules})")
    # A little apart where one part is at both ends, so that arcs in and out do not meet.
    y0, y1 = start + 4, end - 4
    return (
        f'<g tabindex="0"><title>{label}</title>'
        f'<path marker-end="url(#layers-tip)" '
        f'd="M{START},{y0} C{bulge:.0f},{y0} {bulge:.0f},{y1} {START + 7},{y1}"/></g>'
    )


def draw_arcs(may_import, leaves, top, counts):
    """Return an SVG with a row for each part, and an arc from each part to those it imports.

    Parameters
    ----------
    may_import : dict of str to set of str
        The parts that each part imports, without leaves.
    leaves, top : set of str
        Parts that all import, and those that import all: named in a row, without arcs.
    counts : dict
        From :func:`count_imports`.
    """
    parts = order_parts(may_import)
    rows = {part: ROW * (i + 2) for i, part in enumerate(parts)}
    height = ROW * (len(parts) + 3)
    lines = [
        f'<svg class="layers" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Parts of the package, and which imports which">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="layers-tip" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="7" '
        'markerHeight="7" markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
        '<path d="M8,0 L0,4 L8,8 z" transform="rotate(180 4 4)"/></marker></defs>',
    ]
    bands = {
        ROW * 0.8: (top, "import every part"),
        height - ROW * 0.6: (leaves, "imported by every part"),
    }
    for y, (names, note) in bands.items():
        lines.append(f'<text x="{LEFT}" y="{y:.0f}">{escape(", ".join(sorted(names)))}</text>')
        lines.append(f'<text class="note" x="{LEFT}" y="{y + 15:.0f}">{note}</text>')
    for part, y in rows.items():
        lines.append(f'<line x1="{LEFT}" x2="{WIDTH - LEFT}" y1="{y + 9}" y2="{y + 9}"/>')
        lines.append(f'<text x="{LEFT}" y="{y + 4}">{escape(part)}</text>')
    for here in parts:
        for there in sorted(may_import[here], key=parts.index):
            lines.append(_arc(here, there, rows, counts[here, there]))
    return "\n".join([*lines, "</svg>", ""])
