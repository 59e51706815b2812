"""Perform the stages of a refresh that make data: each takes what its refresh shares, and gives its result as plain data."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import chain

from platform_resources.capabilities.judgements import History, Judgement
from platform_resources.capabilities.registry import Registry
from platform_resources.dbt.build import BuildFailed, NodeResult, Project, begin_import, build, compiled, parsed
from platform_resources.dbt.manifest import MAKERS, catch_up, lost_rows
from platform_resources.dbt.statement_work import listener
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.plan_text import fingerprint
from platform_resources.plan.port_plans import InputPlan
from platform_resources.promises.grades import LastRefresh, published_text
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.auditing import Audited, audit, audit_inputs, audit_joins, unaudited
from platform_resources.refresh.built import as_built, batches_until, built_in, keeping, make_room, note_batches, note_keeping, unnoted
from platform_resources.refresh.built_lineage import built_columns, keep_lineage
from platform_resources.refresh.closed_gates import closed_gate_text
from platform_resources.refresh.data_age import input_records
from platform_resources.refresh.gate import CHANGED, AuditVerdict, Gate, close, decided, gate, set_gate, set_unbuilt, unbuilt
from platform_resources.refresh.kept_work import tagged, timed, wants_work
from platform_resources.refresh.owned_keys import drop_keys, owned_keys
from platform_resources.refresh.profiled_relations import PROFILES, profiles, settle
from platform_resources.refresh.profiled_relations import forget as forget_profiles
from platform_resources.refresh.publishing import Candidate, failing_inputs, old_versions_gone, publish, roles_given, tidied, unchanged_text
from platform_resources.refresh.pulling import pull
from platform_resources.refresh.sources.pull_records import CURSORS, FAILURES, PULLS, PullContext, Pulled, PullFailed
from platform_resources.refresh.sources.renamed_inputs import take_over_notes
from platform_resources.refresh.stages import AuditDone, BegunRefresh, Built, Ending, InputPulled, PublishDone, PullDone, Scored, StopReason
from platform_resources.refresh.views.class_travel import inherited_in, restricted
from platform_resources.refresh.views.published_views import NotPublishable
from platform_resources.repository.generated_files import write_generated_files
from platform_resources.repository.mesh_repository import target_of
from platform_resources.repository.product_secrets import hiding
from platform_resources.warehouses.protocol import ProductDatabase

CLOSED_GATE = "GateClosed"


def pull_inputs(refresh: BegunRefresh, ports: Iterable[InputPlan], as_of: date) -> Iterator[InputPulled]:
    """Pull each port, also behind one that fails. Extractors deliver up to the day `as_of`."""
    begin_import()
    hide = hiding(refresh.root, refresh.product)
    since, known = refresh.days[0] if refresh.days is not None else None, refresh.grants()
    context = PullContext(refresh.root, refresh.state, refresh.clock(), as_of, refresh.product, hide, known, refresh.replay, since)
    with tagged(refresh, "pull"), refresh.opened() as database:
        take_over_notes(database, refresh.product, (PULLS, FAILURES, CURSORS), PROFILES)
        close(database, "inputs were pulled and the models were not rebuilt since")
        for port in ports:
            with timed(refresh, "pull"):
                pulled = _pulled(database, port, context)
            yield pulled


def _pulled(database: ProductDatabase, port: InputPlan, context: PullContext) -> InputPulled:
    try:
        return InputPulled(port, pull(database, port, context), context.now)
    except PullFailed as error:
        return InputPulled(port, Pulled(port.name, {}, False, failures={error.check: str(error)}), context.now, str(error))


def pull_done(product: ProductPlan, inputs: Iterable[InputPulled]) -> PullDone:
    """The refresh ends after its pulls if a port failed whose last good data is not to be served, or is not there."""
    pulled = tuple(inputs)
    failed = {conventions.check_text(done.port.key, check): done.error for done in pulled if done.error for check in done.pulled.failures}
    if not failed:
        return PullDone(pulled)
    stop = StopReason("\n".join(failed.values()), failures=tuple(failed))
    return PullDone(pulled, unaudited_ending(product, "; ".join(failed.values())), stop)


def build_models(refresh: BegunRefresh, registry: Registry, only: Collection[str] | None = None) -> Built:
    """Build and test the product's models, and note what was written for the audit and the publication.

    Objectives about inputs alone are judged before; nothing is built of inputs that close the gate. `only` names models, and tests by
    dbt's ids, where not all were chosen. What then stands beside them was built by another run: so nothing of it is audited or
    published, until the next refresh builds all.
    """
    with tagged(refresh, "build"):
        return _built(refresh, registry, only)


def _built(refresh: BegunRefresh, registry: Registry, only: Collection[str] | None) -> Built:
    product, part = refresh.product, "" if only is None else _part_text(refresh.product, only)
    write_generated_files(refresh.root, product.files)
    with refresh.opened(keep=True) as database:
        inputs = audit_inputs(database, product, registry, refresh.clock())
        if only is not None and not only:
            return Built(product, refresh.clock(), inputs=inputs)
        closing = [result.sentence for result in inputs if result.closes_gate]
        close(database, "; ".join(closing) or part or "the last build did not finish")
    if closing:
        stop = StopReason(closed_gate_text(closing, _served(refresh)), CLOSED_GATE)
        why = f"the gate is closed: {'; '.join(closing)}"
        return Built(product, refresh.clock(), part, inputs=inputs, ending=unaudited_ending(product, why, inputs), stop=stop)
    try:
        project = parsed(refresh.root, refresh.state, product, target_of(refresh.root).name)
        begun = refresh.clock()
        _begin_build(refresh, project, part, begun)
        work = listener(product, wants_work(product))
        with timed(refresh, "build") as note:
            nodes = build(project, refresh.tell, refresh.full_refresh, only if part else None, work, refresh.days)
            note(tuple(work.found.values()) if work is not None else ())
        if product.by_day:
            _settle_batches(refresh, project, bool(part or build_failures(product, nodes)), begun)
    except BuildFailed as error:
        stop = StopReason(f"dbt could not build {product.name}: {error}", "BuildFailed")
        return Built(product, refresh.clock(), part, inputs=inputs, ending=unaudited_ending(product, str(error), inputs), stop=stop)
    return _settled(refresh, nodes, project, product if only is None else _part(product, only), part, inputs)


def _begin_build(refresh: BegunRefresh, project: Project, part: str, now: datetime) -> None:
    """Make room for what dbt is about to write."""
    with refresh.opened() as database:
        if refresh.days is None and (until := batches_until(database, refresh.product)) is not None:
            catch_up(project.manifest, until, now)
        drop_keys(database, refresh.product)
        make_room(database, refresh.product, project.relations, refresh.run_id)
        note_keeping(database, refresh.product, project.incremental if part else _kept(refresh, project))


def _settle_batches(refresh: BegunRefresh, project: Project, is_partial: bool, begun: datetime) -> None:
    """Note until when there is every batch. Raises BuildFailed where rows were lost."""
    with refresh.opened() as database:
        lost = "; ".join(lost_rows(project.manifest, lambda place: database.columns(place) if database.exists(place) else {}))
        if lost:
            raise BuildFailed(lost)
        if not is_partial:
            note_batches(database, refresh.product, refresh.days, begun, _served(refresh) is None)


def _kept(refresh: BegunRefresh, project: Project) -> frozenset[str]:
    """The models that keep rows of earlier builds."""
    return frozenset() if refresh.full_refresh else project.incremental


def _settled(
    refresh: BegunRefresh, nodes: tuple[NodeResult, ...], project: Project, chosen: ProductPlan, part: str, inputs: tuple[Audited, ...]
) -> Built:
    """What was built of `chosen`, after the gate knows of it."""
    product, failures = refresh.product, build_failures(chosen, nodes)
    rows, columns, lineage = dict[str, int](), dict[str, dict[str, str]](), ProductLineage()
    with refresh.opened(keep=True) as database:
        if not part:
            _settle_build(database, product, "; ".join(failures.values()), inputs)
        if not failures:
            columns = built_columns(database, product)
        if not failures and not part:
            lineage = keep_lineage(database, refresh.state, product, compiled(nodes), columns)
        if not failures and not unnoted(database, product):
            rows = _rows(database, chosen)
    built = Built(chosen, refresh.clock(), part, nodes, rows, columns, _kept(refresh, project), lineage, inputs)
    if not failures:
        return built
    ending = unaudited_ending(product, "; ".join(failures.values()), inputs)
    return replace(built, ending=ending, stop=_build_stop(refresh, nodes, failures))


def _part(product: ProductPlan, only: Collection[str]) -> ProductPlan:
    """The product with these tests alone; a test may be chosen without its model."""
    models = (replace(model, tests=tuple(test for test in model.tests if test.dbt_id in only)) for model in product.models)
    return replace(product, models=tuple(models))


def _part_text(product: ProductPlan, only: Collection[str]) -> str:
    """Why nothing of a build of these alone is audited or published; empty where they are all."""
    built = [model.name for model in product.models if model.name in only]
    tests = [test.dbt_id for model in product.models for test in model.tests]
    run = sum(test in only for test in tests)
    if len(built) == len(product.models) and run == len(tests):
        return ""
    named = f"of {len(product.models)} models {', '.join(built) or 'none'} and of {len(tests)} tests {run or 'none'}"
    return f"the last build was of a part: {named}; refresh {product.name} as a whole"


def build_failures(product: ProductPlan, nodes: Sequence[NodeResult]) -> dict[str, str]:
    """Why what was built must not be published, by name: models and tests that failed, and blocking tests that dbt did not find."""
    tests = {node.unique_id for node in nodes if node.kind in ("test", "unit_test")}
    lost = [t.name for model in product.models for t in model.tests if t.blocking and t.dbt_id not in tests]
    failed = [node for node in nodes if node.failed] or [node for node in nodes if node.kind in MAKERS and node.status != "success"]
    reasons = {node.name: f"{node.name}: {node.message or node.status}" for node in failed}
    return reasons | {name: f"{name}: dbt did not run this test" for name in lost}


def _build_stop(refresh: BegunRefresh, nodes: Sequence[NodeResult], failures: Mapping[str, str]) -> StopReason:
    """A closed gate where every model was built, but for those that dbt skipped because a test before them failed."""
    made = [node for node in nodes if node.kind in MAKERS]
    failed = any(node.failed for node in nodes)
    if any(node.failed or (node.status != "success" and not failed) for node in made):
        return StopReason("\n".join(("dbt could not build every model:", *failures.values())), failures=tuple(failures))
    return StopReason(closed_gate_text(failures.values(), _served(refresh)), CLOSED_GATE)


def _settle_build(database: ProductDatabase, product: ProductPlan, failures: str, inputs: tuple[Audited, ...]) -> None:
    """A product without objectives for an audit has none, so its build alone opens the gate."""
    built_by = fingerprint(product)
    forget_profiles(database)
    set_unbuilt(database, failures, built_by)
    reason = failures or "the models were rebuilt and not audited since"
    set_gate(database, Gate(False, reason) if failures or product.audited_after_build else decided(inputs, built_by))


def _rows(database: ProductDatabase, product: ProductPlan) -> dict[str, int]:
    """Rows of each model that is a table: those of a view would have to be computed for that."""
    tables = (model for model in product.models if model.materialized not in ("view", "ephemeral"))
    return {model.name: database.count(model.relation) for model in tables if database.is_table(model.relation)}


def _served(refresh: BegunRefresh) -> str | None:
    """The version that consumers have now."""
    latest = shelf(refresh.state, refresh.product.domain, refresh.product.name).latest()
    return latest.id if latest is not None else None


def unaudited_ending(product: ProductPlan, reason: str, inputs: Iterable[Audited] = ()) -> Ending:
    """The scorecard of a refresh that ends before its audit: nothing was measured but `inputs`."""
    known = {audited.objective.check.name: audited.judgement for audited in inputs}
    judged = [(objective, known.get(objective.check.name, Judgement("unknown", "not audited"))) for objective in product.audited]
    verdicts = tuple(AuditVerdict(objective.check.title, objective.dimension, said.verdict, said.reason) for objective, said in judged)
    return Ending(Gate(False, reason, verdicts), LastRefresh(f"not published: {reason}", reason))


def audit_candidate(refresh: BegunRefresh, registry: Registry, before: Mapping[str, History]) -> AuditDone:
    """Judge every objective of the audit on what was built, and decide the gate. `before` has their histories, by names of checks."""
    product, now = refresh.product, refresh.clock()
    published = shelf(refresh.state, product.domain, product.name).latest()
    with tagged(refresh, "audit"), refresh.opened(keep=True) as database:
        why_not = unbuilt(database, fingerprint(product)) or unnoted(database, product)
        if why_not:
            audited = unaudited(product, why_not)
        else:
            inherited = inherited_in(refresh.state, product, input_records(database, product))
            built = restricted(as_built(database, product), inherited)
            with timed(refresh, "audit"):
                audited = audit(database, built, registry, now, published, before, refresh.tell)
                with owned_keys(database, refresh.state, product) as missing:
                    audited += audit_joins(database, built, registry, now, missing)
        decision, kept = decided(audited, fingerprint(product), why_not), keeping(database, product)
        set_gate(database, decision)
    why = f"the gate is closed: {decision.reason}"
    ending = None if decision.open else Ending(decision, LastRefresh(f"not published, {why}", why))
    done = AuditDone(product, audited, decision, now, kept, published.id if published is not None else None, ending)
    return replace(done, stop=audit_stop(done, audited))


def audit_stop(done: AuditDone, results: Iterable[Audited]) -> StopReason | None:
    """Why the refresh ends after its audit, by those of its results that count: a run may ask for some of them only."""
    closing = [result for result in results if result.closes_gate]
    if not closing:
        return None
    reasons = [result.sentence for result in closing]
    hints = dict.fromkeys(hint for result in closing if (hint := done.hint(result)))
    return StopReason(closed_gate_text((*reasons, *hints), done.served), CLOSED_GATE)


def publish_version(refresh: BegunRefresh) -> PublishDone:
    """Publish what was built and audited as one version, unless the gate is closed or nothing has changed."""
    product = refresh.product
    with tagged(refresh, "publish"), timed(refresh, "publish"):
        done = _published_if_open(refresh)
    if done.publication is None and product.retention is not None:  # also where nothing is new, old versions go in time
        now, shelves = refresh.clock(), shelf(refresh.state, product.domain, product.name)
        gone = chain(old_versions_gone(shelves, product, now), roles_given(refresh.state, product, refresh.grants(), now))
        for warning in gone:
            refresh.tell(warning)
    return done


def _published_if_open(refresh: BegunRefresh) -> PublishDone:
    product, current = refresh.product, fingerprint(refresh.product)
    # With the version there must be the rows that it was made from: what an input once had may be gone at its source.
    shelf(refresh.state, product.domain, product.name).hand_over(refresh.opened.close)
    with refresh.opened(keep=True) as database:
        decision = gate(database)
        if not decision.open or decision.fingerprint != current:
            return PublishDone(decision, stop=StopReason(f"{product.name} is not published: {decision.reason or CHANGED}"))
        if lost := unnoted(database, product):
            return PublishDone(decision, stop=StopReason(f"{product.name} is not published: {lost}", "BuildLost"))
        run, built = built_in(database, product), as_built(database, product)
        candidate = Candidate(built, refresh.state, refresh.clock(), refresh.run_id, current, run)
        latest = candidate.shelf.latest()
        if latest is not None and run and latest.built_in == run and not refresh.is_told(latest):
            # A try before has published it, and ended before anybody was told.
            before = next(iter(candidate.shelf.published()[-2:-1]), None)
            return PublishDone(decision, candidate, latest, before, profiles(database, product))
        # Days that are made anew are other rows, though no input has changed.
        failing = failing_inputs(database, product) if refresh.days is None else {}
        return _published(database, product, decision, candidate, failing)


def _published(
    database: ProductDatabase, product: ProductPlan, decision: Gate, candidate: Candidate, failing: Mapping[str, str]
) -> PublishDone:
    inputs = input_records(database, product)
    unchanged = unchanged_text(candidate, inputs, failing)
    if unchanged:
        return PublishDone(decision, ending=Ending(decision, LastRefresh(f"not published, nothing changed: {unchanged}")))
    before, profiled = candidate.shelf.latest(), profiles(database, candidate.product)
    try:
        publication = publish(database, candidate, inputs)
    except NotPublishable as error:
        return PublishDone(decision, stop=StopReason(f"{product.name} is not published: {error}", "NotPublishable"))
    settle(database, profiled)
    return PublishDone(decision, candidate, publication, before, profiled)


def tidy_versions(refresh: BegunRefresh, done: PublishDone) -> Iterator[str]:
    """After a publication: bring the catalog up to date and remove versions that are no longer kept. Gives warnings."""
    if done.candidate is not None and done.publication is not None:
        yield from tidied(done.candidate, done.publication, refresh.root, refresh.grants())


def score(refresh: BegunRefresh) -> Scored:
    """How a refresh ends that went through all of its stages."""
    with refresh.opened() as database:
        decision = gate(database)
    latest = _served(refresh)
    return Scored(Ending(decision, LastRefresh(published_text(latest) if latest else "nothing published yet")))
