"""Retire a product: who still reads it, how long its notice runs, and each step from the archive to the storage."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from platform_resources.access.grants import Grant, GrantEvent, NotAllowed
from platform_resources.contracts.affected_consumers import AffectedConsumer, affected_consumers
from platform_resources.contracts.change import ContractChange
from platform_resources.contracts.planned_contract import contract_of
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.certifications import NEVER_ENDS, Certificate, grant_certificate, retirement
from platform_resources.ledger.people.grant_store import decide, grants_of
from platform_resources.plan import conventions
from platform_resources.plan.graph import ancestors
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.publications.published_versions import files_of, shelf
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.refresh.product_locks import locked
from platform_resources.refresh.views.served_versions import make_server_so, server_changes
from platform_resources.services.access.access_plan import WAIT_SECONDS, give_now, to_take
from platform_resources.services.access.reader_views import known_grants
from platform_resources.services.migrating.yaml_edits import with_value
from platform_resources.services.releases.archives import ArchiveDamaged, archive_of, damaged, write_archive
from platform_resources.services.releases.contract_sources import contracts_in
from platform_resources.services.releases.listeners import end_listeners, listeners
from platform_resources.services.releases.release_checks import consumptions
from platform_resources.services.showing.column_lineage import mesh_lineage
from platform_resources.spec.document import Document, Place, read_document
from platform_resources.spec.problems import problems_text
from platform_resources.spec.values.grantees import is_same
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.table_servers import ServingFailed
from platform_resources.warehouses.targets import serving_store, warehouse


class CannotRetire(Exception):
    """Raised where a step could not be done; says which and why. What was done before it stays done."""


@dataclass(frozen=True, slots=True)
class Retiring:
    """A product that is retired, or may be: in which mesh, and as of when."""

    root: Path
    state: Path
    ledger: Ledger
    plan: MeshPlan
    product: ProductPlan
    now: datetime

    @property
    def place(self) -> tuple[str, str]:
        """Its domain and its name."""
        return self.product.domain, self.product.name


@dataclass(frozen=True, slots=True)
class RetiringStep:
    """One step: what of it is still to be done (nothing: it is done), and how. Doing it a second time changes nothing."""

    name: str
    left: Callable[[Retiring], Sequence[str]]
    do: Callable[[Retiring], None]


@dataclass(frozen=True, slots=True)
class RetirementPlan:
    """What stands against it and what would be done. `pins` are versions kept for readers, by reader; `begun` is who has begun it."""

    product: str
    replacement: str
    notice: str
    readers: tuple[AffectedConsumer, ...]
    downstream: tuple[str, ...]
    pins: Mapping[str, str]
    steps: Mapping[str, tuple[str, ...]]
    archive: str
    begun: Certificate | None = None

    @property
    def obstacles(self) -> tuple[str, ...]:
        """Why it may not be retired without more ado; nothing once it has begun."""
        if self.begun is not None:
            return ()
        who = ", ".join(f"{reader.kind} {reader.name}" for reader in self.readers)
        return tuple(filter(None, (self.notice, f"it is still read: {who}" if who else "")))

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return not any(self.steps.values())


def retirement_plan(retiring: Retiring) -> RetirementPlan:
    """Look at everything that has to do with the product; changes nothing."""
    product, plan = retiring.product, retiring.plan
    with retiring.ledger.reading() as connection:
        lineage = mesh_lineage(retiring.state, plan)
        known = consumptions(connection, plan, lineage, [product.name], retiring.now, product.offers.grants)[product.name]
        begun = retirement(connection, product.name)
    gone = ContractChange("major", "structure", "the product is gone")
    readers = tuple(r for r in affected_consumers(contract_of(product, {}), gone, known) if r.name not in product.owners)
    below = ancestors(product.name, plan.downstream) - {reader.name for reader in readers}
    return RetirementPlan(
        product.name,
        product.info.replacement or "",
        _notice(product, retiring.now.date()),
        readers,
        tuple(sorted(name for name in below if plan.product(name).offers.retired is None)),
        shelf(retiring.state, *retiring.place).pins(),
        {step.name: tuple(step.left(retiring)) for step in STEPS},
        conventions.archive_folder(*retiring.place),
        begun,
    )


def _notice(product: ProductPlan, today: date) -> str:
    """That its notice still runs or has not begun; empty where it is over, or where nothing was promised."""
    info, contract = product.info, contract_of(product, {})
    days = f" ({contract.notice_days:g} days are promised)" if contract.notice_days else ""
    ends = [end for end in (info.end_date, *(port.end_date for port in product.outputs)) if end is not None]
    last = max(ends, default=None)
    if last is not None and last > today:
        return f"its notice runs until {last}, for {(last - today).days} more days{days}"
    if contract.is_binding and (info.lifecycle == "production" or last is None):
        return f"its notice has not begun{days}"
    return ""


def begin(retiring: Retiring, plan: RetirementPlan, person: str, why: str, although: str) -> None:
    """Note who retires the product and why, if nobody has begun. Raises NotAllowed where it may not be, or not by this person."""
    owners = retiring.product.owners
    whom = f"its owners retire it: {', '.join(owners) or 'it has none'} (--by says who)"
    if plan.begun is not None:
        return
    if not any(is_same(person, owner) for owner in owners):
        raise NotAllowed(f"{person} does not own {plan.product}; {whom}")
    if not why.strip():
        raise NotAllowed(f"say why {plan.product} is retired: its page says it from then on (--why)")
    if plan.obstacles and not although.strip():
        raise NotAllowed(
            f"{plan.product} is not retired: {'; '.join(plan.obstacles)}. Announce its end in {retiring.product.place.file} by lifecycle: "
            "deprecated, replacement and end_date, and wait until it is over and nobody reads it; or say --although REASON: it is recorded"
        )
    against = (f"{'; '.join(plan.obstacles)}: {although.strip()}",) if plan.obstacles else ()
    signed = Certificate(plan.product, person, why.strip(), retiring.now, NEVER_ENDS, (plan.archive, *against), stage="retired")
    with retiring.ledger.writing() as connection:
        grant_certificate(connection, signed)


def retire(retiring: Retiring) -> Iterator[str]:
    """Do what is left, step by step, and name each step that was done. A process that dies goes on where it was. Raises CannotRetire."""
    for step in STEPS:
        if step.left(retiring):
            try:
                step.do(retiring)
            except (ServingFailed, SettingInvalid, VersionsUnreadable, EngineError) as error:
                raise CannotRetire(f"{step.name}: {error}") from error
            if still := step.left(retiring := _read_again(retiring)):
                raise CannotRetire(f"{step.name}: {'; '.join(still)}")
            yield step.name


def _read_again(retiring: Retiring) -> Retiring:
    plan, problems = read_plan(retiring.root)
    if retiring.product.name not in plan.by_name:
        raise CannotRetire(f"{retiring.product.place.file} cannot be read now:\n{problems_text(problems)}")
    return replace(retiring, plan=plan, product=plan.product(retiring.product.name))


def _unarchived(retiring: Retiring) -> list[str]:
    latest, archive = shelf(retiring.state, *retiring.place).latest(), archive_of(retiring.state, *retiring.place)
    if archive is not None and (latest is None or latest.id == archive.version) and not damaged(retiring.state, archive):
        return []
    what = f"version {latest.id} as Parquet" if latest is not None else "no data, since nothing is published"
    return [f"{what}; the contract as ODPS and ODCS, product.yaml and the scores go to {conventions.archive_folder(*retiring.place)}"]


def _archive(retiring: Retiring) -> None:
    """An archive of what is not published any more is not replaced by one without it."""
    with locked(retiring.state, retiring.product, WAIT_SECONDS), retiring.ledger.reading() as connection:
        archive = archive_of(retiring.state, *retiring.place)
        if archive is not None and archive.version and shelf(retiring.state, *retiring.place).latest() is None:
            _refuse_without_archive(retiring)
        write_archive(connection, retiring.root, retiring.state, retiring.product, retiring.now)


def _scheduled(retiring: Retiring) -> list[str]:
    stage = retiring.product.info.lifecycle
    return [] if stage == "retired" else [f"{retiring.product.place.file} says lifecycle: {stage}, so it is refreshed"]


def _unschedule(retiring: Retiring) -> None:
    """Without a lifecycle that runs there are no jobs, schedules and sensors of it. A document that would have errors stays as it is."""
    file = retiring.root / retiring.product.place.file
    text = file.read_text(encoding="utf-8")
    document = read_document(text, retiring.product.place.file)
    if not isinstance(document, Document):
        raise CannotRetire(str(document))
    part = file.with_name(f".{file.name}.part")
    part.write_text(with_value(text, _place_of_lifecycle(document), "retired"), encoding="utf-8")
    os.replace(part, file)
    if wrong := [problem for problem in contracts_in(retiring.root).problems if problem.file == retiring.product.place.file]:
        file.write_text(text, encoding="utf-8")
        raise CannotRetire(f"{retiring.product.place.file} is as it was, since it would have these errors:\n{problems_text(wrong)}")


def _place_of_lifecycle(document: Document) -> Place:
    components = document.data["spec"]["components"]
    at = next(at for at, component in enumerate(components) if component["type"] == "data-product")
    wrapped = isinstance(components[at].get("properties", {}).get("lifecycle"), dict)
    return ("spec", "components", at, "properties", "lifecycle", *(("value",) if wrapped else ()))


def _granted(retiring: Retiring) -> list[str]:
    with retiring.ledger.reading() as connection:
        live = _live_grants(grants_of(connection), retiring)
    recorded = [f"{grant.role} of {grant.subject} ({grant.name})" for grant in live]
    written = [f"{grant.role} of {grant.subject}, in product.yaml" for grant in retiring.product.offers.grants]
    return [*recorded, *written, *to_take(retiring.state, retiring.plan, retiring.product.name, retiring.now)]


def _live_grants(grants: Sequence[Grant], retiring: Retiring) -> list[Grant]:
    return [g for g in grants if g.product == retiring.product.name and g.state(retiring.now) in ("requested", "approved")]


def _take_grants(retiring: Retiring) -> None:
    """End what the ledger has; those in product.yaml ended with its stage. Then take away what followed from them."""
    name, now = retiring.product.name, retiring.now
    with retiring.ledger.writing() as connection:
        signed = retirement(connection, name)
        why = f"{name} {retiring.product.offers.retired}"
        live = _live_grants(grants_of(connection), retiring)
    person = signed.person if signed is not None else ""
    for grant in live:
        act = "rejected" if grant.state(now) == "requested" else "revoked"
        decide(retiring.ledger, grant.name, lambda asked, act=act: GrantEvent(asked.name, now, act, person, why))  # type: ignore[misc]
    if problems := give_now(retiring.state, retiring.plan, name, now):
        raise CannotRetire("; ".join(problems))


def _listening(retiring: Retiring) -> list[str]:
    with retiring.ledger.reading() as connection:
        return list(listeners(connection, retiring.product).texts)


def _end_listening(retiring: Retiring) -> None:
    with retiring.ledger.writing() as connection:
        signed = retirement(connection, retiring.product.name)
        # Those who heard of it until then are told: a clock that is behind that of who has begun it ends nobody before.
        end_listeners(connection, retiring.product, max(retiring.now, signed.since) if signed is not None else retiring.now)


def _published(retiring: Retiring) -> list[str]:
    shelves = shelf(retiring.state, *retiring.place)
    versions, folder = shelves.published(), files_of(retiring.state, *retiring.place).folder
    ports = ", ".join(port.name for port in retiring.product.outputs) or "none"
    own = [f"version {pinned} of {product}, pinned by it" for product, pinned in _own_pins(retiring)]
    files = any(file.is_file() and not file.name.startswith(".") for file in folder.rglob("*"))
    if versions or shelves.was_published() or files:
        return [f"{len(versions)} version{'s' if len(versions) != 1 else ''} of ports {ports}", *own]
    return own


def _own_pins(retiring: Retiring) -> Iterator[tuple[str, str]]:
    """What other products keep for it."""
    for port in retiring.product.inputs:
        if port.upstream is not None:
            pins = shelf(retiring.state, port.upstream.domain, port.upstream.product).pins()
            yield from ((port.upstream.product, version) for name, version in pins.items() if name.startswith(f"{retiring.product.name}."))


def _unpublish(retiring: Retiring) -> None:
    _refuse_without_archive(retiring)
    state, product, name = retiring.state, retiring.product, retiring.product.name
    if any(port.store.server is not None for port in product.outputs):
        serving_store()  # raises where nobody says which server it is taken from
    for port in product.inputs:
        if port.upstream is not None:
            shelf(state, port.upstream.domain, port.upstream.product).release_pins(lambda consumer: consumer.startswith(f"{name}."))
    known = known_grants(state)
    if problems := make_server_so(state, retiring.plan.products, server_changes(state, [product], known, retiring.now, retiring.plan)):
        raise CannotRetire("; ".join(problems))
    with locked(state, product, WAIT_SECONDS):
        if retiring.place in warehouse().products(state):
            warehouse().show(state, *retiring.place, ())
        shelf(state, *retiring.place).remove()


def _stored(retiring: Retiring) -> list[str]:
    there = retiring.place in warehouse().products(retiring.state)
    return [f"the product's database in {warehouse().kind}: {'/'.join(retiring.place)}"] if there else []


def _remove_storage(retiring: Retiring) -> None:
    _refuse_without_archive(retiring)
    with locked(retiring.state, retiring.product, WAIT_SECONDS):
        # The copy that machines share goes first: while there is one here, a process that dies in between is not done.
        shelf(retiring.state, *retiring.place).remove()
        warehouse().remove(retiring.state, *retiring.place)


def _refuse_without_archive(retiring: Retiring) -> None:
    archive = archive_of(retiring.state, *retiring.place)
    wrong = damaged(retiring.state, archive) if archive is not None else (conventions.archive_folder(*retiring.place),)
    if wrong:
        raise ArchiveDamaged(f"nothing more is removed, since the archive is not what was written: {', '.join(wrong)}; put it back")


# In this order: what runs ends before what it gives, and what is left of the data goes last.
STEPS = (
    RetiringStep("archive", _unarchived, _archive),
    RetiringStep("schedules", _scheduled, _unschedule),
    RetiringStep("grants", _granted, _take_grants),
    RetiringStep("listeners", _listening, _end_listening),
    RetiringStep("ports", _published, _unpublish),
    RetiringStep("storage", _stored, _remove_storage),
)
