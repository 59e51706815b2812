"""Commands about contract changes: compare two meshes, and check whether products may be released."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from platform_resources.cli.contracts.ending import end, ending, switched
from platform_resources.cli.contracts.staging import sign, stages
from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, MISSED, SPEC_INVALID, Stop, print_json, print_problems, stop
from platform_resources.cli.terminal.memory import opened
from platform_resources.contracts.change import PROFILES, Profile
from platform_resources.contracts.release import Release, release_problems
from platform_resources.contracts.release_text import releases_text
from platform_resources.plan.plan import MeshPlan
from platform_resources.repository.mesh_folders import mesh_root, state_folder
from platform_resources.spec.problems import unknown_text

if TYPE_CHECKING:
    from platform_resources.services.releases.contract_sources import MeshContracts

app = typer.Typer(help="Check whether products may be released as they are.", no_args_is_help=True, add_completion=False)
app.command()(ending)
app.command()(switched)
app.command()(end)
app.command()(stages)
app.command()(sign)
# What stands for the contracts under which products were published last.
PUBLISHED = "published"
_Profile = Annotated[str, typer.Option(help="How far to look: structure, guarantees (and structure), or governance (all).")]
_Accept = Annotated[bool, typer.Option("--accept", help="You have looked at what is undetermined: it breaks nothing.")]


def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="A mesh's folder, a git revision, or `published`.")] = PUBLISHED,
    new: Annotated[str | None, typer.Argument(help="A mesh's folder or a git revision; the mesh here if left out.")] = None,
    product: Annotated[list[str] | None, typer.Option(help="Only this product; as often as needed.")] = None,
    profile: _Profile = "governance",
    as_json: Json = False,
) -> None:
    """Show what changes for consumers between two meshes, the version required, and who is affected, as Markdown."""
    releases, _ = _compared(context, old, new, product or (), _profile(profile), accepted=False)
    _show(releases, [() for _ in releases], as_json)


@app.callback()
def _group() -> None:
    """With one command alone typer would leave out its name."""


@app.command()
def check(
    context: typer.Context,
    products: Annotated[list[str] | None, typer.Argument(help="Only these products; all if left out.")] = None,
    against: Annotated[str, typer.Option(help="The last release: a git tag or other revision, a folder, or `published`.")] = PUBLISHED,
    accept: _Accept = False,
    acknowledged: Annotated[list[str] | None, typer.Option(help="A consumer who knows what breaks and agrees; as often as needed.")] = None,
    profile: _Profile = "governance",
    as_json: Json = False,
) -> None:
    """Fail if a release breaks consumers: version too low, consumers not informed, or notice too short."""
    releases, contracts = _compared(context, against, None, products or (), _profile(profile), accept)
    today = datetime.now(UTC).date()
    lacking = _lacking(mesh_root(context.obj), contracts.plan)
    problems = [
        (*release_problems(release, frozenset(acknowledged or ()), today), *lacking.get(release.new.product if release.new else "", ()))
        for release in releases
    ]
    _show(releases, problems, as_json)
    if contracts.problems:
        print_problems(contracts.problems)
        raise Stop(SPEC_INVALID)
    raise Stop(MISSED if any(problems) else FINE)


def _lacking(root: Path, plan: MeshPlan) -> dict[str, tuple[str, ...]]:
    """What each product lacks for the stage that it claims."""
    from platform_resources.services.releases.stage_standings import missing_now

    with opened(root) as ledger, ledger.reading() as connection:
        return {product.name: missing_now(connection, product) for product in plan.products}


def _profile(written: str) -> Profile:
    known = next((profile for profile in PROFILES if profile == written), None)
    return known or stop(unknown_text("profile", written, PROFILES), CANNOT_RUN)


def _compared(
    context: typer.Context, old: str, new: str | None, names: Sequence[str], profile: Profile, accepted: bool
) -> "tuple[tuple[Release, ...], MeshContracts]":
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.services.releases.contract_sources import ContractsUnavailable
    from platform_resources.services.releases.release_checks import releases

    root = mesh_root(context.obj)
    try:
        with _contracts(root, old) as before, _contracts(root, new or str(root)) as after:
            unknown = [name for name in names if name not in {*before.contracts, *after.contracts}]
            if unknown:
                stop(unknown_text("product", unknown[0], sorted({*before.contracts, *after.contracts})), CANNOT_RUN)
            if before.problems:
                print_problems(before.problems)
                stop(f"{old} has errors, so not every product of it can be compared", CANNOT_RUN)
            return releases(before, after, state_folder(root), profile, datetime.now(UTC), names, accepted), after
    except (ContractsUnavailable, LedgerUnavailable) as error:
        stop(str(error), CANNOT_RUN)


@contextmanager
def _contracts(root: Path, source: str) -> "Iterator[MeshContracts]":
    from platform_resources.services.releases.contract_sources import contracts_in, published, revision_of

    if source == PUBLISHED:
        with opened(root) as ledger, ledger.reading() as connection:
            contracts = published(connection)
        if not contracts.contracts:
            stop("nothing has been published yet; name a git revision or a folder to compare with", CANNOT_RUN)
        yield contracts
    elif Path(source).is_dir():
        yield contracts_in(mesh_root(Path(source)))
    else:
        with revision_of(root, source) as folder:
            yield contracts_in(folder)


def _show(releases: Sequence[Release], problems: Sequence[tuple[str, ...]], as_json: bool) -> None:
    if as_json:
        print_json([_data(release, found_problems) for release, found_problems in zip(releases, problems, strict=True)])
    else:
        typer.echo(releases_text(releases, problems), nl=False)


def _data(release: Release, problems: Sequence[str]) -> dict[str, Any]:
    changes = [
        {**asdict(change), "affected": [asdict(consumer) for consumer in consumers]}
        for change, consumers in zip(release.changes, release.affected, strict=True)
    ]
    return {
        "product": release.old.product,
        "before": release.old.version,
        "now": release.new.version if release.new is not None else None,
        "class": release.kind,
        "demanded": str(release.demanded),
        "binding": release.old.is_binding,
        "consumers": [consumer.name for consumer in release.consumers],
        "problems": list(problems),
        "changes": changes,
    }
