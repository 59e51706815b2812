"""Compare who sees what, the terms of use, and how long a product is supported."""

from datetime import date
from functools import partial

from platform_resources.contracts.change import ChangeClass, Changes, ContractChange
from platform_resources.contracts.contract import CLEAR, Contract, ContractAgreement, ContractDataSet, ContractPort
from platform_resources.spec.values.versions import Version

_SERVED = ("draft", "production", "deprecated")


def governance_changes(old: Contract, new: Contract) -> Changes:
    """Changes as consumers experience them: anything no longer visible is lost, whatever the reason."""
    after = {data_set.name: data_set for data_set in new.data_sets}
    for data_set in old.data_sets:
        if data_set.name in after:
            yield from _view_changes(data_set, after[data_set.name])
    agreements = {agreement.name: agreement for agreement in new.agreements}
    for agreement in old.agreements:
        if agreement.name in agreements:
            yield from _terms_changes(agreement, agreements[agreement.name])
        else:
            yield _of("major", f"agreement {agreement.name} is gone", "ask for a role of another agreement", agreement.roles)
    for name in agreements.keys() - {agreement.name for agreement in old.agreements}:
        yield _of("minor", f"agreement {name} is new", readers=agreements[name].roles)
    yield from _life_changes(old, new)
    yield from _ending_ports(old, new)
    if old.domain_access != new.domain_access:
        lost = "products of its domain no longer see everything"
        yield _of("minor", "products of its domain see everything") if new.domain_access else _of("major", lost, "ask for a role")
    if old.words != new.words:
        yield _of("patch", "the product is described in other words")


def _of(kind: ChangeClass, what: str, to_do: str = "", readers: tuple[str, ...] = (), approval: bool = False) -> ContractChange:
    return ContractChange(kind, "governance", what, to_do=to_do, readers=readers, approval=approval)


def _view_changes(old: ContractDataSet, new: ContractDataSet) -> Changes:
    kept = {column.name for column in new.columns}
    for reader, saw in old.seen.items():
        sees = new.seen.get(reader)
        who = f"role {reader}" if reader else "whoever has no role"
        readers = (reader.partition(" ")[0],) if reader else ()
        if sees is None:
            to_do = "ask for another role"
            yield ContractChange("major", "governance", f"{who} sees nothing of {old.name} any more", old.name, tuple(saw), to_do, readers)
            continue
        for column in (name for name in saw if name in kept and saw.get(name) != sees.get(name)):
            what = f"{who} sees {column} {_seen(sees.get(column))}, not {_seen(saw[column])}"
            more = sees.get(column) == CLEAR
            to_do = "" if more else "ask for a role that sees it, or do without"
            yield ContractChange("minor" if more else "major", "governance", what, old.name, (column,), to_do, readers, approval=more)
        for column in (name for name in sees if name not in saw and name in {column.name for column in old.columns}):
            what = f"{who} sees {column} {_seen(sees[column])}, which it did not see"
            yield ContractChange("minor", "governance", what, old.name, (column,), readers=readers, approval=True)
        yield from _row_changes(old, new, reader, who, readers)
    for reader in new.seen.keys() - old.seen.keys():
        who = f"role {reader}" if reader else "whoever has no role"
        yield ContractChange("minor", "governance", f"{who} sees {old.name}", old.name, approval=True)


def _row_changes(old: ContractDataSet, new: ContractDataSet, reader: str, who: str, readers: tuple[str, ...]) -> Changes:
    was, now = old.rows.get(reader, ""), new.rows.get(reader, "")
    if was == now:
        return
    kind: ChangeClass = "major" if not was else "minor" if not now else "undetermined"
    sees = f"the rows of {old.name} where {now}" if now else f"every row of {old.name}"
    what = f"{who} sees {sees}, not {f'those where {was}' if was else 'every row'}"
    yield ContractChange(kind, "governance", what, old.name, (), "look whether the rows are there that you need", readers, approval=not now)


def _seen(how: str | None) -> str:
    return "not at all" if how is None else "in the clear" if how == CLEAR else f"masked by {how}"


def _terms_changes(old: ContractAgreement, new: ContractAgreement) -> Changes:
    for role in (role for role in old.roles if role not in new.roles):
        yield _of("major", f"agreement {old.name} has no role {role} any more", "ask for another role", (role,))
    for role in (role for role in new.roles if role not in old.roles):
        yield _of("minor", f"agreement {old.name} has a new role {role}")
    for grant in (grant for grant in old.granted if grant not in new.granted):
        yield _of("major", f"agreement {old.name} no longer grants {grant}", "ask for the role", (grant.partition(" ")[0],))
    for grant in (grant for grant in new.granted if grant not in old.granted):
        yield _of("minor", f"agreement {old.name} grants {grant}", approval=True)
    for says, was, now in (("notice", old.notice_days, new.notice_days), ("duration of a grant", old.duration_days, new.duration_days)):
        # No notice is none at all; a grant without a duration never ends.
        low, high = (was or 0, now or 0) if says == "notice" else (was or float("inf"), now or float("inf"))
        if low != high:
            shorter = high < low
            what = f"the {says} of {old.name} is {_days(now, says)}, not {_days(was, says)}"
            yield _of("major" if shorter else "minor", what, "plan for the shorter time" if shorter else "", old.roles)
    if old.approval != new.approval:
        what = f"roles of {old.name} are given {'to all who ask' if new.approval == 'automatic' else 'by its owner'}"
        yield _of("minor" if new.approval == "automatic" else "undetermined", what, "ask in time")
    if old.purpose != new.purpose:
        kind: ChangeClass = "undetermined" if new.purpose and old.purpose else "minor" if new.purpose else "major"
        yield _of(kind, f"the purpose of {old.name} is worded otherwise", "look whether it covers what you do", old.roles)
    if old.terms != new.terms:
        yield _of("undetermined", f"the terms of {old.name} are worded otherwise", "read them", old.roles)


def _days(days: float | None, says: str) -> str:
    return f"{days:g} days" if days else "none" if says == "notice" else "without end"


def _life_changes(old: Contract, new: Contract) -> Changes:
    leaves = new.lifecycle == "deprecated" and old.lifecycle != "deprecated"
    if old.lifecycle != new.lifecycle:
        what = f"the product is {new.lifecycle}, not {old.lifecycle}"
        if leaves:
            instead = f"move to {new.replacement}" if new.replacement else "look for another product"
            yield _of("minor" if new.replacement else "major", f"{what}{'' if new.replacement else ', and nothing replaces it'}", instead)
        elif old.lifecycle in _SERVED and new.lifecycle not in _SERVED:
            yield _of("major", f"{what}: it is refreshed no more", f"move to {new.replacement}" if new.replacement else "read it no more")
        else:
            worse = old.lifecycle in ("production", "deprecated") and new.lifecycle in ("draft", "proposed")
            yield _of("major" if worse else "minor", what, "rely on it no more" if worse else "")
    elif old.replacement != new.replacement:
        yield _of("major" if old.replacement and not new.replacement else "minor", f"{new.replacement or 'nothing'} replaces the product")
    if old.end_date != new.end_date and not (leaves and old.end_date is None):
        shorter = (new.end_date or date.max) < (old.end_date or date.max)
        what = f"support ends {_on(new.end_date)}, not {_on(old.end_date)}"
        yield _of("major" if shorter else "minor", what, "move in time" if shorter else "")


def _ending_ports(old: Contract, new: Contract) -> Changes:
    after = {port.name: port for port in new.ports}
    for port in (port for port in old.ports if port.name in after):
        now = after[port.name]
        of_port = partial(ContractChange, profile="governance", data_set=port.data_set, port=port.name)
        if now.replacement != port.replacement:
            to_do = f"read {now.replacement} instead" if now.replacement else ""
            yield of_port("minor", what=f"{now.replacement or 'nothing'} replaces output port {port.name}", to_do=to_do)
        if now.end_date != port.end_date:
            announced = port.end_date is None and bool(now.replacement)
            shorter = (now.end_date or date.max) < (port.end_date or date.max) and not announced
            what = f"output port {port.name} ends {_on(now.end_date)}{'' if announced else f', not {_on(port.end_date)}'}"
            yield of_port("major" if shorter else "minor", what=what, to_do="move in time")
        if (port.version or now.version) and (was := _major(port, old)) != (is_now := _major(now, new)):
            what = f"output port {port.name} has the version {now.version or new.version}, not {port.version or old.version}"
            to_do = f"ask for ^{is_now} of it: what asks for ^{was} gets what is published by then and nothing newer"
            yield of_port("major", what=what, to_do=to_do)


def _major(port: ContractPort, contract: Contract) -> int:
    return Version.parse(port.version or contract.version).major


def _on(day: date | None) -> str:
    return f"on {day}" if day is not None else "at no set date"
