"""Make the folders that roles read hold exactly what they should; published files stay where they are."""

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from platform_resources.access.grants import KnownGrants
from platform_resources.access.role_folders import AccessChange, RoleFolder, wanted_folders, why_gone
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.published_versions import POINTER, files_of, shelf
from platform_resources.publications.version_records import PortVersion, Publication, Versions, catalog_view
from platform_resources.publications.whole_files import replace_json
from platform_resources.refresh.views.folder_modes import FolderMode, role_mode, set_mode
from platform_resources.warehouses.published_places import CatalogView, PublishedFiles
from platform_resources.warehouses.targets import warehouse


@dataclass(frozen=True, slots=True)
class RoleContent:
    """What a role's folder holds: what the manifest says, links by their names to published files, and the views of its catalog."""

    folder: RoleFolder
    manifest: Mapping[str, Any]
    links: Mapping[str, Path]
    views: tuple[CatalogView, ...]
    mode: FolderMode


def role_changes(state: Path, product: ProductPlan, known: KnownGrants, now: datetime) -> Iterator[AccessChange]:
    """What differs, revocations first. Nothing where a product has no versions of its own files. Raises VersionsUnreadable, NoGroup."""
    root, wanted = roles_root(state, product.domain, product.name), _wanted(state, product, known, now)
    place = root.relative_to(state).as_posix()
    for name in sorted(_there(root) - wanted.keys()):
        yield AccessChange("revoke", f"{place}/{name}", why_gone(product.offers, name, known, now))
    for name, content in wanted.items():
        if not os.path.lexists(root / name):
            yield AccessChange("create", f"{place}/{name}", content.folder.why)
        elif why := _difference(root / name, content, product):
            yield AccessChange("change", f"{place}/{name}", why)


def give_roles(state: Path, product: ProductPlan, known: KnownGrants, now: datetime, *, only_revoke: bool = False) -> None:
    """Make it so: take away first, then change and create; a second time changes nothing. Called under the product's lock.

    A reader of a folder finds the last version or the new one, never a part: the catalog and the manifest are replaced in one step each.
    Raises VersionsUnreadable, NoGroup, OSError.
    """
    root, wanted = roles_root(state, product.domain, product.name), _wanted(state, product, known, now)
    take_roles(root, wanted)
    for name, content in wanted.items():
        _withdraw_files(root / name, content, product)
    for name, content in () if only_revoke else wanted.items():
        if _difference(root / name, content, product):
            _fill(root / name, content, product)


def take_roles(root: Path, staying: Collection[str]) -> None:
    """Take the folders of all other roles away."""
    for name in _there(root) - set(staying):
        _take_away(root / name)


def roles_root(state: Path, domain: str, product: str) -> Path:
    """The folder of a product's roles. Raises OSError for a link in its place: what it leads to is not ours."""
    root = files_of(state, domain, product).folder / conventions.BY_ROLE
    if root.is_symlink():
        raise OSError(f"{root} is a link; take it away, the platform makes a folder there")
    return root


def _there(root: Path) -> set[str]:
    return {entry.name for entry in root.iterdir()} if root.is_dir() else set()


def _wanted(state: Path, product: ProductPlan, known: KnownGrants, now: datetime) -> dict[str, RoleContent]:
    shelves = shelf(state, product.domain, product.name)
    published = shelves.published()
    if not published:
        return {}
    contents = (_content(state, shelves, product, folder, published) for folder in wanted_folders(product.offers, known, now))
    return {content.folder.name: content for content in contents if content is not None}


def _content(
    state: Path, shelves: Versions, product: ProductPlan, folder: RoleFolder, published: tuple[Publication, ...]
) -> RoleContent | None:
    """Every version that is kept, as the role sees it now; None where the newest has no file for it, until the next refresh."""
    seen = {
        publication.id: tuple(port for port in seen_ports(product, folder, publication) if _files(shelves, port))
        for publication in published
    }
    newest = published[-1]
    if not seen[newest.id]:
        return None
    links = {_link(view, path): path for view, ports in seen.items() for port in ports for path in _files(shelves, port)}
    root = files_of(state, product.domain, product.name).folder / conventions.BY_ROLE / folder.name
    in_catalog = {port.name for port in product.outputs if port.store.in_catalog}
    views = {port.data_set: _view(shelves, product, newest.id, port, root) for port in seen[newest.id] if port.port in in_catalog}
    manifest = {
        "product": product.name,
        "version": newest.id,
        "product_version": newest.product_version,
        "published_at": newest.published_at,
        "role": folder.role,
        "attributes": dict(folder.attributes),
        "ports": [_port_record(shelves, newest.id, port) for port in seen[newest.id]],
    }
    return RoleContent(folder, manifest, links, tuple(views.values()), role_mode(product, folder))


def seen_ports(product: ProductPlan, folder: RoleFolder, publication: Publication) -> Iterator[PortVersion]:
    """The ports of a version as a role sees them now."""
    views = {data_set.name: folder.view(data_set.views) for data_set in product.data_sets}
    for port in publication.ports:
        view = views.get(port.data_set)
        seen = None if view is None else port.seen_as(view)
        if seen is not None:
            yield seen


def _files(shelves: Versions, port: PortVersion) -> tuple[Path, ...]:
    """None of a port whose rows are in the warehouse: there its views give them."""
    place = shelves.where(port)
    return place.files if isinstance(place, PublishedFiles) else ()


def _link(version: str, path: Path) -> str:
    """The port's name is that of the third folder above a file of the whole, and of the fourth above one of a view."""
    port = path.parents[3].name if path.parent.name.startswith("view_") else path.parents[2].name
    return f"{version}.{port}.{path.name}"


def _port_record(shelves: Versions, version: str, port: PortVersion) -> dict[str, Any]:
    files = [_link(version, path) for path in _files(shelves, port)]
    summary = {"port": port.port, "data_set": port.data_set, "format": port.format, "rows": port.rows}
    return {**summary, "columns": dict(port.columns), "files": files}


def _view(shelves: Versions, product: ProductPlan, version: str, port: PortVersion, root: Path) -> CatalogView:
    files = tuple(root.resolve() / _link(version, path) for path in _files(shelves, port))
    return catalog_view(product, port, PublishedFiles(files, port.format, port.columns))


def _catalog(product: ProductPlan) -> str:
    return f"{product.name}.duckdb"


def _difference(folder: Path, content: RoleContent, product: ProductPlan) -> str:
    """What is not as it is wanted; empty where all is."""
    if folder.is_symlink() or not folder.is_dir():
        return "something else is in its place"
    surplus = _surplus(folder, content, product)
    if surplus:
        return f"{', '.join(surplus)}: not of what the role sees now"
    try:
        manifest = json.loads((folder / POINTER).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return "it was not finished"
    if manifest != json.loads(json.dumps(content.manifest)):
        version = manifest.get("version") if isinstance(manifest, dict) else None
        newest = content.manifest["version"]
        return f"version {newest} is published, and it has {version}" if version != newest else "what the role sees has changed"
    missing = [name for name, path in content.links.items() if not _is_link(folder / name, path)]
    missing += [_catalog(product)] if content.views and not (folder / _catalog(product)).is_file() else []
    return f"{', '.join(missing)}: missing" if missing else content.mode.difference(folder)


def _surplus(folder: Path, content: RoleContent, product: ProductPlan) -> list[str]:
    own = {POINTER, *([_catalog(product)] if content.views else [])}
    there = (entry for entry in folder.iterdir() if entry.name not in own)
    return sorted(entry.name for entry in there if not _is_link(entry, content.links.get(entry.name)))


def _is_link(entry: Path, of: Path | None) -> bool:
    """Whether it is the published file itself, under another name."""
    return of is not None and entry.exists() and not entry.is_symlink() and of.exists() and os.path.samestat(entry.lstat(), of.stat())


def _withdraw_files(folder: Path, content: RoleContent, product: ProductPlan) -> None:
    """Before anything is given: what the role does not see any more."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    if folder.is_dir():
        for name in _surplus(folder, content, product):
            _take_away(folder / name)


def _take_away(path: Path) -> None:
    """Links to published files, and what does not belong there; the published files themselves stay."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _fill(folder: Path, content: RoleContent, product: ProductPlan) -> None:
    """Closed while it is filled where it is new; who may read it is said last."""
    folder.parent.mkdir(exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, path in content.links.items():
        if not _is_link(folder / name, path):
            os.link(path, folder / name)
            path.chmod(0o644)  # the folder decides who reads it
    if content.views or (folder / _catalog(product)).exists():
        warehouse().write_catalog(folder / _catalog(product), content.views)
    replace_json(folder / POINTER, content.manifest)
    for own in (folder / POINTER, folder / _catalog(product)):
        if own.exists():
            own.chmod(0o644)
    set_mode(folder, content.mode)
