"""Plan all products of a mesh; reject those with errors, with their problems."""

from collections.abc import Iterable
from dataclasses import replace

from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.planned_routes import channels_of, domain_digest, domain_routes
from platform_resources.plan.from_products.product_order import cycles, ordered, product_graph
from platform_resources.plan.from_products.product_plan import product_plan
from platform_resources.plan.plan import DomainPlan, MeshPlan, RejectedProduct
from platform_resources.plan.validation.channel_validation import domain_problems
from platform_resources.plan.validation.governance_validation import governance_problems
from platform_resources.plan.validation.model_validation import names_in_two_products
from platform_resources.plan.validation.passes import find_further_problems, find_problems
from platform_resources.plan.zones import shown_zone
from platform_resources.spec.problems import Problem, errors
from platform_resources.spec.product import Product
from platform_resources.spec.values.names import title_of_name


def mesh_plan(mesh: Mesh, only: Iterable[str] | None = None, domain: str | None = None) -> tuple[MeshPlan, tuple[Problem, ...]]:
    """The plan of every good product (of `only` these names, if given), and all problems. A product with an error is rejected alone.

    With a `domain`, its own products alone are judged and planned, as they are among all; other domains' texts need not be there.
    While nobody can tell the classes of governance.yaml, every product is rejected: who may see what is not known.
    """
    judged = [product for product in mesh.products if domain in (None, product.domain)]
    problems = find_problems(mesh, judged)
    ungoverned = () if mesh.governance.classes_are_known else errors(mesh.governance.problems)
    bad = {product.file: (*_errors_of(mesh, product, problems), *ungoverned) for product in judged}
    good = {product.name for product in judged if not bad[product.file]}
    wanted = good if only is None else good & set(only)
    rejected = [RejectedProduct(p.name, p.domain, p.file, bad[p.file]) for p in judged if bad[p.file]]
    unreadable = [(u, (*u.problems, *find_further_problems(mesh, u))) for u in mesh.unreadable if domain in (None, u.domain)]
    rejected += [RejectedProduct(u.name, u.domain, u.file, problems) for u, problems in unreadable]
    plan = MeshPlan(
        products=tuple(product_plan(mesh, mesh.by_name[name]) for name in _in_order(mesh) if name in wanted),
        rejected=tuple(sorted(rejected, key=lambda r: r.file)),
        domains=tuple(_domain_plan(mesh, name) for name in sorted({p.domain for p in mesh.products} | set(mesh.domains))),
    )
    plan = replace(plan, products=tuple(replace(product, zone=shown_zone(plan, product)) for product in plan.products))
    return plan, tuple(
        sorted(
            {
                *problems,
                *governance_problems(mesh),
                *domain_problems(mesh),
                *names_in_two_products(mesh),
                *(problem for _, problems in unreadable for problem in problems),
            }
        )
    )


def _in_order(mesh: Mesh) -> tuple[str, ...]:
    """All products but those in a circle, each after those it reads from: the same order whoever is rejected."""
    graph = product_graph(mesh)
    circling = {name for cycle in cycles(graph) for name in cycle}
    return ordered({name: upstream for name, upstream in graph.items() if name not in circling})


def _domain_plan(mesh: Mesh, name: str) -> DomainPlan:
    domain = mesh.domain(name)
    title = domain.title or title_of_name(name)
    return DomainPlan(
        name=name,
        title=title,
        description=domain.description,
        owners=domain.owners.names,
        compute=domain.compute,
        channels=channels_of(mesh, name),
        routes=domain_routes(mesh, name),
        digest=domain_digest(mesh, name),
    )


def _errors_of(mesh: Mesh, product: Product, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    texts = mesh.texts.get(product.file)
    files = {product.file}
    if texts is not None:
        files |= {text.file for text in (*texts.models, *texts.tests)} | {*texts.properties, *(p.file for p in texts.problems)}
    reading = mesh.dbt.get(product.file)
    # Where dbt has stopped at a file that all share, this product cannot be built.
    stopped = reading.problems if reading is not None and reading.project is None else ()
    return tuple(problem for problem in errors(tuple(problems)) if problem.file in files or problem in stopped)
