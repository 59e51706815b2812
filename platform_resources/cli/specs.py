"""Commands about specs: validate, plan, schema, capabilities, settings."""

import inspect
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.tree import Tree

from platform_resources.capabilities.registry import KINDS, installed_registry
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    FINE,
    SPEC_INVALID,
    Stop,
    cell,
    counted,
    out,
    plain,
    print_json,
    print_problems,
    product_of,
    stop,
    words,
)
from platform_resources.dbt.planning import generated_files, read_mesh_and_plan, read_plan
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan, ProductPlan, RejectedProduct
from platform_resources.plan.plan_text import kept_back_text, plan_json
from platform_resources.redaction.redaction import shown_url
from platform_resources.repository.generated_files import write_all_generated_files
from platform_resources.repository.mesh_folders import mesh_root, state_folder
from platform_resources.repository.mesh_repository import build_problems, house_problems
from platform_resources.settings import ANALYST_DATABASE, SETTINGS, Setting
from platform_resources.spec.problems import Problem, errors, unknown_text
from platform_resources.spec.values.durations import duration_text
from platform_resources.warehouses.targets import warehouse

Json = Annotated[bool, typer.Option("--json", help="Print data only, as JSON.")]


def validate(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Only these products and domains; all if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Check every spec of the mesh and report every problem at once."""
    root = mesh_root(context.obj)
    from platform_resources.services.access.policy_standings import history_policy_problems
    from platform_resources.services.releases.stage_standings import stage_problems

    mesh, plan, problems = read_mesh_and_plan(root)
    problems = (*problems, *history_policy_problems(state_folder(root), mesh, plan, datetime.now(UTC)))
    problems = (*problems, *stage_problems(state_folder(root), mesh, plan))
    around = (*build_problems(root, plan), *house_problems(root, plan))
    if names:
        plan, problems = _only(plan, problems, names)
    problems = (*problems, *around)
    wrong = errors(problems)
    if as_json:
        fields = ("file", "line", "path", "message", "hint", "severity")
        print_json([{field: getattr(problem, field) for field in fields} for problem in problems])
    else:
        print_problems(problems)
        good, bad = len(plan.products), len(plan.rejected)
        if not good + bad:
            words.print("there is no product yet; a new one begins with: mesh new product --from FILE", style="yellow", markup=False)
        words.print(
            counted(good, "product", "is valid", "are valid")
            + (f", {bad} {'is' if bad == 1 else 'are'} not" if bad else "")
            + (f"; {counted(len(wrong), 'problem')}" if wrong else "")
        )
    raise Stop(SPEC_INVALID if wrong else FINE)


def prepare(context: typer.Context) -> None:
    """Parse every product with dbt now, so that Dagster and later commands find the results cached.

    Of what has not changed since nothing is done. A deployment does this once, before it starts.
    """
    root = mesh_root(context.obj)
    plan, problems = read_plan(root)
    wrong = errors((*problems, *build_problems(root, plan)))
    print_problems(wrong)
    running = [product for product in plan.products if product.runs]
    words.print(f"what dbt says of {counted(len(running), 'product')} is kept in {plain(str(state_folder(root) / 'dbt_project/target'))}")
    raise Stop(SPEC_INVALID if wrong else FINE)


def generate(
    context: typer.Context,
    data: Annotated[
        list[str] | None, typer.Option("--data", help="Copy this product's inputs and last build into your own database; repeatable.")
    ] = None,
) -> None:
    """Write the dbt YAML of every product, so that plain dbt and editors work on the whole project.

    Plain dbt builds in a database of your own, MESH_ANALYST, and never in a product's.
    """
    root = mesh_root(context.obj)
    files, problems = generated_files(root)
    write_all_generated_files(root, files)
    wrong = errors(problems)
    print_problems(wrong)
    words.print(f"{counted(len(files), 'generated file', 'is', 'are')} up to date below {conventions.DBT_FOLDER}/models")
    own = root / conventions.DBT_FOLDER / (ANALYST_DATABASE.value(os.environ) or "target/analyst.duckdb")
    for name in data or ():
        product = product_of(read_plan(root, [name])[0], name)
        tables = warehouse().lend(state_folder(root), product.domain, product.name, own)
        words.print(f"{counted(tables, 'table')} of {plain(name)} {'is' if tables == 1 else 'are'} in {plain(str(own))}")
    raise Stop(SPEC_INVALID if wrong else FINE)


def _only(plan: MeshPlan, problems: Sequence[Problem], names: Sequence[str]) -> tuple[MeshPlan, tuple[Problem, ...]]:
    """What concerns the named products and domains: their files and those of their models."""
    products: tuple[ProductPlan | RejectedProduct, ...] = (*plan.products, *plan.rejected)
    known = {name for product in products for name in (product.name, product.domain)} | {domain.name for domain in plan.domains}
    for name in names:
        if name not in known:
            stop(unknown_text("product or domain", name, known), CANNOT_RUN)
    chosen = MeshPlan(
        tuple(p for p in plan.products if p.name in names or p.domain in names),
        tuple(r for r in plan.rejected if r.name in names or r.domain in names),
    )
    return chosen, tuple(problem for problem in problems if set(names) & set(problem.file.split("/")))


def plan(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(help="Only this product.")] = None,
    as_json: Json = False,
) -> None:
    """Show the plan derived from the specs: assets, ports, checks, lineage, automation and generated dbt files.

    Of one product also what it tells its readers: purpose, runbook, agreements, sample queries.
    """
    from platform_resources.cli.finding.describing import introduce

    root = mesh_root(context.obj)
    whole, problems = read_plan(root)
    print_problems(errors(problems))
    chosen = MeshPlan((product_of(whole, product),), ()) if product else whole
    if as_json:
        typer.echo(plan_json(chosen))
    else:
        for planned in chosen.products:
            tree = _tree(planned)
            if product:
                introduce(planned, tree)
            out.print(tree)
    raise Stop(SPEC_INVALID if errors(problems) else FINE)


def _tree(product: ProductPlan) -> Tree:
    """A product's plan as a tree."""
    refresh = product.refresh
    when = "by hand" if refresh is None else f"{refresh.cron} {refresh.timezone}" if refresh.cron else "when an input has a new version"
    tree = Tree(f"[bold]{plain(product.group)}[/] {product.info.version} {product.info.lifecycle} [dim](refreshed {plain(when)})[/]")
    inputs = tree.add("input ports")
    for port in product.inputs:
        source = f" <- {port.upstream.product}.{port.upstream.port} {port.upstream.version}" if port.upstream else ""
        inputs.add(f"{plain('/'.join(port.key))} [dim]{plain(port.interface)}[/]{plain(source)}")
    models = tree.add("models")
    for model in product.models:
        reads = ", ".join(key[-1] for key in model.dependencies) or "nothing"
        data_set = f" [cyan]data set {plain(model.data_set)}[/]" if model.data_set else ""
        made = "" if model.kind == "model" else f"{model.kind}, "
        models.add(f"{plain('/'.join(model.key))} [dim]{made}reads {plain(reads)}[/]{data_set}")
    checks = tree.add(f"checks ({len(product.checks)})")
    for check in product.checks:
        gate = " [bold]gate[/]" if check.blocking else ""
        checks.add(f"{plain(check.name)} [dim]{check.kind} on {plain('/'.join(check.key))}[/]{gate}")
    outputs = tree.add("output ports")
    for output in product.outputs:
        oldest = f", none older than {duration_text(output.retention)}" if output.retention is not None else ""
        stored = f"{output.interface}, {output.store.format}, keeps {output.keep_versions}{oldest}"
        outputs.add(f"{plain('/'.join(output.key))} [dim]{plain(stored)}[/]")
    if kept_back := kept_back_text(product):
        outputs.add(f"[yellow]{plain(kept_back)}[/]")
    routes = tree.add("routes") if product.routes else tree
    for route in product.routes:
        quiet = f", quiet from {route.quiet.start:%H:%M} to {route.quiet.end:%H:%M} {route.quiet.timezone}" if route.quiet else ""
        routes.add(f"{plain(route.channel)} [dim]for the {route.audience}, from severity {route.severity}{plain(quiet)}[/]")
    for file in product.files:
        tree.add(cell(f"writes {file.path}"))
    return tree


def schema(
    domain: Annotated[bool, typer.Option("--domain", help="Of domain.yaml instead of product.yaml.")] = False,
    governance: Annotated[bool, typer.Option("--governance", help="Of governance.yaml.")] = False,
) -> None:
    """Print one JSON Schema for editors, assembled from all registered capabilities."""
    from platform_resources.spec.json_schema import domain_schema, governance_schema, json_schema

    print_json(governance_schema() if governance else domain_schema() if domain else json_schema(installed_registry()))


def capabilities(
    name: Annotated[str | None, typer.Argument(help="Show this one with its documentation and an example.")] = None,
    as_json: Json = False,
) -> None:
    """List what a spec may contain: component types, port interfaces, dimensions; built in or from an installed package."""
    registry = installed_registry()
    offered = [(kind, capability) for kind in KINDS for capability in registry.by_kind[kind].values() if name in (None, capability.name)]
    if as_json:
        print_json(
            [{"kind": kind, "name": c.name, "documentation": inspect.getdoc(c), "example": c.example.strip()} for kind, c in offered]
        )
        raise Stop(FINE)
    if name is not None:
        for kind, capability in offered:
            out.print(f"[bold]{plain(capability.name)}[/] ({_one_of(kind)})\n\n{plain(inspect.getdoc(capability))}\n")
            out.print(capability.example.strip(), markup=False)
        raise Stop(FINE if offered else _unknown_capability(name))
    table = Table("kind", "name", "what it is", box=None)
    for kind, capability in offered:
        first_line = (inspect.getdoc(capability) or "").partition("\n")[0]
        table.add_row(_one_of(kind), cell(capability.name), cell(first_line))
    out.print(table)


def _one_of(kind: str) -> str:
    """What one capability of the kind is called."""
    return {"policies": "policy", "criteria": "criterion"}.get(kind, kind.replace("_", " ").removesuffix("s"))


def _unknown_capability(name: str) -> int:
    words.print(f'no capability "{name}"; `mesh capabilities` lists them all', style="red", markup=False)
    return SPEC_INVALID


def settings(as_json: Json = False) -> None:
    """List the environment variables that the platform reads, with their current values."""
    now = {setting: setting.value(os.environ) for setting in SETTINGS}
    shown = {setting: _shown(setting, value) for setting, value in now.items()}
    if as_json:
        print_json([{"name": s.name, "meaning": s.meaning, "default": s.default, "now": shown[s] or None} for s in SETTINGS])
        raise Stop(FINE)
    table = Table("variable", "says", "if it is not set", "now", box=None)
    for setting in SETTINGS:
        table.add_row(setting.name, setting.meaning, setting.default, cell(shown[setting]) if shown[setting] else "[dim]not set[/]")
    out.print(table)


def _shown(setting: Setting, value: str) -> str:
    """The value without its passwords; nothing of one that may hold some in a form that nobody knows."""
    if not setting.secret or not value:
        return value
    return shown_url(value) if "://" in value else "set, and not shown: it is no URL"
