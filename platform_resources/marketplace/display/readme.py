"""Render teams' Markdown to safe HTML: no scripts, external images, forms or styles."""

import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

# A page has one h1, so that a README's headings begin below it.
HEADINGS = ("h3", "h4", "h5", "h6")
INLINE = {"p", "br", "hr", "code", "em", "strong", "del", "a"}
BLOCKS = {"ul", "ol", "li", "blockquote", "pre", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, **{heading: {"id"} for heading in HEADINGS}}
SCHEMES = ("http://", "https://", "mailto:")
LONGEST = 200_000
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@lru_cache(maxsize=512)
def safe_html(markdown: str) -> Markup:
    """The HTML of a README without its title. Links go to web pages, mail or headings; raw HTML is shown as text."""
    tokens = _MARKDOWN.parse(markdown[:LONGEST])
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    for index, token in enumerate(tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1 + (token.tag == 'h1'))}"
        if token.type == "heading_open":
            token.attrSet("id", f"readme-{anchor(tokens[index + 1].content)}")
        for child in token.children or ():
            _tame(child)
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    tags = INLINE | BLOCKS | set(HEADINGS)
    return Markup(
        nh3.clean(html, tags=tags, attributes=ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel="noopener noreferrer")
    )


def _tame(link: Token) -> None:
    """A link to a file beside the README leads nowhere here."""
    target = str(link.attrGet("href") or "")
    if target.startswith("#"):
        link.attrSet("href", f"#readme-{target[1:]}")
    elif target and not target.lower().startswith(SCHEMES):
        link.attrs.pop("href")


def anchor(heading: str) -> str:
    """The anchor of a heading, as on code hosting sites: `When it breaks` becomes `#when-it-breaks`."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
