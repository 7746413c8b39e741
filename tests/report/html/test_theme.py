import pytest

from edgenn.report.html.theme import COLOURS, HEAT, HEAT_INK, SERIES, sentinel, themed

WORDS = ("ink", "muted", "link", "pass", "fail", "warn")


def luminance(colour):
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first, second):
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "raised", "sunk"])
def test_words_and_lines_can_be_read_on_every_ground(theme, ground):
    for name in (*WORDS, *SERIES):
        assert contrast(COLOURS[name][theme], COLOURS[ground][theme]) >= 4.5, name


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("state", ["pass", "fail", "warn"])
def test_words_can_be_read_on_washes(theme, state):
    for name in (state, "ink"):
        assert contrast(COLOURS[name][theme], COLOURS[f"{state}-wash"][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_numbers_can_be_read_on_every_heat(theme):
    for ground, ink in zip(HEAT, HEAT_INK, strict=True):
        assert contrast(ground[theme], ink[theme]) >= 4.5


def test_more_heat_stands_out_more():
    for theme, name in ((0, "raised"), (1, "raised")):
        distances = [contrast(shade[theme], COLOURS[name][theme]) for shade in HEAT]
        assert distances == sorted(distances)


def test_each_colour_of_a_drawing_becomes_its_variable():
    assert themed(" ".join(map(sentinel, COLOURS))) == " ".join(f"var(--{n})" for n in COLOURS)
