"""What consumers expect of a product beyond what it promises: proposed as an edit of product.yaml, accepted or declined by its owner."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from platform_resources.access.grants import NotAllowed
from platform_resources.capabilities.registry import Registry
from platform_resources.contracts.expectation import Expectation
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.review_store import expectation_named, expectations_of, note_decision, propose
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.scaffolding.patches import changed_file_patch
from platform_resources.services.migrating.yaml_edits import with_item
from platform_resources.services.releases.contract_sources import contracts_in
from platform_resources.spec.problems import problems_text
from platform_resources.spec.reading import ProductReading, read_product
from platform_resources.spec.values.grantees import is_same, subject

LONGEST_PURPOSE, LONGEST_TITLE, LONGEST_SETTINGS = 1000, 200, 4000
UNWRITTEN = "the fields have a value that cannot be written; write one a line, such as at_least: 95"
# So many proposals of one person may wait; who has more to say talks with the owner.
MOST_WAITING = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """A promise that somebody wants of a product: its name, the fields of its component, for whom and what for."""

    product: str
    title: str
    settings: Mapping[str, Any]
    person: str
    purpose: str

    @property
    def component(self) -> dict[str, Any]:
        """What product.yaml would say of it."""
        said = {"description": f"Expected by {self.person}: {self.purpose}", **self.settings}
        return {"name": self.title, "type": "service-level-asset", "properties": said}


@dataclass(frozen=True, slots=True)
class Drafted:
    """A component in its product.yaml: the file before and after, and the product and the objective as planned with it."""

    file: str
    before: str
    after: str
    product: ProductPlan
    objective: ObjectivePlan

    @property
    def patch(self) -> str:
        """The edit, for `git apply`."""
        return changed_file_patch(self.file, self.before, self.after)


def settings_of(text: str) -> dict[str, Any]:
    """The fields in a form, as YAML. Raises NotAllowed."""
    if len(text) > LONGEST_SETTINGS:
        raise NotAllowed(f"the fields are longer than {LONGEST_SETTINGS} characters")
    try:
        if any(isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken) for token in yaml.scan(text)):
            raise NotAllowed("the fields say each value where it belongs, without anchors, aliases and tags")
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", in line {mark.line + 1}" if mark is not None else ""
        raise NotAllowed(f"the fields are no YAML{where}: {getattr(error, 'problem', None) or 'they cannot be read'}") from error
    except (RecursionError, ValueError) as error:
        raise NotAllowed("the fields cannot be read; write one a line, such as at_least: 95") from error
    if not isinstance(fields, dict) or not fields:
        raise NotAllowed("write the fields one a line, such as dimension: completeness")
    return {str(name): value for name, value in fields.items()}


def checked_wish(wish: Wish) -> Wish:
    """The wish with its texts in order. Raises NotAllowed for what is missing."""
    title, purpose = " ".join(wish.title.split()), " ".join(wish.purpose.split())
    for text, longest, what in (
        (title, LONGEST_TITLE, "give the expectation a name"),
        (purpose, LONGEST_PURPOSE, "say what the expectation is for, its owner decides by that"),
    ):
        if not text or len(text) > longest or not text.isprintable():
            raise NotAllowed(f"{what}, in at most {longest} characters")
    try:
        subject(wish.person)
    except ValueError as error:
        raise NotAllowed(str(error)) from error
    try:
        settings = json.loads(json.dumps(dict(wish.settings), default=str))  # YAML has dates, which the ledger keeps as texts
    except (RecursionError, ValueError, TypeError) as error:
        raise NotAllowed(UNWRITTEN) from error
    return Wish(wish.product, title, settings, wish.person, purpose)


def drafted(root: Path, product: ProductPlan, component: Mapping[str, Any]) -> Drafted:
    """The product with one more component, planned from all documents of the mesh. Writes nothing. Raises NotAllowed, CannotEdit."""
    file = product.place.file
    before = (root / file).read_text(encoding="utf-8")
    try:
        after = with_item(before, ("spec", "components"), dict(component))
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        raise NotAllowed(UNWRITTEN) from error
    there = contracts_in(root, partial(_read_instead, file, after))
    planned = there.plan.by_name.get(product.name)
    title = component["name"]
    objective = next((known for known in planned.objectives if known.check.title == title), None) if planned is not None else None
    wrong = tuple(problem for problem in there.problems if problem.file == file)
    if wrong or planned is None or objective is None:
        raise NotAllowed(
            f"{file} would have errors with it:\n{problems_text(wrong)}" if wrong else f"{product.name} cannot be planned with it"
        )
    return Drafted(file, before, after, planned, objective)


def _read_instead(file: str, after: str, text: str, name: str, registry: Registry) -> ProductReading:
    return read_product(after if name == file else text, name, registry)


def proposed(connection: Connection, wish: Wish, tried: str, now: datetime) -> Expectation:
    """Record what somebody expects. Raises NotAllowed where the same waits already, or too much of theirs."""
    waiting = [known for known in expectations_of(connection) if known.outcome == "proposed" and is_same(known.person, wish.person)]
    same = next((known for known in waiting if known.product == wish.product and known.title == wish.title), None)
    if same is not None:
        raise NotAllowed(f"this is proposed already, as {same.name}; its owner has not decided yet")
    if len(waiting) >= MOST_WAITING:
        raise NotAllowed(f"{MOST_WAITING} expectations of {wish.person} wait for their owners; wait for these first")
    new = Expectation("", wish.product, wish.title, wish.component, wish.purpose, wish.person, tried, now)
    return expectation_named(connection, propose(connection, new))


def accepted(root: Path, connection: Connection, product: ProductPlan, expectation: Expectation, by: str, now: datetime) -> Drafted:
    """Write it into product.yaml, to be committed. Raises NotAllowed, CannotEdit."""
    _may_decide(product, expectation, by)
    draft = drafted(root, product, expectation.component)
    (root / draft.file).write_text(draft.after, encoding="utf-8")
    note_decision(connection, expectation.name, "accepted", by, "", now)
    return draft


def declined(
    connection: Connection, product: ProductPlan, expectation: Expectation, by: str, why: str, now: datetime, *, vouched: bool = False
) -> None:
    """Say no, as an owner by name or as somebody who is `vouched` to decide; who proposed it is told the reason. Raises NotAllowed."""
    _may_decide(product, expectation, by, vouched)
    if not why.strip():
        raise NotAllowed(f"say why {expectation.name} is declined; {expectation.person} is told")
    note_decision(connection, expectation.name, "declined", by, why.strip(), now)


def _may_decide(product: ProductPlan, expectation: Expectation, by: str, vouched: bool = False) -> None:
    if expectation.outcome != "proposed":
        raise NotAllowed(f"{expectation.name} was {expectation.outcome} by {expectation.decided_by} before")
    if not vouched and product.owners and not any(is_same(by, owner) for owner in product.owners):
        owners = ", ".join(product.owners)
        raise NotAllowed(f"{by} does not decide about {product.name}; its owners do: {owners} (--by says who decides)")


def note_accepted(connection: Connection, products: Sequence[ProductPlan], now: datetime) -> None:
    """What stands in product.yaml by now, by whatever way it came there, is accepted."""
    promised = {product.name: {objective.check.title for objective in product.objectives} for product in products}
    for expectation in waiting(expectations_of(connection, promised)):
        if expectation.title in promised[expectation.product]:
            note_decision(connection, expectation.name, "accepted", "the owner of product.yaml", "", now)


def waiting(expectations: Iterable[Expectation]) -> list[Expectation]:
    """Those that nobody has decided on."""
    return [expectation for expectation in expectations if expectation.outcome == "proposed"]
