"""A data product platform: one YAML file and dbt SQL become audited, published data products in Dagster.

Mesh repositories and capability packages import from here, and from nowhere else: any other address may change with each version. A name
is loaded when it is asked for, so `import platform_resources` alone loads neither Dagster nor dbt nor a database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from platform_resources.capabilities.judgements import (
        History as History,
        Judgement as Judgement,
        Kind as Kind,
        Moment as Moment,
        Past as Past,
        Promise as Promise,
        Refreshes as Refreshes,
        Spent as Spent,
        ToLearn as ToLearn,
        Verdict as Verdict,
        worst as worst,
    )
    from platform_resources.capabilities.measures import (
        CategoryCounts as CategoryCounts,
        Columns as Columns,
        Compared as Compared,
        CountIf as CountIf,
        DistinctKeys as DistinctKeys,
        DuplicateRows as DuplicateRows,
        Elsewhere as Elsewhere,
        Entities as Entities,
        GroupCounts as GroupCounts,
        Maximum as Maximum,
        Measure as Measure,
        Minimum as Minimum,
        MissingKeys as MissingKeys,
        NullCount as NullCount,
        OrphanRows as OrphanRows,
        OutOfRange as OutOfRange,
        PairCount as PairCount,
        Pairing as Pairing,
        PresentNulls as PresentNulls,
        Reading as Reading,
        Relation as Relation,
        RowCount as RowCount,
        Scalar as Scalar,
        Subject as Subject,
        Value as Value,
    )
    from platform_resources.capabilities.protocols import (
        Breach as Breach,
        Capability as Capability,
        ChangeTeller as ChangeTeller,
        CheaplyTold as CheaplyTold,
        ComponentCapability as ComponentCapability,
        Assurance as Assurance,
        Dimension as Dimension,
        Export as Export,
        Exported as Exported,
        Extracted as Extracted,
        Extraction as Extraction,
        WhatFails as WhatFails,
        InputInterface as InputInterface,
        KeyScope as KeyScope,
        MeasuredBy as MeasuredBy,
        NotPulled as NotPulled,
        OutputInterface as OutputInterface,
        Policy as Policy,
        PolicyFacts as PolicyFacts,
        Pull as Pull,
        PullExtractor as PullExtractor,
        PullFiles as PullFiles,
        PullPort as PullPort,
        PullRows as PullRows,
        Replayer as Replayer,
        RowReader as RowReader,
        Store as Store,
        Traits as Traits,
        ValueMask as ValueMask,
        FileWriter as FileWriter,
    )
    from platform_resources.capabilities.score_facts import (
        Criterion as Criterion,
        Finding as Finding,
        ScoreFacts as ScoreFacts,
        none_yet as none_yet,
    )
    from platform_resources.capabilities.repairs.repair import Repair as Repair
    from platform_resources.capabilities.support.learned_thresholds import (
        LearnedSettings as LearnedSettings,
        LearnedThreshold as LearnedThreshold,
        as_usual as as_usual,
        promised as promised,
        to_learn as to_learn,
    )
    from platform_resources.capabilities.support.recency import (
        Recency as Recency,
    )
    from platform_resources.capabilities.support.shares import (
        amount as amount,
        counted as counted,
        judged_share as judged_share,
        nothing_to_judge as nothing_to_judge,
        number_text as number_text,
        share_text as share_text,
        with_unit as with_unit,
    )
    from platform_resources.capabilities.support.sql_text import (
        literal as literal,
        quoted as quoted,
        quoted_list as quoted_list,
        relation_sql as relation_sql,
    )
    from platform_resources.dbt.translation import (
        MeshTranslator as MeshTranslator,
    )
    from platform_resources.orchestration.definitions import (
        domain_definitions as domain_definitions,
        mesh_definitions as mesh_definitions,
    )
    from platform_resources.refresh.sources.pull_records import PullFailed as PullFailed
    from platform_resources.spec.components import (
        DataSet as DataSet,
    )
    from platform_resources.interchange.round_trips import Import as Import
    from platform_resources.spec.product import (
        Product as Product,
    )
    from platform_resources.spec.strict import (
        Strict as Strict,
    )
    from platform_resources.spec.values.durations import (
        duration_text as duration_text,
        length_text as length_text,
    )
    from platform_resources.spec.values.field_types import (
        ColumnName as ColumnName,
        ColumnType as ColumnType,
        Cron as Cron,
        Duration as Duration,
        Owner as Owner,
        Percent as Percent,
        Text as Text,
        TimeZone as TimeZone,
        VersionRangeText as VersionRangeText,
        VersionText as VersionText,
        YesNo as YesNo,
    )

_MODULES = {
    "capabilities.judgements": "History Judgement Kind Moment Past Promise Refreshes Spent ToLearn Verdict worst",
    "capabilities.measures": (
        "CategoryCounts Columns Compared CountIf DistinctKeys DuplicateRows Elsewhere Entities GroupCounts Maximum "
        "Measure Minimum MissingKeys NullCount OrphanRows OutOfRange PairCount Pairing PresentNulls Reading Relation "
        "RowCount Scalar Subject Value"
    ),
    "capabilities.protocols": (
        "Assurance Breach Capability ChangeTeller CheaplyTold ComponentCapability Dimension Export Exported Extracted Extraction WhatFails "
        "FileWriter InputInterface MeasuredBy NotPulled OutputInterface Policy PolicyFacts Pull PullExtractor PullFiles PullPort PullRows "
        "Replayer RowReader Store Traits KeyScope ValueMask"
    ),
    "capabilities.score_facts": "Criterion Finding ScoreFacts none_yet",
    "capabilities.repairs.repair": "Repair",
    "capabilities.support.learned_thresholds": "LearnedSettings LearnedThreshold as_usual promised to_learn",
    "capabilities.support.recency": "Recency",
    "capabilities.support.shares": "amount counted judged_share nothing_to_judge number_text share_text with_unit",
    "capabilities.support.sql_text": "literal quoted quoted_list relation_sql",
    "dbt.translation": "MeshTranslator",
    "orchestration.definitions": "domain_definitions mesh_definitions",
    "refresh.sources.pull_records": "PullFailed",
    "spec.components": "DataSet",
    "interchange.round_trips": "Import",
    "spec.product": "Product",
    "spec.strict": "Strict",
    "spec.values.durations": "duration_text length_text",
    "spec.values.field_types": "ColumnName ColumnType Cron Duration Owner Percent Text TimeZone VersionRangeText VersionText YesNo",
}
_ADDRESSES = {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names.split()}
__all__ = tuple(sorted(_ADDRESSES))


def __getattr__(name: str) -> Any:
    if name not in _ADDRESSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ADDRESSES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
