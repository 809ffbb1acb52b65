"""The 125 combinations of scores, and the eleven groups they belong to."""

from collections import Counter

import pytest

from customers import rfm
from customers.models import CustomerFacts

# What the description of the groups names itself; 511 stands under two of them there.
NAMED = {
    "champions": (555, 554, 544),
    "loyal": (545, 455, 454),
    "potential_loyalist": (543, 444, 435),
    "recent": (511, 512, 521),
    "promising": (421, 412),
    "needs_attention": (433, 343, 334),
    "about_to_sleep": (331, 321, 312),
    "at_risk": (233, 234, 244),
    "cannot_lose": (155, 154, 144),
    "hibernating": (221, 222, 223),
    "lost": (111, 112, 121),
}


@pytest.mark.parametrize(
    ("cell", "group"), [(cell, group) for group, cells in NAMED.items() for cell in cells]
)
def test_named_cells_are_in_their_groups(cell, group):
    assert rfm.group_of(*map(int, str(cell))) == group


def test_every_cell_has_one_of_the_eleven_groups():
    cells = rfm.CELLS.strip("{}").split(",")
    assert len(cells) == 125
    assert set(cells) == set(CustomerFacts.RfmGroup.values)
    assert Counter(cells)["champions"] == 3


def test_the_array_is_in_order_of_recency_frequency_and_money():
    cells = rfm.CELLS.strip("{}").split(",")
    assert cells[0] == rfm.group_of(1, 1, 1)
    assert cells[4] == rfm.group_of(1, 1, 5)
    assert cells[20] == rfm.group_of(1, 5, 1)
    assert cells[100] == rfm.group_of(5, 1, 1)
