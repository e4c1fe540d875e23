"""Check that every link inside a built site leads to a file, and to an anchor that is in it.

    python docs/check_links.py docs/_build/html

No link to another site is followed. Prints each broken link and ends with 1 if there is any.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """The anchors of a page, and the links in it with their lines."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors.update(given[name] for name in ("id", "name") if given.get(name))
        for name in ("href", "src"):
            # A form or a button that scripts fill in has an empty link.
            if given.get(name):
                self.links.append((given[name], self.getpos()[0]))


def broken_links(root):
    """Return the broken links of all pages below a folder, as lines of text.

    Parameters
    ----------
    root : path
        Folder of the site, with its ``index.html``.
    """
    root = Path(root).resolve()
    # Themes leave templates among their files, which are not pages.
    found = [path for path in sorted(root.rglob("*.html")) if root / "_static" not in path.parents]
    pages = {path: _Page(path.read_text("utf-8")) for path in found}
    if root / "index.html" not in pages:
        raise FileNotFoundError(f"{root} has no index.html: build the site there first.")
    broken = []
    for path, page in pages.items():
        for link, line in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                reason = "no such file"
            elif not target.is_relative_to(root):
                reason = "outside the site"
            elif target in pages and parts.fragment and not _has(pages[target], parts.fragment):
                reason = "no such anchor"
            else:
                continue
            broken.append(f"{path.relative_to(root)}:{line}: {link}: {reason}")
    return broken


def _has(page, fragment):
    return unquote(fragment) in page.anchors or fragment in page.anchors


def main(arguments):
    """Check the site in a folder; return the exit code."""
    broken = [line for folder in arguments for line in broken_links(folder)]
    print("\n".join(broken) if broken else f"all links inside {', '.join(arguments)} resolve")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
