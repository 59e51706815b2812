"""Plan a mesh from its files and from what dbt says of them."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from platform_resources.dbt.kept_manifests import Manifests
from platform_resources.plan.from_products.dbt_files import files_of
from platform_resources.plan.from_products.dbt_nodes import DbtProject, DbtReading
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.plan.plan import GeneratedFile, MeshPlan
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.repository.mesh_repository import parsed_target, read_mesh
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import runs


def read_plan(root: Path, only: Iterable[str] | None = None, upstream: bool = False) -> tuple[MeshPlan, tuple[Problem, ...]]:
    """The plan of the mesh at `root` and every problem in it; of `only` these products, and the problems of what they depend on.

    `upstream`: what they depend on is planned too.
    """
    return read_mesh_and_plan(root, only, upstream)[1:]


def read_mesh_and_plan(root: Path, only: Iterable[str] | None = None, upstream: bool = False) -> tuple[Mesh, MeshPlan, tuple[Problem, ...]]:
    """The same, and what was read."""
    names = None if only is None else tuple(only)
    wanted = None if upstream else names
    mesh = with_dbt(root, read_mesh(root, only=names), wanted)
    return mesh, *mesh_plan(mesh, wanted)


def generated_files(root: Path) -> tuple[tuple[GeneratedFile, ...], tuple[Problem, ...]]:
    """The files that plain dbt needs for the whole project, also of products with problems; and all problems of the mesh."""
    mesh = read_mesh(root)
    known = with_dbt(root, mesh)
    written = [product for product in mesh.products if mesh.texts_of(product).models]
    files = tuple(file for product in written for file in files_of(mesh, product, known.project_of(product)))
    return files, mesh_plan(known)[1]


def with_dbt(root: Path, mesh: Mesh, wanted: Collection[str] | None = None) -> Mesh:
    """The mesh with what dbt says of all its products, or of these alone. Their texts must have been read."""
    return replace(mesh, dbt=_said_by_dbt(root, mesh, wanted))


def _said_by_dbt(root: Path, mesh: Mesh, wanted: Collection[str] | None) -> dict[str, DbtReading]:
    """By the product's file; of products that run and have models, where dbt can be asked at all."""
    asked = [product for product in mesh.products if runs(product) and (wanted is None or product.name in wanted)]
    if not any(mesh.texts_of(product).models for product in asked):
        return {product.file: DbtReading(DbtProject()) for product in asked}
    chosen = parsed_target(root)
    if not chosen:  # what is missing is told of the repository as a whole
        return {product.file: DbtReading(None) for product in asked}
    manifests = Manifests(root, state_folder(root), chosen)
    return {
        product.file: manifests.of(product, partial(files_of, mesh, product)) if mesh.texts_of(product).models else DbtReading(DbtProject())
        for product in asked
    }
