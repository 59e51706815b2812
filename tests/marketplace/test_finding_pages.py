"""Pages on which one finds and compares: search, domains, compare."""

import re

import pytest

from tests.marketplace.test_product_pages import text

pytestmark = pytest.mark.slow


def hits(client, address):
    return re.findall(r'<h2><a href="/products/(\w+)">', client.get(address).text)


def test_a_typing_error_is_forgiven_and_said(client):
    page = client.get("/search?q=temprature").text
    assert "/products/readings" in page
    assert "Nothing has “temprature”, so temperature was looked for." in text(page).replace(" , so", ", so").replace("  ", " ")


def test_why_it_was_found_is_marked(client):
    assert "<mark>temperature</mark>" in client.get("/search?q=temperature").text.lower()


def test_facets_narrow_down_and_say_how_many_there_are(client):
    assert sorted(hits(client, "/search")) == ["readings", "summary"]
    assert hits(client, "/search?domain=office") == ["summary"]
    assert hits(client, "/search?health=use+with+care") == ["readings"]
    assert hits(client, "/search?domain=nowhere") == []
    assert "Show all again" in client.get("/search?domain=office").text


@pytest.mark.parametrize("query", ["<script>alert(1)</script>", '" onfocus="x', "'; drop table products", "%00", "a" * 5000, "(", '"', "*"])
def test_whatever_is_searched_for_is_only_text(client, query):
    answer = client.get("/search", params={"q": query})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text and 'onfocus="x"' not in answer.text


def test_nothing_found_says_what_to_do(client):
    page = text(client.get("/search?q=zzzzqqq").text)
    assert "Nothing is called or described like this." in page and "All products" in page


def test_compare_puts_what_differs_first(client):
    page = client.get("/compare?p=readings&p=summary").text
    labels = re.findall(r'<tr(?: class="same")?><th scope="row">([^<]+)<', page)
    assert labels.index("Health") < labels.index("Access") or "Access" not in labels
    assert "for both" in page
    assert labels[-1] in [label for label in labels if f'class="same"><th scope="row">{label}' in page]


def test_compare_takes_four_and_names_what_there_is_not(client):
    assert client.get("/compare?p=readings&p=readings").status_code == 200
    assert client.get("/compare?p=nothing").status_code == 404
    assert client.get("/compare").status_code == 200


def test_domains_are_shown_with_their_promises_and_the_digest_that_would_be_sent(client):
    assert "Plant" in client.get("/domains").text
    page = text(client.get("/domains/plant").text)
    assert "Plant: 0 of 1 product healthy" in page
    assert "None is sent." in page
    assert client.get("/domains/nowhere").status_code == 404
