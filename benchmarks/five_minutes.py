"""How long a person takes from the first page of the marketplace to a file of data that they had no access to.

`make five-minutes`, after `make demo`, prints a Markdown table. A real browser does what a person would: looks for a product, reads its page, asks
for a role, waits until an owner (another person, in another browser) has read the request and approved it, runs a first query, and saves its result.

People read half of the words that stand on the screen, at 238 words a minute (the mean of adults, M. Brysbaert 2019; of a web page they read 28 % at most, J. Nielsen 2008),
and type, point and think as long as the keystroke-level model says (S. Card, T. Moran, A. Newell 1980). Nobody is interrupted, and the owner is at their desk. All this happens in a copy of the mesh's state.
"""

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Download, Locator, Page, sync_playwright

from platform_resources.repository.mesh_folders import state_folder

CHROMIUM = "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run"
# Seconds: to press a key as an average typist does, to point at something, to change between keys and mouse, and to think before an act.
KEY, POINT, HANDS, THINK = 0.28, 1.1, 0.4, 1.35
WORDS_A_SECOND, SHARE_READ = 238 / 60, 0.5
MOST_SECONDS = 300
WORDS_ON_SCREEN = """() => {
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT), range = document.createRange();
  let words = 0;
  while (walker.nextNode()) {
    range.selectNodeContents(walker.currentNode);
    const {top, bottom, width} = range.getBoundingClientRect();
    if (width && bottom > 0 && top < innerHeight) words += (walker.currentNode.textContent.match(/\\S+/g) || []).length;
  }
  return words;
}"""


@dataclass(frozen=True, slots=True)
class Story:
    """Who looks for what and wants it for which purpose, and who decides."""

    person: str
    owner: str
    words: str
    product: str
    role: str
    purpose: str
    query: str


SAMPLE = Story(
    person="ana@example.com",
    owner="controlling-lead@example.com",
    words="weekly revenue",
    product="Revenue",
    role="analyst",
    purpose="Which departments have lost sales since the last campaign.",
    query="Revenue of the last complete week",
)


@dataclass(slots=True)
class Person:
    """Somebody at a browser. With a pace of 1 they take their time, with 0 none."""

    page: Page
    pace: float
    asleep: float = 0.0

    def waits(self, seconds: float) -> None:
        self.asleep += seconds * self.pace
        time.sleep(seconds * self.pace)

    def reads(self) -> None:
        self.waits(SHARE_READ * self.page.evaluate(WORDS_ON_SCREEN) / WORDS_A_SECOND)

    def presses(self, what: Locator) -> None:
        self.waits(THINK + HANDS + POINT)
        what.click()

    def writes(self, where: Locator, text: str) -> None:
        self.presses(where)
        self.waits(HANDS + THINK + KEY * len(text))
        where.fill(text)

    def is_known_as(self, name: str) -> None:
        """Signing in is no part of what is measured: whoever works in a company is signed in."""
        self.page.goto("/sign-in")
        self.page.get_by_label("E-mail address or user name").fill(name)
        self.page.get_by_role("button", name="Read as this person").click()


@dataclass(slots=True)
class Watch:
    """What each step took: in all, and of it what nobody needed for reading, typing and pointing."""

    people: tuple[Person, ...]
    steps: list[tuple[str, float, float]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun, asleep = time.monotonic(), sum(person.asleep for person in self.people)
        yield
        took = time.monotonic() - begun
        self.steps.append((name, took, took - (sum(person.asleep for person in self.people) - asleep)))

    @property
    def seconds(self) -> float:
        return sum(took for _, took, _ in self.steps)


def five_minutes(browser: Browser, address: str, story: Story, pace: float) -> tuple[Watch, Download]:
    """Go the whole way; gives what each step took, and the file."""
    contexts = [browser.new_context(base_url=address, viewport={"width": 1440, "height": 900}) for _ in range(2)]
    for context in contexts:
        context.set_default_timeout(MOST_SECONDS * 1000)
    ana, owner = (Person(context.new_page(), pace) for context in contexts)
    ana.is_known_as(story.person)
    owner.is_known_as(story.owner)
    watch, page = Watch((ana, owner)), ana.page
    with watch.step("reads the first page"):
        page.goto("/")
        ana.reads()
    with watch.step(f"looks for “{story.words}”"):
        ana.writes(page.get_by_label("Search products, columns and queries"), story.words)
        ana.presses(page.get_by_role("button", name="Search"))
        page.wait_for_url("**/search?**")
        ana.reads()
    with watch.step("reads the product's page"):
        ana.presses(page.get_by_role("heading", name=story.product, exact=True).get_by_role("link"))
        page.get_by_role("heading", level=1, name=story.product).wait_for()
        ana.reads()
    product = page.url
    with watch.step("asks for a role, with the purpose"):
        ana.presses(page.get_by_role("link", name="Get access").first)
        page.get_by_role("heading", name="Ask for a role").wait_for()
        ana.reads()
        ana.presses(page.get_by_role("radio", name=story.role))
        ana.writes(page.get_by_label("What do you need it for?"), story.purpose)
        ana.presses(page.get_by_role("button", name="Ask for access"))
        page.get_by_role("heading", name="What you have asked for").wait_for()
    with watch.step("an owner reads the request and approves it"):
        owner.page.goto("/inbox")
        owner.reads()
        request = owner.page.locator(".card", has=owner.page.get_by_role("heading", name=f"{story.person} wants to read {story.product}"))
        owner.presses(request.get_by_role("button", name="Approve"))
        request.wait_for(state="detached")
    with watch.step("opens a query of the product in the lab, which runs it"):
        ana.waits(HANDS + KEY)
        page.goto(product)
        query = page.locator("div", has=page.get_by_text(story.query, exact=True)).last
        ana.presses(query.get_by_role("link", name="Run it in the lab"))
        page.get_by_role("heading", name="Result").wait_for()
        ana.reads()
    with watch.step("saves the result as CSV"), page.expect_download() as download:
        ana.presses(page.get_by_role("link", name="CSV"))
    download.value.path()
    return watch, download.value


def told(watch: Watch, rows: int) -> str:
    """The steps as a Markdown table."""
    lines = [
        f"| {number} | {name} | {took:.1f} | {took - own:.1f} | {own:.1f} |" for number, (name, took, own) in enumerate(watch.steps, 1)
    ]
    served = sum(own for *_, own in watch.steps)
    head = "| | step | s | reading, typing, pointing | the marketplace and the browser |\n|---|---|---:|---:|---:|"
    total = f"| | **in all** | **{watch.seconds:.1f}** | {watch.seconds - served:.1f} | {served:.1f} |"
    return "\n".join([head, *lines, total, "", f"{rows} rows in a file after {watch.seconds / 60:.1f} minutes."])


@contextmanager
def copied_mesh(root: Path, state: Path) -> Iterator[str]:
    """The address of the marketplace over a copy of the mesh's state, whose files are not written twice."""
    if not (state / "ports").is_dir():
        raise SystemExit(f"{state} has no published version; `make demo` publishes some")
    with tempfile.TemporaryDirectory(dir=state / ".mesh") as folder:
        shutil.copytree(state / "ports", f"{folder}/ports", copy_function=os.link, symlinks=True)
        Path(folder, ".mesh").mkdir()
        with (
            closing(sqlite3.connect(state / ".mesh/ledger.sqlite")) as ledger,
            closing(sqlite3.connect(f"{folder}/.mesh/ledger.sqlite")) as copy,
        ):
            ledger.backup(copy)
        command = [str(Path(sys.executable).parent / "mesh"), "--root", str(root), "serve", "--port", "0"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MESH_")} | {"MESH_STATE": folder}
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stderr is not None
            address = next((line for line in process.stderr if line.startswith("marketplace: ")), "")
            if not address:
                raise SystemExit("`mesh serve` has ended instead of serving")
            try:
                yield address.removeprefix("marketplace: ").strip()
            finally:
                process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pace", type=float, default=1.0, help="how slow the people are; 0 to see what is left without them")
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or sys.exit("it needs Chromium: apt-get install chromium")
    root = Path(__file__).parents[1]
    with copied_mesh(root, state_folder(root)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM.split())
        watch, download = five_minutes(browser, address, SAMPLE, asked.pace)
        print(told(watch, len(download.path().read_text().splitlines()) - 1))
        browser.close()
    if watch.seconds > MOST_SECONDS:
        sys.exit(f"that is more than {MOST_SECONDS / 60:g} minutes")


if __name__ == "__main__":
    main()
