"""The nights in which clocks change, and clocks that jump: Dagster's own scheduler starts each due run once."""

import logging
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.tags import SCHEDULED_EXECUTION_TIME_TAG
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.load_target import PythonFileTarget
from dagster._scheduler.scheduler import launch_scheduled_runs

from platform_resources.orchestration.evaluation_job import evaluated_at
from tests.meshes import REPOSITORY, edited, product_file, tiny_mesh

pytestmark = pytest.mark.slow
LOG = logging.getLogger("scheduler")
HOUR = timedelta(hours=1)
# The first evaluation of an hour.
EVALUATED = timedelta(minutes=int(evaluated_at("plant").partition("-")[0]))


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """The scheduler over a code server of the domain plant, whose product is refreshed at half past two in Berlin."""
    root = edited(tiny_mesh(tmp_path_factory.mktemp("nights") / "mesh"), product_file("plant", "readings"), "0 5 * * *", "30 2 * * *")
    file = root / "dataproducts/plant/definitions.py"
    shutil.copy(REPOSITORY / "dataproducts/sales/definitions.py", file)
    target = PythonFileTarget(python_file=str(file), attribute=None, working_directory=str(root), location_name="plant")
    with dg.instance_for_test() as instance, create_test_daemon_workspace_context(target, instance) as workspace:
        yield Scheduler(instance, workspace)


class Scheduler:
    """A daemon's scheduler whose clock the test sets."""

    def __init__(self, instance, workspace):
        self.instance, self.workspace, self.iterations = instance, workspace, {}

    def at(self, *moments):
        for now in moments:
            list(launch_scheduled_runs(self.workspace, LOG, now, self.iterations))

    def begin(self, now):
        """As if the schedules were switched on then."""
        for location in self.workspace.create_request_context().code_locations:
            for schedule in location.get_repository("__repository__").get_schedules():
                with dg_time(now):
                    self.instance.stop_schedule(schedule.get_remote_origin_id(), schedule.selector_id, schedule)
                    self.instance.start_schedule(schedule)
        self.iterations.clear()
        for run in self.instance.get_runs():
            self.instance.delete_run(run.run_id)

    def begun(self, job):
        """How often a run of the job was started for which time."""
        runs = self.instance.get_runs(dg.RunsFilter(job_name=job))
        return Counter(datetime.fromisoformat(run.tags[SCHEDULED_EXECUTION_TIME_TAG]).astimezone(UTC) for run in runs)


def dg_time(now):
    from dagster._core.test_utils import freeze_time

    return freeze_time(now)


def every(begin, step, count):
    return [begin + step * number for number in range(count)]


@pytest.mark.parametrize(
    ("midnight", "due"),
    [
        (datetime(2027, 3, 27, 23, tzinfo=UTC), datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        (datetime(2027, 10, 30, 22, tzinfo=UTC), datetime(2027, 10, 31, 1, 30, tzinfo=UTC)),
    ],
    ids=["there is no half past two", "it is half past two twice"],
)
def test_a_night_in_which_clocks_change_has_one_refresh_as_every_other(scheduler, midnight, due):
    """At three where there is no half past two, else at the later of the two. Evaluations are every quarter of an hour that really passes."""
    scheduler.begin(midnight)
    scheduler.at(*every(midnight, HOUR / 4, 21))
    assert scheduler.begun("refresh_readings") == {due: 1}
    assert scheduler.begun("evaluate_plant") == dict.fromkeys(every(midnight + EVALUATED, HOUR / 4, 20), 1)


@pytest.mark.parametrize(
    ("midnight", "due"),
    [
        (datetime(2028, 3, 25, 23, tzinfo=UTC), datetime(2028, 3, 26, 1, 0, tzinfo=UTC)),
        (datetime(2028, 10, 28, 22, tzinfo=UTC), datetime(2028, 10, 29, 1, 30, tzinfo=UTC)),
    ],
    ids=["a day of 23 hours", "a day of 25 hours"],
)
def test_a_day_of_schedules_loses_no_refresh_and_doubles_none_though_the_daemon_is_away_for_two_hours(scheduler, midnight, due):
    """Away for the hour before the refresh is due and the one after: of what was due meanwhile, the last of each schedule is started."""
    scheduler.begin(midnight)
    hours = 23 if midnight.month == 3 else 25
    scheduler.at(*(look for look in every(midnight, HOUR / 4, 4 * hours + 1) if not due - HOUR < look < due + HOUR))
    assert scheduler.begun("refresh_readings") == {due: 1}
    evaluated = every(midnight + EVALUATED, HOUR / 4, 4 * hours)
    missed = [moment for moment in evaluated if due - HOUR < moment <= due + HOUR][:-1]
    assert len(missed) == 7
    assert scheduler.begun("evaluate_plant") == dict.fromkeys([moment for moment in evaluated if moment not in missed], 1)


def test_domains_are_evaluated_four_times_an_hour_and_not_all_at_once():
    minutes = {evaluated_at(f"domain_{number:02}").partition("-")[0] for number in range(20)}
    assert len(minutes) > 8 and minutes <= set(map(str, range(15)))


def test_a_clock_that_jumps_starts_what_lies_between_and_nothing_twice(scheduler):
    noon = datetime(2029, 6, 1, 12, tzinfo=UTC)
    scheduler.begin(noon)
    scheduler.at(noon, noon + 24 * HOUR, noon + 20 * HOUR, noon, noon + 24 * HOUR + timedelta(minutes=1), noon + 48 * HOUR)
    assert scheduler.begun("refresh_readings") == dict.fromkeys([noon + 12.5 * HOUR, noon + 36.5 * HOUR], 1)
    assert set(scheduler.begun("evaluate_plant").values()) == {1}
