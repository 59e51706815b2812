"""Python looks for garbage among all objects of all libraries every few seconds: a fifth of the processor's time of most tests."""

import atexit
import gc


def collect_rarely() -> None:
    """From now on leave alone what there is, and look at what is made later when there is much of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    # DuckDB complains on standard error of its objects that are still there when Python has ended.
    atexit.register(gc.unfreeze)
