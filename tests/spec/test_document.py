"""YAML text to data with lines; whatever the text, there is a document or one problem with a line."""

import subprocess
import sys

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from platform_resources.spec.document import LARGEST_TEXT, MOST_NODES, Document, place_text, read_document
from platform_resources.spec.problems import Problem


def read(text):
    return read_document(text, "product.yaml")


TEXT = """\
# a comment
spec:
  components:
    - name: one
      properties:
        columns:
          - {name: a}

          - name: b
            tags: [x,
                   y]
    - "name": two
"""
LINES = [
    ((), 2),
    (("spec",), 3),
    (("spec", "components", 0, "name"), 4),
    (("spec", "components", 0, "properties", "columns", 0, "name"), 7),
    (("spec", "components", 0, "properties", "columns", 1), 9),
    (("spec", "components", 0, "properties", "columns", 1, "tags", 1), 11),
    (("spec", "components", 1, "name"), 12),
]


@pytest.mark.parametrize(("place", "line"), LINES)
def test_every_value_knows_its_line(place, line):
    assert read(TEXT).line(place) == line


def test_a_place_that_is_not_written_has_the_line_of_its_nearest_ancestor():
    assert read(TEXT).line(("spec", "components", 1, "properties", "columns", 7)) == 12
    assert read(TEXT).line(("nothing", "here")) == 2


def test_a_place_is_shown_as_a_path_without_spec():
    assert place_text(("spec", "components", 3, "properties", "columns", 0)) == "components[3].properties.columns[0]"
    assert place_text(("spec", "parts")) == "spec.parts"
    assert place_text(()) == ""


def test_dates_are_text_and_other_scalars_are_themselves():
    data = read("{day: 2024-12-31, at: 2024-12-31 10:00:00, n: 1, f: 1.5, yes: yes, none: , text: '1', on: inputs}").data
    assert data == {
        "day": "2024-12-31", "at": "2024-12-31T10:00:00", "n": 1, "f": 1.5, "yes": True, "none": None, "text": "1", "on": "inputs",
    }  # fmt: skip


def test_an_alias_is_the_value_it_refers_to():
    assert read("a: &x [1]\nb: *x").data == {"a": [1], "b": [1]}


@pytest.mark.parametrize("text", ["\ufeffa: 1", "---\na: 1\n", "a: 1\n...\n", "%YAML 1.1\n---\na: 1", "a: 1\r\n"])
def test_a_byte_order_mark_a_directive_and_document_marks_are_read_over(text):
    assert read(text).data == {"a": 1}


PROBLEMS = [
    ("", 1, "the file is empty; it must hold a document"),
    ("# nothing\n\n# yet\n", 1, "the file is empty; it must hold a document"),
    ("a: 1\nb: 2\na: 3\n", 3, '"a" is given twice; it is already given in line 1'),
    ("a:\n\tb: 1\n", 2, "not valid YAML: found character that cannot start any token"),
    ("a: 1\n---\nb: 2\n", 2, 'a second document begins here, after "---"; a file holds one'),
    ("a: &x\n  b: *x\n", 1, "the value that begins here contains itself, through an alias"),
    ("a: 1\n? [b]\n: 2\n", 2, "a key must be plain text"),
    ("a: {<<: {b: 1}}", 1, 'the merge key "<<" is not read; write the fields out'),
    ("a: 1\nb: 2024-02-31\n", 2, '"2024-02-31" cannot be read as a date'),
    ("b: !!timestamp soon", 1, '"soon" cannot be read as a date'),
    ("b: !!bool perhaps", 1, '"perhaps" cannot be read as yes or no'),
    ("b: !!int ''", 1, '"" cannot be read as a whole number'),
    ("b: !!python/name:os.system x", 1, '"x" cannot be read as python/name:os.system'),
    ("a: '1", 1, "not valid YAML: found unexpected end of stream"),
    ("a: \x00", 1, "not valid YAML: control characters are not allowed"),
    ("a: \ud800", 1, "not valid YAML: a character that no text may hold"),
    ("[" * 51 + "]" * 51, 1, "the values are nested deeper than 50 levels"),
    ("x" * (LARGEST_TEXT + 1), 1, f"the file has {LARGEST_TEXT + 1:,} characters; at most {LARGEST_TEXT:,} are read"),
]


@pytest.mark.parametrize(("text", "line", "message"), PROBLEMS, ids=[message[:50] for _, _, message in PROBLEMS])
def test_what_cannot_be_read_is_one_problem_with_its_line(text, line, message):
    problem = read(text)
    assert isinstance(problem, Problem)
    assert (problem.line, problem.path, problem.message) == (line, "", message)


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory():
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10)]
    problem = read("\n".join(["l0: &l0 [x]", *levels]))
    assert problem.message == f"the file expands to more than {MOST_NODES:,} values; aliases may not multiply it"


@pytest.mark.parametrize("text", ["'[' * 900_000", "'- ' * 450_000", "'{a: ' * 200_000"])
def test_deep_nesting_is_a_problem_and_does_not_crash_the_process(text):
    """libyaml's composer recurses in C: 100,000 levels ended the process with a segmentation fault."""
    code = f"from platform_resources.spec.document import read_document; print(read_document({text}, 'f').message)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "the values are nested deeper than 50 levels")


yaml_like = st.text(st.sampled_from(list("ab01:-[]{},&*!|>'\"#%@`? \n\t~<.=T")), max_size=60)
TAGS = ["int", "float", "bool", "null", "timestamp", "binary", "set", "omap"]
tagged = st.builds("!!{} {!r}".format, st.sampled_from(TAGS), st.text(max_size=8))


@given(st.text(st.characters(), max_size=80) | yaml_like | tagged)
@example("\ud800")
@example("- &a\n- *a: 1")
def test_reading_never_raises(text):
    assert isinstance(read(text), (Document, Problem))


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.sampled_from("abc"), min_size=1), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(plain)
def test_what_yaml_writes_is_read_as_it_was(data):
    assert read(yaml.safe_dump(data, allow_unicode=True)).data == data
