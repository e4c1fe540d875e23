import pytest

from sklearn_ser.report._latex import escape, latex_table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b & 50%", r"a\_b \& 50\%"),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("$x^2$ ~ #1", r"\$x\textasciicircum{}2\$ \textasciitilde{} \#1"),
        ("\N{MINUS SIGN}0.02 \N{PLUS-MINUS SIGN} 0.01", r"$-$0.02 $\pm$ 0.01"),
        ("\N{EN DASH}", "--"),
        ("a\nb\x1b", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"),
        ("Fröhlich", "Fröhlich"),
        ('the "loud" one', r"the \textquotedblright{}loud\textquotedblright{} one"),
    ],
)
def test_escape(text, expected):
    assert escape(text) == expected


def test_a_table():
    text = latex_table(
        ["Method", "emodb"],
        [("", [["svm", "0.6"]]), ("a_b held out", [["[x]", "0.7"], ["*x", "0.8"]])],
        caption="100%",
        label="scores}x",
    )
    assert text.splitlines() == [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        r"  \caption{100\%}",
        r"  \label{tab:scoresx}",
        r"  \begin{tabular}{lr}",
        r"    \toprule",
        r"    Method & emodb \\",
        r"    \midrule",
        r"    svm & 0.6 \\",
        r"    \midrule",
        r"    \multicolumn{2}{l}{\textit{a\_b held out}} \\",
        r"    {[x]} & 0.7 \\",
        r"    {*x} & 0.8 \\",
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
