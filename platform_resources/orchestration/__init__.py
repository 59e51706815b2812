"""The plan as Dagster definitions and runs: the only place that imports dagster."""

import warnings

from dagster import BetaWarning

# Code references are marked beta in the pinned version; the warning would be printed for every asset.
warnings.filterwarnings("ignore", category=BetaWarning, module="platform_resources")
