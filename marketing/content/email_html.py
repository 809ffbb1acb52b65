"""E-mail HTML: what authors may use, without scripts, frames, forms or foreign protocols."""

import re
import secrets

import nh3

from marketing.content import markup

_LAYOUT = {"align", "valign", "width", "height", "bgcolor", "style", "class", "dir", "lang"}
_TABLE = _LAYOUT | {"border", "cellpadding", "cellspacing", "role", "colspan", "rowspan"}
_ATTRIBUTES = {
    "*": _LAYOUT,
    "a": {"href", "title", "target"},
    "img": {"src", "alt", "title", "border"},
    **dict.fromkeys(("table", "tbody", "thead", "tfoot", "tr", "td", "th"), _TABLE),
}
_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "center", "code", "div", "em", "font", "h1", "h2"),
    *("h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span"),
    *("strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"),
}
_STYLES = {
    *("background", "background-color", "border", "border-bottom", "border-collapse"),
    *("border-left", "border-radius", "border-right", "border-spacing", "border-top", "color"),
    *("display", "font", "font-family", "font-size", "font-style", "font-weight", "height"),
    *("letter-spacing", "line-height", "list-style", "margin", "margin-bottom", "margin-left"),
    *("margin-right", "margin-top", "max-width", "min-width", "padding", "padding-bottom"),
    *("padding-left", "padding-right", "padding-top", "text-align", "text-decoration"),
    *("text-transform", "vertical-align", "width", "white-space"),
}
_PROTOCOLS = {"http", "https", "mailto", "tel"}
# What MJML hides for the line below the subject would be seen without its style.
_HEADING = re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.S)
_HIDDEN = re.compile(r'<div style="display:none;[^>]*>[^<]*</div>')


def clean_source(source: str) -> str:
    """An author's HTML with everything dangerous taken out and its Liquid kept as typed.

    Raises `MarkupError` where braces are not closed.
    """
    mark = f"liquid{secrets.token_hex(8)}n"
    kept: list[str] = []
    html = ""
    for is_code, text in markup.split(source):
        if not is_code:
            html += text
            continue
        name = f"{mark}{len(kept)}e"
        # A comment may stand where text may not, as between the rows of a table.
        in_tag = html.rfind("<") > html.rfind(">")
        html += f"<!--{name}-->" if text.startswith("{%") and not in_tag else name
        kept.append(text)
    html = _clean(html, _ATTRIBUTES)
    for number, text in enumerate(kept):
        name = f"{mark}{number}e"
        html = html.replace(f"<!--{name}-->", text).replace(name, text)
    return html


def for_page(html: str) -> str:
    """Rendered e-mail HTML fit for one of our pages: no styles, no pictures from elsewhere, and no
    heading that would be the page's."""
    attributes = {
        tag: names - {"style", "class", "src", "bgcolor"} for tag, names in _ATTRIBUTES.items()
    }
    html = _HEADING.sub(r"<p><strong>\1</strong></p>", _HIDDEN.sub("", html))
    return _clean(html, attributes, strip_comments=True)


def for_frame(html: str) -> str:
    """Rendered e-mail HTML as mail programs show it, for a page of its own that runs nothing.

    A whole document is one of ours, in which all that is filled in was escaped.
    """
    return html if is_document(html) else _clean(html, _ATTRIBUTES)


def is_document(html: str) -> bool:
    """Whether the HTML was laid out by us; an author's own has no head and no doctype."""
    return html.startswith("<!doctype html>")


def _clean(html: str, attributes: dict[str, set[str]], *, strip_comments: bool = False) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "style", "title"},
        attributes=attributes,
        url_schemes=_PROTOCOLS,
        filter_style_properties=_STYLES,
        strip_comments=strip_comments,
        link_rel=None,
    )
