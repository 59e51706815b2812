"""Escape text from data for messages, so that it contains no link, image, HTML, emphasis or mention; format lists."""

import re
import unicodedata
from collections.abc import Sequence

LONGEST_SUBJECT = 140
LONGEST_TITLE = 80
LONGEST_REASON = 240
MOST = 8
# Characters that are replaced, not escaped: a backslash before them is shown by some channels, and ignored by some converters (Python's
# markdown lets `\<b>` through as HTML). What stands in for them reads the same.
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")", "`": "'", "*": "∗", "|": "¦", "\\": "⧵", "~": "∼"})
_EMPHASIS = re.compile(r"(?<!\w)_|_(?!\w)")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_MENTION = re.compile(r"(?<!\w)@")
_NOT_SHOWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def one_line(text: str, longest: int = LONGEST_SUBJECT) -> str:
    """Plain text in one line without control, formatting and direction characters, cut at `longest`."""
    line = " ".join("".join(" " if unicodedata.category(char) in _NOT_SHOWN else char for char in text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def harmless(text: str, longest: int = LONGEST_TITLE) -> str:
    """Text escaped for a Markdown body: no link, image, HTML, emphasis, code or mention."""
    plain = one_line(text, longest).translate(_HARMLESS)
    plain = _ENTITY.sub("＆", _EMPHASIS.sub("＿", plain))
    return plain.replace("://", ": //").replace("www.", "www .").replace("@", "(at)")


def bold(text: str) -> str:
    """The text in bold, escaped."""
    return f"**{harmless(text) or '?'}**"


def code(text: str) -> str:
    """A name as written in files, between backticks."""
    plain = one_line(text, LONGEST_REASON).translate(_HARMLESS)
    return f"`{_MENTION.sub('(at)', plain) or '?'}`"


def address(text: str) -> str:
    """An owner or channel from the spec; e-mail addresses stay clickable."""
    plain = _ENTITY.sub("＆", _EMPHASIS.sub("＿", one_line(text).translate(_HARMLESS)))
    return _MENTION.sub("(at)", plain.replace("://", ": //"))


def place(text: str) -> str:
    """A web address as a link, anything else as a path."""
    line = one_line(text, 2_000)
    is_address = line.startswith(("https://", "http://")) and " " not in line and not set(line) & set('<>"`\\|')
    return f"<{line}>" if is_address else code(line)


def listed(items: Sequence[str], most: int = MOST) -> str:
    """`a, b and c`; further items are counted: `a, b and 7 more`."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return " and ".join(part for part in (", ".join(shown[:-1]), *shown[-1:]) if part)


def paragraphs(*parts: str) -> str:
    """The parts that are not empty, separated by blank lines."""
    return "\n\n".join(part for part in parts if part)


def bullets(lines: Sequence[str]) -> str:
    """The lines as a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)
