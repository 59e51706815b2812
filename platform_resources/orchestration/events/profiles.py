"""Profiles in Dagster: data that the ledger reads, and a table for people."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from platform_resources.measuring.version_profiles import exactness, profile_data, table
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.events.ledger_events import PROFILE
from platform_resources.orchestration.events.results import markdown_table
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.version_records import Publication
from platform_resources.refresh.profiled_relations import Published


def profiles_by_port(product: ProductPlan, profiled: Iterable[Published]) -> dict[str, Mapping[str, Any]]:
    """Metadata for the first port of each data set: a version of a data set has one profile, through however many ports it is read."""
    by_data_set = {published.data_set: published for published in profiled}
    first = {port.data_set: port.name for port in reversed(product.outputs)}
    return {port: _metadata(by_data_set[data_set]) for data_set, port in first.items() if data_set in by_data_set}


def _metadata(published: Published) -> dict[str, Any]:
    data = {"data_set": published.data_set, "columns": profile_data(published.profile)}
    return {PROFILE: dg.MetadataValue.json(data), "profile_table": _shown(published)}


def profiled_events(
    instance: dg.DagsterInstance, product: ProductPlan, publication: Publication, profiled: Iterable[Published]
) -> Iterator[dg.AssetMaterialization]:
    """What the build told of each data set, once more with its profile and version: only the newest event is on the asset's page.

    The data is the same, and so is Dagster's version of it: what is made from it does not become outdated.
    """
    keys = {model.data_set: asset_key(model.key) for model in product.models if model.data_set}
    rows = {port.data_set: port.rows for port in publication.ports}
    for published in profiled:
        before = instance.get_latest_materialization_event(keys[published.data_set]) if published.data_set in keys else None
        built = before.asset_materialization if before is not None else None
        if built is not None:
            shown: dict[str, Any] = {"profile_table": _shown(published), "version": publication.id}
            if published.data_set in rows:
                shown["dagster/row_count"] = rows[published.data_set]
            yield dg.AssetMaterialization(built.asset_key, metadata={**shown, **built.metadata, **shown}, tags=built.tags)


def _shown(published: Published) -> dg.MarkdownMetadataValue:
    header, rows = table(published.profile, published.before)
    return dg.MetadataValue.md(f"{exactness(published.profile)}\n\n{markdown_table(header, rows)}")
