"""Check the files that a mesh needs besides its products: a dbt project, and code locations for Dagster."""

from collections.abc import Iterable, Iterator, Mapping

from platform_resources.plan import conventions
from platform_resources.settings import DBT_DATABASE
from platform_resources.spec.document import Document, read_document
from platform_resources.spec.problems import Problem

PROJECT, PROFILES, WORKSPACE = f"{conventions.DBT_FOLDER}/dbt_project.yml", f"{conventions.DBT_FOLDER}/profiles.yml", "workspace.yaml"
# Each in one line of YAML, so that it can be copied out of a message.
_WHOLE = {
    PROJECT: ('name: mesh, version: "1.0.0", config-version: 2, profile: mesh, models: {+materialized: table}'),
    PROFILES: (
        "mesh: {target: duckdb, outputs: {duckdb: {type: duckdb, path: \"{{ env_var('MESH_DUCKDB', ':memory:') }}\", schema: internal, "
        "threads: 2, settings: {timezone: UTC, memory_limit: \"{{ env_var('MESH_MEMORY_LIMIT', '40%') }}\"}}}}"
    ),
}
_DATABASE = DBT_DATABASE.name


def dbt_project_problems(texts: Mapping[str, str]) -> Iterator[Problem]:
    """Files that dbt cannot do without, and what they must read. `texts` has those of PROJECT and PROFILES that there are."""
    for file, whole in _WHOLE.items():
        if file not in texts:
            yield Problem(file, 1, "", "the file is missing, and no product can be built without it", f"write into it: {{{whole}}}")
    if PROFILES in texts and _DATABASE not in _read_values(texts[PROFILES], PROFILES):
        message = f"the file does not read {_DATABASE}: dbt would not build in the product's own database"
        yield Problem(PROFILES, 1, "", message, f"write path: \"{{{{ env_var('{_DATABASE}', ':memory:') }}}}\"")
    elif PROFILES in texts and "timezone" not in texts[PROFILES].casefold():
        message = "the file sets no time zone: a model's days are those of the machine that builds it"
        yield _unseen(PROFILES, message, "write settings: {timezone: UTC}")


def _read_values(text: str, file: str) -> str:
    """What the file says without its comments; all of it where only dbt can read it."""
    document = read_document(text, file)
    return str(document.data) if isinstance(document, Document) else text


def code_location_problems(domains: Iterable[str], texts: Mapping[str, str]) -> Iterator[Problem]:
    """Domains that Dagster does not show; `mesh refresh` can do without. `texts` has each definitions.py, and WORKSPACE, that there is."""
    workspace = texts.get(WORKSPACE)
    for domain in domains:
        file = definitions_file(domain)
        if file not in texts:
            written = "from platform_resources import domain_definitions; defs = domain_definitions(__file__)"
            yield _unseen(file, f"the file is missing, so Dagster does not show the domain {domain}", f"write into it: {written}")
        if workspace is not None and file not in workspace:
            yield _unseen(WORKSPACE, f"it does not name {file}, so Dagster does not show the domain {domain}", f"add {_entry(domain)}")
    if workspace is None:
        entries = ", ".join(map(_entry, domains))
        yield _unseen(WORKSPACE, "the file is missing, and Dagster finds the mesh by it", f"write into it: {{load_from: [{entries}]}}")


def misplaced(files: Iterable[str]) -> Iterator[Problem]:
    """Documents that nobody reads, as they lie elsewhere or are called `product.yml`."""
    where = f"a product is read from {conventions.PRODUCTS_FOLDER}/<domain>/<product>/product.yaml"
    yield from (_unseen(file, f"the file is not read: {where}", "move it there, or give it that name") for file in files)


def definitions_file(domain: str) -> str:
    """The path of a domain's definitions.py, relative to the mesh's root."""
    return f"{conventions.PRODUCTS_FOLDER}/{domain}/definitions.py"


def _entry(domain: str) -> str:
    return f"{{python_file: {{relative_path: {definitions_file(domain)}, location_name: {domain}}}}}"


def _unseen(file: str, message: str, hint: str) -> Problem:
    return Problem(file, 1, "", message, hint, severity="warning")
