"""Ask sources whether they have new data, without loading it."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from platform_resources.capabilities.protocols import ChangeTeller, CheaplyTold, PullFiles, PullRows, PullShared, untold
from platform_resources.deliveries.arrivals import seemingly_whole
from platform_resources.deliveries.objects import SCHEME
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.refresh.sources.shared_pulls import waits_until
from platform_resources.repository.product_secrets import mask_of
from platform_resources.spec.values.clocks import Clock

AT_ONCE = 8
# A source whose answer costs somebody something is asked no more often than this.
ASK_EVERY = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class SourceMarks:
    """The answers of one product's sources: a change mark per port, and for others the reason why there is none."""

    marks: Mapping[str, str]
    silent: Mapping[str, str]


def watched_ports(product: ProductPlan) -> tuple[InputPlan, ...]:
    """The input ports that can report new data, of a product that is refreshed when its inputs change."""
    if product.refresh is None or product.refresh.on is None or not product.runs:
        return ()
    return tuple(port for port in product.inputs if port.upstream is None and not untold(port.pull))


@dataclass(slots=True)
class Question:
    """What one source was asked: since when, and when its answer was heard."""

    answer: Future[str | None]
    since: datetime
    heard_at: datetime | None = None

    def is_over(self, port: InputPlan, now: datetime) -> bool:
        """Whether the source may be asked again; one for which no thread was free may be asked at once."""
        return self.answer.cancelled() or (self.heard_at is not None and (_is_cheap(port) or abs(now - self.heard_at) >= ASK_EVERY))


# By product and port: the last question to each source.
Questions = dict[tuple[str, str], Question]


def source_marks(
    root: Path, state: Path, products: Sequence[ProductPlan], now: datetime, seconds: float, questions: Questions
) -> dict[str, SourceMarks]:
    """Ask the sources of each product, beside each other, and keep the answers of those that are not to be asked at every look.

    One that takes longer than `seconds` is silent until it has answered: nobody waits for it again. Those that nobody has heard are asked
    first, then those that were heard longest ago: so many slow ones keep no other from being asked.
    """
    due = []
    for product in products:
        for port in watched_ports(product):
            question = questions.get((product.name, port.name))
            if question is None or question.is_over(port, now):
                heard_at = None if question is None else question.heard_at
                due.append((heard_at or datetime.min.replace(tzinfo=UTC), product, port))
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="source marks")
    for _, product, port in sorted(due, key=lambda one: one[0]):
        questions[product.name, port.name] = Question(pool.submit(_mark, root, state, product, port, now), now)
    wait([questions[product.name, port.name].answer for _, product, port in due], seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    return {product.name: _heard(root, product, now, questions) for product in products}


def _heard(root: Path, product: ProductPlan, now: datetime, questions: Questions) -> SourceMarks:
    marks: dict[str, str] = {}
    silent: dict[str, str] = {}
    for port in watched_ports(product):
        question = questions[product.name, port.name]
        if not question.answer.done() or question.answer.cancelled():
            silent[port.name] = f"no answer since {Clock(product.zone, now).moment(question.since)}"
            continue
        question.heard_at = question.heard_at or now
        if (error := question.answer.exception()) is not None:
            silent[port.name] = mask_of(root, product)(f"{type(error).__name__}: {error}".splitlines()[0])
        elif (mark := question.answer.result()) is not None:
            marks[port.name] = mark
    return SourceMarks(marks, silent)


def _is_cheap(port: InputPlan) -> bool:
    """Whether the source is asked at every look: files of this machine, and what says so of itself."""
    match port.pull:
        case PullFiles(path):
            return not path.startswith(SCHEME)
        case PullShared(rows=PullRows(reader)) | PullRows(reader):
            return isinstance(reader, CheaplyTold) and reader.told_cheaply
        case _:
            return False


def _mark(root: Path, state: Path, product: ProductPlan, port: InputPlan, now: datetime) -> str | None:
    """None while nothing is to be done, whatever the source has: a set of files is not whole yet, or what a domain shares is not due."""
    match port.pull:
        case PullFiles() as pull:
            files = seemingly_whole(pull, (root / product.place.file).parent, now)
            return (
                None if files is None else hashlib.sha256("\n".join(f"{file.name} {file.look}" for file in files).encode()).hexdigest()[:16]
            )
        case PullShared(rows=PullRows(ChangeTeller() as reader)) as shared:
            return reader.mark() if waits_until(state, shared) <= now else None
        case PullRows(ChangeTeller() as reader):
            return reader.mark()
        case _:
            raise TypeError(f"{port.name} cannot tell whether there is something new")
