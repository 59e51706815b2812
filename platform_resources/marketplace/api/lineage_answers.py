"""The JSON models of lineage."""

from typing_extensions import TypedDict

from platform_resources.ledger.people.consumer_answers import ConsumerAnswer
from platform_resources.lineage.column_uses import Kind


class SourceData(TypedDict):
    """Where data comes from outside of the mesh."""

    name: str
    interface: str


class ConsumerData(TypedDict):
    """A known consumer outside of the mesh, and its answer to the last probe; null if it is not probed."""

    title: str
    kind: str
    owner: str | None
    answer: ConsumerAnswer | None


class ColumnUseData(TypedDict):
    """A column along the lineage, how it is used, and its distance in steps."""

    product: str
    place: str
    column: str
    how: Kind
    distance: int


class ColumnWaysData(TypedDict):
    """The nearest columns outside of the product; `unknown` says why a column's origin is not known."""

    data_set: str
    column: str
    made_from: list[ColumnUseData]
    used_by: list[ColumnUseData]
    unknown: str | None


class LineageData(TypedDict):
    """What a product is made from, and who reads it."""

    reads: list[str]
    sources: list[SourceData]
    read_by: list[str]
    consumers: list[ConsumerData]
    columns: list[ColumnWaysData]


class ColumnPlaceData(TypedDict):
    """A column of a model, `inputs/PORT`, `outputs/PORT` or `sources/PORT`."""

    product: str
    place: str
    column: str


class ColumnConsumerData(TypedDict):
    """A known user of a port that has the column."""

    product: str
    name: str
    kind: str
    owner: str | None


class NotKnownData(TypedDict):
    """Where the lineage cannot be followed further, and why."""

    place: str
    why: str


class ColumnLineageData(TypedDict):
    """Everything a column is made from, and everything a change of it affects."""

    column: ColumnPlaceData
    upstream: list[ColumnUseData]
    downstream: list[ColumnUseData]
    consumers: list[ColumnConsumerData]
    unknown: list[NotKnownData]
