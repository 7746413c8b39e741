"""Drawings by matplotlib, once for desktops and once for phones."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from edgenn.report.html.charts.embed import embedded
from edgenn.report.html.packages import require
from edgenn.report.html.theme import sentinel

WIDE: Final = 1000
"""Width of a chart on a desktop, in CSS pixels."""
NARROW: Final = 340
"""Width of a chart on a phone."""
TEXT: Final = 12.5
"""Size of text in CSS pixels."""

STYLE: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edgenn",
    "text.parse_math": False,  # a name may hold a dollar sign
    "font.family": "sans-serif",
    "font.size": TEXT,
    "axes.facecolor": "none",
    "axes.edgecolor": sentinel("line"),
    "axes.labelcolor": sentinel("muted"),
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT,
    "axes.titlecolor": sentinel("muted"),
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": sentinel("grid"),
    "grid.linewidth": 1.0,
    "text.color": sentinel("ink"),
    "xtick.color": sentinel("line"),
    "xtick.labelcolor": sentinel("muted"),
    "xtick.labelsize": TEXT - 1,
    "ytick.color": sentinel("line"),
    "ytick.labelcolor": sentinel("muted"),
    "ytick.labelsize": TEXT - 1,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": TEXT - 0.5,
    "legend.labelcolor": sentinel("ink"),
    "figure.dpi": 72,  # a point is a CSS pixel
}

NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))


@dataclass(frozen=True)
class Chart:
    """A finished drawing.

    Attributes:
        title: What it shows, in words; empty where the heading above says it.
        wide: SVG for desktops.
        narrow: SVG for phones; empty where one drawing does for both.
    """

    title: str
    wide: str
    narrow: str = ""


class Sheet:
    """What a chart is drawn on.

    Attributes:
        width: In CSS pixels.
        narrow: Whether it has to fit a phone.
        figure: matplotlib's.
        tips: Id of a mark → the words and the class that it gets in the page.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.narrow = width == NARROW
        self.figure: Any = require("matplotlib.figure").Figure(figsize=(width / 72, 1))
        self.tips: dict[str, tuple[str, str]] = {}

    def panels(
        self, height: float, margins: tuple[float, float, float, float], columns: int = 1
    ) -> list[Any]:
        """Axes side by side that share their vertical axis.

        Args:
            height: Of the whole drawing, in CSS pixels.
            margins: Room left, right, above and below them, in CSS pixels.
        """
        left, right, above, below = margins
        self.figure.set_size_inches(self.width / 72, height / 72)
        axes = self.figure.subplots(1, columns, sharey=columns > 1, squeeze=False)[0]
        self.figure.subplots_adjust(
            left=left / self.width,
            right=1 - right / self.width,
            top=1 - above / height,
            bottom=below / height,
            wspace=0.1,
        )
        for axis in axes:
            axis.tick_params(length=0, pad=6)
        return list(axes)

    def tip(self, artist: Any, words: str, mark: str = "mark") -> None:
        """Words that appear where the pointer rests on a mark; its class in the page."""
        gid = f"tip-{len(self.tips)}"
        artist.set_gid(gid)
        self.tips[gid] = (words, mark)


Draw = Callable[[Sheet], None]


def draw(
    name: str, title: str, description: str, drawing: Draw, *, width: int = WIDE, shown: str = ""
) -> Chart:
    """Draws a chart for desktops and for phones; one that is ``NARROW`` does for both.

    Args:
        name: Unique in the page; ids in the SVG begin with it.
        title: What it is called.
        description: What is to be seen, for those who do not see it.
        drawing: Puts it on a sheet.
        width: On a desktop.
        shown: The title that is seen above it.
    """
    narrow = svg_of(f"{name}-narrow", title, description, drawing, NARROW)
    if width == NARROW:
        return Chart(shown, narrow)
    return Chart(shown, svg_of(name, title, description, drawing, width), narrow)


def small_chart(name: str, title: str, description: str, drawing: Draw) -> Chart:
    """One of several side by side, its title above it."""
    return draw(name, title, description, drawing, width=NARROW, shown=title)


def svg_of(name: str, title: str, description: str, drawing: Draw, width: int) -> str:
    with styled():
        sheet = Sheet(width)
        drawing(sheet)
        buffer = io.StringIO()
        sheet.figure.savefig(buffer, format="svg", transparent=True, metadata=NO_METADATA)
    return embedded(buffer.getvalue(), name, title, description, sheet.tips)


@contextmanager
def styled() -> Iterator[None]:
    """The page's style; that matplotlib's own font lacks the letters of a name is no news."""
    with require("matplotlib").rc_context(STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
