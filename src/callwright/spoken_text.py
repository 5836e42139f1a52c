"""Texts to be spoken: whether there is anything in one that can be said."""

import re

# Markup says nothing by itself: tags of SSML and HTML, and references to characters.
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<[!?][^<>]*>|&#?[0-9A-Za-z]{1,10};")


def says_something(text: str) -> bool:
    """Whether a letter or digit is in ``text``, beside blanks, signs, emoji and markup.

    Of signs and emoji a synthesiser may know some names, in one language and not in another; what
    it makes of a text without a word is no message.
    """
    return any(map(str.isalnum, _MARKUP.sub("", text)))
