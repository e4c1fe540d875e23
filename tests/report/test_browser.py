"""The page in a real browser.

``SKLEARN_SER_CHROMIUM`` may point to Chromium where it is not on the PATH, and
``SKLEARN_SER_SCREENSHOTS`` to a folder to keep pictures of the page in.
"""

import os
import shutil
import warnings
from pathlib import Path

import pytest

from sklearn_ser.exceptions import SmallBatchWarning
from sklearn_ser.report import write_report

pytestmark = pytest.mark.browser

HOSTILE = "<script>alert(1)</script>"
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Colours are compared as readers see them, with what is behind the text.
LEAST_CONTRAST = """() => {
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const part = value => (value /= 255) <= 0.04045 ? value / 12.92
        : ((value + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    const behind = element => {
        for (; element; element = element.parentElement) {
            const colour = parse(getComputedStyle(element).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    let least = [Infinity, ""];
    for (const element of document.body.querySelectorAll("*")) {
        const text = [...element.childNodes].filter(n => n.nodeType === 3 && n.data.trim());
        if (!text.length) continue;
        const pair = [light(parse(getComputedStyle(element).color)), light(behind(element))];
        const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        if (contrast < least[0]) least = [contrast, text[0].data];
    }
    return least;
}"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="driving a browser needs playwright"
    )
    program = os.environ.get("SKLEARN_SER_CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), None
    )
    if program is None:
        pytest.skip("no Chromium on the PATH; SKLEARN_SER_CHROMIUM says where it is")
    with playwright.sync_playwright() as tools:
        # Without a profile of its own it would make an empty one, and remove it again.
        browser = tools.chromium.launch(executable_path=program, args=[*OPTIONS])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def addresses(record, make_speech, evaluate, tmp_path_factory):
    """A usual report, and one whose names try to run something."""
    folder = tmp_path_factory.mktemp("pages")
    speech, X = make_speech((HOSTILE, "urdu", "a_corpus_with_a_name_longer_than_is_usual"))
    speech["speaker"] = HOSTILE + speech["speaker"]
    # One speaker with nearly all recordings, who is therefore named on the page.
    own = speech.index[speech["corpus"] == HOSTILE]
    speech.loc[own, "speaker"] = f"{HOSTILE}_1"
    for number in range(3):
        speech.loc[own[16 * number : 16 * number + 16 : 4], "speaker"] = f"{HOSTILE}_{number + 2}"
    speech["path"] = HOSTILE + speech["path"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallBatchWarning)  # of speakers with few recordings
        hostile = evaluate(speech, X, transfer=True, command=f"echo '{HOSTILE}'" * 20)
    pages = {"usual": record, "hostile": hostile}
    return {
        name: write_report(page, folder / f"{name} {HOSTILE.partition('/')[0]}.html").as_uri()
        for name, page in pages.items()
    }


@pytest.fixture
def visit(browser):
    """Opens a page, and fails if anything happens on it or it asks for anything."""
    contexts, happened = [], []

    def visit(address, *, width=1280, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, has_touch=width < 500
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: happened.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: happened.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (happened.append("a dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                request.url.startswith("data:")
                or request.url == address
                or happened.append(f"a request: {request.url}")
            ),
        )
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert happened == []


def luminance(page, element):
    colour = page.locator(element).evaluate("e => getComputedStyle(e).backgroundColor")
    return sum(map(int, colour.strip("rgb()").split(",")[:3])) / 3 / 255


@pytest.mark.parametrize("which", ["usual", "hostile"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_renders(which, scheme, width, visit, addresses):
    page = visit(addresses[which], width=width, scheme=scheme)
    assert page.title() == "Speech emotion recognition: 3 methods on 3 corpora"
    assert page.locator("h1").inner_text().replace("\n", " ") == page.title()
    assert page.locator("table").count() == 7 + 3 * 3
    widths = page.eval_on_selector_all("img", "all => all.map(image => image.naturalWidth)")
    assert len(widths) == 3
    assert min(widths) > 0
    # The page itself never scrolls sideways; what is too wide scrolls in its own frame.
    size = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    assert page.evaluate(size) == [width, width]
    assert (luminance(page, "body") < 0.2) == (scheme == "dark")
    contrast, text = page.evaluate(LEAST_CONTRAST)
    assert contrast >= 4.5, text
    if folder := os.environ.get("SKLEARN_SER_SCREENSHOTS"):
        name = f"report_{which}_{width}_{scheme}.png"
        page.screenshot(path=Path(folder) / name, full_page=True)


def test_hostile_names_are_seen_as_text(visit, addresses):
    page = visit(addresses["hostile"])
    assert page.locator("script").count() == 1
    assert page.get_by_text(HOSTILE).count() > 20
    for place in ("#warnings", "#corpora", "#repeat", "#scores", "#confusions"):
        section = page.locator("section", has=page.locator(place))
        text = section.get_by_text(HOSTILE).first
        text.scroll_into_view_if_needed()
        assert text.is_visible()
    assert f"{HOSTILE}_1 speaks 84 of 96 recordings" in page.locator("main").inner_text()


def test_wide_tables_and_pictures_scroll_by_keyboard(visit, addresses):
    page = visit(addresses["usual"], width=390)
    frames = page.locator(".scroll")
    wide = [
        frame
        for frame in frames.all()
        if frame.evaluate("e => e.scrollWidth > e.clientWidth") and frame.is_visible()
    ]
    assert len(wide) > 5
    for frame in wide:
        frame.focus()
        assert frame.evaluate("e => e === document.activeElement")
        page.keyboard.press("ArrowRight")
        frame.evaluate("e => new Promise(done => setTimeout(() => done(), 150))")
        assert frame.evaluate("e => e.scrollLeft") > 0
    # Who scrolls a table still sees which row it is.
    header = page.locator("tbody th[scope=row]").first
    assert header.evaluate("e => e.getBoundingClientRect().left") >= 0


@pytest.fixture
def clipboard(visit, addresses):
    """Opens the page with a clipboard that may be refused, and tells what was copied."""

    def open_page(*, refused):
        page = visit(addresses["usual"])
        # Browsers may refuse it to files, or without a permission.
        taken = "undefined" if refused else "({writeText: async text => { window.copied = text; }})"
        page.evaluate(
            f"""() => {{
                Object.defineProperty(navigator, "clipboard", {{get: () => {taken}}});
                document.addEventListener("copy", () => {{
                    window.copied = document.activeElement.value;
                }});
            }}"""
        )
        return page

    return open_page


@pytest.mark.parametrize("refused", [False, True])
def test_tables_are_copied(refused, clipboard, record):
    page = clipboard(refused=refused)
    bar = page.locator(".take", has=page.locator("a[download='scores.tex']"))
    button = bar.get_by_role("button", name="Copy LaTeX")
    button.focus()
    page.keyboard.press("Enter")
    said = bar.get_by_role("status")
    said.get_by_text("LaTeX copied.").wait_for()
    assert page.evaluate("window.copied") == record.to_latex()
    assert button.evaluate("e => e === document.activeElement")
    assert page.locator("textarea").count() == 0
    bar.get_by_role("button", name="Copy CSV").click()
    said.get_by_text("CSV copied.").wait_for()
    assert page.evaluate("window.copied").startswith("method,corpus,language,n_train")


def test_a_copy_that_fails_is_not_claimed(clipboard):
    page = clipboard(refused=True)
    page.evaluate("document.execCommand = () => false")
    page.get_by_role("button", name="Copy CSV").first.click()
    page.get_by_text("The browser refused; save the CSV.").wait_for()


def test_tables_are_saved(visit, addresses, record, tmp_path):
    page = visit(addresses["usual"])
    assert page.locator("button").count() == page.locator("a[download]").count() == 16
    with page.expect_download() as download:
        page.locator("a[download='scores.tex']").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "scores.tex"
    assert path.read_text(encoding="utf-8") == record.to_latex()


def test_long_tables_are_folded(visit, addresses):
    page = visit(addresses["usual"])
    fold = page.locator(".fold", has=page.locator("#caption-details"))
    rows = fold.locator("tbody th[scope=row]:visible")
    assert rows.count() == 3
    summary = fold.locator("summary")
    assert summary.inner_text() == "Show all 9 rows"
    summary.focus()
    page.keyboard.press("Enter")
    assert rows.count() == 9
    assert summary.inner_text() == "Show fewer rows"
    page.keyboard.press("Enter")
    assert rows.count() == 3
    # Paper cannot be clicked.
    page.emulate_media(media="print")
    assert rows.count() == 9
    assert page.locator(".take:visible").count() == 0


def test_without_scripts_there_are_no_dead_buttons(browser, addresses):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(addresses["usual"])
    assert page.locator("button").count() == 0
    assert page.locator("a[download]:visible").count() == 16
    fold = page.locator(".fold", has=page.locator("#caption-details"))
    fold.locator("summary").click()
    assert fold.locator("tbody th[scope=row]:visible").count() == 9
    context.close()


def test_the_first_key_leads_to_the_results(visit, addresses):
    page = visit(addresses["usual"])
    link = page.get_by_role("link", name="Skip to the results")
    assert link.bounding_box()["x"] < 0
    page.keyboard.press("Tab")
    assert link.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_names_for_screen_readers(visit, addresses):
    page = visit(addresses["usual"])
    assert page.get_by_role("table", name="UAR on each held-out corpus").count() == 1
    assert page.get_by_role("rowheader", name="bayes", exact=True).count() > 4
    assert page.get_by_role("columnheader", name="emodb").count() == 3
    matrix = page.get_by_role("table", name="urdu, UAR").nth(1)
    assert "answers of bayes in percent" in matrix.locator("caption").inner_text()
    assert matrix.get_by_role("columnheader", name="happiness").is_visible()
    assert matrix.get_by_role("rowheader", name="happiness n = 24").count() == 1
    assert page.get_by_role("img", name="UAR of svm, bayes and guess on 3 corpora").count() == 1
    assert page.get_by_role("navigation", name="On this page").count() == 1


def test_print(visit, addresses):
    page = visit(addresses["usual"], scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert luminance(page, "body") == 1
    assert page.locator("nav").is_hidden()
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    # As wide as A4 without its margins.
    page.set_viewport_size({"width": 690, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == 690
