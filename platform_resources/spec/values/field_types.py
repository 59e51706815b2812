"""Types of fields: names, owners, versions, times, words. Each rejects invalid values with a message for the author."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from platform_resources.spec.problems import did_you_mean
from platform_resources.spec.values.column_names import PATTERN, column_name
from platform_resources.spec.values.durations import duration, duration_text
from platform_resources.spec.values.names import IDENTIFIER, any_case
from platform_resources.spec.values.type_names import type_name
from platform_resources.spec.values.versions import Version, VersionRange

Lifecycle = Literal["proposed", "draft", "production", "deprecated", "retired"]
UNCLASSIFIED = "unclassified"
Percent = Annotated[float, Field(ge=0, le=100)]
Text = Annotated[str, Field(min_length=1)]


def _one_or_several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


# What something was called before, one name or all of them.
FormerNames = Annotated[
    tuple[Text, ...], BeforeValidator(_one_or_several, json_schema_input_type=str | tuple[str, ...]), Field(min_length=1)
]


def _yes_or_no(value: Any) -> Any:
    words = {"yes": True, "no": False, "true": True, "false": False}
    return words.get(value.strip().lower(), value) if isinstance(value, str) else value


def hyphenated(value: Any) -> Any:
    """The text with `_` and spaces replaced by `-`, in lower case; other values unchanged."""
    return re.sub(r"[\s_]+", "-", value.strip().lower()) if isinstance(value, str) else value


def _archetype(value: Any) -> Any:
    """The article's words (`Source Oriented`) and ours (`source-aligned`) mean the same."""
    plain = hyphenated(value)
    return plain.replace("oriented", "aligned") if isinstance(plain, str) else plain


def _cron(text: str) -> str:
    if len(text.split()) != 5 or not croniter.is_valid(text):
        raise ValueError(f'"{text}" is not a cron expression; write minute hour day month weekday, such as "0 5 * * *"')
    if not _ever_comes(text):
        raise ValueError(f'"{text}" names a time that never comes, such as 30 February; write one such as "0 5 * * *"')
    return text


def _ever_comes(cron: str) -> bool:
    """29 February may be eight years away, at the turn of a century; a date that does not come by then never does.

    The weekday is left out: cron takes it for a further choice beside the day, and Dagster refuses 30 February all the same.
    """
    date = " ".join((*cron.split()[:4], "*"))
    try:
        croniter(date, datetime(2024, 1, 1, tzinfo=UTC), max_years_between_matches=8).get_next()
    except CroniterBadDateError:
        return False
    return True


def _timezone(text: str) -> str:
    if text not in time_zones():
        raise ValueError(f'unknown time zone "{text}"; write an IANA name such as Europe/Berlin or UTC', did_you_mean(text, time_zones()))
    return text


@cache
def time_zones() -> frozenset[str]:
    """The IANA names that this machine knows; Python looks through hundreds of files to answer this."""
    return frozenset(available_timezones())


def _version(written: Any) -> Any:
    """YAML takes 1.10 for the number 1.1, which tells more by what was written."""
    return str(Version.parse(getattr(written, "written", "") or str(written)))


def _version_range(written: Any) -> Any:
    """YAML reads 1.10 as the number 1.1, so a number with a point cannot be trusted."""
    if isinstance(written, float):
        text = getattr(written, "written", "") or str(written)
        raise ValueError(f'{text} is a number to YAML, which takes 1.10 for 1.1; write the version in quotes: "{text}"')
    return str(VersionRange.parse(str(written)))


_YES_OR_NO = bool | Annotated[str, Field(pattern=any_case("yes", "no", "true", "false"))]
YesNo = Annotated[bool, BeforeValidator(_yes_or_no, json_schema_input_type=_YES_OR_NO)]
Cron = Annotated[str, AfterValidator(_cron)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
VersionText = Annotated[str, BeforeValidator(_version, json_schema_input_type=Annotated[str, Field(examples=["1.0.0"])])]
VersionRangeText = Annotated[str, BeforeValidator(_version_range, json_schema_input_type=str | int)]

_ARCHETYPES = Literal["source-aligned", "aggregate", "consumer-aligned"]
_ARCHETYPE_WORDS = any_case("source-aligned", "source-oriented", "aggregate", "consumer-aligned", "consumer-oriented")
_CLASSES = Literal["metric", "building-block"]
Archetype = Annotated[
    _ARCHETYPES, BeforeValidator(_archetype, json_schema_input_type=_ARCHETYPES | Annotated[str, Field(pattern=_ARCHETYPE_WORDS)])
]
Class = Annotated[
    _CLASSES,
    BeforeValidator(hyphenated, json_schema_input_type=_CLASSES | Annotated[str, Field(pattern=any_case("metric", "building-block"))]),
]


def _role_name(text: str) -> str:
    if not IDENTIFIER.fullmatch(text):
        raise ValueError(f'"{text}" is not the name of a role; use letters, digits and _')
    return text


def _class_name(text: str) -> str:
    if not _CLASS_NAME.fullmatch(text):
        raise ValueError(f'"{text}" is not the name of a class; use lower case letters, digits, - and _, beginning with a letter')
    return text


_CLASS_NAME = re.compile(r"^[a-z][a-z0-9_-]*$")
# Which there are is the mesh's to say, in governance.yaml.
_CLASS_EXAMPLES = ["public", "internal", "personal", "sensitive"]
Classification = Annotated[
    str, AfterValidator(_class_name), Field(json_schema_extra={"pattern": _CLASS_NAME.pattern, "examples": _CLASS_EXAMPLES})
]
ColumnName = Annotated[str, AfterValidator(column_name), Field(json_schema_extra={"pattern": PATTERN})]
RoleName = Annotated[str, AfterValidator(_role_name), Field(json_schema_extra={"pattern": IDENTIFIER.pattern})]

_EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}"
_OWNER = re.compile(rf"^(team:[A-Za-z0-9_-]+|{_EMAIL})$")


def is_email(text: str) -> bool:
    """Whether the text has the form of an e-mail address."""
    return re.fullmatch(_EMAIL, text) is not None


def is_owner(text: str) -> bool:
    """Whether the text may stand for an owner."""
    return _OWNER.fullmatch(text) is not None


def _owner(text: str) -> str:
    if not is_owner(text):
        raise ValueError(f'"{text}" is not an owner; write an e-mail address or team:name')
    return text


ColumnType = Annotated[str, AfterValidator(type_name)]


def _signer(text: str) -> str:
    if text in ("business", "technical") or is_owner(text):
        return text
    raise ValueError(f'"{text}" is nobody who signs; write business, technical, an e-mail address or team:name')


# Who signs something off: the product's business or technical owner, or somebody who is named.
Signer = Annotated[str, AfterValidator(_signer)]
Owner = Annotated[str, AfterValidator(_owner), Field(json_schema_extra={"pattern": _OWNER.pattern})]


def _dbt_test(test: Any) -> Any:
    """Planning relies on this form: a name, or one name with a mapping of arguments."""
    if isinstance(test, str) and test.strip():
        return test
    if isinstance(test, dict) and len(test) == 1 and isinstance(next(iter(test.values())), dict | None):
        return test
    raise ValueError("a dbt test is its name, such as unique, or its name with arguments: {accepted_values: {values: [a, b]}}")


DbtTest = Annotated[str | dict[str, dict[str, Any] | None], BeforeValidator(_dbt_test, json_schema_input_type=str | dict[str, Any])]


def _length(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return duration(value)
    raise ValueError(f"{value!r} has no unit; write a duration such as 90m, 36h or 20d")


Duration = Annotated[
    timedelta,
    BeforeValidator(_length),
    PlainSerializer(duration_text),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[smhdw]\s*$", "examples": ["36h", "20d"]}),
]
