"""HTML and SVG as trees: what is text is escaped by the library, never by hand."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, tostring

__all__ = ["Node", "document_text", "element", "raw_element"]

Node = Element | str | None
Attribute = str | float | bool | None


def element(tag: str, /, *children: Node | Iterable[Node], **attributes: Attribute) -> Element:
    """Return an element.

    Parameters
    ----------
    tag
        Its name.
    *children
        Elements and texts, or iterables of them, in their order; None is left out.
    **attributes
        ``class_`` is written ``class`` and ``stroke_width`` ``stroke-width``; numbers get at most two decimals; None
        and False are left out, True stands for an attribute without a value.
    """
    made = Element(tag, {_attribute_name(name): _attribute_text(value) for name, value in _given(attributes)})
    for child in children:
        if child is None or isinstance(child, str | Element):
            _append(made, child)
        else:
            for one in child:
                _append(made, one)
    return made


def raw_element(tag: str, text: str, /, **attributes: Attribute) -> Element:
    """Return a ``style`` or ``script`` element, whose text is not markup and therefore not escaped.

    Raises
    ------
    ValueError
        The text would end the element early.
    """
    if "</" in text:
        message = f"the text of a {tag} element must not hold '</'"
        raise ValueError(message)
    return element(tag, text, **attributes)


def document_text(head: Iterable[Node], body: Iterable[Node]) -> str:
    """Return a whole HTML document."""
    root = element("html", element("head", head), element("body", body), lang="en")
    return "<!doctype html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def _append(parent: Element, child: Node) -> None:
    if isinstance(child, Element):
        parent.append(child)
    elif child is not None and len(parent):
        parent[-1].tail = (parent[-1].tail or "") + child
    elif child is not None:
        parent.text = (parent.text or "") + child


def _given(attributes: dict[str, Attribute]) -> Iterable[tuple[str, Attribute]]:
    return ((name, value) for name, value in attributes.items() if value is not None and value is not False)


def _attribute_name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _attribute_text(value: Attribute) -> str:
    if value is True:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)
