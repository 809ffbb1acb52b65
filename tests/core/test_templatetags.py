"""The words, numbers and drawings that templates make."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import timezone, translation

from marketing.core.templatetags import formats, ui


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("0"), "₹0.00"),
        (Decimal("999.995"), "₹1,000.00"),
        (Decimal("1000"), "₹1,000.00"),
        (Decimal("99999.994"), "₹99,999.99"),
        (Decimal("100000"), "₹1,00,000.00"),
        (Decimal("123456"), "₹1,23,456.00"),
        (Decimal("1234567890.5"), "₹1,23,45,67,890.50"),
        (Decimal("-123456.789"), "−₹1,23,456.79"),
        (12, "₹12.00"),
        (None, "–"),
    ],
)
def test_money_groups_the_indian_way(amount, text):
    assert formats.money(amount) == text


def test_money_names_other_currencies():
    assert formats.money(Decimal("1234.5"), "AED") == "AED 1,234.50"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("9849.50"), "₹9,850"),
        (Decimal("99999.49"), "₹99,999"),
        (Decimal("99999.50"), "₹1.0 L"),
        (Decimal("123456"), "₹1.2 L"),
        (Decimal("9994999"), "₹99.9 L"),
        (Decimal("9995000"), "₹1.0 Cr"),
        (Decimal("-34000000"), "−₹3.4 Cr"),
    ],
)
def test_headline_money_turns_over_after_rounding(amount, text):
    with translation.override("en"):
        assert formats.money_short(amount) == text


def test_headline_money_speaks_hindi():
    with translation.override("hi"):
        assert formats.money_short(Decimal("123456")) == "₹1.2 लाख"


def test_unit_price_keeps_four_places():
    assert formats.unit_price(Decimal("0.115")) == "₹0.1150"


def test_counts_and_shares():
    assert formats.number(12345678) == "1,23,45,678"
    assert formats.number(0) == "0"
    assert formats.percent(0.12345) == "12.3%"
    assert formats.percent(None) == "–"


def test_moments_and_exact_percents_have_one_form():
    at = datetime(2026, 11, 23, 14, 12, tzinfo=UTC)
    written = "{{ at|moment }} · {{ at|clock_time }} · {{ at|coming_moment }} · {{ no|moment }}"
    with translation.override("en"), timezone.override("Asia/Kolkata"):
        told = Template("{% load formats %}" + written).render(Context({"at": at, "no": None}))
        assert told == "23 Nov 2026, 7:42 p.m. · 7:42 p.m. · Mon, 23 Nov, 7:42 p.m. · –"
        hours = [formats.clock_time(time(hour, 5)) for hour in (0, 7, 12)]
        assert hours == ["12:05 a.m.", "7:05 a.m.", "12:05 p.m."]
    with translation.override("hi"):
        assert formats.clock_time(time(7, 5)) != formats.clock_time(time(19, 5))
    shares = [Decimal("20.00"), Decimal("17.50"), 5, None, Decimal("1E+2")]
    assert [formats.exact_percent(each) for each in shares] == ["20%", "17.5%", "5%", "–", "100%"]


def test_phone_is_masked():
    assert formats.masked_phone("+919876543210") == "+919****10"
    assert formats.masked_phone("") == "–"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1, seconds=5), "1 minute ago"),
        (timedelta(minutes=59, seconds=5), "59 minutes ago"),
        (timedelta(hours=3, minutes=5), "3 hours ago"),
        (-timedelta(hours=2, minutes=5), "in 2 hours"),
    ],
)
def test_relative_time(ago, text):
    with translation.override("en"):
        assert formats.relative_time(timezone.now() - ago) == text


def test_a_day_ago_is_yesterday_in_the_active_zone(time_machine):
    # 20:00 UTC on the 20th is the 21st in India, so 19:00 UTC on the 19th was the 20th there.
    time_machine.move_to("2026-11-20T20:00:00+00:00", tick=False)
    with translation.override("en"), timezone.override("Asia/Kolkata"):
        assert formats.relative_time(timezone.now() - timedelta(hours=25)) == "yesterday"
        assert formats.relative_time(timezone.now() - timedelta(hours=49)) == "19 Nov 2026"


def test_a_phone_shows_an_apostrophe_once_escaped():
    page = Template('<c-phone-preview channel="whatsapp" body="{{ said }}" />')
    shown = page.render(Context({"said": "A friend's <b> word"}))
    assert "A friend&#x27;s &lt;b&gt; word" in shown


def test_chat_text_shows_whatsapp_marks_and_escapes_the_rest():
    shown = formats.chat_text("*Hi* <b>\n_now_ ~old~ 2*3*4 snake_case_word")
    assert shown == (
        "<strong>Hi</strong> &lt;b&gt;<br><em>now</em> <s>old</s> 2*3*4 snake_case_word"
    )


def test_icon_comes_from_the_sprite():
    assert '#home"' in ui.icon("home")
    assert 'aria-hidden="true"' in ui.icon("home")
    assert 'aria-label="A &quot;b&quot;"' in ui.icon("home", label='A "b"')


def test_unknown_icon_is_refused():
    with pytest.raises(ValueError, match="no-such-icon"):
        ui.icon("no-such-icon")


def test_every_state_has_an_icon_of_the_sprite():
    assert {look.icon for look in ui.LOOKS.values()} <= ui.icon_names()


def test_unlisted_state_is_named_after_itself():
    assert ui.look("being_odd") == ui.Look("Being odd", "circle-dot", "neutral")


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Asha Menon", "AM"),
        ("Mohammed Farhan Khan", "MK"),
        ("Farhan", "F"),
        ("किरण देसाई", "किदे"),
        ("प्रिया शर्मा", "पश"),
        ("", ""),
    ],
)
def test_initials(name, letters):
    assert ui.initials(name) == letters


def test_avatar_tone_is_steady():
    assert ui.avatar_tone("Asha Menon") == ui.avatar_tone("Asha Menon")
    assert {ui.avatar_tone(f"name {n}") for n in range(200)} == {1, 2, 3, 4, 5, 6}


def test_sparkline_spans_its_box():
    drawn = ui.sparkline([1, 3, 2], "Rising")
    assert 'points="0.00,26.00 50.00,2.00 100.00,14.00"' in drawn
    assert 'aria-label="Rising"' in drawn


@pytest.mark.parametrize("values", [[5], [5, 5], [0, 0, 0]])
def test_flat_sparkline_lies_in_the_middle(values):
    assert "0.00,14.00" in ui.sparkline(values)
    assert "100.00,14.00" in ui.sparkline(values)


def test_no_values_draw_nothing():
    assert ui.sparkline([]) == ""


def test_segments_fill_the_bar_in_order():
    laid = ui.segments({"sent": 1, "held": 0, "failed": 3})
    assert [(part.x, part.width) for part in laid] == [
        ("0.0000%", "25.0000%"),
        ("25.0000%", "0.0000%"),
        ("25.0000%", "75.0000%"),
    ]
    assert [part.share for part in laid] == [0.25, 0, 0.75]


def test_segments_of_nothing():
    assert [part.width for part in ui.segments({"sent": 0})] == ["0.0000%"]


def test_declared_props_are_escaped():
    page = Template('<c-badge tone="{{ tone }}">{{ text }}</c-badge>')
    shown = page.render(Context({"tone": '"><script>', "text": "<script>"}))
    assert "<script>" not in shown
