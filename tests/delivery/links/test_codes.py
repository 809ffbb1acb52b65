"""The code of a short link: what goes in comes out, and nothing else gets in."""

import string
import uuid

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing.core.tenancy import tenant_scope
from marketing.delivery.links.codes import UnknownCode, make_code, read_code

DIGITS = string.digits + string.ascii_letters
# Milliseconds of the years 2024 to 2058, and the bits of a version 7 id.
message_ids = st.builds(
    lambda ms, fraction, rest: uuid.UUID(int=ms << 80 | 7 << 76 | fraction << 64 | 2 << 62 | rest),
    st.integers(1_704_067_200_000, 1_704_067_200_000 + 2**40 - 1),
    st.integers(0, 2**12 - 1),
    st.integers(0, 2**62 - 1),
)
link_ids = st.integers(1, 2**63 - 1)
at_ease = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@at_ease
@given(link_ids, message_ids)
def test_a_code_names_its_link_and_message(link_id, message_id):
    reference = read_code(make_code(link_id, message_id))
    first, last = reference.id_range
    assert reference.link_id == link_id
    assert first <= message_id <= last
    assert reference.names(message_id)


@at_ease
@given(link_ids, message_ids, st.data())
def test_a_changed_code_is_refused(link_id, message_id, data):
    code = make_code(link_id, message_id)
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from(DIGITS).filter(lambda digit: digit != code[place]))
    with pytest.raises(UnknownCode):
        read_code(code[:place] + other + code[place + 1 :])


@at_ease
@given(st.text(max_size=60))
def test_anything_else_is_refused(text):
    with pytest.raises(UnknownCode):
        read_code(text)


@at_ease
@given(link_ids, message_ids)
def test_padding_and_cutting_are_refused(link_id, message_id):
    code = make_code(link_id, message_id)
    for changed in ("0" + code, code + "0", code[1:], code[:-1], code.swapcase()):
        if changed != code:
            with pytest.raises(UnknownCode):
                read_code(changed)


def test_codes_are_short_letters_and_digits():
    message_id = uuid.UUID("019aa5c1-2345-7abc-8def-0123456789ab")
    lengths = [len(make_code(link_id, message_id)) for link_id in (1, 400, 20_000, 1_500_000)]
    assert lengths == [22, 23, 24, 25]
    assert set(make_code(2**40, message_id)) <= set(DIGITS)


def test_another_message_of_the_same_moment_is_not_named():
    message_id = uuid.UUID("019aa5c1-2345-7abc-8def-0123456789ab")
    neighbour = uuid.UUID("019aa5c1-2345-7abc-8def-0123456789ac")
    reference = read_code(make_code(7, message_id))
    first, last = reference.id_range
    assert first <= neighbour <= last
    assert not reference.names(neighbour)


def test_old_keys_stay_good_and_foreign_ones_are_not(settings):
    message_id = uuid.UUID("019aa5c1-2345-7abc-8def-0123456789ab")
    before = make_code(7, message_id)
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another secret key of this installation"
    with pytest.raises(UnknownCode):
        read_code(before)
    settings.SECRET_KEY_FALLBACKS = [former]
    assert read_code(before).names(message_id)
    assert make_code(7, message_id) != before


def test_the_key_is_not_that_of_other_signatures(settings):
    """The derived key differs from the secret itself, so no other HMAC under it fits."""
    import hashlib
    import hmac

    message_id = uuid.UUID("019aa5c1-2345-7abc-8def-0123456789ab")
    named = read_code(make_code(7, message_id))
    whole = (named.link_id << 64 | named.message).to_bytes(16, "big")
    plain = hmac.new(settings.SECRET_KEY.encode(), whole, hashlib.sha256).digest()[:8]
    forged = (named.link_id << 64 | named.message) << 64 | int.from_bytes(plain, "big")
    digits = []
    while forged:
        forged, digit = divmod(forged, 62)
        digits.append((string.digits + string.ascii_uppercase + string.ascii_lowercase)[digit])
    with pytest.raises(UnknownCode):
        read_code("".join(reversed(digits)))


def test_postgresql_makes_ids_that_codes_can_tell_apart(chain):
    """One backend never gives two ids the same 60 bits of time: the range holds one."""
    with tenant_scope(chain.tenant.pk), connection.cursor() as cursor:
        cursor.execute("SELECT uuidv7() FROM generate_series(1, 2000)")
        made = [message_id for (message_id,) in cursor.fetchall()]
    references = {read_code(make_code(1, message_id)).id_range for message_id in made}
    assert len(references) == len(made)
