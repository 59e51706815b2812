"""Which columns of its inputs a product's models read, told from their SQL. Where it cannot be told, all of them."""

import re
from collections.abc import Collection, Iterable

from platform_resources.planning.mesh import ModelText

# Texts and quoted names stand beside comments here, because what looks like a comment in them is none.
_COMMENTS = re.compile(r"\{#.*?#\}|/\*.*?\*/|--[^\n]*|(?P<kept>'[^']*'|\"[^\"]*\")", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD = re.compile(r"\w+")
# SQL that Jinja writes may name anything.
_WRITTEN_BY_JINJA = re.compile(r"\{%-?(?!\s*(?:set|endset)\b)")
_SOURCE = r"\{\{-?\s*source\(\s*['\"]inputs['\"]\s*,\s*['\"]PORT['\"]\s*\)\s*-?\}\}"
_HERE = "the_port_itself"
# `select *`, with whatever it leaves out, up to the end of its FROM.
_STAR = re.compile(
    r"select(?:\s+distinct)?\s+(?:[^()]*?,\s*)?\*(?:\s*(?:exclude|replace|rename)\s*\([^)]*\))*(?:\s*,[^()]*?)?\s+from\s+"
    r"(.*?)(?=\bwhere\b|\bgroup\b|\border\b|\bselect\b|\bqualify\b|\bunion\b|\)|;|\Z)",
    re.DOTALL | re.IGNORECASE,
)


def used_columns(models: Iterable[ModelText], port: str, columns: Collection[str]) -> tuple[str, ...]:
    """Those of an input port's columns that the models name anywhere, in the order given; all if a model takes `*` from the port.

    A name that means something else counts as well: too many rather than too few.
    """
    texts = [_COMMENTS.sub(lambda found: found["kept"] or " ", model.sql) for model in models]
    if any(_takes_everything(text, port) for text in texts):
        return tuple(columns)
    return named_columns(columns, texts)


def named_columns(columns: Iterable[str], texts: Iterable[str]) -> tuple[str, ...]:
    """The columns that stand in the texts: those of one word as a word, any other just as they are."""
    told = "\n".join(texts).casefold()
    words = frozenset(_WORD.findall(told))
    return tuple(column for column in columns if (name := column.casefold()) in words or (not _WORD.fullmatch(name) and name in told))


def _takes_everything(sql: str, port: str) -> bool:
    if _WRITTEN_BY_JINJA.search(sql):
        return True
    text = re.sub(_SOURCE.replace("PORT", re.escape(port)), f" {_HERE} ", sql)
    if text == sql:
        return False
    text = _QUOTED.sub(lambda found: re.sub(r"\W", "_", found[0].strip("\"'")), text)
    aliases = {_HERE, *(found.lower() for found in re.findall(rf"\b{_HERE}\s+(?:as\s+)?(\w+)", text, re.IGNORECASE))}
    starred = {found.lower() for found in re.findall(r"(\w+)\.\*", text)}
    return bool(aliases & starred) or any(_HERE in read for read in _STAR.findall(text))
