"""An SVG file of matplotlib's as a part of the page: its ids, colours, font and description."""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from edgenn.report.html.theme import themed
from edgenn.report.html.words import FORBIDDEN

SVG: Final = "{http://www.w3.org/2000/svg}"
HREF: Final = "{http://www.w3.org/1999/xlink}href"
FONT: Final = re.compile(r"font-family:[^;]*;?\s*|font-weight: 400;?\s*")
LONG_NUMBER: Final = re.compile(r"\d+\.\d{3,}")
NO_TURN: Final = re.compile(r"rotate\(-0 [^)]*\)")
REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")


def embedded(
    svg: str, name: str, title: str, description: str, tips: Mapping[str, tuple[str, str]]
) -> str:
    """The drawing as an element of HTML.

    Args:
        name: Unique in the page; every id begins with it.
        title: What a screen reader calls it.
        description: What a screen reader says of it.
        tips: Id of a mark → what shows where the pointer rests on it, and its class.
    """
    root = ElementTree.fromstring(FORBIDDEN.sub("�", svg))
    for element in list(root.iter()):
        tidy(element)
    for element in root.iter():
        if tip := tips.get(element.get("id", "")):
            words, mark = tip
            element.set("class", mark)
            element.insert(0, text_element("title", words))
    rename(root, name)
    _, _, width, height = root.get("viewBox", "0 0 0 0").split()
    root.attrib = {
        "class": "chart",
        "viewBox": f"0 0 {width} {height}",
        "style": f"max-width: {width}px",
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
    }
    root.insert(0, text_element("title", title, id=f"{name}-title"))
    root.insert(1, text_element("desc", description, id=f"{name}-desc"))
    return themed(ElementTree.tostring(root, encoding="unicode"))


def text_element(tag: str, text: str, **attributes: str) -> Element:
    element = Element(tag, attributes)
    element.text = FORBIDDEN.sub("�", text)
    return element


def tidy(element: Element) -> None:
    """Plain tags, coordinates to a hundredth of a pixel, the font of the page."""
    element.tag = element.tag.removeprefix(SVG)
    if element.tag == "text":
        element.text = element.text or ""
    else:
        element.text = None
    element.tail = None
    for child in list(element):
        if child.tag.endswith(("style", "metadata")):  # a style would be the whole page's
            element.remove(child)
    for key, value in list(element.attrib.items()):
        if key == HREF:
            element.set("href", element.attrib.pop(key))
        elif key == "style":
            element.set(key, FONT.sub("", value).rstrip("; "))
        elif key not in ("id", "class"):
            short = LONG_NUMBER.sub(lambda number: f"{float(number[0]):.2f}", value)
            element.set(key, " ".join(NO_TURN.sub("", short).split()))
        if not element.get(key, "-"):
            del element.attrib[key]


def rename(root: Element, name: str) -> None:
    """Begins each id that something refers to with ``name``; drops the others."""
    used = set(references(root))
    for element in root.iter():
        own = element.attrib.pop("id", None)
        if own in used:
            element.set("id", f"{name}-{own}")
        for key, value in list(element.attrib.items()):
            if key == "href":
                element.set(key, f"#{name}-{value[1:]}")
            elif "url(#" in value:
                element.set(key, REFERENCE.sub(rf"url(#{name}-\1)", value))


def references(root: Element) -> Iterator[str]:
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "href":
                yield value[1:]
            yield from REFERENCE.findall(value)
