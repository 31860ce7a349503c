"""What an SVG drawing shows under the pointer: facts as titles, and heat maps of the value and the gradient.

No script is needed: the maps lie over the drawing, hidden until a style rule finds the pointer on their box.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from . import labels

if TYPE_CHECKING:
    from .picture import Arrow, Box, Picture

__all__ = ["added"]

SVG = "http://www.w3.org/2000/svg"

PIXEL, LARGEST, SMALLEST = 10, 110, 8
"""The sides of a pixel, and of a map."""

GAP = 6

Rectangle: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def added(svg: bytes, picture: Picture) -> bytes:
    """The drawing of a picture, with titles and maps."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    drawing = root.find(_svg("g"))
    if drawing is None:
        return svg
    places = {element.get("id"): element for element in drawing.iter(_svg("g"))}
    texts = {"graph0": f"How {picture.subject} was computed"}
    texts |= {f"box-{box.key}": _of_box(box) for box in picture.boxes}
    texts |= {f"arrow-{arrow.index}": _of_arrow(arrow) for arrow in picture.arrows}
    texts |= {f"module-{c.number}": f"{c.title} {c.detail}\n{c.note}".strip() for c in picture.clusters}
    for name, element in places.items():
        for title in element.findall(_svg("title")):
            title.text = "\n".join(map(labels.printable, texts.get(name or "", "").splitlines()))
    rules = []
    for box in picture.boxes:
        place = places.get(f"box-{box.key}")
        if place is not None and (box.value_map or box.gradient_map):
            drawing.append(_card(box, place, drawing))
            rules.append(f"#box-{box.key}:hover~#map-{box.key}")
    if rules:
        style = Element(_svg("style"))
        style.text = f".map{{visibility:hidden;pointer-events:none}}{','.join(rules)}{{visibility:visible}}"
        root.insert(0, style)
    return bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True))


def _svg(name: str) -> str:
    return f"{{{SVG}}}{name}"


def _of_box(box: Box) -> str:
    made = " ".join(filter(None, [box.module, box.module_class]))
    lines = [box.title, f"{box.operation} at {box.line}" if box.operation and box.line else box.line, made, box.detail]
    return "\n".join(filter(None, [*lines[:3], *([] if box.facts else lines[3:]), box.facts, box.note]))


def _of_arrow(arrow: Arrow) -> str:
    return "\n".join(filter(None, [arrow.facts, "to the next time" if arrow.again else ""]))


def _card(box: Box, place: Element, drawing: Element) -> Element:
    """The maps of a box, beside it."""
    maps = [m for m in (("value", box.value_map), ("gradient", box.gradient_map)) if m[1]]
    sizes = [_size(uri) for _, uri in maps]
    width = sum(max(w, 40) for w, _ in sizes) + GAP * (len(sizes) + 1)
    height = max(h for _, h in sizes) + 2 * GAP + 12
    x, y = _place(_bounds([place]), _bounds(drawing.findall(_svg("polygon"))[:1]), width, height)
    card = Element(_svg("g"), {"id": f"map-{box.key}", "class": "map"})
    frame = {"x": x, "y": y, "width": width, "height": height, "rx": 4}
    SubElement(card, _svg("rect"), {**_texts(frame), "fill": "white", "stroke": "#6B6B6B"})
    for (caption, uri), (w, h) in zip(maps, sizes, strict=True):
        x += GAP
        style = {"style": "image-rendering:pixelated", "preserveAspectRatio": "none", "href": uri}
        SubElement(card, _svg("image"), _texts({"x": x, "y": y + GAP + 12, "width": w, "height": h}) | style)
        text = SubElement(card, _svg("text"), _texts({"x": x, "y": y + GAP + 7}) | {"font-family": "Arial"})
        text.set("font-size", "9")
        text.text = caption
        x += max(w, 40)
    return card


def _place(box: Rectangle, page: Rectangle, width: float, height: float) -> tuple[float, float]:
    """Where maps of this size do not cover the box, if the page has room: to the right, left, below or above."""
    left, top, right, bottom = box
    x = max(min(left, page[2] - width), page[0])
    y = max(min(top, page[3] - height), page[1])
    if right + GAP + width <= page[2]:
        return right + GAP, y
    if left - GAP - width >= page[0]:
        return left - GAP - width, y
    return x, (bottom + GAP if bottom + GAP + height <= page[3] else max(top - GAP - height, page[1]))


def _texts(numbers: dict[str, float]) -> dict[str, str]:
    return {name: f"{number:g}" for name, number in numbers.items()}


def _size(uri: str) -> tuple[int, int]:
    """Width and height at which a map is shown."""
    sides = struct.unpack(">II", base64.b64decode(uri.partition(",")[2])[16:24])
    width, height = (max(min(side * PIXEL, LARGEST), SMALLEST) for side in sides)
    return width, height


def _bounds(elements: Iterable[Element]) -> Rectangle:
    """The rectangle around shapes."""
    shapes = [shape for element in elements for shape in element.iter() if shape.get("points") or shape.get("d")]
    numbers = [float(n) for s in shapes for n in re.findall(r"-?[\d.]+", s.get("points") or s.get("d") or "")]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])
