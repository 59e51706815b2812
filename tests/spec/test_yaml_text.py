"""YAML that the platform writes reads back as what was written."""

import itertools

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.services.migrating.yaml_edits import with_value
from platform_resources.spec.values.yaml_text import Dumper, FastDumper, flow_mapping, scalar

# Ends of lines for YAML, for Python or for nobody, and what needs quotes.
HOSTILE = "\n\r\x85\u2028\u2029\x0b\x0c\x1c a:'\"{"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def documents(text):
    return {text: 1}, {"a": text}, {"a": [text, 1]}, {"a": {text: {text: text}, "no": 2}}


def reads_back(text):
    assert yaml.safe_load(f"a: {scalar(text)}") == {"a": text}
    for document in documents(text):
        assert yaml.safe_load(flow_mapping(document)) == document
        for dumper, width in itertools.product((Dumper, FastDumper), (120, 100_000)):
            written = yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=width)
            assert yaml.safe_load(written) == document, (dumper, written)


def test_every_two_characters_that_yaml_may_take_for_others_read_back():
    for pair in itertools.product(HOSTILE, repeat=2):
        reads_back("".join(pair))


@given(texts)
def test_any_text_reads_back(text):
    reads_back(text)


@pytest.mark.parametrize("before", ["a: 1\n", "a: {b: 1}\n", "a:\n  b: 1 # why\n", "{a: 1}\n", ""])
@pytest.mark.parametrize("text", ["a\x85b", "\u2028", "one\n\ntwo: \u2029", "\x85'"])
def test_any_text_is_put_into_a_document(before, text):
    place = ("a", "c") if "b" in before else ("c",)
    for value in (text, {text: text}, [text]):
        read = yaml.safe_load(with_value(before, place, value))
        for key in place:
            read = read[key]
        assert read == value
