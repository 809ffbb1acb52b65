"""How codes are spelled: the symbols of generated ones, their check, what people type."""

import re
import secrets
import unicodedata
from itertools import count as count_from
from operator import mul

# No 0 and O, no 1, I and L. 31 is prime: every wrong symbol and every swap changes the check.
SYMBOLS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
VALUES = {symbol: value for value, symbol in enumerate(SYMBOLS)}
# The highest multiple of 31 in a byte: what lies above would favour the first symbols.
_FAIR = 256 - 256 % len(SYMBOLS)
_DRAWN = bytes(ord(SYMBOLS[byte % len(SYMBOLS)]) for byte in range(256))
_UNFAIR = bytes(range(_FAIR, 256))

SHORTEST, LONGEST = 3, 50
# Generated codes are printed in groups; their symbols with the check behind them.
GROUP, LENGTHS = 3, (9, 13)
_TYPED = re.compile(r"[A-Z0-9-]*")
# In codes read out at a counter. Vowels are I and O short, so that few words can arise.
_RUDE = re.compile(
    r"ARSE|BABE|BASTARD|BUTT|CHUT|CRAP|CUNT|DAMN|FART|FAG|FUCK|FUK|FCK|GAND|GAY|HARAM|HATE|HEX"
    r"|KKK|KUTTA|KUTTE|MADAR|NAZ|NUDE|PEE|PUSSY|RAND|RAPE|SALA|SEX|SHAT|SUAR|SUCK|TATT|TURD|WANK"
)


def check_symbol(body: str) -> str:
    """The symbol behind `body`: misses no wrong symbol and no swap of two."""
    total = sum(map(mul, map(VALUES.__getitem__, body), count_from(1)))
    return SYMBOLS[total % len(SYMBOLS)]


def is_sound(tail: str) -> bool:
    """Whether `tail`, symbols with their check behind them, can have been generated."""
    return all(symbol in VALUES for symbol in tail) and check_symbol(tail[:-1]) == tail[-1]


def normalise(text: str) -> str:
    """What was typed in capital letters and Western digits, without white space.

    May still hold signs that no code has (`is_typed_code`).
    """
    letters = (str(unicodedata.decimal(sign, sign)) for sign in unicodedata.normalize("NFKC", text))
    return "".join("".join(letters).upper().split())


def key_of(code: str) -> str:
    """The code as it is compared: hyphens are for the eye."""
    return code.replace("-", "")


def is_typed_code(code: str) -> bool:
    """Whether a normalised code has a length and signs that codes have."""
    return (
        len(code) <= LONGEST
        and len(key_of(code)) >= SHORTEST
        and _TYPED.fullmatch(code) is not None
    )


def codes_in(text: str) -> list[str]:
    """Codes that were typed one after the other, parted by commas or white space.

    Whoever reads a generated code from a card types white space for its hyphens: groups that are
    sound together belong to the word before them.
    """
    codes: list[str] = []
    for piece in re.split("[,;]", text):
        words = piece.split()
        place = 0
        while place < len(words):
            end = max(_end_of_groups(words, place), _end_of_groups(words, place + 1), place + 1)
            codes.append("-".join(words[place:end]))
            place = end
    return codes


def _end_of_groups(words: list[str], place: int) -> int:
    """Behind the groups of a generated code that begin at `place`; 0 where none do."""
    for groups in (5, 3):
        found = [normalise(word) for word in words[place : place + groups]]
        whole = len(found) == groups and all(len(group) == GROUP for group in found[:-1])
        if whole and is_sound("".join(found)) and len("".join(found)) in LENGTHS:
            return place + groups
    return 0


def tails(count: int, symbols: int) -> list[str]:
    """So many random tails of `symbols` symbols and a check; they may repeat, none is rude."""
    made: list[str] = []
    while len(made) < count:
        # One draw in 32 is rejected.
        wanted = (count - len(made)) * symbols
        random = secrets.token_bytes(wanted + wanted // 16 + 16)
        text = random.translate(_DRAWN, _UNFAIR).decode()
        starts = range(0, len(text) - symbols + 1, symbols)
        bodies = (text[start : start + symbols] for start in starts)
        drawn = [body + check_symbol(body) for body in bodies]
        made += [tail for tail in drawn if not _RUDE.search(tail)]
    return made[:count]


def printed(prefix: str, tail: str) -> str:
    """`PREFIX-XXX-XXX-XXX`."""
    groups = [tail[start : start + GROUP] for start in range(0, len(tail), GROUP)]
    return "-".join([prefix, *groups] if prefix else groups)
