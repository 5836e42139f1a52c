"""Directions: the kinds of destination, one by one opened to an account or not."""

from enum import StrEnum


class Destination(StrEnum):
    """Kinds of destination, by what calls there cost and who abuses them."""

    LOCAL = "local"
    "The same area code, or free for the caller."
    MOBILE = "mobile"
    "A mobile phone in the same country."
    LONG_DISTANCE = "long_distance"
    "Another area of the same country."
    INTERNATIONAL = "international"
    "Another country, a satellite, or no country known."
    PREMIUM = "premium"
    "The callee is paid, in whatever country: premium rate, shared cost, personal numbers, pagers."


USUAL = (Destination.LOCAL, Destination.MOBILE, Destination.LONG_DISTANCE)
"What an account may call when nobody says otherwise: toll fraud goes abroad and to premium lines."
