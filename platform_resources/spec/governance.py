"""What governance.yaml says for the whole mesh: the company's classes of data, its global identifiers, its policies and its terms."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from platform_resources.spec.agreements import DataSharingAgreement
from platform_resources.spec.components import DataSet
from platform_resources.spec.data_classes import STANDARD_CLASSES, DataClass, class_named
from platform_resources.spec.document import Document, read_document
from platform_resources.spec.plain_fields import ReadableFields, readable_fields
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import Declared, Product
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import ColumnName, ColumnType, Lifecycle, Owner, Signer, Text
from platform_resources.spec.values.names import NAME, is_name

Level = Literal["error", "warn"]


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f'"{text}" is not a name; use lower case letters, digits and _, beginning with a letter')
    return text


Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": NAME.pattern})]


class Identifier(Strict):
    """What the whole company calls one thing by: its type, how its values look, and the product and column that own it.

    `format` is a regular expression for the whole value. `data_set` may be left out where the product has one.
    """

    name: Name
    description: str = ""
    type: ColumnType
    format: str = ""
    product: Name
    data_set: Text | None = None
    column: ColumnName
    join_rate: Annotated[float, Field(ge=0, le=100)] = 100


class Term(Strict):
    """A word of the company that products and columns are tagged with, and what it means."""

    name: Text
    description: Text


class Exemption(Strict):
    """A product that need not fulfil a policy for a while: until when, who answers for it, and why."""

    product: Name
    until: date
    owner: Owner
    reason: Text


class PolicySetting(Strict):
    """How strictly one policy holds, in these domains or everywhere, and who is exempt from it."""

    policy: Text
    level: Level | None = None
    domains: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    exemptions: tuple[Exemption, ...] = ()


class StageSetting(Strict):
    """What a product needs in one stage of its life: policies and criteria of the score, and the signatures of these persons.

    `business` and `technical` are the product's own owners.
    """

    stage: Lifecycle
    needs: tuple[Text, ...] = ()
    signed_by: tuple[Signer, ...] = ()


class Governance(Strict):
    """The rules of the company. The first class is the least restricted."""

    classes: Annotated[tuple[DataClass, ...], Field(min_length=1)] = STANDARD_CLASSES
    identifiers: tuple[Identifier, ...] = ()
    policies: tuple[PolicySetting, ...] = ()
    terms: tuple[Term, ...] = ()
    stages: tuple[StageSetting, ...] = ()

    def needed(self, stage: Lifecycle) -> tuple[str, ...]:
        """What governance.yaml requires of products in a stage."""
        return tuple(name for setting in self.stages if setting.stage == stage for name in setting.needs)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the mesh's classes, the least restricted first."""
        return tuple(data_class.name for data_class in self.classes)

    def identifier(self, name: str | None) -> Identifier | None:
        """The identifier of this name; None if there is none."""
        return next((known for known in self.identifiers if known.name == name), None)


@dataclass(frozen=True, slots=True)
class GovernanceReading:
    """What could be read of governance.yaml, and every problem with it.

    Where its classes cannot be read, `classes_are_known` is false: nobody can tell then who may see what. `policy_places` are the
    places in the document's list of those policies that could be read; the others so of theirs.
    """

    governance: Governance = field(default_factory=Governance)
    problems: tuple[Problem, ...] = ()
    document: Document | None = None
    classes_are_known: bool = True
    identifier_places: tuple[int, ...] = ()
    policy_places: tuple[int, ...] = ()
    stage_places: tuple[int, ...] = ()


def read_governance(text: str, file: str) -> GovernanceReading:
    """Read governance.yaml. Never raises for what the text says; a bad identifier, policy or term invalidates no other."""
    document = read_document(text, file)
    if isinstance(document, Problem):
        return GovernanceReading(problems=(document,), classes_are_known=False)
    fields = readable_fields(document, Governance, ("identifiers", "policies", "terms", "stages"))
    known = isinstance(document.data, dict) and ("classes",) not in fields.broken
    governance = Governance.model_validate(fields.data)
    identifiers, policies, stages = (_places(fields, name, document) for name in ("identifiers", "policies", "stages"))
    return GovernanceReading(governance, fields.problems, document, known, identifiers, policies, stages)


def _places(fields: ReadableFields, name: str, document: Document) -> tuple[int, ...]:
    """Where in the list those entries stand that could be read."""
    written = document.data[name] if name in fields.data else ()
    return tuple(at for at in range(len(written)) if (name, at) not in fields.broken)


def governed(product: Product, governance: Governance) -> Product:
    """The product under these classes: each column and each masked class of a role with what holds for it."""
    data_sets = tuple(replace(data_set, config=_data_set(data_set.config, governance.classes)) for data_set in product.data_sets)
    agreements = tuple(replace(agreement, config=_agreement(agreement, governance.classes)) for agreement in product.agreements)
    return replace(product, data_sets=data_sets, agreements=agreements)


def _data_set(data_set: DataSet, classes: Sequence[DataClass]) -> DataSet:
    return data_set.model_copy(update={"columns": tuple(column.governed(classes) for column in data_set.columns)})


def _agreement(agreement: Declared[DataSharingAgreement], classes: Sequence[DataClass]) -> DataSharingAgreement:
    roles = (
        role.model_copy(update={"masks": {**{name: class_named(name, classes).mask for name in role.masked}, **role.masks}})
        for role in agreement.config.roles
    )
    return agreement.config.model_copy(update={"roles": tuple(roles)})
