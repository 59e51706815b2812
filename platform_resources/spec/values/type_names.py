"""Names of column types: one spelling for each type, the one that DuckDB reports."""

import re

from platform_resources.spec.problems import did_you_mean

SIMPLE_TYPES = (
    "bigint", "blob", "boolean", "date", "decimal", "double", "float", "hugeint", "integer", "interval", "json",
    "smallint", "time", "timestamp", "timestamptz", "tinyint", "ubigint", "uinteger", "uuid", "varchar",
)  # fmt: skip
_TYPE = re.compile(r"(?P<element>[^()\[\]]+)(\((?P<arguments>.*)\))?(?P<lists>(\[\])*)", re.DOTALL)
# Words of DuckDB, other databases and languages for types, by the type that is meant; only the ones above are used.
_OTHER_WORDS = {
    "bigint": "int8 int64 long oid signedbigint bigserial",
    "blob": "binary varbinary bytea bytes",
    "boolean": "bool logical",
    "decimal(18,2)": "numeric number dec money",
    "decimal(38,0)": "bignum varint uhugeint uint128",
    "double": "float8 float64 doubleprecision",
    "float": "float4 float32 real",
    "hugeint": "int128",
    "integer": "int int4 int32 integral signed utinyint uint8 usmallint uint16 mediumint serial",
    "json": "struct row tuple map union variant object list array",
    "smallint": "int2 int16 short",
    "time": "timetz timewithtimezone time_ns timewithouttimezone",
    "timestamp": "datetime timestamp_s timestamp_ms timestamp_us timestamp_ns timestamp_ntz timestampwithouttimezone",
    "timestamptz": "timestampwithtimezone timestamp_tz timestamp_ltz timestamptz_ns",
    "tinyint": "int1",
    "ubigint": "uint64",
    "uinteger": "uint32",
    "uuid": "guid",
    "varchar": "string text char character charactervarying bpchar nvarchar nchar enum bit bitstring clob",
}  # fmt: skip
_MEANT = {word: meant for meant, words in _OTHER_WORDS.items() for word in words.split()}


def type_name(text: str) -> str:
    """The type's one name: `Decimal` becomes `decimal(18,3)`, `varchar(10)` becomes `varchar`, because lengths are not kept.

    Raises ValueError for what is no type; of several ways to write one only the name itself is taken.
    """
    plain = re.sub(r"\s+", "", text.lower())
    match = _TYPE.fullmatch(plain)
    if match is None or match["element"] not in SIMPLE_TYPES:
        raise ValueError(
            f'unknown column type "{text}"; known: {", ".join(SIMPLE_TYPES)}; also decimal(18,2), and varchar[] for a list', _hint(plain)
        )
    return f"{_with_arguments(text, match['element'], match['arguments'])}{match['lists']}"


def _with_arguments(text: str, element: str, arguments: str | None) -> str:
    if element == "decimal":
        return _decimal(text, arguments)
    if arguments is not None and not (element == "varchar" and arguments.isdigit()):
        raise ValueError(f'column type "{text}" cannot be: only decimal(18,2) takes numbers in parentheses', f'did you mean "{element}"?')
    return element


def _decimal(text: str, arguments: str | None) -> str:
    """DuckDB takes 18 digits, 3 of them behind the point, where nothing is written, and none behind it where one number is."""
    if arguments is None:
        return "decimal(18,3)"
    numbers = re.fullmatch(r"(\d+)(?:,(\d+))?", arguments, re.ASCII)
    digits, behind = (int(numbers[1]), int(numbers[2] or 0)) if numbers else (0, 0)
    if not 1 <= digits <= 38 or behind > digits:
        message = f'column type "{text}" cannot be: a decimal has 1 to 38 digits, and no more than those behind the point'
        raise ValueError(message, "write one such as decimal(18,2)")
    return f"decimal({digits},{behind})"


def meant_type(text: str) -> str:
    """The type that another database or language calls so, with its digits and the lists around it; empty where there is none."""
    plain = re.sub(r"\s+", "", text.lower())
    word, lists = re.split(r"[(\[<]", plain, maxsplit=1)[0], re.findall(r"\[\d*\](?=[\[\]\d]*$)", plain)
    meant = word if word in SIMPLE_TYPES else _MEANT.get(word)
    if meant is None:
        return ""
    digits = re.search(r"\(\d+(,\d+)?\)", plain)
    named = f"decimal{digits.group()}" if digits and meant.startswith("decimal") else meant
    return f"{named}{'[]' * len(lists)}"


def _hint(plain: str) -> str:
    meant = meant_type(plain)
    return f'did you mean "{meant}"?' if meant else did_you_mean(re.split(r"[(\[<]", plain, maxsplit=1)[0], SIMPLE_TYPES)
