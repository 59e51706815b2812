"""The fields of every built-in component type: what a domain team may write under `properties`."""

import re
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from croniter import croniter
from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, field_validator, model_validator

from platform_resources.spec.durations import Duration
from platform_resources.spec.names import IDENTIFIER, any_case
from platform_resources.spec.problems import did_you_mean
from platform_resources.spec.strict import Strict
from platform_resources.spec.versions import Version, VersionRange

Lifecycle = Literal["proposed", "draft", "production", "deprecated", "retired"]
Classification = Literal["public", "internal", "personal", "sensitive"]
Percent = Annotated[float, Field(ge=0, le=100)]
Text = Annotated[str, Field(min_length=1)]


def _yes_or_no(value: Any) -> Any:
    words = {"yes": True, "no": False, "true": True, "false": False}
    return words.get(value.strip().lower(), value) if isinstance(value, str) else value


def _hyphenated(value: Any) -> Any:
    return re.sub(r"[\s_]+", "-", value.strip().lower()) if isinstance(value, str) else value


def _archetype(value: Any) -> Any:
    """The article's words (`Source Oriented`) and ours (`source-aligned`) mean the same."""
    plain = _hyphenated(value)
    return plain.replace("oriented", "aligned") if isinstance(plain, str) else plain


def _cron(text: str) -> str:
    if len(text.split()) != 5 or not croniter.is_valid(text):
        raise ValueError(f'"{text}" is not a cron expression; write minute hour day month weekday, such as "0 5 * * *"')
    return text


def _timezone(text: str) -> str:
    if text not in _timezones():
        raise ValueError(f'unknown time zone "{text}"; write an IANA name such as Europe/Berlin or UTC', did_you_mean(text, _timezones()))
    return text


@cache
def _timezones() -> frozenset[str]:
    """Python looks through hundreds of files to answer this."""
    return frozenset(available_timezones())


def _version(written: Any) -> Any:
    return str(Version.parse(str(written)))


def _version_range(written: Any) -> Any:
    """YAML reads 1.10 as the number 1.1, so a number with a point cannot be trusted."""
    if isinstance(written, float):
        raise ValueError(f'{written} is a number to YAML, which takes 1.10 for 1.1; write the version in quotes: "{written}"')
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
    BeforeValidator(_hyphenated, json_schema_input_type=_CLASSES | Annotated[str, Field(pattern=any_case("metric", "building-block"))]),
]


def _column_name(text: str) -> str:
    if not IDENTIFIER.match(text):
        raise ValueError(f'"{text}" is not a column name; use letters, digits and _')
    return text


ColumnName = Annotated[str, AfterValidator(_column_name), Field(json_schema_extra={"pattern": IDENTIFIER.pattern})]
SIMPLE_TYPES = (
    "bigint", "blob", "boolean", "date", "decimal", "double", "float", "hugeint", "integer", "interval", "json",
    "smallint", "time", "timestamp", "timestamptz", "tinyint", "ubigint", "uinteger", "uuid", "varchar",
)  # fmt: skip
_TYPE = re.compile(rf"^({'|'.join(SIMPLE_TYPES)})(\(\s*\d+\s*(,\s*\d+\s*)?\))?(\[\])*$")


# Words of other databases and languages for types; only the ones above are used, so that a type has one name in the mesh.
_OTHER_TYPE_WORDS = {
    "string": "varchar", "text": "varchar", "char": "varchar", "int": "integer", "int32": "integer", "int64": "bigint", "long": "bigint",
    "number": "decimal(18,2)", "numeric": "decimal(18,2)", "real": "float", "float64": "double", "bool": "boolean",
    "datetime": "timestamp", "timestamp_tz": "timestamptz", "timestampwithtimezone": "timestamptz", "bytes": "blob", "binary": "blob",
}  # fmt: skip


def _column_type(text: str) -> str:
    plain = re.sub(r"\s+", "", text.lower())
    if not _TYPE.match(plain):
        meant = _OTHER_TYPE_WORDS.get(plain) or did_you_mean(plain, SIMPLE_TYPES)
        hint = f'did you mean "{meant}"?' if plain in _OTHER_TYPE_WORDS else meant
        raise ValueError(
            f'unknown column type "{text}"; known: {", ".join(SIMPLE_TYPES)}; also decimal(18,2), and varchar[] for a list', hint
        )
    return plain


_OWNER = re.compile(r"^(team:[A-Za-z0-9_-]+|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7})$")


def _owner(text: str) -> str:
    if not _OWNER.match(text):
        raise ValueError(f'"{text}" is not an owner; write an e-mail address or team:name')
    return text


Owner = Annotated[str, AfterValidator(_owner), Field(json_schema_extra={"pattern": _OWNER.pattern})]


class Owners(Strict):
    """Who answers for a product: one business owner and one technical owner, an e-mail address or `team:name`."""

    business: Owner | None = None
    technical: Owner | None = None


class Support(Strict):
    """Where help is to be had."""

    channel: str | None = None
    runbook: str | None = None


class Refresh(Strict):
    """When a product is refreshed: whenever an input has a new version, or by the clock."""

    on: Literal["inputs"] | None = None
    cron: Cron | None = None
    timezone: TimeZone = "UTC"

    @model_validator(mode="after")
    def _one_of(self) -> "Refresh":
        if (self.on is None) == (self.cron is None):
            raise ValueError('write either {on: inputs} or {cron: "0 5 * * *", timezone: Europe/Berlin}')
        return self


class Domain(Strict):
    """The domain that the product belongs to; the component's name is the domain's."""

    description: str = ""


class DataProduct(Strict):
    """What the product is, who owns it, in which stage of its life it is and when it is refreshed."""

    title: str | None = None
    description: str = Field(default="", validation_alias=AliasChoices("description", "definition"))
    purpose: str = ""
    version: VersionText = "0.1.0"
    lifecycle: Lifecycle = "proposed"
    replacement: Text | None = None
    end_date: date | None = None
    archetype: Archetype | None = Field(default=None, validation_alias=AliasChoices("archetype", "data_product_type"))
    class_: Class = Field(default="building-block", alias="class")
    certified: YesNo = False
    criticality: Literal["low", "medium", "high"] = "medium"
    owners: Owners = Field(default=Owners(), validation_alias=AliasChoices("owners", "data_product_owner"))
    support: Support = Support()
    tags: tuple[str, ...] = ()
    refresh: Refresh | None = None
    keep_versions: Annotated[int, Field(ge=1, le=10_000)] = 7

    @field_validator("owners", mode="before", json_schema_input_type=Owners | str)
    @classmethod
    def _one_owner(cls, value: Any) -> Any:
        """The article names one owner, who is the business owner."""
        return {"business": value} if isinstance(value, str) else value


def _dbt_test(test: Any) -> Any:
    """Planning relies on this form: a name, or one name with a mapping of arguments."""
    if isinstance(test, str) and test.strip():
        return test
    if isinstance(test, dict) and len(test) == 1 and isinstance(next(iter(test.values())), dict | None):
        return test
    raise ValueError("a dbt test is its name, such as unique, or its name with arguments: {accepted_values: {values: [a, b]}}")


DbtTest = Annotated[str | dict[str, dict[str, Any] | None], BeforeValidator(_dbt_test, json_schema_input_type=str | dict[str, Any])]


class Column(Strict):
    """One promised column of a data set."""

    name: ColumnName
    type: Annotated[str, AfterValidator(_column_type)]
    description: str = ""
    nullable: YesNo = False
    unit: str | None = None
    classification: Classification = "internal"
    identifier: str | None = None
    tags: tuple[str, ...] = ()
    tests: tuple[DbtTest, ...] = ()


class DataSet(Strict):
    """One table that the product promises: its dbt model, key, and columns."""

    description: str = ""
    model: str | None = Field(default=None, validation_alias=AliasChoices("model", "table_name"))
    table_domain: str | None = None
    primary_key: tuple[ColumnName, ...] = ()
    updated_at: ColumnName | None = None
    owners: Owners = Owners()
    columns: tuple[Column, ...] = ()

    @field_validator("model", mode="before")
    @classmethod
    def _table(cls, value: Any) -> Any:
        """The article names the table in full, database and schema before it; the model is the last part."""
        return value.rsplit(".", 1)[-1] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _columns_are_known_and_once(self) -> "DataSet":
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if [n.lower() for n in names].count(name.lower()) > 1})
        if twice:
            raise ValueError(f"{' and '.join(twice)}: a column is given twice; capitals make no difference to a warehouse")
        return self


class InputPort(Strict):
    """What every input port may say; its `interface` adds its own fields."""

    interface: str | None = None
    description: str = ""
    on_failure: Literal["serve-last-good", "fail"] = "serve-last-good"
    max_staleness: Duration | None = None
    owner: Owner | None = None


class OutputPort(Strict):
    """What every output port may say; its `interface` adds its own fields."""

    interface: str | None = None
    description: str = ""
    data_set: str | None = None
    keep_versions: Annotated[int, Field(ge=1, le=10_000)] | None = None


class ServiceLevelAsset(Strict):
    """An objective: one promise about one dimension of one data set; its `dimension` adds its own fields."""

    dimension: Annotated[str, BeforeValidator(_hyphenated)]
    dimension_domain: str | None = None
    data_set: str | None = None
    description: str = ""
    gate: YesNo = False
    severity: Literal["error", "warning"] = "warning"


class AgreementRole(Strict):
    """What one role receives: classifications in the clear, classifications masked; everything else is left out."""

    role: ColumnName
    sees: tuple[Classification, ...] = ()
    masked: tuple[Classification, ...] = ()


class DataSharingAgreement(Strict):
    """The terms under which consumers receive the product."""

    description: str = ""
    purpose: str = ""
    terms: str = ""
    approval: Literal["automatic", "owner"] = "owner"
    duration: Duration | None = None
    notice_period: Duration | None = None
    roles: tuple[AgreementRole, ...] = ()


class SampleQuery(Strict):
    """A predefined query that shows what the product is good for."""

    port: Text
    sql: Text
    description: str = ""


class Consumer(Strict):
    """A known consumer outside the mesh: a dashboard, a model, an application."""

    kind: Literal["dashboard", "model", "application", "report"]
    uses: Annotated[tuple[str, ...], Field(min_length=1)]
    url: str | None = None
    owner: Owner | None = None
    description: str = ""
