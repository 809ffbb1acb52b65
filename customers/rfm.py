"""RFM: how lately, how often and for how much somebody came, scored 1 to 5, and what to call it.

Each of the 125 combinations belongs to one of eleven groups.
"""

GROUPS = {
    "C": "champions",
    "L": "loyal",
    "P": "potential_loyalist",
    "N": "recent",
    "O": "promising",
    "A": "needs_attention",
    "S": "about_to_sleep",
    "R": "at_risk",
    "K": "cannot_lose",
    "H": "hibernating",
    "X": "lost",
}
# By recency, 5 first; in each the rows are frequency, 5 first, and the letters money, 1 first.
GRIDS = {
    5: ("PLLCC", "PPPCL", "PPPPP", "NNNPP", "NNNOO"),
    4: ("PLLLL", "PPPPL", "OAAPP", "OOOAA", "OOOAA"),
    3: ("SAAAA", "SAAAA", "SSAAA", "SSSAA", "SSSSS"),
    2: ("RRRRR", "HRRRR", "HHRRR", "HHHRR", "HHHHH"),
    1: ("HKKKK", "HHKKK", "XHHKK", "XXHHH", "XXXHH"),
}


def group_of(recency: int, frequency: int, monetary: int) -> str:
    """The group of three scores from 1 to 5."""
    return GROUPS[GRIDS[recency][5 - frequency][monetary - 1]]


SCORES = range(1, 6)
# An array of PostgreSQL's whose element 25 (r - 1) + 5 (f - 1) + m is the group.
CELLS = "{" + ",".join(group_of(r, f, m) for r in SCORES for f in SCORES for m in SCORES) + "}"
