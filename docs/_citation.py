"""The entry for bibliographies, from the citation file of the repository."""

from pathlib import Path

CITATION = Path(__file__).parents[1] / "CITATION.cff"


def read_citation(path=CITATION):
    """Return the plain entries of a citation file that stand at its left margin."""
    entries = {}
    for line in path.read_text("utf-8").splitlines():
        key, colon, value = line.partition(": ")
        if colon and not key.startswith((" ", "#", "-")):
            entries[key] = value.strip().strip('"')
    return entries


def cite(author, year):
    """Lay out the citation file as an entry for BibTeX."""
    entries = read_citation()
    lines = [
        ".. code-block:: bibtex",
        "",
        "   @software{sklearn_ser,",
        f"     title   = {{{entries['title']}}},",
        f"     author  = {{{{{author}}}}},",
        f"     version = {{{entries['version']}}},",
        f"     year    = {{{year}}}",
        "   }",
    ]
    return "\n".join([*lines, ""])
