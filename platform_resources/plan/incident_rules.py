"""When a failing check becomes an incident, and when that incident is over."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Rule:
    """Failing after `bad` of the last `of` readings were missed, well again after `good` in a row were met.

    `cooldown`: a failure this soon after the last one ended reopens its incident. `settle`: how long after a root has recovered those
    below it may take to catch up before they count as failing on their own account. Raises ValueError for numbers that can never be.
    """

    bad: int = 1
    of: int = 1
    good: int = 1
    cooldown: timedelta = timedelta(days=1)
    settle: timedelta = timedelta(hours=6)

    def __post_init__(self) -> None:
        if not 1 <= self.bad <= self.of:
            raise ValueError(f"{self.bad} of {self.of} readings can never be bad; write 1 <= bad <= of")
        if self.good < 1:
            raise ValueError(f"an incident cannot end after {self.good} good readings; at least 1 is needed")
