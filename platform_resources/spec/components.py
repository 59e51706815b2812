"""The fields of every built-in component type: what a domain team may write under `properties`."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from platform_resources.spec.data_classes import DataClass, class_named
from platform_resources.spec.notifications import Incidents, Route
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.field_types import (
    UNCLASSIFIED,
    Archetype,
    Class,
    Classification,
    ColumnName,
    ColumnType,
    Cron,
    DbtTest,
    Duration,
    FormerNames,
    Lifecycle,
    Owner,
    Text,
    TimeZone,
    VersionText,
    YesNo,
    hyphenated,
)
from platform_resources.spec.values.missing_values import is_number, missing_value
from platform_resources.spec.values.written_values import AS_WRITTEN, misread, plain_values


class Owners(Strict):
    """Who answers for a product: one business owner and one technical owner, an e-mail address or `team:name`."""

    business: Owner | None = None
    technical: Owner | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The business owner before the technical one, each once."""
        return tuple(dict.fromkeys(owner for owner in (self.business, self.technical) if owner))


class Support(Strict):
    """Where consumers get help: a channel and a runbook."""

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
    domain_access: YesNo = True
    criticality: Literal["low", "medium", "high"] = "medium"
    owners: Owners = Field(default=Owners(), validation_alias=AliasChoices("owners", "data_product_owner"))
    support: Support = Support()
    tags: tuple[str, ...] = ()
    refresh: Refresh | None = None
    keep_versions: Annotated[int, Field(ge=1, le=10_000)] = 7
    renamed_from: FormerNames | None = None
    routes: tuple[Route, ...] = ()
    incidents: Incidents | None = None

    @field_validator("owners", mode="before", json_schema_input_type=Owners | str)
    @classmethod
    def _one_owner(cls, value: Any) -> Any:
        """The article names one owner, who is the business owner."""
        return {"business": value} if isinstance(value, str) else value


Missing = Annotated[tuple[Annotated[bool | int | float | str, AS_WRITTEN], ...], Field(min_length=1)] | None


def _missing(values: tuple[Any, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
    """Values that say nothing, as a database reads them as values of the column's type."""
    kind = info.data.get("type")
    if values is None or kind is None:
        return None
    for message, hint in misread((value for value in values if not isinstance(value, bool)), kind, is_number(kind)):
        raise ValueError(message, hint)
    return tuple(missing_value(value, kind) for value in values)


def _accepted(test: dict[str, Any]) -> Any:
    """The values of a test accepted_values, in the shorter or the longer form of dbt."""
    arguments = test.get("arguments")
    return test.get("values", arguments.get("values") if isinstance(arguments, dict) else None)


class Column(Strict):
    """One promised column of a data set. `rule` is what holds for its class in this mesh."""

    name: ColumnName
    type: ColumnType
    description: str = ""
    nullable: YesNo = False
    missing: Missing = None
    unit: str | None = None
    classification: Classification = UNCLASSIFIED
    declassified: Text | None = None
    identifier: str | None = None
    join_rate: Annotated[float, Field(ge=0, le=100)] | None = None
    tags: tuple[str, ...] = ()
    tests: tuple[DbtTest, ...] = ()
    renamed_from: FormerNames | None = None
    _rule: DataClass | None = PrivateAttr(None)

    @property
    def rule(self) -> DataClass:
        """The class of data of the column, with what readers receive of it."""
        return self._rule or class_named(self.classification)

    @property
    def shown(self) -> bool:
        """Whether its values may be told: in samples, profiles, reasons and errors."""
        return self.rule.values == "shown"

    def governed(self, classes: Sequence[DataClass]) -> "Column":
        """The column where these are the classes of the mesh."""
        column = self.model_copy()
        column._rule = class_named(self.classification, classes)
        return column

    def inheriting(self, rule: DataClass | None) -> "Column":
        """The column with this class, if there is one, whatever it says itself."""
        return self if rule is None else self.model_copy(update={"classification": rule.name}).governed((rule,))

    @field_validator("tests", mode="before")
    @classmethod
    def _values_are_as_written(cls, tests: Any, info: ValidationInfo) -> Any:
        """dbt puts accepted values in quotes, so what YAML made of them would be compared with text."""
        kind = str(info.data.get("type"))
        for test in tests if isinstance(tests, list | tuple) else ():
            arguments = test.get("accepted_values") if isinstance(test, dict) else None
            values = _accepted(arguments) if isinstance(arguments, dict) else None
            for message, hint in misread(values if isinstance(values, list) else (), kind, is_number(kind)):
                raise ValueError(f"accepted_values: {message}", hint)
        return plain_values(tests)

    @field_validator("missing")
    @classmethod
    def _missing_values(cls, values: tuple[Any, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        return _missing(values, info)


def _refuse_twice(names: Sequence[str]) -> None:
    times = Counter(map(folded_column, names))
    twice = sorted({name for name in names if times[folded_column(name)] > 1})
    if twice:
        raise ValueError(f"{' and '.join(twice)}: a column is given twice; capitals make no difference to a warehouse")


class DataSet(Strict):
    """One table that the product promises: its dbt model, key, and columns."""

    description: str = ""
    model: str | None = Field(default=None, validation_alias=AliasChoices("model", "table_name"))
    table_domain: str | None = None
    primary_key: tuple[ColumnName, ...] = ()
    updated_at: ColumnName | None = None
    partition_by: ColumnName | None = None
    profile: YesNo = True
    retention: Duration | None = None
    owners: Owners = Owners()
    classification: Classification = UNCLASSIFIED
    renamed_from: FormerNames | None = None
    columns: tuple[Column, ...] = ()

    @field_validator("model", mode="before")
    @classmethod
    def _table(cls, value: Any) -> Any:
        """The article names the table in full, database and schema before it; the model is the last part."""
        return value.rsplit(".", 1)[-1] if isinstance(value, str) else value

    @field_validator("columns")
    @classmethod
    def _classified_as_the_data_set(cls, columns: tuple[Column, ...], info: ValidationInfo) -> tuple[Column, ...]:
        """A column that does not say its classification has the data set's."""
        _refuse_twice([column.name for column in columns])
        said = {"classification": info.data.get("classification", UNCLASSIFIED)}
        return tuple(c if "classification" in c.model_fields_set else c.model_copy(update=said) for c in columns)


class InputColumn(Strict):
    """One column that a source has to deliver, what it is called there, and which of its values say nothing."""

    name: ColumnName
    type: ColumnType
    nullable: YesNo = False
    from_: ColumnName | None = Field(default=None, alias="from")
    null_values: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    missing: Missing = None
    hidden: YesNo | None = None

    @field_validator("missing")
    @classmethod
    def _missing_values(cls, values: tuple[Any, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        return _missing(values, info)

    @property
    def source_name(self) -> str:
        """The column's name in the source."""
        return self.from_ or self.name


class InputPort(Strict):
    """What every input port may say; its `interface` adds its own fields."""

    interface: str | None = None
    description: str = ""
    on_failure: Literal["serve-last-good", "fail"] = "serve-last-good"
    max_staleness: Duration | None = None
    owner: Owner | None = None
    renamed_from: FormerNames | None = None
    columns: tuple[InputColumn, ...] = ()
    bad_rows: Literal["refuse", "quarantine"] = "refuse"

    @field_validator("columns")
    @classmethod
    def _columns_once(cls, columns: tuple[InputColumn, ...]) -> tuple[InputColumn, ...]:
        _refuse_twice([column.name for column in columns])
        _refuse_twice([column.source_name for column in columns])
        return columns

    @model_validator(mode="after")
    def _quarantine_needs_a_contract(self) -> "InputPort":
        if self.bad_rows == "quarantine" and not self.columns:
            raise ValueError("bad_rows: quarantine needs columns, which say what a good row is")
        return self


class OutputPort(Strict):
    """What every output port may say; its `interface` adds its own fields."""

    interface: str | None = None
    description: str = ""
    data_set: str | None = None
    keep_versions: Annotated[int, Field(ge=1, le=10_000)] | None = None
    retention: Duration | None = None
    version: VersionText | None = None
    replacement: Text | None = None
    end_date: date | None = None
    renamed_from: FormerNames | None = None

    @property
    def is_ending(self) -> bool:
        """Whether its readers are to move to another port."""
        return (self.version or self.replacement or self.end_date) is not None


class ServiceLevelAsset(Strict):
    """An objective: one promise about one dimension, of one data set or of the whole product; its `dimension` adds its own fields."""

    dimension: Annotated[str, BeforeValidator(hyphenated)]
    dimension_domain: str | None = None
    data_set: str | None = None
    description: str = ""
    gate: YesNo = False
    severity: Literal["error", "warning"] = "warning"
    business_target: YesNo = False
    renamed_from: FormerNames | None = None
    warn: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _levels_weigh(self) -> "ServiceLevelAsset":
        written = self.model_fields_set & {"severity", "business_target"}
        empty = [level for level in ("warn", "error") if getattr(self, level) == {}]
        if empty:
            raise ValueError(f"{empty[0]} is empty; write what differs, such as {empty[0]}: {{at_least: 90}}, or take it away")
        if (self.warn is not None or self.error is not None) and written:
            raise ValueError(f"warn and error say how a miss weighs; take {' and '.join(sorted(written))} away")
        return self

    @model_validator(mode="after")
    def _a_target_breaks_nothing(self) -> "ServiceLevelAsset":
        if self.business_target and (self.gate or self.severity == "error"):
            raise ValueError(
                "business_target: yes says that a miss tells nothing against the data, gate: yes and severity: error that it does; "
                "take one of them away"
            )
        return self


class SampleQuery(Strict):
    """A predefined query that shows what the product is good for."""

    port: Text
    sql: Text
    description: str = ""


class Consumer(Strict):
    """A known consumer outside the mesh: a dashboard, a model, a notebook, an application."""

    kind: Literal["dashboard", "model", "notebook", "application", "report"]
    uses: Annotated[tuple[str, ...], Field(min_length=1)]
    url: str | None = None
    probe: bool = False
    owner: Owner | None = None
    description: str = ""

    @model_validator(mode="after")
    def _probe_has_an_address(self) -> "Consumer":
        if self.probe and not (self.url or "").startswith(("http://", "https://")):
            raise ValueError("probe: true asks the url whether it answers; give a url that begins with http:// or https://")
        return self
