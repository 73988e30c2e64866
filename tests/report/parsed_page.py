"""An HTML page as a tree, parsed by the standard library; every element must be closed where it should be."""

from html.parser import HTMLParser
from xml.etree.ElementTree import Element, TreeBuilder

VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = TreeBuilder()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.builder.end(tag)
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"
        self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.builder.data(data)


def parse_page(html: str) -> Element:
    """Return the root element."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.builder.close()


def words(part: Element) -> str:
    """Return the text of an element with single spaces."""
    return " ".join("".join(part.itertext()).split())


def find_class(root: Element, name: str) -> list[Element]:
    """Return the elements that have a class."""
    return [part for part in root.iter() if name in part.get("class", "").split()]


def section(root: Element, title: str) -> Element:
    """Return the section under a heading that begins with ``title``."""
    return next(part for part in root.iter("section") if any(words(h).startswith(title) for h in part.findall("h2")))


def titles(root: Element) -> list[str]:
    """Return the headings of the sections, in their order."""
    return [words(part) for part in root.iter("h2")]


def rows(table: Element) -> list[list[str]]:
    """Return the cells of a table, its heading first."""
    return [[words(cell) for cell in row if cell.tag in {"td", "th"}] for row in table.iter("tr")]


def tables(part: Element) -> list[list[list[str]]]:
    """Return the cells of every table in a part of the page."""
    return [rows(table) for table in part.iter("table")]
