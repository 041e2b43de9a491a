"""Phone numbers as networks take them (E.164): read with the country that a number without one is dialled in.

It refuses what can be no number and what is known to be a landline; whether a number is in
service only the network knows.
"""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from notifiers.channel import PermanentError

__all__ = ["country_of", "e164"]


def e164(phone: str, *, country: str) -> str:
    """Write a number as +<country code><number>.

    Args:
        phone: as it was given: '+56 9 1234 5678', or '9 1234 5678' within a country.
        country: ISO 3166 of the country that it is dialled in; '' when nobody knows.

    Raises:
        PermanentError: ``address_missing``, or ``address_refused`` for what can take no SMS.
    """
    if not phone.strip():
        raise PermanentError(error_type="address_missing", detail="there is no phone number")
    try:
        number = phonenumbers.parse(phone, country.upper() or None)
    except NumberParseException as error:
        where = f" within {country}" if country else ", and no country is known to dial it in"
        raise _refused(f"{phone!r} is no phone number{where}") from error
    if not phonenumbers.is_possible_number(number):
        raise _refused(f"{phone!r} is too long or too short for a phone number")
    if phonenumbers.number_type(number) == PhoneNumberType.FIXED_LINE:
        raise _refused(f"{phone!r} is a landline")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def country_of(phone: str, *, country: str) -> str:
    """Give the country (ISO 3166) of a number, as prices know it; ``country`` when it has none of its own."""
    try:
        found = phonenumbers.region_code_for_number(phonenumbers.parse(phone, country.upper() or None))
    except NumberParseException:
        return country.upper()
    return found or country.upper()


def _refused(detail: str) -> PermanentError:
    return PermanentError(error_type="address_refused", detail=detail)
