"""Third parties add a capability by an installed package's entry point; what is wrong with one is said clearly."""

import subprocess
import sys
import textwrap

import pytest

from platform_resources.capabilities.registry import KINDS, installed_registry
from platform_resources.plan.conventions import DBT_FOLDER
from tests.meshes import REPOSITORY, component, document, edited, product_file, tiny_mesh

PUNCTUALITY = '''
"""The dimension `punctuality` of the package weather."""

from datetime import timedelta

from platform_resources import Duration, Judgement, RowCount, Strict


class PunctualitySettings(Strict):
    """How late rows may be."""

    lateness: Duration = timedelta(hours=1)


class Punctuality:
    """How many rows came late."""

    name = "punctuality"
    config = PunctualitySettings
    measured_by = "audit"
    example = "- {name: On time, type: service-level-asset, properties: {dimension: punctuality, lateness: 2h}}"

    def columns_used(self, settings):
        return {}

    def problems(self, settings, subject):
        if settings.lateness > timedelta(days=1):
            yield "lateness", "a day is too late", "write at most 24h"

    def measures(self, settings, subject):
        return {"rows": RowCount()}

    def judge(self, settings, readings, subject, moment):
        return Judgement("met", "always")


CAPABILITY = Punctuality()
'''
VALIDATION = """
import sys
from pathlib import Path
from platform_resources.dbt.planning import read_plan
from platform_resources.spec.problems import problems_text
plan, problems = read_plan(Path(sys.argv[1]))
print([o.dimension for o in plan.product("readings").objectives] if not problems else problems_text(problems))
"""
TRAITS = """
from platform_resources.capabilities.registry import traits_of
punctuality = traits_of("punctuality")
print(punctuality.failure, punctuality.breaks, punctuality.max_age(None), punctuality.promise(None, None), punctuality.predicate)
"""
STEWARD = '''
"""A component of a company: who looks after a product's data."""

from platform_resources import Strict


class StewardSettings(Strict):
    """Whom to ask."""

    person: str


class Steward:
    """Who looks after a product's data."""

    name = "steward"
    config = StewardSettings
    example = "- {name: Data steward, type: steward, properties: {person: ann@example.com}}"
    variant_field = ""

    def inferred_variant(self, properties):
        return ""


CAPABILITY = Steward()
'''
EXTENSIONS = """
import sys
from pathlib import Path
from platform_resources.plan.plan_text import fingerprint
from platform_resources.dbt.planning import read_plan
plan, problems = read_plan(Path(sys.argv[1]))
product = plan.product("readings")
print([(each.name, each.title, each.type, each.settings.person) for each in product.extensions])
print(fingerprint(product))
"""
SWORN = '''
"""A criterion of a company: whether somebody has sworn."""

from platform_resources import Criterion, Finding, ScoreFacts


class Sworn(Criterion):
    """Somebody has sworn that it is well."""

    name = "sworn"
    letter = "trustworthy"
    points = 25
    raised_by = "swear it"

    def finding(self, facts: ScoreFacts) -> Finding:
        return Finding(1.0, "sworn", "in writing")


CAPABILITY = Sworn()
'''
CRITERIA = """
from platform_resources.capabilities.registry import CapabilityInvalid, installed_registry
try:
    print(sum(each.points for each in installed_registry().criteria().values() if each.letter == "trustworthy"))
except CapabilityInvalid as invalid:
    print(invalid)
"""
LISTING = """
import json
from platform_resources.capabilities.registry import CapabilityInvalid, installed_registry
from platform_resources.spec.json_schema import json_schema
try:
    print("service-level-asset.punctuality" in json_schema(installed_registry())["$defs"])
except CapabilityInvalid as invalid:
    print(f"{type(invalid).__name__}: {invalid}")
"""


def package(folder, entry_points, modules):
    """A package as pip leaves it: its modules, and a dist-info folder with its metadata and entry points."""
    info = folder / "weather_quality-1.0.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: weather-quality\nVersion: 1.0.0\n")
    written = "\n".join(f"{name} = {value}" for name, value in entry_points.items())
    (info / "entry_points.txt").write_text(f"[platform_resources.capabilities]\n{written}\n")
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    return folder


def run(code, site, *arguments):
    """What a fresh Python prints whose path holds the package."""
    paths = f"import sys; sys.path[:0] = [{str(site)!r}, {str(REPOSITORY)!r}]\n"
    done = subprocess.run([sys.executable, "-c", paths + code, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def site(tmp_path):
    return package(tmp_path / "site", {"dimensions.punctuality": "weather:CAPABILITY"}, {"weather": PUNCTUALITY})


@pytest.fixture
def punctual_mesh(tmp_path):
    root = tiny_mesh(tmp_path / "mesh")
    file = root / product_file("plant", "readings")
    promise = component("On time", "service-level-asset", "dimension: Punctuality\ndata_set: measurements\nlateness: 2h")
    file.write_text(file.read_text() + document(promise).partition("components:\n")[2])
    assert (root / DBT_FOLDER).is_dir()
    return root


@pytest.mark.slow
def test_a_dimension_of_another_package_is_planned(site, punctual_mesh):
    assert run(VALIDATION, site, punctual_mesh) == "['freshness', 'volume', 'completeness', 'punctuality']"


@pytest.mark.slow
def test_a_component_of_another_package_reaches_the_plan_and_leaves_the_fingerprint(tmp_path):
    site = package(tmp_path / "site", {"components.steward": "stewards:CAPABILITY"}, {"stewards": STEWARD})
    root = tiny_mesh(tmp_path / "mesh")
    before = run(EXTENSIONS, site, root).splitlines()
    file = root / product_file("plant", "readings")
    file.write_text(
        file.read_text() + document(component("Data steward", "steward", "person: ann@example.com")).partition("components:\n")[2]
    )
    after = run(EXTENSIONS, site, root).splitlines()
    assert (before[0], after[0]) == ("[]", "[('data_steward', 'Data steward', 'steward', 'ann@example.com')]")
    assert before[1] == after[1]


@pytest.mark.slow
def test_a_criterion_of_another_package_counts_in_its_letter(tmp_path):
    site = package(tmp_path / "site", {"criteria.sworn": "oaths:CAPABILITY"}, {"oaths": SWORN})
    assert run(CRITERIA, site) == "125"
    site = package(tmp_path / "other", {"criteria.sworn": "oaths:CAPABILITY"}, {"oaths": SWORN.replace("trustworthy", "trusted")})
    assert "must have a letter of discoverable, addressable, trustworthy" in run(CRITERIA, site)


@pytest.mark.slow
def test_a_dimension_of_another_package_reports_its_own_problems(site, punctual_mesh):
    edited(punctual_mesh, product_file("plant", "readings"), "lateness: 2h", "lateness: 2d")
    assert run(VALIDATION, site, punctual_mesh).splitlines()[1:] == ["  a day is too late", "  write at most 24h"]


@pytest.mark.slow
def test_a_dimension_of_another_package_has_its_fields_checked(site, punctual_mesh):
    edited(punctual_mesh, product_file("plant", "readings"), "lateness: 2h", "latenes: 2h")
    told = run(VALIDATION, site, punctual_mesh).splitlines()[1:]
    assert told[0].startswith('  unknown field "latenes"; allowed: ')
    assert told[1] == '  did you mean "lateness"?'


@pytest.mark.slow
def test_a_dimension_of_another_package_is_in_the_schema_for_editors(site):
    assert run(LISTING, site) == "True"


@pytest.mark.slow
def test_a_dimension_that_says_nothing_of_itself_gets_the_defaults(site):
    assert run(TRAITS, site) == "content False None Promise(unit='', at_least=None, at_most=None) breaks its promise \"{title}\""


BROKEN = [
    (
        "dimensions.again",
        "weather:CAPABILITY",
        {"weather": PUNCTUALITY.replace('name = "punctuality"', 'name = "freshness"')},
        'weather-quality 1.0.0 (dimensions.again = weather:CAPABILITY) adds dimensions "freshness", '
        "which exists already; give it another name",
    ),
    (
        "dimension.weather",
        "weather:CAPABILITY",
        {"weather": PUNCTUALITY},
        "weather-quality 1.0.0 (dimension.weather = weather:CAPABILITY) is of an unknown kind \"dimension\"; "
        f"its name must begin with one of {', '.join(KINDS)}, and a point",
    ),
    (
        "dimensions.weather",
        "weather:CAPABILITY",
        {"weather": "import no_such_module"},
        "weather-quality 1.0.0 (dimensions.weather = weather:CAPABILITY) could not be loaded: "
        "ModuleNotFoundError: No module named 'no_such_module'",
    ),
    (
        "dimensions.weather",
        "weather:NOTHING",
        {"weather": PUNCTUALITY},
        "weather-quality 1.0.0 (dimensions.weather = weather:NOTHING) could not be loaded: "
        "AttributeError: module 'weather' has no attribute 'NOTHING'",
    ),
    (
        "dimensions.weather",
        "weather:CAPABILITY",
        {"weather": "class Weather:\n    name = 'weather'\n\nCAPABILITY = Weather()"},
        "weather-quality 1.0.0 (dimensions.weather = weather:CAPABILITY) lacks config, example, measured_by, columns_used, problems, measures, judge",
    ),
    (
        "dimensions.weather",
        "weather:CAPABILITY",
        {"weather": PUNCTUALITY.replace('    measured_by = "audit"\n', "")},
        "weather-quality 1.0.0 (dimensions.weather = weather:CAPABILITY) lacks measured_by",
    ),
    (
        "dimensions.weather",
        "weather:CAPABILITY",
        {"weather": PUNCTUALITY.replace('"audit"', '"audits"')},
        'weather-quality 1.0.0 (dimensions.weather = weather:CAPABILITY) has measured_by = "audits"; it must be one of audit, probe, history',
    ),
    (
        "dimensions.weather",
        "weather:CAPABILITY",
        {"weather": PUNCTUALITY.replace('measured_by = "audit"', 'measured_by, failure = "audit", "late"')},
        'weather-quality 1.0.0 (dimensions.weather = weather:CAPABILITY) has failure = "late"; it must be one of content, lateness, access, delivery',
    ),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "modules", "message"), BROKEN, ids=["taken", "kind", "import", "attribute", "incomplete", "when", "never", "fails"]
)
def test_a_capability_that_cannot_be_used_is_named_with_its_package_and_the_reason(tmp_path, name, value, modules, message):
    site = package(tmp_path / "site", {name: value}, modules)
    assert run(LISTING, site) == f"CapabilityInvalid: {message}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_built_in_capability_is_documented_and_listed_by_its_name(kind):
    found = installed_registry().by_kind[kind]
    assert list(found) == sorted(found)
    assert [name for name, capability in found.items() if name != capability.name or not capability.__doc__] == []


def test_the_registry_cannot_be_changed():
    with pytest.raises(TypeError):
        installed_registry().by_kind["dimensions"]["new"] = object()
