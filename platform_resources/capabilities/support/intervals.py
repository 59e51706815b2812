"""How sure a share is that was counted among few rows."""

import math
from statistics import NormalDist


def wilson(part: int, whole: int, confidence: float) -> tuple[float, float]:
    """The score interval of a share, which has a width also where the share is 0 or 1. `confidence` is in percent; `whole` is not 0.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 200)
    share, square = part / whole, z * z / whole
    middle, half = share + square / 2, z * math.sqrt(share * (1 - share) / whole + square / (4 * whole))
    low = 0.0 if part == 0 else (middle - half) / (1 + square)
    high = 1.0 if part == whole else (middle + half) / (1 + square)
    return max(0.0, low), min(1.0, high)
