"""What is wrong with a company's own text or logo, in the user's language: the checks say it in English, for the command line."""

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["TEXT_FAULTS", "text_fault_text"]

_PREFIX: Final = re.compile(r"^(?:cannot be used: )?(?:\w+(?:Error|NotFound)): |^cannot be used: ")
# From what the checks say to the word of [text_faults] that says it to people; what it names is filled in.
TEXT_FAULTS: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for name, pattern in (
        ("missing", r"^is missing: each kind has four texts$"),
        ("unknown_part", r"has no attribute '(?P<name>[^']*)'"),
        ("unknown_name", r"^'(?P<name>[^']*)' is undefined$"),
        ("not_allowed", r"^templates have no (?P<name>.+)$"),
        ("no_operator", r"^operator (?P<name>\S+) is not allowed"),
        ("repeats", r"^it repeats too much"),
        ("too_much", r"^it makes too much text|^puts out more than"),
        ("large_logo", r"^the logo .+ is larger than (?P<most>[\d,]+) bytes"),
        ("too_large", r"^the template is too large$|^is larger than|is larger than [\d,]+ bytes"),
        ("too_deep", r"^it is nested too deeply$"),
        ("not_utf8", r"^is not UTF-8$"),
        ("no_text", r"^this is no text: "),
        ("used_otherwise", r"^'(?P<name>[^']*)' cannot be used like this$"),
        ("unknown_tag", r"^[Ee]ncountered unknown tag '(?P<name>[^']*)'"),
        ("unexpected", r"^unexpected (?P<name>.+)$"),
        ("expected", r"^expected token (?P<name>.+)$"),
        ("not_ended", r"^[Uu]nexpected end of template|^[Mm]issing end of"),
        ("no_filter", r"^No filter named '(?P<name>[^']*)'"),
        ("no_test", r"^No test named '(?P<name>[^']*)'"),
        ("no_word", r"there is no word '(?P<name>[^']*)'$"),
        ("no_logo", r"^the logo '(?P<name>[^']*)' is not in the company's template folder$"),
        ("broken_picture", r"is a broken (?:PNG|JPEG|GIF)|is cut off: save it again$"),
        ("moving_picture", r"moves: a logo is one picture$"),
        ("large_picture", r"has (?P<wide>[\d,]+) × (?P<high>[\d,]+) pixels: "),
        ("odd_picture", r"is a (?:PNG in more|JPEG that few|JPEG of|GIF without)|unpacks to more than it says"),
        ("drawn_picture", r"is an SVG, which mail programs show nowhere"),
        ("no_picture", r"is neither PNG nor JPEG nor GIF$"),
        ("no_label", r"a line is a word and its text: "),
    )
}  # fmt: skip


def text_fault_text(said: str, *, words: Mapping[str, Any]) -> str:
    """Say it in the user's words; what has none stays as it was said."""
    bare = _PREFIX.sub("", said)
    for name, pattern in TEXT_FAULTS.items():
        if found := pattern.search(bare):
            return str(words["text_faults"][name]).format(**found.groupdict())
    return said
