"""What the site is made with: the drawing of the layers, the check of links, project files."""

import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

import sklearn_ser

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CONF = runpy.run_path(str(DOCS / "conf.py"))
LAYERS = runpy.run_path(str(ROOT / "tests" / "test_layers.py"))
check_links = runpy.run_path(str(DOCS / "check_links.py"))
to_rst = runpy.run_path(str(DOCS / "_markdown.py"))["to_rst"]
CITATION = runpy.run_path(str(DOCS / "_citation.py"))


def arcs_of(svg):
    """Return the end points of each arc, by the parts that it names."""
    arcs = {}
    for group in ElementTree.fromstring(svg).iter("g"):
        here, there, number = re.fullmatch(
            r"(\w+) imports (\w+) \((\d+) modules?\)", group.find("title").text
        ).groups()
        points = re.findall(r"[\d.]+,([\d.]+)", group.find("path").get("d"))
        arcs[here, there] = int(number), float(points[0]), float(points[-1])
    return arcs


class TestDrawing:
    """The layers, as they are drawn on the page of the architecture."""

    def test_arcs_are_the_imports_of_the_source(self):
        counts = {}
        part_of = LAYERS["part_of"]
        for name in LAYERS["MODULES"]:
            here = part_of(name)
            for there in {part_of(other) for other in LAYERS["own_imports"](name)} - {here, ""}:
                if there not in LAYERS["LEAVES"] and here not in LAYERS["ON_TOP"] | {""}:
                    counts[here, there] = counts.get((here, there), 0) + 1
        arcs = arcs_of(CONF["draw_layers"]())
        assert {ends: number for ends, (number, _, _) in arcs.items()} == counts
        assert set(counts) == {(a, b) for a, parts in LAYERS["MAY_IMPORT"].items() for b in parts}

    def test_arcs_lead_downwards(self):
        assert all(start < end for _, start, end in arcs_of(CONF["draw_layers"]()).values())

    def test_every_part_is_named_once(self):
        drawing = ElementTree.fromstring(CONF["draw_layers"]())
        texts = [one.text for one in drawing.iter("text") if one.get("class") != "note"]
        named = [name for text in texts for name in text.split(", ")]
        assert sorted(named) == sorted(
            [*LAYERS["MAY_IMPORT"], *LAYERS["LEAVES"], *LAYERS["ON_TOP"]]
        )

    def test_it_takes_its_colours_from_the_theme(self):
        drawing = CONF["draw_layers"]()
        assert "currentColor" in drawing
        assert not re.search(r'(fill|stroke)="#', drawing)

    def test_it_is_on_the_page(self):
        page = (DOCS / "architecture.rst").read_text(encoding="utf-8")
        assert ":file: api/generated/layers.svg" in page


class TestLinks:
    """The check of links inside the built site."""

    @pytest.fixture
    def site(self, tmp_path):
        (tmp_path / "api").mkdir()
        (tmp_path / "index.html").write_text(
            '<a href="api/one.html#here">1</a> <a href="https://example.org/x#y">2</a>'
            '<a href="#top">3</a> <p id="top"></p> <img src="a%20b.png"> <a href="api/">4</a>'
        )
        (tmp_path / "a b.png").write_bytes(b"")
        (tmp_path / "api" / "one.html").write_text('<a name="here"></a><a href="../">5</a>')
        (tmp_path / "api" / "index.html").write_text("")
        return tmp_path

    def test_a_site_whose_links_resolve(self, site, capsys):
        assert check_links["main"]([str(site)]) == 0
        assert capsys.readouterr().out == f"all links inside {site} resolve\n"

    @pytest.mark.parametrize(
        ("link", "reason"),
        [
            ('<a href="gone.html">', "gone.html: no such file"),
            ('<a href="one.html#there">', "one.html#there: no such anchor"),
            ('<a href="#there">', "#there: no such anchor"),
            ('<img src="../gone.png">', "../gone.png: no such file"),
            ('<a href="../../secret.html">', "../../secret.html: outside the site"),
        ],
    )
    def test_broken_ones_are_listed(self, link, reason, site, capsys):
        (site.parent / "secret.html").write_text("")
        (site / "api" / "two.html").write_text(f"<p>\n{link}")
        assert check_links["main"]([str(site)]) == 1
        assert capsys.readouterr().out == f"api/two.html:2: {reason}\n"

    def test_a_folder_without_a_site(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"has no index\.html: build the site"):
            check_links["broken_links"](tmp_path)

    def test_they_are_checked_with_each_build(self):
        assert "check_links.py $(DOCS_OUT)" in (ROOT / "Makefile").read_text("utf-8")


class TestMarkdown:
    """Files of the project as pages of the site."""

    def test_what_is_translated(self):
        text = (
            "# A `b` title\n\nSee [x](docs/x.rst), [y](https://y.org) and [z](tests/z.py).\n"
            "- one `c` and trailing_\n\n```sh\nmake `all`\n```\n"
        )
        assert to_rst(text, {"docs/x.rst": "x"}).splitlines() == [
            "", "A ``b`` title", "=============", "", "",
            "See :doc:`x <x>`, `y <https://y.org>`__ and z (``tests/z.py``).",
            "", "- one ``c`` and trailing\\_", "", "", ".. code-block:: sh", "",
            "   make `all`", "",
        ]  # fmt: skip

    @pytest.mark.parametrize("line", ["| a | b |", "<b>x</b>", "<!-- x -->"])
    def test_what_is_not(self, line):
        with pytest.raises(ValueError, match="line 2 is a table or HTML, which is not translated"):
            to_rst(f"text\n{line}", {})

    def test_every_file_is_on_the_site(self):
        project = (DOCS / "project.rst").read_text(encoding="utf-8")
        for name, page in CONF["PROJECT_FILES"].items():
            assert to_rst((ROOT / name).read_text(encoding="utf-8"), {})
            assert f"   {page}\n" in project
            assert f"api/generated/{page}.inc" in (DOCS / f"{page}.rst").read_text("utf-8")


def test_the_reference_documents_methods_of_this_package_and_no_others():
    found = CONF["own_methods"](
        "sklearn_ser.estimators",
        "CorpusScaler",
        ["__init__", "fit", "get_params", "set_fit_request", "set_output", "transform_corpus"],
    )
    assert found == ["fit", "transform_corpus"]
    inherited = CONF["own_methods"](
        "sklearn_ser.estimators", "NNPMClassifier", ["predict_proba", "set_output"]
    )
    assert inherited == ["predict_proba"]


def test_every_page_is_in_a_table_of_contents():
    pages = {path.stem: path.read_text(encoding="utf-8") for path in DOCS.glob("*.rst")}
    listed = {
        name
        for text in pages.values()
        for table in re.findall(r"^\.\. toctree::\n((?:   .*\n|\n)+)", text, re.MULTILINE)
        for name in re.findall(r"^   (?:.*<)?([\w/]+)>?$", table, re.MULTILINE)
    }
    assert pages.keys() - listed == {"index"}


def test_the_citation_is_that_of_this_version():
    entries = CITATION["read_citation"]()
    assert entries["version"] == sklearn_ser.__version__
    assert entries["cff-version"] == "1.2.0"
    assert entries["license"] == "BSD-3-Clause"
    cited = CITATION["cite"](CONF["author"], "2026")
    assert f"version = {{{sklearn_ser.__version__}}}" in cited
    assert entries["title"].startswith("sklearn-ser: ")


def test_the_citation_file_follows_its_schema():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    allowed = {
        *("cff-version", "message", "type", "title", "version", "license", "authors"),
        *("abstract", "keywords", "references", "date-released", "doi", "url"),
        "repository-code",
    }
    assert citation.keys() <= allowed
    for person in [
        *citation["authors"],
        *(a for r in citation["references"] for a in r["authors"]),
    ]:
        assert person.keys() in ({"name"}, {"family-names", "given-names"})
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year", "url"} == reference.keys()
        assert isinstance(reference["year"], int)
    assert isinstance(citation["version"], str)


def named_tests(text):
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)


def test_every_promise_names_a_test_that_exists():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = named_tests(text)
    assert len(named) > 40
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)
    ]
    assert missing == []
    promised = text[text.index("## What is promised") : text.index("## What is not promised")]
    bullets = re.split(r"^- ", promised, flags=re.MULTILINE)[1:]
    assert [one for one in bullets if not named_tests(one)] == []
