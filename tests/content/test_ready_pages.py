"""The page of the ready-made messages, and what begins with one."""

import pytest

from marketing.content.models import MessageTemplate
from tests.content.conftest import page


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "email"])
def test_ready_made_messages_are_shown_as_a_phone_shows_them(browser, channel):
    text = page(browser.get(f"/templates/ready?channel={channel}"))
    assert text.count('class="phone phone-') == 13
    assert "Asha" in text
    assert f'href="/templates/new?channel={channel}&amp;from=birthday"' in text
    assert f'href="/templates/new?channel={channel}"' in text
    hindi = page(browser.get(f"/templates/ready?channel={channel}&language=hi"))
    assert "त्योहार" in hindi
    assert 'language=hi" aria-current="page"' in hindi


def test_bengali_ones_are_shown_to_a_chain_that_writes_it(chain, browser):
    chain.tenant.languages = ["en", "hi", "bn"]
    chain.tenant.save()
    assert "শুভ জন্মদিন" in page(browser.get("/templates/ready?channel=sms&language=bn"))
    assert "বাংলা" not in page(browser.get("/templates/ready?channel=email&language=bn"))


def test_a_chain_without_their_languages_is_told(chain, browser):
    chain.tenant.languages = ["ta"]
    chain.tenant.save()
    assert "None in your languages yet" in page(browser.get("/templates/ready?channel=sms"))


def test_ready_made_ones_need_a_channel(browser):
    assert browser.get("/templates/ready?channel=pigeon").status_code == 404


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "email"])
def test_a_ready_made_message_fills_the_form_and_is_saved_as_ones_own(browser, channel):
    url = f"/templates/new?channel={channel}&from=festival"
    form = browser.get(url).context["form"]
    typed = {name: field.initial or form.initial.get(name) for name, field in form.fields.items()}
    answer = browser.post(url, {k: v for k, v in typed.items() if v} | {"do": "save"})
    assert answer.status_code == 302, answer.context["form"].errors
    template = MessageTemplate.objects.get()
    assert (template.name, template.category, template.is_system) == (
        "Festival greetings", "festival", False,
    )  # fmt: skip
    words = template.versions.get().contents
    assert set(words) == {"en", "hi"}
    if channel == "whatsapp":
        assert words["hi"]["buttons"][0]["text"] == "समय बुक करें"


def test_the_trigger_of_a_ready_made_message_comes_along(browser):
    form = browser.get("/templates/new?channel=sms&from=birthday").context["form"]
    assert form["trigger_type"].value() == "birthday_wish"
