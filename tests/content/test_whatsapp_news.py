"""What WhatsApp says of a template: kept with its history, in order, once."""

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.content import services
from marketing.content.models import MessageTemplate, TemplateVersion
from marketing.content.services import whatsapp_news
from marketing.core.models import DomainEvent
from tests.factories.content import TemplateFactory

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def version(chain):
    return TemplateFactory(contents={"en": {"body": "Hi, come and see us."}}).versions.get()


def say(version, **news):
    known = services.apply_whatsapp_status(
        name=version.whatsapp_template_name, **({"language": "en"} | news)
    )
    version.refresh_from_db()
    return known


def history(version):
    return [
        (news["what"], news["from"], news["to"])
        for news in version.whatsapp["en"].get("history", ())
    ]


def test_its_life_is_kept_in_order(version):
    say(version, status="paused", reason="FIRST_PAUSE", at=NOON)
    say(version, status="approved", at=NOON + HOUR)
    say(version, status="disabled", reason="Too many complaints", at=NOON + 2 * HOUR)
    assert history(version) == [
        ("status", "approved", "paused"),
        ("status", "paused", "approved"),
        ("status", "approved", "disabled"),
    ]
    assert version.whatsapp["en"]["history"][0] == {
        "at": NOON.isoformat(),
        "what": "status",
        "from": "approved",
        "to": "paused",
        "reason": "FIRST_PAUSE",
    }
    assert version.whatsapp_status == "disabled"


def test_what_comes_late_is_noted_and_changes_nothing(version):
    say(version, status="paused", at=NOON + HOUR)
    say(version, status="approved", at=NOON)
    say(version, status="approved", at=NOON)
    assert version.whatsapp_status == "paused"
    assert history(version) == [("status", "", "approved"), ("status", "approved", "paused")]
    assert DomainEvent.objects.filter(name="template.status_changed").count() == 1


def test_said_again_later_it_outdoes_what_came_between(version):
    say(version, status="paused", at=NOON)
    say(version, status="paused", at=NOON + 2 * HOUR)
    say(version, status="approved", at=NOON + HOUR)
    assert version.whatsapp_status == "paused"


def test_our_clock_stands_in_no_ones_way(chain, version):
    """An approval told by the vendor's slower clock counts after our own note."""
    whatsapp_news.set_status(version, "en", "pending", "")
    whatsapp_news.save(version)
    say(version, status="approved", at=NOON - 100 * HOUR)
    assert version.whatsapp_status == "approved"


def test_an_unknown_status_is_kept_in_the_vendors_word(version):
    say(version, said="IN_QUARANTINE", at=NOON)
    say(version, said="IN_QUARANTINE", at=NOON)
    assert version.whatsapp_status == "approved"
    assert version.whatsapp["en"]["said"] == "IN_QUARANTINE"
    assert history(version) == [("unknown", "approved", "IN_QUARANTINE")]
    say(version, status="paused", said="PAUSED", at=NOON + HOUR)
    assert "said" not in version.whatsapp["en"]


def test_a_category_that_was_asked_for_is_no_news(version):
    say(version, category="MARKETING", at=NOON)
    assert version.price_category == "marketing"
    assert history(version) == []


def test_a_category_is_announced_and_then_changed(chain):
    template = TemplateFactory(
        template_type="transactional", contents={"en": {"body": "Your booking stands."}}
    )
    version = template.versions.get()
    say(version, next_category="MARKETING", at=NOON)
    assert version.whatsapp["en"]["nextCategory"] == "marketing"
    assert version.price_category == ""
    say(version, category="MARKETING", at=NOON + 24 * HOUR)
    say(version, category="UTILITY", at=NOON)
    assert version.price_category == "marketing"
    assert "nextCategory" not in version.whatsapp["en"]
    assert history(version)[-1] == ("category", "utility", "marketing")
    assert not DomainEvent.objects.filter(name="template.status_changed").exists()


def test_quality_is_shown_as_it_changes(version):
    say(version, quality="GREEN", at=NOON)
    say(version, quality="YELLOW", at=NOON + HOUR)
    say(version, quality="YELLOW", at=NOON + HOUR)
    assert version.whatsapp["en"]["quality"] == "yellow"
    assert history(version) == [("quality", "", "green"), ("quality", "green", "yellow")]


def test_handing_in_again_keeps_what_was_said(chain, version, whatsapp):
    say(version, status="rejected", reason="INVALID_FORMAT", at=NOON)
    TemplateVersion.objects.filter(pk=version.pk).update(
        whatsapp={"en": {k: v for k, v in version.whatsapp["en"].items() if k != "id"}}
    )
    services.submit_whatsapp(actor=chain.actor(chain.manager), template=version.template)
    version.refresh_from_db()
    assert history(version)[-2:] == [
        ("status", "approved", "rejected"),
        ("status", "rejected", "pending"),
    ]


SAID = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["approved", "paused", "disabled", "rejected"])),
    min_size=1,
    max_size=7,
    unique_by=lambda news: news[0],
)


@given(SAID, st.randoms(use_true_random=False))
def test_in_whatever_order_the_newest_holds(said, chance: random.Random):
    """Each may come twice, in any order: what happened last is how it stands."""
    version = TemplateVersion(
        template=MessageTemplate(template_type="promotional"), contents={"en": {"body": "Hi"}}
    )
    arriving = [*said, *said]
    chance.shuffle(arriving)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whatsapp_news.events, "record", lambda *_: None)
        for hours, status in arriving:
            whatsapp_news.set_status(version, "en", status, "", at=NOON + hours * HOUR)
    entry = version.whatsapp["en"]
    assert entry["status"] == max(said)[1]
    times = [news["at"] for news in entry["history"]]
    assert times == sorted(times)
    assert len(set(times)) == len(times)


def test_the_page_tells_it_all(login, version):
    say(version, status="paused", reason="FIRST_PAUSE: Low quality", at=NOON)
    say(version, said="IN_QUARANTINE", at=NOON)
    say(version, category="UTILITY", quality="RED", at=NOON)
    say(version, next_category="MARKETING", at=NOON + HOUR)
    page = login("manager").get(f"/templates/{version.template_id}").content.decode()
    for words in (
        "FIRST_PAUSE: Low quality", "WhatsApp says:", "IN_QUARANTINE", "Charged as:",
        "Marketing → Utility", "Within a day charged as:", "What WhatsApp said",
    ):  # fmt: skip
        assert words in page, words


def test_the_api_has_the_history(login, version):
    say(version, status="rejected", reason="PROMOTIONAL", at=NOON)
    answer = login("manager").get(f"/api/v1/templates/{version.template_id}").json()
    told = answer["data"]["template"]["whatsapp"]["en"]
    assert (told["status"], told["reason"]) == ("rejected", "PROMOTIONAL")
    assert told["history"][-1]["to"] == "rejected"
