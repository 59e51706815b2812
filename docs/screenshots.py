"""Takes the pictures of Dagster's pages and of the marketplace: `make screenshots` after `make demo`; it evaluates the products first."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, expect, sync_playwright

from platform_resources.orchestration.instance import prepared_home
from platform_resources.repository.mesh_folders import state_folder

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run"
# Name, page, and a text that is there once it is drawn.
PICTURES = (
    ("lineage", "/assets/customer_360/outputs/customers_sql?view=lineage&lineageScope=upstream&lineageDepth=2", "profiles"),
    ("scorecard", "/assets/purchase_orders/scorecard", "Nothing is sold without a quantity"),
    (
        "failed_check",
        "/assets/purchase_orders/basket_lines?view=checks&checkDetail=nothing_is_sold_without_a_quantity",
        "at most 0 rows promised",
    ),
)
WEEKS = "select week_start, sum(net_sales) as net_sales\nfrom weekly_revenue\nwhere is_complete\ngroup by week_start\norder by week_start"
# Of the marketplace: name, page, width, height and theme.
MARKET_PICTURES: tuple[tuple[str, str, int, int, Literal["light", "dark"]], ...] = (
    ("market_home", "/", 1280, 1000, "light"),
    ("market_product", "/products/customer_360", 1280, 1000, "light"),
    ("market_search", "/search?q=weekly+revenu", 1280, 640, "light"),
    ("market_incident", "/incidents/purchase_orders/1", 1280, 860, "dark"),
    ("market_domain", "/domains/customer", 1280, 900, "light"),
    ("market_column", "/products/purchase_orders/columns/net_sales?of=basket_lines", 1280, 900, "light"),
    ("market_map", "/map", 1280, 1000, "light"),
    ("market_lab", f"/lab?{urlencode({'product': 'revenue', 'sql': WEEKS})}", 1280, 1000, "dark"),
    ("market_phone", "/products/purchase_orders", 390, 844, "dark"),
)
WAIT_SECONDS = 300
# What stands where something is still to be drawn: words, or a wheel of that name.
LOADING, WHEEL = re.compile(r"^\s*Loading"), '[title^="Loading"], [aria-label^="Loading"]'


@contextmanager
def dagster() -> Iterator[str]:
    """The address of Dagster's pages, every code location loaded. Without its daemon, whose runs would be broken off at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(sys.executable).parent
    home = prepared_home(ROOT, state_folder(ROOT))
    environment = {**os.environ, "DAGSTER_HOME": str(home), "PATH": f"{folder}:{os.environ['PATH']}"}
    command = [str(folder / "dagster-webserver"), "-w", "workspace.yaml", "-p", str(port)]
    log = IMAGES / "dagster.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        _wait_until_loaded(f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
        log.unlink()
    finally:
        process.terminate()
        process.wait()


def _wait_until_loaded(address: str, log: Path) -> None:
    for _ in range(WAIT_SECONDS):
        try:
            entries = _asked(address, "{workspaceOrError{... on Workspace{locationEntries{loadStatus}}}}")["workspaceOrError"][
                "locationEntries"
            ]
        except OSError:
            entries = []
        if entries and all(entry["loadStatus"] == "LOADED" for entry in entries):
            return
        time.sleep(1)
    raise SystemExit(f"dagster-webserver was not ready within {WAIT_SECONDS} s; its words are in {log}")


def _asked(address: str, query: str) -> Any:
    request = urllib.request.Request(f"{address}/graphql", json.dumps({"query": query}).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)["data"]


def take(page: Page, address: str, name: str, path: str, text: str) -> None:
    page.goto(f"{address}{path}")
    page.get_by_text(text).locator("visible=true").first.wait_for()
    page.wait_for_load_state("networkidle")
    for unfinished in (page.get_by_text(LOADING), page.locator(WHEEL)):
        expect(unfinished).to_have_count(0, timeout=WAIT_SECONDS * 1000)
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png  {(IMAGES / f'{name}.png').stat().st_size // 1024} kB")


@contextmanager
def marketplace() -> Iterator[str]:
    """The address of the marketplace, on any port that is free."""
    command = [str(Path(sys.executable).parent / "mesh"), "--root", str(ROOT), "serve", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = next((line for line in process.stderr if line.startswith("marketplace: ")), "")
        if not said:
            raise SystemExit("`mesh serve` has ended instead of serving")
        yield said.removeprefix("marketplace: ").strip()
    finally:
        process.terminate()
        process.wait()


def take_market(browser: Browser, address: str) -> None:
    for name, path, wide, high, theme in MARKET_PICTURES:
        page = browser.new_page(viewport={"width": wide, "height": high}, color_scheme=theme)
        page.goto(f"{address}{path}")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=IMAGES / f"{name}.png")
        print(f"docs/images/{name}.png  {(IMAGES / f'{name}.png').stat().st_size // 1024} kB")
        page.close()


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("the pictures need Chromium: apt-get install chromium")
    IMAGES.mkdir(exist_ok=True)
    with marketplace() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM.split())
        take_market(browser, address)
        browser.close()
    if "--marketplace" in sys.argv:
        return
    with dagster() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM.split())
        page = browser.new_page(viewport={"width": 1600, "height": 1150})
        page.set_default_timeout(WAIT_SECONDS * 1000)
        # Otherwise the first visit ever opens a dialog.
        _asked(address, "mutation{setNuxSeen}")
        for picture in PICTURES:
            take(page, address, *picture)
        browser.close()


if __name__ == "__main__":
    main()
