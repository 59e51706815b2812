"""Load contracts from a mesh folder, a git revision, or the ledger's record of published versions."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from platform_resources.contracts.contract import Contract, ContractUnreadable, contract_from
from platform_resources.contracts.planned_contract import contract_of
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people.published_contracts import newest_contracts
from platform_resources.plan import conventions
from platform_resources.plan.from_products.dbt_nodes import DbtReading
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.plan.from_products.product_plan import planned_indicators
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.repository.known_documents import Reader
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.spec.problems import Problem, errors
from platform_resources.spec.product import runs
from platform_resources.spec.reading import read_product


class ContractsUnavailable(Exception):
    """Raised if contracts cannot be read; says from where, why, and what to do."""


@dataclass(frozen=True, slots=True)
class MeshContracts:
    """The contracts of a mesh by product, its plan (empty if unknown), and errors in its documents."""

    contracts: Mapping[str, Contract]
    plan: MeshPlan
    problems: tuple[Problem, ...] = ()


def contracts_in(root: Path, reader: Reader = read_product) -> MeshContracts:
    """The contracts of a mesh folder, from its documents alone, as `reader` reads them, without dbt or a warehouse."""
    mesh = read_mesh(root, reader=reader)
    mesh = replace(mesh, dbt={product.file: DbtReading(None) for product in mesh.products})
    plan, problems = mesh_plan(mesh)
    contracts = {product.name: _contract(mesh, product) for product in plan.products}
    return MeshContracts(contracts, plan, errors(problems))


def _contract(mesh: Mesh, product: ProductPlan) -> Contract:
    """Without dbt a product has no models, and so no indicators either, though it promises them."""
    document = mesh.by_name[product.name]
    indicators = planned_indicators(mesh, document, product.objectives) if runs(document) else ()
    models = {model.name: model.sql for model in mesh.texts_of(document).models}
    return contract_of(replace(product, indicators=indicators), models)


@contextmanager
def revision_of(root: Path, revision: str) -> Iterator[Path]:
    """Check out a git revision of the mesh into a temporary folder. Raises ContractsUnavailable."""
    folders = (conventions.PRODUCTS_FOLDER, conventions.DBT_FOLDER)
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    if not commit:
        raise ContractsUnavailable(f"{revision} is neither a folder nor a revision that git knows in {root}; in CI, fetch tags and history")
    there = _git(root, "ls-tree", "--name-only", commit, "--", *folders).decode().splitlines()
    if conventions.PRODUCTS_FOLDER not in there:
        raise ContractsUnavailable(f"at {revision} there is no folder {conventions.PRODUCTS_FOLDER}/ in {root}")
    archived = _git(root, "archive", "--format=tar", commit, "--", *there)
    with tempfile.TemporaryDirectory(prefix="mesh-") as folder:
        try:
            with tarfile.open(fileobj=io.BytesIO(archived)) as archive:
                archive.extractall(folder, filter="data")
        except tarfile.TarError as error:
            raise ContractsUnavailable(f"{revision} cannot be read: {error}; take it out of git, or compare two folders instead") from error
        yield Path(folder)


def _git(root: Path, *arguments: str) -> bytes:
    """What git prints; nothing where it finds nothing."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False, timeout=120)
    except FileNotFoundError as error:
        raise ContractsUnavailable("git is not installed; compare two folders instead") from error
    return done.stdout if done.returncode == 0 else b""


def published(connection: Connection) -> MeshContracts:
    """The contract of each product's last published version. Raises ContractsUnavailable."""
    contracts = {}
    for product, text in newest_contracts(connection).items():
        try:
            contracts[product] = contract_from(text)
        except ContractUnreadable as error:
            raise ContractsUnavailable(f"the ledger's contract of {product} cannot be read: {error}; name a git revision") from error
    return MeshContracts(contracts, MeshPlan((), ()))
