"""How a bill is priced: pure functions of a cart, offers, facts and settings.

Nothing here reads a database or a setting, nothing but `engine.within_cpu` a clock, and nothing
imports Django. Money is integer paise, shares are basis points (1 % = 100), ids are opaque
text. The caller hands in the present and what has been used; the answer says what was given,
why, and what would change it. Enter by `engine.quote`; `docs/offers.md` says the rules in plain
words.
"""
