"""Colours and markers of methods, the same in figures, tables and terminal."""

__all__ = [
    "BLACK",
    "BLUE",
    "COLOURS",
    "GREEN",
    "MARKERS",
    "ORANGE",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "YELLOW",
]

BLACK = "#000000"
BLUE, SKY, GREEN, YELLOW = "#0072B2", "#56B4E9", "#009E73", "#F0E442"
ORANGE, VERMILLION, PURPLE = "#E69F00", "#D55E00", "#CC79A7"

# The palette of Okabe and Ito (2008), which colour-blind readers can distinguish. In this order
# the first five differ in lightness by at least ten of a hundred; as there is no room for more
# between black and white, shapes differ as well.
COLOURS = (BLUE, ORANGE, BLACK, GREEN, YELLOW, PURPLE, SKY, VERMILLION)
# Their number has no divisor in common with that of the colours: 88 different pairs.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "*")
