"""Turn the Markdown of the project's files into reStructuredText, as far as they use it.

Headings, paragraphs, lists, fenced code, links and code in lines. Tables and HTML are refused.
"""

import re

FENCE = re.compile(r"^(\s*)```(\w*)\s*$")
HEADING = re.compile(r"^(#{1,4}) +(.+?)\s*$")
ITEM = re.compile(r"^\s*([-*]|\d+\.) ")
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
REFUSED = re.compile(r"^\s*(\||<[a-zA-Z!/])")
UNDERLINES = "=-~^"


def _link(match, pages):
    text, target = match[1].replace("`", ""), match[2]
    path, _, anchor = target.partition("#")
    if path in pages:
        return f":doc:`{text} <{pages[path]}>`"
    if "://" in target or target.startswith("mailto:"):
        return f"`{text} <{target}>`__"
    if anchor and not path:
        return text
    # A file of the repository, which the site does not contain.
    return f"{text} (``{path}``)"


def _inline(line, pages):
    parts = []
    for i, part in enumerate(re.split(r"(\[[^\]]*\]\([^)]*\)|`[^`]+`)", line)):
        if i % 2 == 0:
            # What is emphasis in both stays; a backslash or a trailing underscore means less there.
            parts.append(re.sub(r"(\w)_(?!\w)", r"\1\\_", part))
        elif part.startswith("`"):
            parts.append(f"`{part}`")
        else:
            parts.append(_link(LINK.fullmatch(part), pages))
    return "".join(parts)


def to_rst(text, pages):
    """Return the text of a Markdown file as reStructuredText.

    Parameters
    ----------
    text : str
        The Markdown.
    pages : dict of str to str
        The page of the site that shows each file of the repository, by the file's path.
    """
    lines, in_code = [], None
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and in_code is None:
            in_code = fence[1]
            lines += ["", f"{in_code}.. code-block:: {fence[2] or 'text'}", ""]
        elif fence:
            in_code = None
            lines.append("")
        elif in_code is not None:
            lines.append(f"   {line}" if line.strip() else "")
        elif heading := HEADING.match(line):
            title = _inline(heading[2], pages)
            lines += ["", title, UNDERLINES[len(heading[1]) - 1] * len(title), ""]
        elif REFUSED.match(line):
            raise ValueError(f"line {number} is a table or HTML, which is not translated: {line}")
        else:
            is_item = ITEM.match(line)
            if is_item and lines and lines[-1].strip() and not ITEM.match(lines[-1]):
                # A list that continues a paragraph, or an item under a longer one.
                lines.append("")
            lines.append(_inline(line, pages))
    return "\n".join(lines) + "\n"
