"""Check whether a product may be released: its changes, the version they require, and the obstacles."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from platform_resources.contracts.affected_consumers import AffectedConsumer, Consumption, affected_consumers
from platform_resources.contracts.change import ChangeClass, ContractChange, Profile, chained, next_version, within, worst_class
from platform_resources.contracts.contract import Contract
from platform_resources.contracts.former_names import by_names_of, rename_changes
from platform_resources.contracts.governance_changes import governance_changes
from platform_resources.contracts.guarantee_changes import guarantee_changes
from platform_resources.contracts.logic_changes import logic_changes
from platform_resources.contracts.structure_changes import structure_changes
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.spec.values.versions import Version


@dataclass(frozen=True, slots=True)
class Release:
    """One product from its old contract to the new; `new` is None if it was removed. `affected` are the consumers of each change."""

    old: Contract
    new: Contract | None
    changes: tuple[ContractChange, ...]
    affected: tuple[tuple[AffectedConsumer, ...], ...] = ()
    accepted: bool = False

    @property
    def kind(self) -> ChangeClass | None:
        """The most severe class of all changes."""
        return worst_class(self.changes, self.accepted)

    @property
    def demanded(self) -> Version:
        """The least version number that the changes require."""
        return next_version(Version.parse(self.old.version), self.kind)

    @property
    def consumers(self) -> tuple[AffectedConsumer, ...]:
        """Whoever is affected by a change that breaks something, each once."""
        return self.consumers_of(self.changes)

    def consumers_of(self, changes: Iterable[ContractChange]) -> tuple[AffectedConsumer, ...]:
        """Whoever is affected by those of these changes that break something, each once."""
        looked_at = {id(change) for change in changes}
        pairs = zip(self.changes, self.affected, strict=True)
        breaking = (consumers for change, consumers in pairs if change.kind == "major" and id(change) in looked_at)
        return tuple({consumer.name: consumer for consumers in breaking for consumer in reversed(consumers)}.values())


def contract_changes(old: Contract, new: Contract, lineage: ProductLineage, profile: Profile = "governance") -> tuple[ContractChange, ...]:
    """All differences that consumers notice, the most severe first."""
    now = by_names_of(old, new)
    said = (structure_changes(old, now), guarantee_changes(old, now), logic_changes(old, now, lineage), governance_changes(old, now))
    changes = chained(rename_changes(old, new), *said)
    older = {port.name: port.data_set for port in old.ports if port.version} if not old.version.startswith("0.") else {}
    gone = {name: data_set for name, data_set in older.items() if name not in {port.name for port in now.ports}}
    left = {port.data_set for port in old.ports if port.name not in gone}
    return tuple(replace(change, announced=_went_with(change, gone, left)) for change in within(changes, profile))


def _went_with(change: ContractChange, gone: Mapping[str, str], left: Collection[str]) -> bool:
    """Whether it is part of the end of a port of an older major: of the port, or of a data set that no other port shows."""
    return change.port in gone or (not change.port and change.data_set in gone.values() and change.data_set not in left)


def release(
    old: Contract, new: Contract | None, lineage: ProductLineage, known: Consumption, profile: Profile, accepted: bool = False
) -> Release:
    """The changes between two contracts, with the consumers of each."""
    gone = ContractChange("major", "structure", "the product is gone", to_do=f"move to {old.replacement or 'another product'}")
    changes = contract_changes(old, new, lineage, profile) if new is not None else (gone,)
    affected = tuple(affected_consumers(old, change, known) if change.kind in ("major", "undetermined") else () for change in changes)
    return Release(old, new, changes, affected, accepted)


def release_problems(release: Release, acknowledged: Collection[str], today: date) -> tuple[str, ...]:
    """The obstacles to this release. Drafts and versions 0.x promise nothing, so they have none."""
    if not release.old.is_binding:
        return ()
    return (*_version_problems(release), *_undetermined(release), *_unheard(release, acknowledged, today), *_short_notice(release, today))


def _version_problems(release: Release) -> Iterator[str]:
    if release.new is None:
        return
    declared, before, demanded = Version.parse(release.new.version), Version.parse(release.old.version), release.demanded
    if declared < before:
        yield f"version {declared} is below {before}, which is published; write {demanded}"
    elif declared < demanded:
        named = {"major": "changes that break consumers", "minor": "additions", "patch": "other words"}.get(release.kind or "", "changes")
        yield f"version {declared} is too low for {named} since {before}; write version: {demanded}"


def _undetermined(release: Release) -> Iterator[str]:
    unclear = [change for change in release.changes if change.kind == "undetermined"]
    if unclear and not release.accepted:
        yield (
            f"of {len(unclear)} change{'s' if len(unclear) > 1 else ''} nobody but a person can say whether they break something; "
            "look at them, and say --accept if they do not"
        )


def _unheard(release: Release, acknowledged: Collection[str], today: date) -> Iterator[str]:
    """Consumers of what breaks who have not agreed, while there still is support."""
    if release.old.lifecycle == "deprecated" and release.old.end_date is not None and release.old.end_date <= today:
        return
    supported = release.consumers_of(change for change in release.changes if not _is_over(release.old, change, today))
    unheard = [consumer.name for consumer in supported if consumer.name not in acknowledged]
    if unheard:
        notice = f" at least {release.old.notice_days:g} days before" if release.old.notice_days else ""
        yield (
            f"what breaks concerns {', '.join(unheard)}: leave the port as it is, offer the change on a new one beside it (the old one "
            "with version, replacement and end_date), and end the old one when they have moved; or let them know"
            f"{notice}, and say --acknowledged NAME for each who agrees"
        )


def _is_over(old: Contract, change: ContractChange, today: date) -> bool:
    """Whether all ports that it concerns have come to their end."""
    ends = [port.end_date for port in old.ports if change.port in ("", port.name) and change.data_set in ("", port.data_set)]
    return bool(ends) and all(end is not None and end <= today for end in ends)


def _short_notice(release: Release, today: date) -> Iterator[str]:
    if release.new is None or not release.old.notice_days:
        return
    before = {port.name: port.end_date for port in release.old.ports}
    ends = [("", release.old.end_date, release.new.end_date)]
    ends += [(f" of {port.name}", before[port.name], port.end_date) for port in release.new.ports if port.name in before]
    for what, was, end in ends:
        days = (end - today).days if end is not None and end != was else math.inf
        if days < release.old.notice_days:
            yield f"support{what} ends on {end}, in {max(days, 0)} days; its agreements promise {release.old.notice_days:g} days' notice"
