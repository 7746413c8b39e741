"""Samples as pictures and curves, small enough for a page that holds a hundred of them."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import numpy as np

from edgenn.report.html.packages import require
from edgenn.runtime.tensor_info import Array

EDGE: Final = 96
"""Rows and columns of a picture at most."""
POINTS: Final = 160
"""Of a curve at most."""
CHANNELS: Final = 4
"""Lines that a drawing of curves has at most; more become a picture of channels over time."""
LOSSLESS_BYTES: Final = 4000
"""Larger PNGs become JPEGs."""
BARS: Final = 24
"""Outputs of more numbers are drawn as curves."""


@dataclass(frozen=True)
class Picture:
    """An input as an image; ``note`` says what the axes are where it is none."""

    source: str
    width: int
    height: int
    note: str = ""


def input_view(numbers: Any) -> Picture | str:
    """What a sample's input looks like: a picture, or curves as SVG."""
    array = np.nan_to_num(np.asarray(numbers, dtype=np.float64), posinf=0.0, neginf=0.0)
    if array.ndim == 3 and array.shape[-1] in (1, 3):
        return picture(array)
    flat = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
    if flat.shape[1] <= CHANNELS:
        return curves(flat.T, ["in"] * flat.shape[1])
    if len(flat) <= 2 * flat.shape[1]:
        return picture(flat[..., None], "time runs down")
    return picture(flat.T[::-1, :, None], "time runs to the right")


def picture(array: Array, note: str = "") -> Picture:
    """``(h, w, 1 | 3)`` as PNG, or as JPEG where that is smaller; black to white is its range."""
    rows, columns = (-(-size // EDGE) for size in array.shape[:2])
    small = array[::rows, ::columns]
    span = float(np.ptp(small)) or 1.0
    gray = np.round((small - small.min()) / span * 255).astype(np.uint8)
    image = require("PIL.Image").fromarray(gray[..., 0] if gray.shape[-1] == 1 else gray)
    kind, content = "png", encoded(image, format="PNG", optimize=True)
    if len(content) > LOSSLESS_BYTES:
        kind, content = "jpeg", encoded(image, format="JPEG", quality=80)
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return Picture(source, gray.shape[1], gray.shape[0], note)


def encoded(image: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def curves(lines: Sequence[Array] | Array, kinds: Sequence[str]) -> str:
    """Lines over a common scale, as SVG; ``kinds`` are their classes in the style sheet."""
    drawn = [shortened(np.asarray(line, dtype=np.float64)) for line in lines]
    values = np.concatenate([line[:, 1] for line in drawn])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    room = (high - low) or 1.0
    paths = []
    for kind, line in zip(kinds, drawn, strict=True):
        points = " ".join(
            f"{x:.4g},{58 - 56 * ((y - low) / room):.4g}" for x, y in line if np.isfinite(y)
        )
        paths.append(f'<polyline class="{kind}" points="{points}"/>')
    return (
        '<svg class="spark" viewBox="0 0 200 60" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(paths)}</svg>"
    )


def shortened(line: Array) -> Array:
    """``(points, 2)``: place from 0 to 200, value; peaks stay where points have to go."""
    places = np.linspace(0, 200, len(line)) if len(line) > 1 else np.array([100.0])
    if len(line) > POINTS:
        parts = np.array_split(np.arange(len(line)), POINTS // 2)
        kept = sorted(
            {int(part[pick(line[part])]) for part in parts for pick in (np.argmin, np.argmax)}
        )
        places, line = places[kept], line[kept]
    return np.stack([places, line], axis=1)


def output_view(reference: Sequence[float], actual: Sequence[float], label: float | None) -> str:
    """Keras's output and the rung's: pairs of bars, or two curves where they are many."""
    if len(reference) > BARS:
        return curves([np.array(reference), np.array(actual)], ["keras", "rung"])
    return bars(reference, actual, label)


def bars(reference: Sequence[float], actual: Sequence[float], label: float | None) -> str:
    """A pair of bars for each number of the output; that of the label is marked."""
    known = [value for value in (*reference, *actual) if np.isfinite(value)]
    low, high = min([0.0, *known]), max([0.0, *known])
    scale = 172 / ((high - low) or 1.0)
    parts = []
    for place, pair in enumerate(zip(reference, actual, strict=True)):
        top = 2 + place * 15
        marked = ' class="label"' if label == place else ""
        parts.append(f'<text{marked} x="18" y="{top + 9}">{place}</text>')
        for value, kind, y in zip(pair, ("keras", "rung"), (top, top + 6), strict=True):
            if np.isfinite(value):
                left = 24 + (min(value, 0.0) - low) * scale
                parts.append(
                    f'<rect class="{kind}" x="{left:.4g}" y="{y}" height="5"'
                    f' width="{max(abs(value) * scale, 0.6):.4g}"/>'
                )
    spoken = escape(f"Keras: {largest(reference)}; here: {largest(actual)}")
    height = 2 + 15 * len(reference)
    return (
        f'<svg class="pairs" viewBox="0 0 200 {height}" role="img" aria-label="{spoken}">'
        f"{''.join(parts)}</svg>"
    )


def largest(values: Sequence[float]) -> str:
    """``number 3 is the largest, 0.981``."""
    known = [value if np.isfinite(value) else -np.inf for value in values]
    if not known or max(known) == -np.inf:
        return "no numbers"
    return f"number {int(np.argmax(known))} is the largest, {max(known):.3g}"
