"""A mesh of very many products for measuring what is read of a plan: each product of a generated mesh many times, under other names.

Ten thousand product.yaml take dbt an hour; here only the plan is made, and what the marketplace keeps of it: `mesh serve` begins with that.
"""

import pickle
import re
from dataclasses import replace

from platform_resources.plan.plan import MeshPlan


def multiplied(plan: MeshPlan, times: int) -> MeshPlan:
    """The plan with each product so many times; each copy reads copies of what its original reads."""
    text = pickle.dumps(plan.products, pickle.HIGHEST_PROTOCOL)
    copies = (re.sub(rb"product_(\d{4})", b"prod%03d_\\1" % number, text) for number in range(1, times))
    return replace(plan, products=(*plan.products, *(product for copy in copies for product in pickle.loads(copy))))
