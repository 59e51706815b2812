"""The page of one product: can I trust it, does it have my column, how do I get it."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from markupsafe import Markup

from platform_resources.capabilities.registry import installed_registry
from platform_resources.incidents.response_times import Times as ResponseTimes
from platform_resources.ledger.connections import Connection
from platform_resources.marketplace.display import phrases
from platform_resources.marketplace.display.column_rows import ColumnRow, column_rows
from platform_resources.marketplace.display.column_ways import column_way, rows_way
from platform_resources.marketplace.display.lineage_pictures import data_as_of, lineage
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.display.product_grade import grade
from platform_resources.marketplace.display.promise_rows import PromiseRow, promise_rows, trouble_lines
from platform_resources.marketplace.display.readme import anchor, safe_html
from platform_resources.marketplace.display.version_rows import version_rows
from platform_resources.marketplace.display.watched_rows import watched_rows
from platform_resources.marketplace.kept_view import Market
from platform_resources.marketplace.people.access_pages import subjects
from platform_resources.marketplace.shop import reads_as
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.plan_text import kept_back_text
from platform_resources.plan.port_plans import OutputPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.repository.product_readme import readme_text
from platform_resources.services.catalog.access_snippets import Snippet, login_of, snippets
from platform_resources.services.catalog.similar_products import Similar
from platform_resources.services.catalog.use_of_products import also_read
from platform_resources.services.control_ports.declared_ports import ControlPortState, control_port_states
from platform_resources.services.releases.ending_ports import EndingPort, ending_ports
from platform_resources.services.releases.product_life import ProductLife, product_life
from platform_resources.services.showing.column_lineage import neighbours
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.showing.profiled_versions import Profiled, seen_profiled
from platform_resources.services.showing.seen_mesh import seen_publications
from platform_resources.services.trust import Trust
from platform_resources.settings import DAGSTER_PAGES
from platform_resources.spec.values.durations import length_text

MOST_PROMISES = 6


@dataclass(frozen=True, slots=True)
class DataSetPart:
    """One data set with its columns; `exactness` describes its profile, `ways` the lineage of each column."""

    plan: DataSetPlan
    rows: tuple[ColumnRow, ...]
    ways: tuple[Markup, ...]
    rows_from: Markup
    exactness: str
    gone: tuple[str, ...]


def product_page(market: Market, view: MeshOverview, product: ProductPlan, url: str) -> dict[str, Any]:
    """The context of the template `product.html`; `url` is this server's address as the reader sees it."""
    health, trust = view.health[product.name], view.trust[product.name]
    times = PageTimes(view.at, product.zone)
    as_of = data_as_of(health)
    readme = readme_text(market.root, product)
    promises = promise_rows(product, health, view.charted[product.name], times)
    shown = shown_promises(promises)
    return {
        "page": "product",
        "times": times,
        "product": product,
        "domain": view.plan.domain_plan(product.domain) if any(d.name == product.domain for d in view.plan.domains) else None,
        "health": health,
        "trust": trust,
        "look": phrases.look(health),
        "say": phrases.say(health, product.info.lifecycle, times.moment(as_of) if as_of else ""),
        "troubles": trouble_lines(health, product),
        "watched": watched_rows(product, health, trust.standings, times),
        "promises": promises[:shown],
        "kept": promises[shown:],
        "data_sets": data_sets(market, view, product),
        "ports": _ports(market, view, product, url),
        "endings": _endings(market, view, product),
        "life": _life(market, product),
        "replacement": view.plan.by_name.get(product.info.replacement or ""),
        "movers": [name for name in subjects(view, reads_as(view.reader)) if not name.startswith("product:")],
        "sees_all": view.sees_all(product.name),
        "lineage": lineage(view, product),
        "incidents": view.incidents_of(product.name),
        "made_up": view.made_up is not None and product.name in view.made_up.products,
        "response": _response(trust),
        **_versions(market, view, product, times),
        "as_of": as_of,
        "facts": _facts(view, product, trust),
        **_use(view, product),
        "control_ports": _control_ports(market, product) if view.sees_all(product.name) else (),
        "grade": market.patient.said(lambda connection: grade(connection, view, product), None),
        "similar": [(view.plan.product(s.product), shared_text(s)) for s in view.likenesses.similar(product.name)],
        "standing": view.reading.standing(product),
        "kept_back": kept_back_text(product),
        "readme": safe_html(readme) if readme else None,
        "runbook": runbook_link(product, bool(readme)),
        "exports": list(installed_registry().exports()) if view.sees_all(product.name) else [],
        "words": WORDS,
        "dagster": dagster_page(product, os.environ),
    }


def _use(view: MeshOverview, product: ProductPlan) -> dict[str, Any]:
    use, products = view.use.uses[product.name], view.plan.by_name
    asked = [(consumer, view.answers.get((product.name, consumer.name))) for consumer in product.consumers]
    return {
        "consumers": [pair for pair in asked if pair[0].data_set is None],
        "services": [pair for pair in asked if pair[0].data_set is not None],
        "use": use,
        "score": view.use.scores[product.name],
        "readers": [products[name].title if name in products else name for name in (*use.products, *use.people)],
        "columns_read": [f"{name} ({phrases.count(read, 'read')})" for name, read in view.trust[product.name].reads.columns.items()],
        "also_read": [(products[common.product].title, common) for common in also_read(view.use, product.name, 3)],
    }


def _control_ports(market: Market, product: ProductPlan) -> tuple[ControlPortState, ...]:
    return market.patient.said(lambda connection: control_port_states(connection, product), ())


def shown_promises(rows: Sequence[PromiseRow]) -> int:
    """How many promises to show unfolded: all missed ones and those with a window, which come first, and some more."""
    return max(MOST_PROMISES, sum(row.check.verdict != "met" or bool(row.caption) for row in rows))


WORDS = {"archetype": phrases.ARCHETYPES, "class": phrases.CLASSES, "lifecycle": phrases.LIFECYCLES}


def data_sets(market: Market, view: MeshOverview, product: ProductPlan) -> tuple[DataSetPart, ...]:
    """Each data set with its columns and profiles."""
    # For each identifier, the number of other products with a column of it.
    joins = view.likenesses.having_identifier - Counter(view.likenesses.traces[product.name].identifiers)
    missed = frozenset(view.health[product.name].columns)

    def profiled(connection: Connection) -> dict[str, Profiled | None]:
        return {data_set.name: seen_profiled(connection, view.reading, product, data_set.name) for data_set in product.data_sets}

    profiles: dict[str, Profiled | None] = market.patient.said(profiled, {})
    near = neighbours(market.lineage(view), product)
    return tuple(
        DataSetPart(
            data_set,
            column_rows(data_set, profiles.get(data_set.name), joins, missed),
            tuple(column_way(view.plan, column) for column in near[data_set.name]),
            rows_way(view.plan, near[data_set.name]),
            _exactness(profiles.get(data_set.name)),
            _gone(profiles.get(data_set.name)),
        )
        for data_set in product.data_sets
    )


def _exactness(profiled: Profiled | None) -> str:
    if profiled is None:
        return "Its values are shown here once a version with a profile is published."
    profile = profiled.now.profile
    rows = f"{phrases.count(profile.rows, 'row')}, " if profile.rows is not None else ""
    looked = "all read" if profile.exact else f"of which {profile.sampled:,} were looked at" if profile.sampled else "counted"
    before = "compared with the version before" if profiled.before is not None else "the first version, so there is nothing to compare with"
    return f"{rows}{looked}; {before}."


def _gone(profiled: Profiled | None) -> tuple[str, ...]:
    if profiled is None:
        return ()
    return tuple(difference.column for difference in profiled.differences if profiled.now.profile.column(difference.column) is None)


def shared_text(similar: Similar) -> str:
    """What two products share: `Joins by household; 3 columns in common: age_band, income_band and orders.`"""
    columns = phrases.listed(similar.columns, 3)
    reasons = [
        f"joins by {phrases.listed(similar.identifiers)}" if similar.identifiers else "",
        f"{phrases.count(len(similar.columns), 'column')} in common: {columns}" if similar.columns else "",
        f"also made from {phrases.listed(similar.upstreams)}" if similar.upstreams else "",
        f"also tagged {phrases.listed(similar.tags)}" if similar.tags else "",
    ]
    text = "; ".join(filter(None, reasons)) or "described with the same words"
    return f"{text[0].upper()}{text[1:]}."


def _ports(market: Market, view: MeshOverview, product: ProductPlan, url: str) -> list[tuple[OutputPlan, tuple[Snippet, ...], int]]:
    """Each output port with every way to read it, and the bytes that the reader gets of its newest version."""
    try:
        latest = shelf(market.state, product.domain, product.name).latest()
    except VersionsUnreadable:
        latest = None
    seen = seen_publications(view.reading, product, [latest] if latest is not None else [])
    sizes = {port.port: port.bytes for publication in seen for port in publication.ports}
    login = login_of(view.reading, product)
    return [
        (port, snippets(product, port, market.state, url, view.named_reader(product.name), login), sizes.get(port.name) or 0)
        for port in (product.outputs if product.info.lifecycle != "retired" else ())
    ]


def _endings(market: Market, view: MeshOverview, product: ProductPlan) -> Mapping[str, EndingPort]:
    def endings(connection: Connection) -> dict[str, EndingPort]:
        return {port.port: port for port in ending_ports(connection, view.plan, market.lineage(view), [product], view.at)}

    return market.patient.said(endings, {})


def _life(market: Market, product: ProductPlan) -> ProductLife:
    """Of its stages that which it is in, and the next one where it is not in production yet."""
    shown = {"proposed": ("proposed", "draft"), "draft": ("draft", "production")}.get(product.info.lifecycle, (product.info.lifecycle,))
    life = market.patient.said(lambda connection: product_life(connection, market.state, product), ProductLife())
    return replace(life, stages=tuple(standing for standing in life.stages if standing.plan.stage in shown))


def _versions(market: Market, view: MeshOverview, product: ProductPlan, times: PageTimes) -> dict[str, Any]:
    versions = shelf(market.state, product.domain, product.name)
    try:
        published = seen_publications(view.reading, product, versions.published())
        return {"versions": version_rows(product, published, versions.pins(), view.plan, times), "versions_unreadable": ""}
    except VersionsUnreadable as error:
        return {"versions": (), "versions_unreadable": str(error)}


def _response(trust: Trust) -> tuple[tuple[str, str], ...]:
    """How fast trouble was found, seen and fixed within 90 days, in words."""
    named: tuple[tuple[str, ResponseTimes], ...] = (
        ("Found after, median", trust.response.detect),
        ("Seen after, median", trust.response.respond),
        ("Fixed after, median", trust.response.fix),
    )
    return tuple((name, median_text(times)) for name, times in named)


def median_text(times: ResponseTimes) -> str:
    """The median of response times in words."""
    if times.median is None:
        return "no incident yet" if not times.count else "not known yet"
    return length_text(times.median if times.median >= timedelta(minutes=1) else times.median.total_seconds())


def _facts(view: MeshOverview, product: ProductPlan, trust: Trust) -> dict[str, str]:
    """The facts beside the text, as far as they are known."""
    above = view.plan.upstream[product.name]
    outside = sum(port.upstream is None for port in product.inputs)
    made = [phrases.count(len(above), "product") if above else "", phrases.count(outside, "source") if outside else ""]
    reads, readers = trust.reads.count, len(trust.reads.readers)
    return {
        "refreshed": _refreshed(product),
        "made_from": phrases.listed(filter(None, made)) or "nothing yet",
        "read": f"{phrases.count(reads, 'time')} by {phrases.count(readers, 'reader')}" if reads else "not yet",
    }


def _refreshed(product: ProductPlan) -> str:
    if product.info.lifecycle == "retired":
        return "no more"
    if product.refresh is None:
        return "by hand"
    return "when an input is new" if product.refresh.on == "inputs" else clock_text(product.refresh.cron or "")


def clock_text(cron: str) -> str:
    """A cron schedule in words: `daily at 05:00`, `hourly at minute 30`; others as written."""
    minute, hour, *days = cron.split()
    if days != ["*", "*", "*"] or not minute.isdigit():
        return f"by the clock: {cron}"
    if hour == "*":
        return f"hourly at minute {int(minute)}"
    return f"daily at {int(hour):02}:{int(minute):02}" if hour.isdigit() else f"by the clock: {cron}"


def dagster_page(product: ProductPlan, environment: Mapping[str, str]) -> str:
    """The product's assets in Dagster; empty if Dagster's address is unknown or contains a password."""
    address = DAGSTER_PAGES.value(environment).rstrip("/")
    return f"{address}/assets/{product.name}" if address.startswith(("http://", "https://")) and "@" not in address else ""


def runbook_link(product: ProductPlan, has_readme: bool) -> str:
    """The runbook: a web page, or a heading of the README on the product's page; empty if neither can be opened."""
    runbook = product.info.support.runbook or ""
    if runbook.startswith(("http://", "https://")):
        return runbook
    file, _, heading = runbook.partition("#")
    if file != "README.md" or not has_readme:
        return ""
    return f"/products/{product.name}#{f'readme-{anchor(heading)}' if heading else 'about'}"
