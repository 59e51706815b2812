"""Deliveries and surroundings that nobody wished for, through whole refreshes."""

from datetime import UTC, datetime

import pytest

from tests.meshes import READINGS_CSV, component, edited, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import deliver, leftovers, mesh, mesh_from_a_shell, mesh_json, running

pytestmark = pytest.mark.slow
SPEC = product_file("plant", "readings")
MODEL = model_file("plant", "readings", "measurements")
HEAD = READINGS_CSV.splitlines()[0]
LANDING = "dataproducts/plant/readings/landing"


def promising_nothing(root):
    """The product readings without its gate, and without a list of sensors."""
    edited(root, SPEC, "at_least: 3\n        never_decreases: true\n        gate: true", "at_least: 0")
    return edited(root, SPEC, ", tests: [{accepted_values: {values: [north, south]}}]", "")


def test_hostile_text_comes_out_as_it_went_in(running_mesh):
    promising_nothing(running_mesh.root)
    sensors = ['no"rth', "no'rth", "no,rth", "no\nrth", "nörd ☃ 🙂", "'; drop table measurements; --", "{{ ref('x') }}", "\\", "NULL", " "]
    lines = [f'{number},"{sensor.replace(chr(34), chr(34) * 2)}",1,2024-06-01 06:00:00,' for number, sensor in enumerate(sensors)]
    deliver(running_mesh.root, "\n".join([HEAD, *lines]) + "\n")
    (done,) = running_mesh.refresh("readings")
    assert done.outcome == "published", done.reasons
    assert [row[0] for row in running_mesh.rows("readings", "select sensor from measurements order by reading_id")] == sensors


def taking_empty_files(root):
    return edited(root, SPEC, "path: landing/readings.csv", "path: landing/readings.csv\n        empty: allowed")


def test_a_delivery_of_only_a_header_is_an_empty_version_where_that_is_allowed(running_mesh):
    taking_empty_files(promising_nothing(running_mesh.root))
    deliver(running_mesh.root, f"{HEAD}\n")
    (done,) = running_mesh.refresh("readings")
    assert done.outcome == "published", done.reasons
    assert running_mesh.rows("readings", "select count(*), max(degrees) from measurements") == [(0, None)]
    assert running_mesh.check("readings", ("measurements",), "most_readings_have_a_temperature").metadata["verdict"].value == "unknown"
    (behind,) = running_mesh.refresh("summary")
    assert running_mesh.rows("summary", "select * from sensors") == [] if behind.outcome == "published" else behind.outcome == "gate closed"


def test_a_delivery_of_only_a_header_does_not_pass_the_gate(running_mesh):
    taking_empty_files(running_mesh.root)
    running_mesh.refresh("readings")
    deliver(running_mesh.root, f"{HEAD}\n")
    (done,) = running_mesh.refresh("readings")
    assert done.outcome == "gate closed"
    assert running_mesh.rows("readings", "select count(*) from measurements") == [(4,)]


@pytest.mark.parametrize(("delivered", "said"), [("", "is empty (0 bytes), so it counts as not arrived"), (f"{HEAD}\n", "has no rows")])
def test_an_empty_file_leaves_the_last_version(running_mesh, delivered, said):
    running_mesh.refresh("readings")
    deliver(running_mesh.root, delivered)
    (done,) = running_mesh.refresh("readings")
    assert (done.outcome, done.version) == ("unchanged", None)
    assert said in running_mesh.scorecard("readings")["outcome"]
    assert running_mesh.rows("readings", "select count(*) from measurements") == [(4,)]


def test_a_growing_set_of_files_is_published_file_by_file(running_mesh):
    root = running_mesh.root
    edited(root, SPEC, "path: landing/readings.csv", "path: landing/readings*.csv\n        load: append")
    counts = []
    for number in (10, 20):
        running_mesh.refresh("readings")
        counts += running_mesh.rows("readings", "select count(*) from measurements")
        (root / LANDING / f"readings_{number}.csv").write_text(f"{HEAD}\n{number},north,1,2024-06-02 06:00:00,Ada\n")
    running_mesh.refresh("readings")
    counts += running_mesh.rows("readings", "select count(*) from measurements")
    assert counts == [(4,), (5,), (6,)]
    assert len(running_mesh.latest("readings").inputs["deliveries"]["files"]) == 3
    (root / LANDING / "readings_10.csv").write_text(f"{HEAD}\n10,north,99,2024-06-02 06:00:00,Ada\n")
    (done,) = running_mesh.refresh("readings")
    assert done.outcome == "unchanged"
    assert "files that were loaded already have changed" in done.warnings[0]


def test_rows_delivered_again_in_another_file_are_caught_by_the_key_and_a_copy_of_a_file_is_not_read_twice(running_mesh):
    root = running_mesh.root
    edited(root, SPEC, "path: landing/readings.csv", "path: landing/readings*.csv\n        load: append")
    running_mesh.refresh("readings")
    (root / LANDING / "readings_copy.csv").write_text(READINGS_CSV)
    (done,) = running_mesh.refresh("readings")
    assert running_mesh.rows("readings", "select count(*) from measurements") == [(4,)], done
    (root / LANDING / "readings_more.csv").write_text(f"{READINGS_CSV}20,north,1,2024-06-02 06:00:00,Ada\n")
    (done,) = running_mesh.refresh("readings")
    assert done.outcome == "gate closed"
    assert "reading_id" in done.reasons[0]
    assert running_mesh.rows("readings", "select count(*) from measurements") == [(4,)]


def test_the_time_zone_of_the_machine_changes_nothing_that_is_published(tiny):
    """The model turns a local time into a moment, which the session's time zone decides: it is always UTC."""
    edited(tiny, MODEL, "cast(current_timestamp as timestamptz)", "cast(measured_at as timestamptz)")
    seen = []
    for zone, start in (("UTC", mesh), ("Asia/Kolkata", mesh_from_a_shell)):
        assert start(tiny, "refresh", "readings", TZ=zone).returncode == 0
        rows = mesh_json(tiny, "query", "readings", "select * from measurements order by all", TZ=zone)
        (newest, *_) = mesh_json(tiny, "versions", "readings", TZ=zone)
        made_from = {name: value for name, value in newest["inputs"]["deliveries"].items() if name != "pulled_at"}
        seen.append((rows, newest["ports"][0]["watermark"], made_from))
        assert abs((datetime.now(UTC) - datetime.fromisoformat(newest["published_at"])).total_seconds()) < 3600
    assert seen[0] == seen[1]
    assert seen[0][1] == "2024-06-01T07:00:00+00:00"
    assert leftovers(tiny) == []


COLUMNS = (
    "columns: [{name: id, type: bigint}, {name: s, type: varchar, nullable: true, missing: [' ', '']}, "
    "{name: day, type: date, nullable: true}, {name: x, type: double, nullable: true, missing: [NaN]}]"
)
FORMATS = ("csv", "json", "parquet")
ODD_ROWS = [
    (1, "", "2024-01-02", "nan"),
    (2, " ", "2999-01-01", "inf"),
    (3, None, "infinity", "3.0"),
    (4, "x", "20000-01-01", "4.0"),
    (5, "y", "-infinity", "5.0"),
    (6, "z", None, "6.0"),
]


def test_odd_days_numbers_and_texts_reach_consumers_as_they_are_and_date_nothing_ahead(tmp_path):
    """Through a port of each format; the days are the `updated_at` of both products."""
    files = {
        product_file("shop", "up"): product_yaml(
            "up",
            "shop",
            component("raw", "input-port", "interface: file\npath: raw.csv\noptions: {allow_quoted_nulls: false, types: {day: varchar}}"),
            component("odd", "data-set", f"updated_at: day\n{COLUMNS}"),
            *(component(f"odd_{each}", "output-port", f"interface: file\nformat: {each}") for each in FORMATS),
            component("Half are filled", "service-level-asset", "dimension: completeness\ncolumns: [s]\nat_least: 50\ngate: true"),
            component("All but NaN are filled", "service-level-asset", "dimension: completeness\ncolumns: [x]\nat_least: 84"),
        ),
        product_file("shop", "down"): product_yaml(
            "down",
            "shop",
            *(component(each, "input-port", f"interface: data-product\nassociated_output_port: up.odd_{each}") for each in FORMATS),
            component("seen", "data-set", f"updated_at: day\n{COLUMNS.replace('columns: [', 'columns: [{name: port, type: varchar}, ')}"),
            component("seen_sql", "output-port"),
        ),
        "dataproducts/shop/up/raw.csv": 'id,s,day\n1,"",2024-01-02\n2, ,2999-01-01\n3,,infinity\n4,x,20000-01-01\n5,y,-infinity\n6,z,\n',
        model_file("shop", "up", "odd"): "select id, s, cast(day as date) as day, "
        "case id when 1 then 'nan'::double when 2 then 'inf'::double else id::double end as x from {{ source('up', 'raw') }}",
        model_file("shop", "down", "seen"): " union all ".join(
            f"select '{each}' as port, id, s, day, x from {{{{ source('down', '{each}') }}}}" for each in FORMATS
        ),
    }
    with running(write_mesh(tmp_path, files)) as shop:
        up, down = shop.refresh("up", "down")
        assert (up.outcome, down.outcome, down.warnings) == ("published", "published", ())
        assert up.warnings == ("All but NaN are filled: x is filled in 83.3 % of 6 rows; 84 % promised",)
        for each in FORMATS:
            seen = shop.rows("down", f"select id, s, day::varchar, x::varchar from seen where port = '{each}' order by id")
            assert seen == ODD_ROWS
        known = {(port.watermark, port.rows_ahead) for name in ("up", "down") for port in shop.latest(name).ports}
        assert known == {("2024-01-02T00:00:00+00:00", 3), ("2024-01-02T00:00:00+00:00", 9)}
