"""Compare the access that readers have to published files with the access they should have, and apply the difference."""

import logging
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from platform_resources.access.grants import KnownGrants
from platform_resources.access.role_folders import AccessChange
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.grant_store import grants_of
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.tenancy import mesh_tenancy
from platform_resources.publications.published_versions import publishing, shelf
from platform_resources.publications.version_records import VersionsUnreadable, outlived
from platform_resources.refresh.product_locks import ProductBusy, locked
from platform_resources.refresh.publishing import keeping, refresh_catalog
from platform_resources.refresh.views.folder_modes import NoGroup, wanted_modes, wrong_modes
from platform_resources.refresh.views.role_files import give_roles, role_changes, roles_root, take_roles
from platform_resources.refresh.views.role_views import role_views
from platform_resources.refresh.views.served_versions import make_server_so, server_changes
from platform_resources.services.access.needless_pins import needless_pins
from platform_resources.services.access.reader_views import known_grants
from platform_resources.settings import STORE
from platform_resources.warehouses.engine_errors import EngineError, NotSupported
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.table_servers import ServingFailed
from platform_resources.warehouses.targets import warehouse

# A refresh that runs gives its own product's roles what they should have, at its end.
WAIT_SECONDS = 30.0
ORDER = ("revoke", "close", "change", "create", "release")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AccessPlan:
    """Access changes in the order in which they are applied, and the problems that kept something from being compared or changed."""

    changes: tuple[AccessChange, ...] = ()
    problems: tuple[str, ...] = field(default=())


def access_plan(state: Path, plan: MeshPlan, known: KnownGrants, now: datetime) -> AccessPlan:
    """List the access changes that are needed, changing nothing. Access to a product whose description is broken stays as it is."""
    changes, problems = list[AccessChange](), list[str]()
    for domain, name in _gone(state, plan):
        folder = roles_root(state, domain, name)
        there = sorted(entry.relative_to(state).as_posix() for entry in folder.iterdir()) if folder.is_dir() else []
        changes += [AccessChange("revoke", part, f"the mesh has no product {name} any more") for part in there]
    for product in plan.products:
        changes += _changes(state, product, known, now, problems)
        changes += [
            AccessChange("release", f"pin {pin} of {product.name}", why) for pin, why in _needless(state, plan, product, problems).items()
        ]
    changes += _closings(state, plan)
    changes += _in_warehouse(state, plan, known, now, problems)
    changes += _on_server(state, plan.products, known, now, problems, plan)
    problems += [f"{rejected.name}: its description is broken, so its roles stay as they are" for rejected in plan.rejected]
    return AccessPlan(tuple(sorted(changes, key=lambda change: ORDER.index(change.act))), tuple(problems))


def apply_access(state: Path, plan: MeshPlan, known: KnownGrants, now: datetime) -> tuple[str, ...]:
    """Apply the changes of `access_plan`, all revocations first; returns what failed. Applying twice changes nothing more."""
    for domain, name in _gone(state, plan):
        take_roles(roles_root(state, domain, name), ())
    wrong = wrong_modes(wanted_modes(state, plan.products))
    problems = list[str]()
    for product in plan.products:
        problems += _done(state, product, known, now, give=False)
    for path, mode in wrong.items():
        path.chmod(mode)
    problems += _made_so(_in_warehouse(state, plan, known, now, problems))
    problems += make_server_so(state, plan.products, _on_server(state, plan.products, known, now, problems, plan))
    for product in plan.products:
        problems += _done(state, product, known, now, give=True)
        _release(state, plan, product, problems)
    for path, mode in wrong_modes(wanted_modes(state, plan.products)).items():
        path.chmod(mode)
    return tuple(dict.fromkeys(problems))


def give_now(state: Path, plan: MeshPlan, name: str, now: datetime) -> tuple[str, ...]:
    """Apply the access changes of one product after a decision; returns what failed."""
    known = known_grants(state)
    if known.unknown:
        return (f"files are as they were, since the grants are not known: {known.unknown}",)
    problems = [text for product in plan.products if product.name == name for text in _done(state, product, known, now, give=True)]
    problems += _made_so(_in_warehouse(state, plan, known, now, problems, only=name))
    named = [product for product in plan.products if product.name == name]
    problems += make_server_so(state, named, _on_server(state, named, known, now, problems))
    return tuple(problems)


def to_take(state: Path, plan: MeshPlan, name: str, now: datetime) -> tuple[str, ...]:
    """What readers of one product have in files and in the warehouse that they should not have, and what keeps that from being known."""
    known, problems = known_grants(state), list[str]()
    changes = [change for product in plan.products if product.name == name for change in _changes(state, product, known, now, problems)]
    changes += _in_warehouse(state, plan, known, now, problems, only=name)
    return (*(change.place for change in changes if change.act == "revoke"), *problems)


def take_ended(ledger: Ledger, state: Path, plan: MeshPlan, products: Sequence[ProductPlan], now: datetime) -> tuple[str, ...]:
    """Revoke access whose grants have ended, and delete versions past their retention; returns what failed.

    Gives what could not be done.
    """
    with ledger.reading() as connection:
        known = KnownGrants(grants_of(connection))
    problems = list[str]()
    for product in products:
        aged = product.retention is not None and bool(_let_go(state, product, now, problems))
        ended = product.offers.roles is not None and any(c.act == "revoke" for c in _changes(state, product, known, now, problems))
        if aged or ended:
            problems += _done(state, product, known, now, give=False)
        if warehouse().kind == "duckdb":  # elsewhere that would wake up its compute, for every product
            _release(state, plan, product, problems)
    for product in products:
        if product.offers.roles is not None:
            before = len(problems)
            changes = _in_warehouse(state, plan, known, now, problems, only=product.name)
            if len(problems) > before:  # an account that does not tell would be asked in vain for every product
                break
            problems += _made_so([change for change in changes if change.act == "revoke"])
    on_server = _on_server(state, products, known, now, problems)
    problems += make_server_so(state, products, [change for change in on_server if change.act != "create"])
    return tuple(problems)


def _needless(state: Path, plan: MeshPlan, product: ProductPlan, problems: list[str]) -> dict[str, str]:
    """Pins of the product's versions that nobody needs, and why."""
    try:
        return dict(needless_pins(state, plan, product))
    except (VersionsUnreadable, OSError, EngineError) as error:
        problems.append(f"{product.name}: {error}")
        return {}


def _release(state: Path, plan: MeshPlan, product: ProductPlan, problems: list[str]) -> None:
    """Versions that were kept for nobody go with the next publication. While who has pinned them is refreshed, nothing is released."""
    for pin in _needless(state, plan, product, problems):
        consumer = plan.product(pin.split(".")[0])
        try:
            with locked(state, consumer, 0):
                if pin in dict(needless_pins(state, plan, product)):  # what ran until now may have made a version from it
                    shelf(state, product.domain, product.name).unpin(pin)
        except ProductBusy as error:
            _log.info("pin %s of %s is judged the next time: %s", pin, product.name, error)
        except (VersionsUnreadable, OSError, EngineError, NotSupported) as error:
            problems.append(f"{product.name}: pin {pin} is not released: {error}")


def _let_go(state: Path, product: ProductPlan, now: datetime, problems: list[str]) -> tuple[str, ...]:
    """The versions that were taken away because nobody may keep them any longer. A refresh that runs does it itself, at its end."""
    shelves = shelf(state, product.domain, product.name)
    try:
        if not outlived(shelves.published()[:-1], product.retention, now):
            return ()
        with locked(state, product, WAIT_SECONDS):
            return shelves.prune(keeping(product), now)
    except (VersionsUnreadable, OSError, ProductBusy, EngineError) as error:
        problems.append(f"{product.name}: {error}")
        return ()


def _in_warehouse(
    state: Path, plan: MeshPlan, known: KnownGrants, now: datetime, problems: list[str], only: str = ""
) -> tuple[AccessChange, ...]:
    """What differs in the warehouse itself, of one product where it is named; nothing where all that readers have are files."""
    if warehouse().kind == "duckdb":
        return ()
    tenancy = mesh_tenancy(plan, known, now)
    try:
        given = {
            product.name: role_views(state, product, tenant)
            for product, tenant in zip(plan.products, tenancy.products, strict=True)
            if only in ("", product.name)
        }
        return warehouse().access_changes(tenancy, given, only)
    except (EngineError, NotSupported, SettingInvalid, VersionsUnreadable) as error:
        problems.append(f"what the warehouse has of roles and grants is not known: {error}")
        return ()


def _made_so(changes: Sequence[AccessChange]) -> tuple[str, ...]:
    """What could not be done of it."""
    try:
        return warehouse().make_so(changes)
    except EngineError as error:
        return (f"what the warehouse has of roles and grants stays as it is: {error}",)


def _on_server(
    state: Path, products: Sequence[ProductPlan], known: KnownGrants, now: datetime, problems: list[str], mesh: MeshPlan | None = None
) -> tuple[AccessChange, ...]:
    """What differs on the server of tables for these products, and for those that it should not have where `mesh` says which it should."""
    try:
        return server_changes(state, products, known, now, mesh)
    except (ServingFailed, SettingInvalid, VersionsUnreadable) as error:
        problems.append(f"what readers have on the server of tables is not known: {error}")
        return ()


def _changes(state: Path, product: ProductPlan, known: KnownGrants, now: datetime, problems: list[str]) -> list[AccessChange]:
    try:
        return list(role_changes(state, product, known, now))
    except (VersionsUnreadable, NoGroup, OSError, EngineError) as error:
        problems.append(f"{product.name}: {error}")
        return []


def _done(state: Path, product: ProductPlan, known: KnownGrants, now: datetime, *, give: bool) -> Iterator[str]:
    try:
        with locked(state, product, WAIT_SECONDS):
            give_roles(state, product, known, now, only_revoke=not give)
            if give and STORE.value(os.environ) and (newest := shelf(state, product.domain, product.name).latest()) is not None:
                refresh_catalog(state, product, newest)  # another machine may have published it
    except (VersionsUnreadable, NoGroup, OSError, ProductBusy, EngineError) as error:
        yield f"{product.name}: {error}"


def _closings(state: Path, plan: MeshPlan) -> Iterator[AccessChange]:
    for path, mode in wrong_modes(wanted_modes(state, plan.products)).items():
        why = f"its mode is {stat.S_IMODE(path.stat().st_mode):04o}, not {mode:04o}"
        yield AccessChange("close", path.relative_to(state).as_posix(), why)


def _gone(state: Path, plan: MeshPlan) -> list[tuple[str, str]]:
    """Products with published versions that the mesh does not have any more."""
    there = {(product.domain, product.name) for product in plan.products} | {(rejected.domain, rejected.name) for rejected in plan.rejected}
    return [place for place in publishing(state) if place not in there]
