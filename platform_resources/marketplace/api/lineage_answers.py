"""What the JSON of lineage consists of."""

from typing_extensions import TypedDict

from platform_resources.ledger.people.consumer_answers import ConsumerAnswer
from platform_resources.lineage.column_uses import Kind


class SourceData(TypedDict):
    """Where data comes from outside of the mesh."""

    name: str
    interface: str


class ConsumerData(TypedDict):
    """A known user outside of the mesh, and what it answered when it was asked last; null if it is not asked."""

    title: str
    kind: str
    owner: str | None
    answer: ConsumerAnswer | None


class ColumnUseData(TypedDict):
    """A column on the way, how it is used, and how many steps away it is."""

    product: str
    place: str
    column: str
    how: Kind
    distance: int


class ColumnWaysData(TypedDict):
    """The next columns outside of the product; `unknown` says why it is not known what the column is made from."""

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
    """Where the way ends without being at its end, and why."""

    place: str
    why: str


class ColumnLineageData(TypedDict):
    """What a column is made from over all steps, and whom a change of it concerns."""

    column: ColumnPlaceData
    upstream: list[ColumnUseData]
    downstream: list[ColumnUseData]
    consumers: list[ColumnConsumerData]
    unknown: list[NotKnownData]
