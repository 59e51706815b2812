"""Whether a type keeps what a text says: the SQL that finds the values that it would change, round or refuse."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from platform_resources.capabilities.support.sql_text import literal, quoted

WHOLE = ("tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint")
# A time that goes on after its seconds: Z, +02:00, UTC, [Europe/Berlin].
_ZONE = r":[0-9.]+\s*([zZ]|[+-][0-9].*|UTC.*|GMT.*|\[.*)$"
_FINER_THAN_MICROSECONDS = r"[.][0-9]{6}[0-9]*[1-9]"
# A whole number, or the start of one with a fraction, of more digits than a binary number surely has.
_LONG_NUMBER = r"[:\[,\s](-?[0-9]{16,})"
# Within JSON: a text, a number with an exponent, and a text that databases take for a time.
_STRING, _EXPONENT = r'"(\\.|[^"\\])*"', r"-?[0-9][0-9.]*[eE][-+]?[0-9]+"
# How a number looks that may be so small that only zero is left of it: the database reads JSON so before anybody can ask.
_NUMBER, _MAYBE_TOO_SMALL = r"-?[0-9][0-9.]*([eE][-+]?[0-9]+)?", r"[0-9][eE]-[0-9]{3}|0[.]0{300}"
_WORD_FOR_A_TIME = r'(?i)"\s*(epoch|[-+]?inf(inity)?)\s*"'
_LISTED = re.compile(r"(\[\d*\])+$")
_CLOCK = r"\s*[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]*)?)?\s*"
# What a column of text may be if it is not what its first rows look like, the next best first.
WIDER: Mapping[str, tuple[str, ...]] = {
    "bigint": ("hugeint", "double"),
    "hugeint": ("double",),
    "date": ("timestamp", "timestamptz"),
    "timestamp": ("timestamptz",),
}


@dataclass(frozen=True, slots=True)
class Writing:
    """How a file writes numbers and times; empty where it is as SQL writes them.

    `binary` says that every number with a fraction has become a binary one when it is read, as those of JSON do.
    """

    date: str = ""
    timestamp: str = ""
    decimal: str = ""
    thousands: str = ""
    binary: bool = False

    def format_of(self, kind: str) -> str:
        """The format of its dates or times; empty for other types."""
        return {"date": self.date, "timestamp": self.timestamp, "timestamptz": self.timestamp}.get(kind, "")


def lost(text: str, kind: str, writing: Writing, promised: bool) -> str:
    """A condition that is true of the texts of which the type would not keep everything.

    A type that was only guessed must also keep how a number is written: `007` and `+49` are no numbers. A promised one keeps the value.
    Words such as `infinity` and `epoch` are no times: where a format is given, DuckDB reads them as 1900-01-01. A promised time may be
    infinite where none is given; `epoch` is not 1970-01-01 to anybody who did not mean it.
    """
    plain = kind.partition("(")[0]
    number = _number(text, writing)
    if is_nested(kind):
        return _lost_within(text, kind, writing, promised)
    if plain in WHOLE:
        digits = r"\s*[+-]?[0-9]+([.]0*)?\s*" if promised else r"\s*-?(0|[1-9][0-9]*)\s*"
        return f"({_fails(number, kind)} or not regexp_full_match({number}, {literal(digits)}))"
    if plain == "decimal":
        rounded = f" or {_rounded_fraction(number, kind)}" if writing.binary else ""
        return f"({_fails(number, kind)} or {_longer_fraction(number, kind)}{rounded})"
    if plain in ("double", "float"):
        inexact = _rounded_whole(number, kind) if promised else _inexact(number)
        return f"({_fails(number, kind)} or {_out_of_range(number, kind)} or {inexact})"
    if plain in ("date", "timestamp", "timestamptz", "time"):
        written = writing.format_of(plain)
        word = f"not regexp_matches({text}, '[0-9]')" if written or not promised else f"lower(trim({text})) = 'epoch'"
        return f"({_lost_time(text, plain, written, promised)} or {word})"
    if plain == "boolean" and not promised:
        return f"not regexp_full_match(lower({text}), '\\s*(true|false|t|f|yes|no|y|n)\\s*')"
    return _fails(text, kind) if plain in ("boolean", "uuid") or (promised and plain != "varchar") else "false"


def lost_values(kinds: Mapping[str, str], writing: Writing) -> dict[tuple[str, str], str]:
    """By column and reason, the condition of texts of which the promised type would not keep everything."""
    return {
        (name, f"is no {kind}, or not all of it would be kept"): (
            f"{quoted(name)} is not null and {lost(quoted(name), kind, writing, promised=True)}"
        )
        for name, kind in kinds.items()
    }


def converted(text: str, kind: str, writing: Writing, trying: bool = False) -> str:
    """The text as a value of the type, as the reader of its file would have read it. `trying` gives null where it is none."""
    cast, plain = "try_cast" if trying else "cast", kind.partition("(")[0]
    if kind == "varchar":
        return text
    if is_nested(kind):
        return f"coalesce(try_cast(try_cast({text} as json) as {kind}), {cast}({text} as {kind}))"
    if written := writing.format_of(plain):
        parsed = "try_strptime" if trying else "strptime"
        return f"{cast}({parsed}({text}, {literal(written)}) as {kind})"
    return f"{cast}({_number(text, writing)} as {kind})" if plain in (*WHOLE, "decimal", "double", "float") else f"{cast}({text} as {kind})"


def _fails(text: str, kind: str) -> str:
    return f"try_cast({text} as {kind}) is null"


def is_nested(kind: str) -> bool:
    """Whether the type has parts: a list, a struct or a map."""
    return kind.endswith("]") or kind.startswith(("struct", "map"))


def _lost_within(text: str, kind: str, writing: Writing, promised: bool) -> str:
    """Long numbers within lists and structures, which their common type would round; elements that are lost; and what is no such list."""
    numbers = "list_sort(regexp_extract_all({}, {}, 1))"
    json = f"try_cast({text} as json)"
    kept = f"cast(to_json(try_cast({json} as {kind})) as varchar)"
    pattern = literal(_LONG_NUMBER)
    changed = "true" if "decimal" in kind else f"{numbers.format(text, pattern)} is distinct from {numbers.format(kept, pattern)}"
    lists = _LISTED.search(kind)
    element = kind[: lists.start()] if lists else kind
    within = (
        _lost_in_structure(text, kind)
        if is_nested(element) or not lists
        else _lost_elements(text, element, lists.group(), writing, promised)
    )
    return f"case when regexp_matches({text}, {pattern}) then {changed} else {within} end"


def _lost_elements(text: str, element: str, lists: str, writing: Writing, promised: bool) -> str:
    """A list in JSON, or as the database writes lists, of which each element must be kept."""
    depth = lists.count("[")
    as_texts = "varchar" + "[]" * depth
    elements = f"coalesce(try_cast(try_cast({text} as json) as {as_texts}), try_cast({text} as {as_texts}))"
    flat = "flatten(" * (depth - 1) + elements + ")" * (depth - 1)
    gone = f"mesh_element is not null and {lost('mesh_element', element, writing, promised)}"
    return f"coalesce(len(list_filter({flat}, lambda mesh_element: {gone})) > 0, true)"


def _lost_in_structure(text: str, kind: str) -> str:
    """Numbers that no number type has, and words that are taken for dates, anywhere within."""
    value, digits = "try_cast(mesh_number as double)", "regexp_matches(mesh_number, '^[^eE]*[1-9]')"
    numbers = f"regexp_extract_all(regexp_replace({text}, {literal(_STRING)}, '', 'g'), {literal(_EXPONENT)})"
    beyond = f"len(list_filter({numbers}, lambda mesh_number: (isinf({value}) or {value} = 0) and {digits})) > 0"
    words = f"regexp_matches({text}, {literal(_WORD_FOR_A_TIME)})" if re.search(r"date|timestamp", kind) else "false"
    return f"({_fails(f'try_cast({text} as json)', kind)} or {beyond} or {words})"


def too_small(json: str) -> str:
    """The first number in the text of a JSON object that would be read as zero and is another; null where there is none."""
    numbers = f"regexp_extract_all(regexp_replace({json}, {literal(_STRING)}, '', 'g'), {literal(_NUMBER)})"
    gone = "try_cast(mesh_number as double) = 0 and regexp_matches(mesh_number, '^[^eE]*[1-9]')"
    return f"case when regexp_matches({json}, {literal(_MAYBE_TOO_SMALL)}) then list_filter({numbers}, lambda mesh_number: {gone})[1] end"


def _number(text: str, writing: Writing) -> str:
    """The text with the point and without the separators that SQL knows."""
    bare = f"replace({text}, {literal(writing.thousands)}, '')" if writing.thousands else text
    return f"replace({bare}, {literal(writing.decimal)}, '.')" if writing.decimal not in ("", ".") else bare


def _longer_fraction(number: str, kind: str) -> str:
    exact = f"try_cast({number} as double) is distinct from try_cast(try_cast({number} as {kind}) as double)"
    scale = _scale(kind)
    digits = f"length(rtrim(regexp_extract({number}, '[.]([0-9]*)', 1), '0'))"
    return f"case when regexp_matches({number}, '[eE]') then {exact} else {digits} > {scale} end"


def _scale(decimal: str) -> int:
    return int(decimal.rstrip(")").partition(",")[2] or (0 if "(" in decimal else 3))


def _rounded_fraction(number: str, kind: str) -> str:
    """Numbers that are written as a binary number is, with more digits than one surely keeps: they may have been others."""
    value = f"try_cast({number} as double)"
    return f"(regexp_matches({number}, '[.eE]') and abs({value}) >= 1e{15 - _scale(kind)} and cast({value} as varchar) = {number})"


def _inexact(number: str) -> str:
    """Numbers written with leading zeros or a plus, and those with more digits than a binary number has: fewer need no counting."""
    otherwise_written = f"regexp_matches({number}, '^\\s*([+]|-?0[0-9])')"
    whole = _rounded_whole(number, "double")
    before = f"length(ltrim(regexp_extract({number}, '[0-9]+'), '0'))"
    digits = f"length(ltrim(regexp_replace(regexp_replace({number}, '[eE].*$', ''), '[^0-9]', '', 'g'), '0'))"
    return f"({otherwise_written} or case when length({number}) > 15 then {whole} or ({before} > 15 and {digits} > 17) else false end)"


def _rounded_whole(number: str, kind: str) -> str:
    changed = f"try_cast({number} as hugeint) is distinct from try_cast(try_cast({number} as {kind}) as hugeint)"
    return f"(length({number}) > 7 and regexp_full_match({number}, '\\s*[+-]?[0-9]+\\s*') and {changed})"


def _out_of_range(number: str, kind: str) -> str:
    """Numbers so large or small that only infinity or zero is left of them."""
    value, digits = f"try_cast({number} as {kind})", f"regexp_matches({number}, '^[^eE]*[1-9]')"
    return f"case when isinf({value}) or {value} = 0 then {digits} else false end"


def _lost_time(text: str, kind: str, written: str, promised: bool) -> str:
    zone, finer = f"regexp_matches({text}, {literal(_ZONE)})", f"regexp_matches({text}, {literal(_FINER_THAN_MICROSECONDS)})"
    if written and kind != "time":
        return f"try_strptime({text}, {literal(written)}) is null"
    match kind:
        case "date":
            timed = (
                f"(contains({text}, ':') and (cast(try_cast({text} as date) as timestamp) is distinct from try_cast({text} as timestamp)))"
            )
            return f"({_fails(text, kind)} or {zone} or {timed if promised else f'contains({text}, chr(58))'})"
        case "timestamptz":
            return f"({_fails(text, kind)} or {finer}{'' if promised else f' or not {zone}'})"
        case "time":
            return f"({_fails(text, kind)} or {finer} or not regexp_full_match({text}, {literal(_CLOCK)}))"
        case _:
            return f"({_fails(text, kind)} or {zone} or {finer})"


def other_reading(written: str) -> str | None:
    """The format that reads the same dates with day and month exchanged; None if the format leaves no doubt."""
    if "%d" not in written or "%m" not in written or written.startswith("%Y"):
        return None
    return written.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")
