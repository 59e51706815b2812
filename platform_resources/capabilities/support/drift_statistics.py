"""How far two distributions over the same bins are apart, with formulas and their sources.

Distributions are shares that sum up to 1, in the same order of bins.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

# An empty bin would make the index infinite. A share of 0.01 % is a common stand-in: small beside a real share, and finite.
SMALLEST_SHARE = 0.0001

Shares = Sequence[float]


def population_stability_index(before: Shares, now: Shares) -> float:
    """Sum of (now - before) * ln(now / before) over the bins: 0 for equal ones, without an upper end.

    The symmetrised Kullback-Leibler divergence (Jeffreys, Theory of Probability, 1948; Kullback and Leibler, Annals of Mathematical
    Statistics 22, 1951); the name and the bounds 0.1 and 0.25 are credit scoring's (Siddiqi, Credit Risk Scorecards, 2006). Shares under
    SMALLEST_SHARE count as that.
    """
    pairs = ((max(b, SMALLEST_SHARE), max(n, SMALLEST_SHARE)) for b, n in zip(before, now, strict=True))
    return math.fsum((n - b) * math.log(n / b) for b, n in pairs)


def jensen_shannon_distance(before: Shares, now: Shares) -> float:
    """Square root of the mean divergence of both from their middle, in bits: 0 for equal ones, 1 for ones without a common bin.

    Lin, Divergence measures based on the Shannon entropy, IEEE Transactions on Information Theory 37, 1991; that its root is a metric:
    Endres and Schindelin, ibidem 49, 2003. An empty bin adds nothing, so nothing is smoothed.
    """
    middle = [(b + n) / 2 for b, n in zip(before, now, strict=True)]
    divergence = (_divergence(before, middle) + _divergence(now, middle)) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def _divergence(shares: Shares, middle: Shares) -> float:
    """Kullback-Leibler, base 2."""
    return math.fsum(share * math.log2(share / m) for share, m in zip(shares, middle, strict=True) if share > 0)


def kolmogorov_smirnov(before: Shares, now: Shares) -> float:
    """The greatest difference between the two cumulative distributions at the edges of the bins, 0 to 1.

    Smirnov, Annals of Mathematical Statistics 19, 1948. Between two edges the difference may be greater: this is its lower bound.
    """
    return max((abs(n - b) for b, n in zip(accumulate(before), accumulate(now), strict=True)), default=0.0)


def total_variation(before: Shares, now: Shares) -> float:
    """Half of the sum of absolute differences, 0 to 1: the share of rows that would have to change their bin.

    Levin, Peres and Wilmer, Markov Chains and Mixing Times, 2009, proposition 4.2.
    """
    return math.fsum(abs(n - b) for b, n in zip(before, now, strict=True)) / 2
