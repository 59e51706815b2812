"""Column names: which are allowed, which two names are the same, and which need quotes in SQL."""

import re
import unicodedata

from platform_resources.spec.values.names import IDENTIFIER

# The longest identifier that Snowflake takes.
LONGEST_COLUMN = 255
# Line breaks that are no control characters to Unicode count as such.
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
# The same for editors; a letter beyond the 65,536th counts as two to some of them.
PATTERN = rf'^[^\s"{_CONTROL}]([^"{_CONTROL}]{{0,{LONGEST_COLUMN - 2}}}[^\s"{_CONTROL}])?$'
# What DuckDB or Snowflake do not take for a column's name without quotes.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
    account all alter analyse analyze and anti any array as asc asof asymmetric at authorization between binary both by case cast check
    collate collation column columns concurrently connect connection constraint create cross current current_date current_time
    current_timestamp current_user database default deferrable delete desc describe distinct do drop else end except exists false fetch
    following for foreign freeze from full generated glob grant group gscluster having ilike in increment initially inner insert
    intersect into is isnull issue join lambda lateral leading left like limit localtime localtimestamp map minus natural not notnull
    null of offset on only or order organization outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify
    references regexp returning revoke right rlike row rows sample schema select semi set show similar some start struct summarize
    symmetric table tablesample then to trailing trigger true try_cast tuple union unique unpack unpivot update using values variadic
    verbose view when whenever where window with
        """,
    )
)


def column_name(text: str) -> str:
    """Check a name: any that DuckDB and Snowflake accept in quotes. Raises ValueError for others."""
    if not text.strip():
        raise ValueError(f'"{text}" is not a column name; write at least one letter, digit or sign')
    if '"' in text:
        raise ValueError(f"'{text}' is not a column name: dbt cannot put a name with a double quote in it in quotes; take the quote away")
    if re.search(f"[{_CONTROL}]", text):
        raise ValueError(f'"{text}" is not a column name; it has a line break, tab or other control character in it')
    if text != text.strip():
        raise ValueError(f'"{text}" is not a column name; take the blank before or behind it away')
    if len(text) > LONGEST_COLUMN:
        raise ValueError(f'"{text[:20]}…" is not a column name; it has {len(text)} characters, and {LONGEST_COLUMN} are allowed')
    return text


def folded_column(name: str) -> str:
    """The form under which a warehouse and readers consider names equal: independent of case and of how accents are encoded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def needs_quotes(name: str) -> bool:
    """Whether SQL without quotes would read another name, or none. Differences of case alone do not count."""
    return IDENTIFIER.fullmatch(name) is None or name.lower() in RESERVED
