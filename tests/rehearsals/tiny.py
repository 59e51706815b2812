"""The tiny mesh for rehearsals: who is told, and how it is broken and mended."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.meshes import MEASUREMENTS_SQL, READINGS, READINGS_CSV, copied_mesh, edited, model_file, product_file, tiny_mesh, write_mesh
from tests.notify.receivers import WebServer
from tests.rehearsals.rehearsal import NOW_SQL, Rehearsal, rehearsal

SPEC = product_file("plant", "readings")
SUMMARY_SPEC = product_file("office", "summary")
CSV = "dataproducts/plant/readings/landing/readings.csv"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PLANT = """\
title: Plant
channels: {alerts: {url: "${PLANT_URL}"}}
routes: [{channel: alerts, for: owner}]
"""
OFFICE = """\
title: Office
channels: {alerts: {url: "${OFFICE_URL}"}}
routes: [{channel: alerts, for: owner}]
"""
# Half of the readings have no temperature any more; 60 % are promised.
HALF_EMPTY = READINGS_CSV.replace("1,north,20.50", "1,north,")
# What a mesh on a machine of its own is: no clock but the real one.
NOW = datetime.now(UTC).replace(microsecond=0)


def told_mesh(folder: Path) -> Path:
    """The tiny mesh whose domains have a channel each, and whose rows are as old as the test says."""
    root = tiny_mesh(folder)
    (root / "dataproducts/plant/domain.yaml").write_text(PLANT)
    (root / "dataproducts/office/domain.yaml").write_text(OFFICE)
    return edited(root, model_file("plant", "readings", "measurements"), "current_timestamp", NOW_SQL)


@contextmanager
def copied(template: Path, folder: Path, web: WebServer) -> Iterator[Rehearsal]:
    """A copy of the mesh to play with, whose domains tell this server."""
    with rehearsal(copied_mesh(template, folder / "mesh"), addresses(web.port)) as played:
        yield played


def addresses(port: int) -> dict[str, str]:
    """Where each domain's channel is."""
    return {f"{name.upper()}_URL": f"json://127.0.0.1:{port}/{name}" for name in ("plant", "office")}


def subjects(web: WebServer) -> list[str]:
    """Of every message that has come, in the order in which they came."""
    return [request["body"]["title"] for request in web.requests]


def break_deliveries(root: Path) -> None:
    """Most readings have a temperature: that promise is broken by the next refresh."""
    (root / CSV).write_text(HALF_EMPTY)


def mend_deliveries(root: Path) -> None:
    (root / CSV).write_text(READINGS_CSV)


def rename_objective(root: Path) -> None:
    edited(root, SPEC, "Most readings have a temperature", "Temperatures are there")


def replace_products(root: Path, domain: str) -> None:
    """The product with the incident is gone, and the one that reads it; the domain has another one."""
    text = READINGS.replace("name: plant", f"name: {domain}").replace("name: readings", "name: logbook")
    sql = MEASUREMENTS_SQL.replace("source('readings'", "source('logbook'")
    write_mesh(root, {product_file(domain, "logbook"): text, model_file(domain, "logbook", "measurements"): sql})
    for beside in ("README.md", "landing/readings.csv"):
        target = root / f"dataproducts/{domain}/logbook" / beside
        target.parent.mkdir(exist_ok=True)
        shutil.copy(root / "dataproducts/plant/readings" / beside, target)
    for spec in (SPEC, SUMMARY_SPEC):
        (root / spec).unlink()
