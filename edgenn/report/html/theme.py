"""Colours of the page, light and dark: one table for the style sheet and for the charts.

Text colours have a contrast of at least 4.5 : 1 to what they stand on (WCAG 2.2, 1.4.3), marks in
charts at least 3 : 1 (1.4.11); the tests compute it.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple


class Shade(NamedTuple):
    """One colour of both themes."""

    light: str
    dark: str


COLOURS: Final[dict[str, Shade]] = {
    "paper": Shade("#fcfbf8", "#141517"),
    "raised": Shade("#ffffff", "#1c1e21"),
    "sunk": Shade("#f3f1ec", "#202327"),
    "line": Shade("#e3dfd7", "#2f3338"),
    "grid": Shade("#ebe8e1", "#282b30"),
    "ink": Shade("#1b1c1e", "#ecebe8"),
    "muted": Shade("#5d5f63", "#a4a7ac"),
    "link": Shade("#1f4fc4", "#93b4ff"),
    "pass": Shade("#0a6b57", "#5fd3b5"),
    "fail": Shade("#b3261e", "#ff8f85"),
    "warn": Shade("#835400", "#f0bd6a"),
    "pass-wash": Shade("#e3f3ee", "#14302a"),
    "fail-wash": Shade("#fbe9e6", "#3a1d1b"),
    "warn-wash": Shade("#f8efdc", "#33280f"),
    "series-0": Shade("#1f4fc4", "#86abff"),
    "series-1": Shade("#b0500a", "#f2a35c"),
    "series-2": Shade("#0a7a63", "#4fcfae"),
    "series-3": Shade("#8a3ba8", "#d296ec"),
    "series-4": Shade("#6a6a14", "#c9c95a"),
    "series-5": Shade("#a83260", "#f78fb3"),
}

SERIES: Final = tuple(name for name in COLOURS if name.startswith("series-"))

HEAT: Final[tuple[Shade, ...]] = (
    Shade("#f6f3ec", "#1d2023"),
    Shade("#f7e9d0", "#2c2620"),
    Shade("#f8d9ac", "#42301f"),
    Shade("#f6c287", "#5e3b1f"),
    Shade("#f1a468", "#7d4520"),
    Shade("#e57f55", "#a04a2a"),
    Shade("#b93a2f", "#f0806a"),
    Shade("#93211f", "#f9a58f"),
    Shade("#6b1215", "#ffcabb"),
)
"""From least to most; darker is more on paper, brighter is more on black."""

HEAT_INK: Final[tuple[Shade, ...]] = (
    *(Shade("#1b1c1e", "#ecebe8"),) * 6,
    *(Shade("#ffffff", "#141517"),) * 3,
)
"""Of the numbers on each of ``HEAT``."""


def sentinel(name: str) -> str:
    """The colour that stands for ``var(--name)`` while matplotlib draws: no two are equal."""
    return f"#0e{list(COLOURS).index(name):02x}5a"


def themed(svg: str) -> str:
    """A drawing that follows the theme of the page."""
    for name in COLOURS:
        svg = svg.replace(sentinel(name), f"var(--{name})")
    return svg


def custom_properties() -> str:
    """The colours as CSS: light ones, and dark ones where the system asks for them on a screen."""
    heat = "".join(
        f".h{level}{{background:var(--heat-{level});color:var(--heat-ink-{level})}}"
        for level in range(len(HEAT))
    )
    return (
        f":root{{{declarations(0)}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{declarations(1)}}}}}\n"
        f"{heat}\n"
    )


def declarations(theme: int) -> str:
    """``--name:colour`` of every colour of one theme."""
    return "".join(f"--{name}:{shade[theme]};" for name, shade in named(COLOURS.items()))


def named(colours: Iterable[tuple[str, Shade]]) -> Iterable[tuple[str, Shade]]:
    yield from colours
    for level, (ground, ink) in enumerate(zip(HEAT, HEAT_INK, strict=True)):
        yield f"heat-{level}", ground
        yield f"heat-ink-{level}", ink
