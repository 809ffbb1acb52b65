"""Phones and addresses do not leave the process in log lines."""

import logging

import pytest

from marketing.core.logs import AddRequestId, MaskPersonalData, mask_phone
from marketing.core.request_id import request_id


def line(message, *args):
    record = logging.LogRecord("parlour", logging.INFO, "", 0, message, args, None)
    MaskPersonalData().filter(record)
    return record.getMessage()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sent to +919876543210", "sent to +919****10"),
        ("sent to 919876543210.", "sent to 9198****10."),
        ("to:+919876543210,+14155552671", "to:+919****10,+141****71"),
        ("bounced asha.rao+x@example.co.in today", "bounced a***@example.co.in today"),
    ],
)
def test_personal_data_is_masked(text, masked):
    assert line(text) == masked


def test_arguments_are_masked_too():
    assert (
        line("refused %s after %d tries", "+919876543210", 3) == "refused +919****10 after 3 tries"
    )


@pytest.mark.parametrize(
    "text", ["took 1234 ms", "run 01a1fc50-0099-77c8-bcd4-0e1efee5daff", "in 2026", "id 12345"]
)
def test_numbers_that_are_no_phones_stay(text):
    assert line(text) == text


def test_masking_shows_the_first_four_and_the_last_two():
    assert mask_phone("+919876543210") == "+919****10"
    assert mask_phone("") == ""


def test_lines_carry_the_request_they_belong_to():
    record = logging.LogRecord("parlour", logging.INFO, "", 0, "x", (), None)
    token = request_id.set("abc123")
    AddRequestId().filter(record)
    request_id.reset(token)
    assert record.request_id == "abc123"
