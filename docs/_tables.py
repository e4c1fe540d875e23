"""Tables in the form that Sphinx reads."""


def lay_out(header, rows):
    """Lay out a table."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: auto", ""]
    for row in (header, *rows):
        lines += [f"   {' ' if i else '*'} - {cell}" for i, cell in enumerate(row)]
    return [*lines, ""]
