"""Numbers in README and documentation are those that the quoted commands printed."""

import bisect
import importlib
import itertools
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.rst"))]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

# Commands without a record: their figures were copied by hand, and nothing compares them yet.
NOT_RECORDED = {
    "devices": "needs a GPU",
    "devices --repeats 2": "needs a GPU",
}
# Tables without measurements of ours, by words of theirs.
SETTINGS = (
    "``das2022()``, as in the script",
    "AESD     0.30 / 0.00",
    "roots of a polynomial",
)
# Decimals that are no output, in sections with commands: thresholds, chance, differences and ratios
# of figures that are, and figures of a paper or of another page.
NOT_PRINTED = {
    "README.md": ("0.02", "0.06", "0.25"),
    "adaptation.rst": (
        *("0.25", "0.18", "0.9"),
        *("0.007", "0.078", "0.093", "0.06", "0.07"),
        *("0.03", "0.05", "0.1", "0.024", "0.017", "0.026"),
    ),
    "autoencoders.rst": ("2.3", "7.8"),
    "choosing.rst": ("0.02",),
    "encoders.rst": ("0.25",),
    "evaluation.rst": ("0.06", "0.03", "0.22", "0.05"),
    "faq.rst": ("0.115",),
    "features.rst": ("0.06", "44.1"),
    "large_collections.rst": ("0.5",),
    "leaking.rst": ("0.02",),
    "papers.rst": ("52.09", "0.538", "0.10", "0.20"),
    "scaling.rst": ("0.01", "0.02", "0.03", "0.04", "0.05", "0.08"),
}

HEADING = re.compile(r"^(?:#{1,4} .+|\S.*\n(?P<mark>[=~^-])(?P=mark){3,})$", re.MULTILINE)
BORDER = r"=+(?: +=+)+\n"
RST_TABLE = re.compile(rf"^{BORDER}(?:.*\S.*\n|\n(?=[^\n]))*?{BORDER}(?=\n)", re.MULTILINE)
MD_TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[+-]\d+)?(?![\w.]*\d)")
DECIMAL = re.compile(r"(?<![\w.:-])\d{1,3}\.\d+(?:e[+-]?\d+)?(?![\w.]*\d)")


@pytest.fixture(scope="module")
def quoted():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield importlib.import_module("_quoted")


def tables_of(page, text):
    pattern = MD_TABLE if page.suffix == ".md" else RST_TABLE
    return [match for match in pattern.finditer(text) if NUMBER.search(match[0])]


def section_of(text, position):
    """Return where the section that holds a position begins and ends."""
    starts = [0, *(match.start() for match in HEADING.finditer(text)), len(text)]
    after = bisect.bisect_right(starts, position)
    return starts[after - 1], starts[after]


def numbers_in(record):
    """Return the numbers in what a command printed, or in the figures that it wrote."""
    if isinstance(record, dict):
        return {number for one in record.values() for number in numbers_in(one)}
    if isinstance(record, list):
        return {number for one in record for number in numbers_in(one)}
    if isinstance(record, str):
        return {float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?", record)}
    return {float(record)} if isinstance(record, (int, float)) else set()


@cache
def figures():
    """Return the figures of speed, by script and arguments."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        benchmarks = importlib.import_module("run").BENCHMARKS
    text = (ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8")
    return {
        (name, tuple(benchmarks[name].speed.replace("--no-limits", "").split())): record["figures"]
        for name, record in json.loads(text).items()
    }


def printed_by(quoted, script, arguments):
    """Return the lines of the record of a command, and the numbers of each; None without one."""
    path = quoted.path_of(script, arguments)
    lines = quoted.read_printed(path)["printed"] if path.exists() else []
    numbers = [numbers_in(line) for line in lines]
    for figure in figures().get((script, tuple(arguments)), []):
        # A ratio is how many times as long the peer takes; pages say it both ways.
        ratio = figure.get("ratio", {"median": 1})["median"]
        numbers.append(numbers_in(figure) | {1 / ratio})
    return ([" ".join(line.split()) for line in lines], numbers) if numbers else None


def is_among(shown, numbers):
    """Whether a number, rounded to as many digits as are shown, is among others."""
    mantissa, _, exponent = shown.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    # Rounded once by the command and once more by hand.
    return any(abs(float(shown) - number) <= 0.5001 * unit for number in numbers)


def alone_in(row, lines, numbers):
    """Return the numbers of a row that are not beside another of the row, or behind its label."""
    shown = NUMBER.findall(row)
    label = re.split(r"  |(?= -?\d+\.)", row)[0].strip() + " "
    held = [[is_among(one, line) for one in shown] for line in numbers]
    together = [
        line
        for line, text in itertools.zip_longest(held, lines, fillvalue="")
        if sum(line) > 1 or text.startswith(label)
    ]
    return [one for i, one in enumerate(shown) if not any(line[i] for line in together)]


def strange_rows(table, lines, numbers):
    """Return the rows of a table with numbers that a command did not print.

    Most rows of most tables are one or a few lines of output: two numbers in a row must then be
    two in a line. A table that has one number of each line must have printed numbers. A table
    whose heading was printed is output, and all its rows are.
    """
    rows = [row for row in table.splitlines() if NUMBER.search(row)]
    heading = " ".join(table.splitlines()[1].split())
    if heading in lines and not NUMBER.search(heading):
        return [(row, NUMBER.findall(row)) for row in rows if " ".join(row.split()) not in lines]
    everything = set().union(*numbers)
    by_line = sum(not alone_in(row, lines, numbers) for row in rows) > len(rows) / 2
    wrong = []
    for row in rows:
        if " ".join(row.split()) not in lines:
            shown = NUMBER.findall(row)
            strange = [one for one in shown if not is_among(one, everything)]
            strange += alone_in(row, lines, numbers) if by_line and len(shown) > 1 else []
            wrong += [(row, strange)] if strange else []
    return wrong


def sources(quoted, page):
    """Yield each table of a page with the commands that it is said to come from."""
    text = page.read_text(encoding="utf-8")
    commands = quoted.commands_in(text)
    for table in tables_of(page, text):
        start, end = section_of(text, table.start())
        own = [one for one in commands if start <= one[0] < end]
        # Those of the last paragraph before the table, or else the first one behind it.
        before = [one for one in own if one[0] < table.start()]
        near = [one for one in before if "\n\n" not in text[one[0] : before[-1][0]]]
        yield table, [one[1:] for one in near or own[:1]]


def is_a_setting(table):
    return any(word in table[0] for word in SETTINGS)


def test_the_readme_shows_what_commands_print(quoted):
    lines = printed_by(quoted, "commands", ())[0]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [
        line
        for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    rows = [" ".join(line.split()) for line in shown if NUMBER.search(line)]
    assert len(rows) > 10
    assert [row for row in rows if row not in lines] == []


def test_records_name_no_place(quoted):
    for path in quoted.PRINTED.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"(?<![\w.])/(?:home|mnt|root|tmp|usr|var|work)\b\S*", text) == []


@EVERY_PAGE
def test_tables_say_which_command_prints_them(quoted, page):
    silent = [
        table[0].splitlines()[1]
        for table, commands in sources(quoted, page)
        if not commands and not is_a_setting(table)
    ]
    assert silent == []


@EVERY_PAGE
def test_tables_hold_what_the_command_printed(quoted, page):
    wrong = []
    for table, commands in sources(quoted, page):
        found = [printed_by(quoted, *command) for command in commands]
        if found and not is_a_setting(table) and None not in found:
            lines = [line for one in found for line in one[0]]
            numbers = [line for one in found for line in one[1]]
            wrong += strange_rows(table[0], lines, numbers)
    assert wrong == []


def prose_of(page, text):
    """Return a text without literals, and without what has tests of its own: tables and output."""
    for table in tables_of(page, text):
        text = text.replace(table[0], "")
    literals = r"```[^`]*```|``[^`]*``|`[^`]*`|:: *\n\n(?:[ ]+\S.*\n|\n)+"
    return re.sub(literals, " ", text)


def prose_with_sources(quoted, page):
    """Yield the decimals of each section, and the commands that they are said to come from.

    In a section that quotes commands, all decimals are output. In another one those with three
    digits are, of commands of its page or of pages that it names.
    """
    text = page.read_text(encoding="utf-8")
    commands = quoted.commands_in(text)
    starts = [0, *(match.start() for match in HEADING.finditer(text)), len(text)]
    for start, end in itertools.pairwise(starts):
        section = text[start:end]
        shown = DECIMAL.findall(prose_of(page, section))
        own = [one[1:] for one in commands if start <= one[0] < end]
        if own:
            yield shown, own
            continue
        found = [one[1:] for one in commands]
        for name in re.findall(r":doc:`(?:[^`<]*<)?(\w+)>?`", section):
            linked = (ROOT / "docs" / f"{name}.rst").read_text(encoding="utf-8")
            found += [one[1:] for one in quoted.commands_in(linked)]
        yield [one for one in shown if re.fullmatch(r"\d\.\d{3}", one)], found


@EVERY_PAGE
def test_decimals_in_prose_were_printed(quoted, page):
    known = NOT_PRINTED.get(page.name, ())
    wrong = []
    for shown, commands in prose_with_sources(quoted, page):
        found = [printed_by(quoted, *one) for one in commands if shown]
        if None not in found:
            # "loses up to 0.112" is printed as -0.112.
            numbers = {abs(number) for _, lines in found for line in lines for number in line}
            wrong += [one for one in shown if one not in known and not is_among(one, numbers)]
    assert wrong == [], "printed by no command of the section; if no output, see NOT_PRINTED"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "figures").glob("*.py")), ids=lambda path: path.stem
)
def test_figures_show_what_was_printed(quoted, path):
    text = path.read_text(encoding="utf-8")
    said = re.search(r'prints\."""', text) and re.search(r"``benchmarks/(\w+)\.py(.*?)``", text)
    found = printed_by(quoted, said[1], tuple(said[2].split())) if said else None
    shown = re.findall(r"-?\b\d\.\d{3}\b", text)
    if found is not None:
        numbers = set().union(*found[1])
        assert shown != []
        assert [one for one in shown if not is_among(one, numbers)] == []
    elif said:
        assert " ".join([said[1], *said[2].split()]) in NOT_RECORDED


def test_every_command_has_a_record_or_a_reason(quoted):
    without = {
        " ".join([script, *arguments])
        for script, arguments in quoted.quoted()
        if printed_by(quoted, script, arguments) is None
    }
    assert without == set(NOT_RECORDED)


def test_records_are_complete_and_quoted(quoted):
    expected = {quoted.path_of(*command) for command in quoted.quoted()}
    assert set(quoted.PRINTED.glob("*.json")) <= expected
    for path in quoted.PRINTED.glob("*.json"):
        record = quoted.read_printed(path)
        _, script, *arguments = record["command"].split()
        assert quoted.path_of(Path(script).stem, arguments) == path


def test_an_incomplete_record_is_an_error(quoted, tmp_path):
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"schema": 1, "command": "python benchmarks/one.py"}))
    with pytest.raises(ValueError, match=r"expected schema 1 with .*printed.*--quoted again"):
        quoted.read_printed(path)


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("0.58", 0.581, True),
        ("0.58", 0.586, False),
        ("0.60", 0.598, True),
        ("0.5", 0.551, False),
        ("1.1e-06", 1.13e-6, True),
        ("1.1e-06", 1.2e-6, False),
    ],
)
def test_numbers_are_compared_as_rounded(shown, printed, expected):
    assert is_among(shown, {printed}) == expected


def test_numbers_of_a_row_are_those_of_a_line():
    lines = ["svm 0.61 0.72", "mcc 0.63 0.58", "mean 0.72"]
    numbers = [numbers_in(line) for line in lines]
    table = "svm  0.61  0.72\nmcc  0.63  {}\nboth  0.61  0.72  0.63  0.58\n"
    assert strange_rows(table.format("0.58"), lines, numbers) == []
    assert strange_rows(table.format("0.59"), lines, numbers) == [
        ("mcc  0.63  0.59", ["0.59", "0.59"])
    ]
    # Printed, but of another method.
    assert strange_rows(table.format("0.72"), lines, numbers) == [("mcc  0.63  0.72", ["0.72"])]


def test_a_table_that_was_printed_is_compared_word_by_word():
    lines = ["model uar sd", "svm 0.61 0.02", "mcc 0.63 0.01"]
    numbers = [numbers_in(line) for line in lines]
    table = "=====  ====  ====\nmodel  uar   sd\n=====  ====  ====\nsvm    {}  {}\n"
    assert strange_rows(table.format("0.61", "0.02"), lines, numbers) == []
    # Both were printed in one line, in another order.
    assert strange_rows(table.format("0.02", "0.61"), lines, numbers) == [
        ("svm    0.02  0.61", ["0.02", "0.61"])
    ]


def test_prose_is_what_is_neither_literal_nor_table_nor_output():
    text = (
        "A ``0.1`` and `0.2` of 0.3.\n\n```text\n0.4\n```\n"
        "As this::\n\n   x = 0.5\n\n   y = 0.6\n\nbut 0.7, and\n\n   quoted 0.8.\n"
        "\n===  ===\na    b\n===  ===\n0.9  1.1\n===  ===\n\n"
    )
    assert DECIMAL.findall(prose_of(Path("page.rst"), text)) == ["0.3", "0.7", "0.8"]


def test_commands_are_found_in_prose_and_blocks(quoted):
    text = (
        "Prose (``python benchmarks/peers.py --part\nviews --seeds 3``),\n"
        "`python benchmarks/one.py`,\n"
        "``benchmarks/run.py`` and ``python benchmarks/run.py --speed`` aside::\n\n"
        "    python benchmarks/two.py --files 2   # a comment\n"
        "    python benchmarks/three.py --smoke\n"
    )
    assert [found[1:] for found in quoted.commands_in(text)] == [
        ("peers", ("--part", "views", "--seeds", "3")),
        ("one", ()),
        ("two", ("--files", "2")),
    ]
