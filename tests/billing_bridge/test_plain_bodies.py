"""What is read quickly is what the serializer would have read; the rest is left to it."""

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.api import shapes
from marketing.core.drf.plain import read_plain

ID = "01982f6e-7c4b-7a10-8a53-0242ac120002"
LINE = {
    "serviceId": ID,
    "quantity": 2,
    "unitPrice": "850.00",
    "manualDiscount": 10,
    "taxRate": "18",
    "isAddon": False,
}
BILL = {
    "branchId": ID,
    "customerPhone": "+919876543210",
    "lines": [LINE, {"serviceExternalId": "SPA-60", "unitPrice": "1200"}],
    "codes": ["DIWALI-7QK"],
    "codesPolicy": "all",
    "points": {"use": "max"},
    "referral": {"code": "ASHA-1"},
    "at": "2026-10-28T12:05:00+05:30",
}
INVOICE = {name: value for name, value in BILL.items() if name != "at"} | {
    "invoiceId": "MUM/2026/1187",
    "finalizedAt": "2026-10-28T12:05:00+05:30",
    "lines": [LINE | {"discount": "85.00", "staffId": None}],
    "total": "765.00",
    "payments": [{"method": "upi", "amount": "765.00"}],
}
SHAPES = (shapes.QuoteInput, shapes.InvoiceInput)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 1.5, 10**30, float("nan")]),
    st.sampled_from(["", " ", "x", " x ", "\0", "\ud800", "०१२", "1e3", "1.234", "-1", "Infinity"]),
    st.sampled_from(["9" * 200, "true", "max", "2026-13-45", ID.upper(), "{" + ID + "}", "007.5"]),
    st.sampled_from([[], [None], {}, [[]], {"x": 1}, [ID, ID], ["a" * 60], [LINE] * 3]),
    st.text(max_size=5),
)


def both(shape, body):
    form = shape(data=body)
    return read_plain(shape, body), form.validated_data if form.is_valid() else None


@pytest.mark.parametrize(
    ("shape", "body"), [(shapes.ReserveInput, BILL | {"key": "till-1"}), (SHAPES[1], INVOICE)]
)
def test_what_tills_send_is_read_quickly_and_alike(shape, body):
    quick, slow = both(shape, body)
    assert quick == slow
    assert quick["lines"][0]["service_id"] == uuid.UUID(ID)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_is_odd_is_never_read_otherwise(data):
    shape, body = data.draw(st.sampled_from([*zip(SHAPES, (BILL, INVOICE), strict=True)]))
    names = [*shape().fields, "unknown"]
    body = dict(body)
    for name in data.draw(st.lists(st.sampled_from(names), max_size=2)):
        body[name] = data.draw(ODD)
    for name in data.draw(st.lists(st.sampled_from(sorted(body)), max_size=1)):
        del body[name]
    if data.draw(st.booleans()) and isinstance(body.get("lines"), list):
        name = data.draw(st.sampled_from([*shape().fields["lines"].child.fields, "unknown"]))
        body["lines"] = [LINE | {name: data.draw(ODD)}]
    quick, slow = both(shape, body)
    assert quick is None or quick == slow


def test_a_service_named_twice_is_left_to_the_serializer():
    body = BILL | {"lines": [LINE | {"serviceExternalId": "SPA-60"}]}
    assert both(shapes.QuoteInput, body) == (None, None)
