"""What was read of a document is kept beside the mesh's data; a domain planned from it is the same as within the whole mesh, read anew."""

import importlib
import os
import pickle
import shutil
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from platform_resources.capabilities.registry import Registry, installed_registry
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.repository import known_documents
from platform_resources.repository.known_documents import FOLDER, remembering_reader
from platform_resources.repository.mesh_repository import read_mesh, with_all_texts
from platform_resources.spec.reading import ProductReading, read_product
from tests.meshes import REPOSITORY, edited, product_file, tiny_mesh
from tests.spec.test_bad_specs import FOLDERS, mesh_of

READINGS = product_file("plant", "readings")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_mesh(tmp_path / "mesh")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def kept_mesh(root: Path, state: Path, domain: str | None = None) -> Mesh:
    registry = installed_registry()
    return read_mesh(root, registry, reader=remembering_reader(state, registry), domain=domain)


def kept_files(state: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted((state / FOLDER).iterdir())}


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of which YAML is read from now on."""
    files: list[str] = []

    def reading(text: str, file: str, registry: Registry) -> ProductReading:
        files.append(file)
        return read_product(text, file, registry)

    monkeypatch.setattr(known_documents, "read_product", reading)
    return files


def assert_each_domain_as_in_the_whole_mesh(root: Path, state: Path) -> None:
    mesh = read_mesh(root)
    whole, problems = mesh_plan(mesh)
    reader = remembering_reader(state, mesh.registry)
    read_mesh(root, reader=reader)
    domains = {product.domain for product in mesh.products} | {product.domain for product in mesh.unreadable} | set(mesh.domains)
    for domain in sorted(domains):
        part = read_mesh(root, reader=reader, domain=domain)
        assert repr(mesh_plan(part, domain=domain)[0].domain(domain)) == repr(whole.domain(domain)), domain
    assert mesh_plan(with_all_texts(root, part)) == (whole, problems)


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_the_domains_of_a_bad_mesh_are_the_same_from_kept_documents(case: Path, tmp_path: Path, state: Path) -> None:
    assert_each_domain_as_in_the_whole_mesh(mesh_of(case, tmp_path / "mesh"), state)


def test_the_domains_of_the_sample_mesh_are_the_same_from_kept_documents(state: Path) -> None:
    assert_each_domain_as_in_the_whole_mesh(REPOSITORY, state)


def test_a_product_whose_name_another_domain_has_too_is_rejected_in_both(tiny: Path, state: Path) -> None:
    twin = tiny / product_file("office", "readings")
    twin.parent.mkdir(parents=True)
    twin.write_text((tiny / READINGS).read_text().replace("plant", "office"))
    assert_each_domain_as_in_the_whole_mesh(tiny, state)
    for domain in ("plant", "office"):
        assert "readings" in [product.name for product in mesh_plan(kept_mesh(tiny, state, domain), domain=domain)[0].rejected]


def test_products_keep_their_order_where_another_domain_has_a_bad_one(tiny: Path, state: Path) -> None:
    edited(tiny, READINGS, "lifecycle: production", "lifecycle: prodution")
    assert_each_domain_as_in_the_whole_mesh(tiny, state)


def test_a_known_document_is_not_read_again(tiny: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = counted(monkeypatch)
    first = kept_mesh(tiny, state)
    assert len(files) == len(first.products)
    second = kept_mesh(tiny, state)
    assert len(files) == len(first.products)
    assert second.products == first.products


def test_texts_of_other_domains_are_not_read(tiny: Path, state: Path) -> None:
    assert list(kept_mesh(tiny, state, "plant").texts) == [READINGS]


def test_a_changed_document_is_read_again_and_takes_the_place_of_the_old_one(
    tiny: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_mesh(tiny, state)
    before = kept_files(state)
    files = counted(monkeypatch)
    stat = (tiny / READINGS).stat()
    text = (tiny / READINGS).read_text()
    edited(tiny, READINGS, "lifecycle: production", "lifecycle: draft     ")
    assert len((tiny / READINGS).read_text()) == len(text)
    os.utime(tiny / READINGS, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert mesh_plan(kept_mesh(tiny, state)) == mesh_plan(read_mesh(tiny))
    assert files == [READINGS]
    after = kept_files(state)
    assert after.keys() == before.keys()
    assert sum(after[path] != before[path] for path in before) == 1


def test_a_document_that_moved_says_its_new_file(tiny: Path, state: Path) -> None:
    kept_mesh(tiny, state)
    (tiny / READINGS).parent.rename(tiny / "dataproducts/plant/readings_too")
    assert_each_domain_as_in_the_whole_mesh(tiny, state)


def test_a_document_with_problems_is_never_kept(tiny: Path, state: Path) -> None:
    kept_mesh(tiny, state)
    whole = len(kept_files(state))
    shutil.rmtree(state)
    edited(tiny, READINGS, "lifecycle: production", "lifecycle: prodution")
    kept_mesh(tiny, state)
    assert len(kept_files(state)) == whole - 1


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content[:0], lambda content: content[:-9] + b"something"])
def test_a_damaged_file_is_written_anew(tiny: Path, state: Path, damage) -> None:
    first = kept_mesh(tiny, state).products
    whole = kept_files(state)
    for path, content in whole.items():
        path.write_bytes(damage(content))
    assert kept_mesh(tiny, state).products == first
    assert kept_files(state) == whole


def test_everything_may_be_deleted(tiny: Path, state: Path) -> None:
    first = kept_mesh(tiny, state).products
    shutil.rmtree(state)
    assert kept_mesh(tiny, state).products == first


def test_threads_at_once_leave_whole_files_and_nothing_else(tiny: Path, state: Path) -> None:
    meshes: list[Mesh] = []
    threads = [threading.Thread(target=lambda: meshes.append(kept_mesh(tiny, state))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [mesh.products for mesh in meshes] == [read_mesh(tiny).products] * 4
    assert len(kept_files(state)) == len(meshes[0].products)


def test_a_state_that_cannot_be_written_is_said_and_the_mesh_is_read(tiny: Path, state: Path, caplog: pytest.LogCaptureFixture) -> None:
    state.write_text("no folder")
    assert kept_mesh(tiny, state).products == read_mesh(tiny).products
    assert "without this file the mesh takes longer to load" in caplog.text


def test_what_cannot_be_kept_as_it_was_read_is_not_kept(tiny: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_lambda(text: str, file: str, registry: Registry) -> ProductReading:
        reading = read_product(text, file, registry)
        assert reading.product is not None
        return replace(reading, product=replace(reading.product, extensions=(lambda: None,)))

    monkeypatch.setattr(known_documents, "read_product", with_a_lambda)
    assert len(kept_mesh(tiny, state).products) > 0
    assert not (state / FOLDER).exists()


@pytest.mark.parametrize("changed", ["code of a capability's package", "what is installed", "the version of Python"])
def test_all_is_read_again_once_something_changes_that_reading_depends_on(
    changed: str, tiny: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "weather.py").write_text("class Config: ...\n")
    monkeypatch.syspath_prepend(package)
    monkeypatch.delitem(sys.modules, "weather", raising=False)
    registry = with_a_capability_of(installed_registry(), "weather")
    read_mesh(tiny, registry, reader=remembering_reader(state, registry))
    files = counted(monkeypatch)
    read_mesh(tiny, registry, reader=remembering_reader(state, registry))
    assert files == []
    match changed:
        case "code of a capability's package":
            (package / "weather.py").write_text("class Config: pass\n")
        case "what is installed":
            (package / "weather-2.dist-info").mkdir()
        case _:
            monkeypatch.setattr("sys.version", "4.0")
    products = read_mesh(tiny, registry, reader=remembering_reader(state, registry)).products
    assert sorted(files) == [product.file for product in products]


def with_a_capability_of(registry: Registry, module: str) -> Registry:
    """The registry and one more capability, of a package of its own."""
    config = importlib.import_module(module).Config
    more = SimpleNamespace(name=module, config=config)
    return Registry({**registry.by_kind, "policies": {**registry.by_kind["policies"], module: more}})


def test_fields_that_were_set_and_spellings_are_kept() -> None:
    """Both are no part of equality, and both matter."""
    for product in read_mesh(REPOSITORY).products:
        kept = pickle.loads(pickle.dumps(product))
        assert repr(kept) == repr(product)
        assert kept.info.model_fields_set == product.info.model_fields_set
