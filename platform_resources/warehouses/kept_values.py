"""Whether a type keeps what a text says: the SQL that finds the values that it would change, round or refuse."""

from collections.abc import Mapping
from dataclasses import dataclass

from platform_resources.capabilities.sql_text import literal

WHOLE = ("tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint")
# A time that goes on after its seconds: Z, +02:00, UTC, [Europe/Berlin].
_ZONE = r":[0-9.]+\s*([zZ]|[+-][0-9].*|UTC.*|GMT.*|\[.*)$"
_FINER_THAN_MICROSECONDS = r"[.][0-9]{6}[0-9]*[1-9]"
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
    """How a file writes numbers and times; empty where it is as SQL writes them."""

    date: str = ""
    timestamp: str = ""
    decimal: str = ""
    thousands: str = ""

    def format_of(self, kind: str) -> str:
        return {"date": self.date, "timestamp": self.timestamp, "timestamptz": self.timestamp}.get(kind, "")


def lost(text: str, kind: str, writing: Writing, promised: bool) -> str:
    """A condition that is true of the texts of which the type would not keep everything.

    A type that was only guessed must also keep how a number is written: `007` and `+49` are no numbers. A promised one keeps the value.
    """
    plain = kind.partition("(")[0]
    number = _number(text, writing)
    if plain in WHOLE:
        written = r"\s*[+-]?[0-9]+([.]0*)?\s*" if promised else r"\s*-?(0|[1-9][0-9]*)\s*"
        return f"({_fails(number, kind)} or not regexp_full_match({number}, {literal(written)}))"
    if plain == "decimal":
        return f"({_fails(number, kind)} or {_longer_fraction(number, kind)})"
    if plain in ("double", "float"):
        return _fails(number, kind) if promised else f"({_fails(number, kind)} or {_inexact(number)})"
    if plain in ("date", "timestamp", "timestamptz", "time"):
        return _lost_time(text, plain, writing.format_of(plain), promised)
    if plain == "boolean" and not promised:
        return f"not regexp_full_match(lower({text}), '\\s*(true|false|t|f|yes|no|y|n)\\s*')"
    return _fails(text, kind) if plain in ("boolean", "uuid") or (promised and plain != "varchar") else "false"


def _fails(text: str, kind: str) -> str:
    return f"try_cast({text} as {kind}) is null"


def _number(text: str, writing: Writing) -> str:
    """The text with the point and without the separators that SQL knows."""
    bare = f"replace({text}, {literal(writing.thousands)}, '')" if writing.thousands else text
    return f"replace({bare}, {literal(writing.decimal)}, '.')" if writing.decimal not in ("", ".") else bare


def _longer_fraction(number: str, kind: str) -> str:
    exact = f"try_cast({number} as double) is distinct from try_cast(try_cast({number} as {kind}) as double)"
    scale = int(kind.rstrip(")").partition(",")[2] or (0 if "(" in kind else 3))
    digits = f"length(rtrim(regexp_extract({number}, '[.]([0-9]*)', 1), '0'))"
    return f"case when regexp_matches({number}, '[eE]') then {exact} else {digits} > {scale} end"


def _inexact(number: str) -> str:
    """Numbers written with leading zeros or a plus, and those with more digits than a binary number has: fewer need no counting."""
    otherwise_written = f"regexp_matches({number}, '^\\s*([+]|-?0[0-9])')"
    whole = f"(regexp_full_match({number}, '\\s*-?[0-9]+\\s*') and {_rounded_whole(number)})"
    before = f"length(ltrim(regexp_extract({number}, '[0-9]+'), '0'))"
    digits = f"length(ltrim(regexp_replace(regexp_replace({number}, '[eE].*$', ''), '[^0-9]', '', 'g'), '0'))"
    return f"({otherwise_written} or case when length({number}) > 15 then {whole} or ({before} > 15 and {digits} > 17) else false end)"


def _rounded_whole(number: str) -> str:
    return f"try_cast({number} as hugeint) is distinct from try_cast(try_cast({number} as double) as hugeint)"


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
