"""Kinds of personal data: how whole values look, what a value that looks so must also be, and what columns of it are called."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Literal

from platform_resources.detection.name_words import known_in, name_words, word_set

Told = Literal["personal", "sensitive"]

SENSITIVE = word_set(
    """
    password passwort kennwort secret health gesundheit diagnosis diagnose disease krankheit religion confession konfession ethnicity
    salary gehalt lohn income einkommen disability behinderung creditcard kreditkarte cardnumber cvv ssn socialsecurity
    """
)
PERSONAL = word_set(
    """
    email mail phone telephone telefon telefonnummer tel mobile handy fax firstname lastname surname vorname nachname familyname
    givenname fullname middlename birthdate birthday dob birth dateofbirth geburtsdatum geburtstag geburtsort address adresse anschrift
    street strasse hausnummer iban passport ausweis username login userid ip ipaddress customername kundenname contactname
    ansprechpartner employee employeename mitarbeiter driver fahrer patient
    """
)
# Personal only beside something that names a person.
ABOUT_PEOPLE = word_set(
    """
    name age alter ageband gender geschlecht sex marital maritalstatus familienstand postcode postalcode zip zipcode plz city ort
    nationality occupation beruf education
    """
)
# `employee_count` names nobody.
_OF_MANY = ("count", "counts", "anzahl", "number", "total", "flag")
# What numbers things and not people: an order number may look like a telephone number.
_OF_THINGS = word_set(
    """
    order orders auftrag bestellung invoice rechnung sku ean gtin upc article artikel product produkt item batch charge parcel paket
    shipment sendung tracking version release serial seriennummer transaction ticket document beleg
    """
)


@dataclass(frozen=True, slots=True)
class Detector:
    """`pattern` is a regular expression (RE2, of the whole value). `holds` says of one value that looks so whether it really is one.

    One that is `plain` looks like nothing else: some such values among others are a find. Others count only where most values are such.
    """

    name: str
    pattern: str
    data_class: Told = "personal"
    holds: Callable[[str], bool] | None = None
    plain: bool = False


def _is_phone(value: str) -> bool:
    """With its country, or as it is dialled in one of these countries; a row of digits alone may be any number."""
    import phonenumbers

    written = f"+{value[2:]}" if value.startswith("00") else value
    for region in (None,) if written.startswith("+") else ("DE", "AT", "CH", "FR", "GB", "IT", "NL", "US"):
        try:
            number = phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return True
    return False


def _is_valid(module: str, value: str) -> bool:
    return bool(import_module(f"stdnum.{module}").is_valid(value))


def _is_card(value: str) -> bool:
    """A number of one of the large networks with the right check digit (Luhn)."""
    digits = value.replace(" ", "").replace("-", "")
    return digits[0] in "3456" and len(set(digits)) > 1 and _is_valid("luhn", digits)


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


_STREETS = r"(?i).*\b[a-zäöüß.-]*(straße|strasse|str\.|weg|platz|allee|gasse) ?[0-9]+.*"
_ROADS = r"(?i)[0-9]+[a-z]? .*\b(street|st|road|rd|avenue|ave|lane|drive|boulevard)\b.*"
_DIALLED = r"(\+[0-9]|0[0-9]+[ /-]|\([0-9]+\))[0-9 ()/.-]{5,}[0-9]|[2-9][0-9]{2}-[0-9]{3}-[0-9]{4}"
_NATIONAL = {
    "a German tax number": ("de.idnr", r"[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}"),
    "a US social security number": ("us.ssn", r"[0-9]{3}-[0-9]{2}-[0-9]{4}"),
    "a French social security number": ("fr.nir", r"[12] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"),
    "an Italian fiscal code": ("it.codicefiscale", r"(?i)[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]"),
    "a Spanish identity number": ("es.dni", r"(?i)[0-9]{8}-?[A-Z]"),
    "a Dutch citizen number": ("nl.bsn", r"[0-9]{9}"),
    "a Belgian national number": ("be.nn", r"[0-9]{2}\.?[0-9]{2}\.?[0-9]{2}-?[0-9]{3}\.?[0-9]{2}"),
    "a Polish PESEL": ("pl.pesel", r"[0-9]{11}"),
    "a Swiss social security number": ("ch.ssn", r"756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}"),
    "a Swedish personal number": ("se.personnummer", r"([0-9]{2})?[0-9]{6}[-+]?[0-9]{4}"),
}
DETECTORS = (
    Detector("an e-mail address", r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}", plain=True),
    Detector("an IBAN", r"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9 ]{6,28}[A-Z0-9]", holds=partial(_is_valid, "iban"), plain=True),
    Detector("a payment card number", r"[3-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,7}", "sensitive", _is_card),
    *(Detector(name, pattern, "sensitive", partial(_is_valid, module)) for name, (module, pattern) in _NATIONAL.items()),
    Detector("a telephone number", _DIALLED, holds=_is_phone),
    Detector("an IP address", r"([0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{0,4}){3,7}", holds=_is_address),
    Detector("a street and a number", f"{_STREETS}|{_ROADS}"),
)


def told_by_name(name: str, is_flag: bool = False) -> Told | None:
    """The class that a column's name suggests, whatever it holds; None if the name suggests nothing. A flag is never personal."""
    if known_in(name, SENSITIVE):
        return "sensitive"
    of_many = is_flag or (name_words(name) or ("",))[-1] in _OF_MANY
    return "personal" if known_in(name, PERSONAL) and not of_many else None


def names_a_thing(name: str) -> bool:
    """Whether the column's name says that its values number things, not people."""
    return bool(known_in(name, _OF_THINGS))
