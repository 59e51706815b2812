"""How well learned thresholds tell faults from healthy days, beside the algorithm that Elementary documents.

    .venv/bin/python benchmarks/detectors.py                    the table below "Detectors" in docs/performance.md; about a minute
    .venv/bin/python benchmarks/detectors.py --quick            one series of each kind instead of three
    .venv/bin/python benchmarks/detectors.py --sensitivity 2    Elementary's algorithm with another sensitivity than its default
    .venv/bin/python benchmarks/detectors.py --write FILE       also write the tables there

Series of daily rows are generated from a seed: levels, weekday profiles, noise and growth as in `KINDS`, Poisson on top, and two low
days as holidays have them, which count as faulty nowhere. Each day from day 28 on is judged from the earlier days: as it is (an alert
is a false positive), and with each fault put into it (no alert is a miss). Faults are not left in the history.

Elementary's algorithm, as https://docs.elementary-data.com/data-tests/data-anomaly-detection and its pages on `training_period` and
`detection_period` have it: |value - mean| / standard deviation > 3 over the 14 days that end with the judged day, itself included, and once
more a day later with one day less, since the detection period is two days. With `seasonality: day_of_week` it is the same over the last 14
of the same weekday, for which it looks 98 days back; it is measured from day 98 on.
"""

import argparse
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Protocol

from platform_resources.promises.learned.points import NotYet, Point, Usual
from platform_resources.promises.learned.usual_counts import usual_count
from platform_resources.promises.learned.usual_shares import FailingShare, usual_share

FIRST_DAY, DAYS, SERIES = 28, 168, 3
LEARNED_BY, EARLY = 14, "rows, days 14 to 27"  # no longer learning, and not reported with the others yet
TRAINING = 14  # values, of Elementary
SEED = "reported"  # the method was tuned on other seeds
START = datetime(2026, 1, 5, 6, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
RECALL_AIM, FALSE_AIM, AIMED = 0.99, 0.006, ("zero rows", "x 0.5")

PROFILES = {
    "the same every day": (1.0,) * 7,
    "weekends at 30 %": (1.0, 1.0, 1.0, 1.0, 1.0, 0.3, 0.3),
    "nothing on Sundays": (1.0, 1.0, 1.0, 1.0, 1.1, 0.6, 0.0),
    "busy Mondays": (2.0, 1.0, 0.9, 0.9, 1.0, 0.7, 0.6),
}
AMOUNT, DISTINCT, NULLS = 37.5, 0.98, (0.0, 0.01, 0.05)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a series is generated: rows a day, weekday profile, standard deviation of the logarithm, growth a week, tails."""

    rows: int
    profile: str
    noise: float
    growth: float
    heavy_tails: bool = False

    @property
    def group(self) -> str:
        return f"noise {self.noise:.0%}" + (", heavy tails" if self.heavy_tails else "") + (", 30 rows a day" if self.rows == 30 else "")


KINDS = [Kind(*chosen) for chosen in product((300, 10_000, 1_000_000), PROFILES, (0.02, 0.05, 0.1), (0.0, 0.03))]
HARD_KINDS = [
    *(Kind(10_000, profile, 0.05, growth, heavy_tails=True) for profile, growth in product(PROFILES, (0.0, 0.03))),
    *(Kind(10_000, profile, 0.2, growth) for profile, growth in product(PROFILES, (0.0, 0.03))),
    *(Kind(30, profile, 0.05, growth) for profile, growth in product(PROFILES, (0.0, 0.03))),
]


@dataclass(frozen=True, slots=True)
class Day:
    """What is measured of one day's data."""

    at: datetime
    rows: float
    amount: float
    nulls: float
    distinct: float
    holiday: bool

    @property
    def null_share(self) -> float:
        return self.nulls / self.rows if self.rows else 0.0

    @property
    def distinct_share(self) -> float:
        return self.distinct / self.rows if self.rows else 0.0


def generated(kind: Kind, seed: str) -> list[Day]:
    chance = random.Random(f"{seed} {kind}")
    holidays = {chance.randrange(7, FIRST_DAY), chance.randrange(FIRST_DAY, DAYS)}
    base_nulls = chance.choice(NULLS)
    return [_day(kind, number, number in holidays, base_nulls, chance) for number in range(DAYS)]


def _day(kind: Kind, number: int, holiday: bool, base_nulls: float, chance: random.Random) -> Day:
    expected = kind.rows * PROFILES[kind.profile][number % 7] * (1 + kind.growth) ** (number / 7) * (0.2 if holiday else 1.0)
    rows = _poisson(expected * math.exp(kind.noise * _deviation(kind, chance)), chance)
    amount = rows * AMOUNT * math.exp(chance.gauss(0, 0.03))
    nulls = _binomial(rows, base_nulls * math.exp(chance.gauss(0, 0.2)), chance)
    distinct = rows - _binomial(rows, (1 - DISTINCT) * math.exp(chance.gauss(0, 0.2)), chance)
    return Day(START + number * DAY, rows, amount, nulls, distinct, holiday)


def _deviation(kind: Kind, chance: random.Random) -> float:
    normal = chance.gauss(0, 1)
    if not kind.heavy_tails:
        return normal
    return normal / math.sqrt(chance.gammavariate(2.0, 2.0) / 4) / math.sqrt(2)  # Student's t with 4 degrees, variance 1


def _poisson(expected: float, chance: random.Random) -> int:
    if expected > 200:
        return max(0, round(chance.gauss(expected, math.sqrt(expected))))
    count, product_, limit = 0, chance.random(), math.exp(-expected)
    while product_ > limit:
        count, product_ = count + 1, product_ * chance.random()
    return count


def _binomial(rows: int, share: float, chance: random.Random) -> int:
    variance = rows * share * (1 - share)
    drawn = _poisson(rows * share, chance) if variance < 200 else round(chance.gauss(rows * share, math.sqrt(variance)))
    return min(rows, max(0, drawn))


METRICS: Mapping[str, Callable[[Day], float]] = {
    "rows": lambda day: day.rows,
    "amount": lambda day: day.amount,
    "null share": lambda day: day.null_share,
    "distinct share": lambda day: day.distinct_share,
}


def _scaled(day: Day, by: float) -> Day:
    return replace(day, rows=round(day.rows * by), amount=day.amount * by, nulls=round(day.nulls * by), distinct=round(day.distinct * by))


# Each fault: what it makes of a day, and the metrics of which at least one has to be outside.
FAULTS: Mapping[str, tuple[Callable[[Day], Day], tuple[str, ...]]] = {
    "zero rows": (lambda day: _scaled(day, 0.0), ("rows",)),
    "x 0.5": (lambda day: _scaled(day, 0.5), ("rows",)),
    "x 0.7": (lambda day: _scaled(day, 0.7), ("rows",)),
    "x 1.5": (lambda day: _scaled(day, 1.5), ("rows",)),
    "x 2": (lambda day: _scaled(day, 2.0), ("rows",)),
    "null burst: 20 % more": (lambda day: replace(day, nulls=day.nulls + (day.rows - day.nulls) * 0.2), ("null share",)),
    "unit change: x 1000": (lambda day: replace(day, amount=day.amount * 1000), ("amount",)),
    "unit change: / 1000": (lambda day: replace(day, amount=day.amount / 1000), ("amount",)),
    "duplicate load": (lambda day: replace(_scaled(day, 2.0), distinct=day.distinct), ("rows", "distinct share")),
}


class Detector(Protocol):
    """Whether a metric of a day is outside, that day standing in for the one at `number` of the series."""

    first_day: int
    name: str

    def outside(self, metric: str, number: int, day: Day) -> bool: ...


class Learned:
    """The platform's thresholds with their default settings."""

    first_day, name = FIRST_DAY, "learned"

    def __init__(self, days: Sequence[Day]) -> None:
        self.days = days
        self.counts = {name: [Point(day.at, METRICS[name](day)) for day in days] for name in ("rows", "amount")}
        self.parts = {
            "null share": [FailingShare(day.at, day.nulls, day.rows) for day in days],
            "distinct share": [FailingShare(day.at, day.distinct, day.rows) for day in days],
        }
        self.usual = cache(self._usual)

    def outside(self, metric: str, number: int, day: Day) -> bool:
        if metric in self.parts and not day.rows:
            return False
        usual = self.usual(metric, number, day.rows if metric in self.parts else 0.0)
        return isinstance(usual, Usual) and not usual.low <= METRICS[metric](day) <= usual.high

    def _usual(self, metric: str, number: int, rows: float) -> Usual | NotYet:
        at = self.days[number].at
        if metric in self.parts:
            return usual_share(self.parts[metric][:number], at, rows)
        return usual_count(self.counts[metric][:number], at)


class ZScore:
    """Elementary's documented default: the 14 days that end with the judged one, and 13 of them when it is judged once more."""

    first_day, step, name = FIRST_DAY, 1, "Elementary"
    sensitivity = 3.0

    def __init__(self, days: Sequence[Day]) -> None:
        self.values = {name: [value(day) for day in days] for name, value in METRICS.items()}

    def outside(self, metric: str, number: int, day: Day) -> bool:
        earlier = [self.values[metric][number - self.step * back] for back in range(1, TRAINING) if number >= self.step * back]
        training = [METRICS[metric](day), *earlier]
        return max(abs(z_score(training)), abs(z_score(training[:-1]))) > self.sensitivity


class WeekdayZScore(ZScore):
    """The same with `seasonality: day_of_week`: 14 times the same weekday, which takes 98 days to collect."""

    first_day, step, name = 7 * TRAINING, 7, "Elementary, day_of_week"


def z_score(training: Sequence[float]) -> float:
    """Of the first value, by the mean and the standard deviation of all of them, itself included; 0 where nothing varies."""
    mean = math.fsum(training) / len(training)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in training) / (len(training) - 1))
    return (training[0] - mean) / deviation if deviation else 0.0


DETECTORS = (Learned, ZScore, WeekdayZScore)


@dataclass(slots=True)
class Tally:
    """How many were alerts, of how many."""

    alerts: int = 0
    days: int = 0

    def add(self, alert: bool) -> None:
        self.alerts, self.days = self.alerts + alert, self.days + 1

    @property
    def share(self) -> float:
        return self.alerts / self.days if self.days else math.nan


Tallies = dict[tuple[str, str], Tally]  # by detector, and fault or metric


def measure(kinds: Sequence[Kind], series: int, seed: str) -> Tallies:
    tallies: Tallies = {}
    for kind, number in product(kinds, range(series)):
        days = generated(kind, f"{seed} {number}")
        for detector in DETECTORS:
            watch(detector(days), days, tallies)
        early = tallies.setdefault((Learned.name, EARLY), Tally())
        for day in (day for day in range(LEARNED_BY, FIRST_DAY) if not days[day].holiday):
            early.add(Learned(days).outside("rows", day, days[day]))
    return tallies


def watch(detector: Detector, days: Sequence[Day], tallies: Tallies) -> None:
    """Judge each day as it is, and with each fault in turn; no holiday, and no fault where there are no rows to be faulty."""

    def tally(what: str, alert: bool) -> None:
        tallies.setdefault((detector.name, what), Tally()).add(alert)

    for number in range(detector.first_day, len(days)):
        day = days[number]
        for metric in METRICS if not day.holiday else ():
            tally(metric, detector.outside(metric, number, day))
        for fault, (made, metrics) in FAULTS.items() if day.rows and not day.holiday else ():
            tally(fault, any(detector.outside(metric, number, made(day)) for metric in metrics))


def report(tallies: Tallies) -> str:
    header = ["", *(f"{detector.name}, from day {detector.first_day}" for detector in DETECTORS)]
    found = [[f"found: {fault}", *(_percent(tallies[detector.name, fault]) for detector in DETECTORS)] for fault in FAULTS]
    false = [[f"false alerts: {metric}", *(_percent(tallies[detector.name, metric], 2) for detector in DETECTORS)] for metric in METRICS]
    judged = ["healthy days judged", *(f"{tallies[detector.name, 'rows'].days:,}" for detector in DETECTORS)]
    early = [f"false alerts: {EARLY}", _percent(tallies[Learned.name, EARLY], 2), "", ""]
    return _table(header, [*found, *false, early, judged])


def by_group(tallies: Mapping[str, Tallies]) -> str:
    """The platform's thresholds for the rows of each group of series."""
    shown = [fault for fault, (_, metrics) in FAULTS.items() if metrics == ("rows",)]
    rows = [
        [group, *(_percent(found[Learned.name, fault]) for fault in shown), _percent(found[Learned.name, "rows"], 2)]
        for group, found in tallies.items()
    ]
    return _table(["series", *(f"found: {fault}" for fault in shown), "false alerts"], rows)


def _percent(tally: Tally, digits: int = 1) -> str:
    return f"{100 * tally.share:.{digits}f} %"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    right = ["---", *("---:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, right, *rows))


def together(all_tallies: Iterable[Tallies]) -> Tallies:
    summed: Tallies = {}
    for what, tally in (item for tallies in all_tallies for item in tallies.items()):
        so_far = summed.setdefault(what, Tally())
        so_far.alerts, so_far.days = so_far.alerts + tally.alerts, so_far.days + tally.days
    return summed


def verdict(tallies: Tallies) -> str:
    found = {fault: tallies[Learned.name, fault].share for fault in AIMED}
    false = {metric: tallies[Learned.name, metric].share for metric in METRICS}
    met = min(found.values()) >= RECALL_AIM and max(false.values()) <= FALSE_AIM
    aim = f"at least {RECALL_AIM:.0%} of {' and of '.join(AIMED)} found, at most {FALSE_AIM:.1%} of healthy days alerted for any metric"
    worst = f"found {min(found.values()):.2%}, false alerts {max(false.values()):.2%}"
    return f"{'Met' if met else 'Missed'}: {aim}; {worst}."


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="one series of each kind")
    options.add_argument("--seed", default=SEED, help=f"other series of the same kinds ({SEED})")
    options.add_argument("--sensitivity", type=float, default=ZScore.sensitivity, help="of Elementary's algorithm (3, its default)")
    options.add_argument("--write", type=Path, help="write the tables into this file too")
    chosen = options.parse_args()
    ZScore.sensitivity = chosen.sensitivity
    groups: dict[str, list[Kind]] = {}
    for kind in [*KINDS, *HARD_KINDS]:
        groups.setdefault(kind.group, []).append(kind)
    measured = {group: measure(kinds, 1 if chosen.quick else SERIES, chosen.seed) for group, kinds in groups.items()}
    main_tallies = together(measured[group] for group in dict.fromkeys(kind.group for kind in KINDS))
    text = f"{report(main_tallies)}\n\n{by_group(measured)}\n\n{verdict(main_tallies)}"
    print(text)
    if chosen.write:
        chosen.write.write_text(text + "\n")


if __name__ == "__main__":
    main()
