"""What the site is made with: the pages of the reference, the check of links."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CONF = runpy.run_path(str(DOCS / "conf.py"))
check_links = runpy.run_path(str(DOCS / "check_links.py"))


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
    index = (DOCS / "index.rst").read_text(encoding="utf-8")
    pages = {path.stem for path in DOCS.glob("*.rst")} - {"index"}
    assert {page for page in pages if not re.search(rf"^   {page}$", index, re.MULTILINE)} == set()
