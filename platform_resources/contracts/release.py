"""Check whether a product may be released: its changes, the version they require, and the obstacles."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
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
        """Consumers affected by a breaking change, without duplicates."""
        breaking = (consumers for change, consumers in zip(self.changes, self.affected, strict=True) if change.kind == "major")
        return tuple({consumer.name: consumer for consumers in breaking for consumer in reversed(consumers)}.values())


def contract_changes(old: Contract, new: Contract, lineage: ProductLineage, profile: Profile = "governance") -> tuple[ContractChange, ...]:
    """All differences that consumers notice, the most severe first."""
    now = by_names_of(old, new)
    said = (structure_changes(old, now), guarantee_changes(old, now), logic_changes(old, now, lineage), governance_changes(old, now))
    changes = chained(rename_changes(old, new), *said)
    return within(changes, profile)


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
    ended = release.old.lifecycle == "deprecated" and release.old.end_date is not None and release.old.end_date <= today
    unheard = [consumer.name for consumer in release.consumers if consumer.name not in acknowledged]
    if unheard and not ended:
        notice = f" at least {release.old.notice_days:g} days before" if release.old.notice_days else ""
        yield (
            f"what breaks concerns {', '.join(unheard)}: leave the port as it is, offer the change on a new one beside it, and end the old "
            f"one when they have moved; or let them know{notice}, and say --acknowledged NAME for each who agrees"
        )


def _short_notice(release: Release, today: date) -> Iterator[str]:
    end = release.new.end_date if release.new is not None else None
    if end is None or end == release.old.end_date or not release.old.notice_days:
        return
    days = (end - today).days
    if days < release.old.notice_days:
        yield f"support ends on {end}, in {max(days, 0)} days; its agreements promise {release.old.notice_days:g} days' notice"
