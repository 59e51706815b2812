"""What a column probably is, by its name and by what is in it: its unit, its classification, and whether it dates the row."""

from collections.abc import Iterable

from platform_resources.capabilities.support.column_types import is_numeric
from platform_resources.detection.detectors import ABOUT_PEOPLE, DETECTORS, told_by_name
from platform_resources.detection.name_words import in_brackets, known_in, name_words, word_set
from platform_resources.scaffolding.source_columns import Guess, SourceColumn

# What tells personal data by how whole values look, and of how many filled rows.
_LOOKS_LIKE = ("an e-mail address", "a telephone number", "an IBAN", "an IP address")
LOOKS = {detector.name: detector.pattern for detector in DETECTORS if detector.name in _LOOKS_LIKE}
LOOKS_FROM = 0.5
# Of texts as well. Three digits behind a comma may be thousands, so they tell nothing.
COMMA_NUMBER = "a number with a comma"
MEASURED = LOOKS | {COMMA_NUMBER: r"[+-]?[0-9]{1,3}(\.?[0-9]{3})*,([0-9]{1,2}|[0-9]{4,})"}
_UNITS = {
    "EUR": "eur euro €", "USD": "usd dollar $", "GBP": "gbp £", "CHF": "chf", "%": "percent pct prozent %", "kg": "kg", "g": "gram grams",
    "km": "km", "cm": "cm", "mm": "mm", "kWh": "kwh", "C": "celsius °c", "ms": "ms milliseconds", "s": "seconds sekunden",
    "min": "minutes minuten", "h": "hours stunden", "d": "days tage",
}  # fmt: skip
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_TIMES = ("timestamp", "timestamptz", "timestamp_s", "timestamp_ms", "timestamp_ns")
_CHANGED = word_set("updated updatedat modified modifiedat changed changedat lastmodified lastupdate aktualisiert geaendert")
_MADE = word_set("created createdat inserted loaded processed ingested recorded timestamp zeitstempel erstellt erfasst angelegt")


def unit(column: SourceColumn) -> Guess | None:
    """The unit of a column of numbers, from its name."""
    if not is_numeric(column.type):
        return None
    named = in_brackets(column.name).lower()
    if named in _UNIT_OF:
        return Guess(_UNIT_OF[named], "high", "in brackets in its name")
    last = (name_words(column.name) or ("",))[-1]
    return Guess(_UNIT_OF[last], "medium", "the last word of its name") if last in _UNIT_OF else None


def comma_numbers(column: SourceColumn) -> Guess | None:
    """Whether a column of text probably holds numbers that the load did not take for such."""
    if column.looks.get(COMMA_NUMBER, 0.0) < LOOKS_FROM:
        return None
    options = 'options: {decimal_separator: ",", thousands: ".", types: {COLUMN: "decimal(18,2)"}}'
    todo = f"add {options} to the input port, with the column's name in the file, and that type here and in the SQL"
    return Guess("numbers with a comma", "low", f"read as text; if they are numbers, {todo}")


def classifications(columns: Iterable[SourceColumn]) -> dict[str, Guess]:
    """Guesses for columns that are probably personal or sensitive, by name. In doubt values are hidden."""
    every = tuple(columns)
    guesses = {column.name: guess for column in every if (guess := _of_itself(column)) is not None}
    if not guesses:
        return {}
    beside = Guess("personal", "low", "beside columns that name a person")
    return guesses | {column.name: beside for column in every if column.name not in guesses and known_in(column.name, ABOUT_PEOPLE)}


def _of_itself(column: SourceColumn) -> Guess | None:
    named = told_by_name(column.name, column.kind == "boolean")
    if named == "sensitive":
        return Guess("sensitive", "high", "by its name")
    personal = [(look, share) for look, share in column.looks.items() if look in LOOKS]
    looks = max(personal, key=lambda look: look[1], default=("", 0.0))
    if looks[1] >= LOOKS_FROM:
        return Guess("personal", "high", f"most values look like {looks[0]}")
    return Guess("personal", "medium", "by its name") if named else None


def updated_at(columns: Iterable[SourceColumn]) -> Guess | None:
    """The column that says when a row was made or changed: by type and name, filled in every row, and never in the future."""
    dated = [column for column in columns if column.kind in _TIMES and not column.nulls and not column.future]
    changed = [Guess(column.name, "high", "its name says when a row changed") for column in dated if known_in(column.name, _CHANGED)]
    made = [Guess(column.name, "medium", "its name says when a row was made") for column in dated if known_in(column.name, _MADE)]
    return next(iter((*changed, *made)), None)
