"""The ready-made templates, in every channel and language."""

import re
from collections import Counter

import pytest

from marketing.content import merge_fields
from marketing.content.contents import clean_contents
from marketing.content.prebuilt import PREBUILT, Contact, occasion
from marketing.content.preview import preview
from marketing.content.rendering import MissingValue, compile_contents
from marketing.content.rules import count_sms
from marketing.content.selectors import chain_contact
from marketing.core.models import Branch
from marketing.policy.rules import purpose_of
from tests.factories.policy import set_config

LANGUAGES = {"whatsapp": ("en", "hi"), "email": ("en", "hi"), "sms": ("en", "hi", "bn")}
SCRIPT = {"en": r"[A-Za-z]", "hi": r"[ऀ-ॿ]", "bn": r"[ঀ-৿]"}
EACH = [
    pytest.param(each, channel, id=f"{each.key}-{channel}")
    for each in PREBUILT
    for channel in LANGUAGES
]
GREETINGS = {"en": r"there|dear guest", "hi": r"जी|प्रिय ग्राहक", "bn": "প্রিয় অতিথি"}


def texts_of(rendered):
    return [rendered.subject, rendered.header, rendered.body, rendered.footer, rendered.page_html]


def test_thirteen_occasions_each_with_a_key_of_its_own():
    assert len({each.key for each in PREBUILT}) == len({each.name for each in PREBUILT}) == 13
    assert occasion("birthday").name == "Birthday wishes"
    assert occasion("nothing") is None


@pytest.mark.parametrize(("each", "channel"), EACH)
def test_is_taken_as_it_stands_in_every_language(chain, each, channel):
    languages = LANGUAGES[channel]
    contents = each.contents(channel)
    assert tuple(contents) == languages
    cleaned = clean_contents(channel, contents, languages=languages, country="IN")
    assert cleaned.keys() == contents.keys()


@pytest.mark.parametrize(("each", "channel"), EACH)
def test_reads_well_with_all_values(each, channel):
    compiled = compile_contents(channel, each.contents(channel), LANGUAGES[channel])
    for language in LANGUAGES[channel]:
        rendered = compiled.render(language, merge_fields.samples(compiled.placeholders))
        assert "Asha" in rendered.body
        assert re.search(SCRIPT[language], rendered.body)
        assert not any(re.search(r"[{}@]", text) for text in texts_of(rendered))


@pytest.mark.parametrize(("each", "channel"), EACH)
def test_reads_well_for_somebody_we_know_nothing_of(each, channel):
    compiled = compile_contents(channel, each.contents(channel), LANGUAGES[channel])
    known = merge_fields.samples(["salon_name", "unsubscribe_url", *each.needs])
    for language in LANGUAGES[channel]:
        rendered = compiled.render(language, known)
        assert re.search(GREETINGS[language], rendered.body)
        for text in texts_of(rendered):
            assert not re.search(r"[{}@]|\s[,!?।]|,,|\(\)", text.split("<")[0])


@pytest.mark.parametrize("each", [each for each in PREBUILT if each.needs], ids=lambda e: e.key)
@pytest.mark.parametrize("channel", LANGUAGES)
def test_who_lacks_what_it_is_about_does_not_get_it(each, channel):
    compiled = compile_contents(channel, each.contents(channel), LANGUAGES[channel])
    for language in LANGUAGES[channel]:
        with pytest.raises(MissingValue) as refusal:
            compiled.render(language, merge_fields.samples(["salon_name"]))
        assert set(refusal.value.names) == set(each.needs)


@pytest.mark.parametrize("each", PREBUILT, ids=lambda each: each.key)
def test_an_sms_takes_as_many_parts_as_is_said(each):
    compiled = compile_contents("sms", each.contents("sms"), LANGUAGES["sms"])
    samples = merge_fields.samples(compiled.placeholders)
    counts = {
        language: count_sms(compiled.render(language, samples).body)
        for language in LANGUAGES["sms"]
    }
    assert {code: count.segments for code, count in counts.items()} == dict(each.segments)
    assert counts["en"].encoding == "GSM-7"
    assert max(each.segments.values()) <= 2


@pytest.mark.parametrize("each", PREBUILT, ids=lambda each: each.key)
def test_an_sms_suits_the_dlt_register(each):
    """Values and links are variables of the register; it ends with who sends it."""
    compiled = compile_contents("sms", each.contents("sms"), LANGUAGES["sms"])
    for language in LANGUAGES["sms"]:
        text = compiled.dlt_text(language)
        assert text.endswith(" - {#var#}")
        assert text.count("{#var#}") <= 4
        assert not re.search(r"https?:|₹|%", text)


@pytest.mark.parametrize("each", PREBUILT, ids=lambda each: each.key)
def test_suits_whatsapps_review(each):
    """No variable at either end or beside another, a plain heading, no offer as a service."""
    is_offer = purpose_of(each.template_type, each.trigger_type) == "promotional"
    for language, parts in each.contents("whatsapp").items():
        body = parts["body"]
        assert not body.startswith("{{")
        assert not body.endswith("}}")
        assert "}}{{" not in body
        assert "}} {{" not in body
        assert len(body.split()) > 3 * body.count("{{")
        assert not re.search(r"[*_~\n\U0001f000-\U0001ffff]", parts["header"])
        words = f"{body} {parts.get('footer', '')}".lower()
        if not is_offer:
            assert not re.search(r"special|treat|price|ख़ास|तोहफ़ा|दाम", words), language


@pytest.mark.parametrize("each", PREBUILT, ids=lambda each: each.key)
def test_every_mail_ends_with_one_way_out(chain, each):
    purpose = purpose_of(each.template_type, each.trigger_type)
    assert purpose != "transactional"
    for language in LANGUAGES["email"]:
        seen = preview(
            "email", each.contents("email"), languages=["en", "hi"], language=language,
            purpose=purpose,
        )  # fmt: skip
        link = merge_fields.samples(["unsubscribe_url"])["unsubscribe_url"]
        assert seen.rendered.body.endswith(link)
        assert seen.rendered.html.count(link) == 1


def test_every_channel_has_all():
    held = Counter(channel for each in PREBUILT for channel in LANGUAGES if each.contents(channel))
    assert held == {"whatsapp": 13, "sms": 13, "email": 13}


SITE, PHONE = "https://kesar.example/book", "+912226400100"
CALLING = {"type": "phone", "value": f'{{{{ branch_phone | default: "{PHONE}" }}}}'}


@pytest.mark.parametrize("each", PREBUILT, ids=lambda each: each.key)
@pytest.mark.parametrize("contact", [Contact(SITE, PHONE), Contact("", PHONE)])
def test_every_mail_has_a_button(chain, each, contact):
    contents = each.contents("email", contact)
    is_offer = purpose_of(each.template_type, each.trigger_type) == "promotional"
    cleaned = clean_contents("email", contents, languages=("en", "hi"), country="IN")
    for language, parts in cleaned.items():
        (button,) = parts["buttons"]
        assert re.search(SCRIPT[language], button["text"])
        expected = {"type": "url", "value": SITE} if is_offer and contact.website else CALLING
        assert {name: button[name] for name in ("type", "value")} == expected


def test_its_button_calls_the_readers_own_branch():
    compiled = compile_contents(
        "email", occasion("thank-you").contents("email", Contact(phone=PHONE)), ("en", "hi")
    )
    for phone, called in (("+911122334455", "+911122334455"), ("", PHONE)):
        rendered = compiled.render("en", {"salon_name": "Kesar", "branch_phone": phone})
        assert f'href="tel:{called}"' in rendered.html
        assert f'href="tel:{called}"' in rendered.page_html
        assert rendered.body.endswith(f"Call us: {called}")


def test_where_a_chain_can_be_reached(chain):
    Branch.objects.update(phone="")
    set_config(website="")
    assert chain_contact() == Contact()
    assert "buttons" not in occasion("festival").contents("email", chain_contact())["en"]
    Branch.objects.filter(pk=chain.south.pk).update(phone="022 2640 0100")
    Branch.objects.filter(pk=chain.north.pk).update(phone="ask for Asha")
    set_config(website=SITE)
    assert chain_contact() == Contact(SITE, PHONE)
