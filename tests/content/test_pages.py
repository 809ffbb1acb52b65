"""Template pages, with and without scripts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import MessageTopic
from marketing.content import services, usage
from marketing.content.models import MessageTemplate
from marketing.policy.models import ProviderAccount
from tests.content.conftest import BODY, page
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.policy import make_account

NEW = "/templates/new?channel=sms"
FORM = {
    "name": "Diwali",
    "template_type": "promotional",
    "en-body": "Hi {{ customer_name }}",
    "hi-body": "नमस्ते {{ customer_name }}",
    "do": "save",
}


def test_lists_by_name_with_state(browser):
    TemplateFactory(name="Beta", whatsapp_status="rejected")
    TemplateFactory(name="Alpha", sms=True)
    TemplateFactory(name="Gone", is_active=False)
    text = page(browser.get("/templates"))
    assert text.index("Alpha") < text.index("Beta")
    assert "Rejected by WhatsApp" in text
    assert "Gone" not in text
    assert "Gone" in page(browser.get("/templates?use=out"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=alp", "Alpha"),
        ("channel=sms", "Alpha"),
        ("type=transactional", "Alpha"),
        ("status=rejected", "Beta"),
    ],
)
def test_filters(browser, query, expected):
    TemplateFactory(name="Alpha", sms=True, template_type="transactional")
    TemplateFactory(name="Beta", whatsapp_status="rejected")
    text = page(browser.get(f"/templates?{query}"))
    assert [name for name in ("Alpha", "Beta") if f">{name}</a>" in text] == [expected]


def test_says_what_to_do_when_there_is_nothing(browser):
    assert "No templates yet" in page(browser.get("/templates"))
    assert "Nothing found" in page(browser.get("/templates?q=x"))


def test_the_list_takes_as_many_queries_however_long(browser, django_assert_num_queries):
    TemplateFactory()
    browser.get("/templates")
    with CaptureQueriesContext(connection) as one:
        browser.get("/templates")
    TemplateFactory.create_batch(5)
    with django_assert_num_queries(len(one)):
        browser.get("/templates")


def test_a_new_template_begins_with_its_channel(browser):
    assert "?channel=whatsapp" in page(browser.get("/templates/new"))
    text = page(browser.get(NEW))
    assert 'name="en-body"' in text
    assert 'name="hi-body"' in text
    assert "{{ customer_name }}" in text
    assert 'name="en-subject"' not in text


def test_creates(browser):
    answer = browser.post(NEW, FORM)
    template = MessageTemplate.objects.get()
    assert answer.url == f"/templates/{template.pk}"
    assert template.versions.get().contents["hi"] == {"body": "नमस्ते {{ customer_name }}"}


def test_a_language_left_empty_is_left_out(browser):
    browser.post(NEW, {**FORM, "hi-body": " "})
    assert list(MessageTemplate.objects.get().versions.get().contents) == ["en"]


def test_mistakes_stand_at_their_field_and_open_their_language(browser):
    form = {**FORM, "hi-body": "{{ custmer_name }}", "language": "hi"}
    text = page(browser.post(NEW, form), 422)
    # In the summary, at the field and beside the phone.
    assert text.count("Did you mean “customer_name”?") == 3
    assert 'id="id_hi-body_error"' in text
    assert 'value="hi" checked' in text
    assert not MessageTemplate.objects.exists()


def test_a_button_at_fault_is_marked_in_its_row(browser):
    form = {
        **FORM,
        "en-body": BODY,
        "hi-body": "",
        "en-buttons-0-type": "",
        "en-buttons-1-type": "url",
        "en-buttons-1-text": "Offers",
        "en-buttons-1-value": "javascript:x",
    }
    text = page(browser.post("/templates/new?channel=whatsapp", form), 422)
    assert 'id="id_en-buttons-1-value_error"' in text
    assert 'id="id_en-buttons-0-value_error"' not in text


def test_previews_without_scripts_and_keeps_nothing(browser):
    text = page(browser.post(NEW, {**FORM, "do": "preview"}))
    assert "Hi Asha" in text
    assert not MessageTemplate.objects.exists()


def test_the_live_preview_counts_and_warns(browser):
    answer = browser.post(
        "/templates/preview?channel=sms", {**FORM, "en-body": "₹" + "a" * 100, "language": "en"}
    )
    text = page(answer)
    assert "UCS-2" in text
    assert "takes 1 SMS instead of 2" in text
    assert "<html" not in text


def test_the_live_preview_names_mistakes(browser):
    text = page(
        browser.post("/templates/preview?channel=sms", {"en-body": "{{ x", "language": "en"})
    )
    assert "Line 1, column 1" in text


def test_the_live_preview_shows_a_real_customer(browser, chain):
    CustomerFactory(first_name="Kavita", last_name="Iyer", home_branch=chain.north)
    form = {**FORM, "en-body": "Hi {{ customer_name }}", "preview_query": "kavita iyer"}
    text = page(browser.post("/templates/preview?channel=sms", form))
    assert "Hi Kavita" in text
    assert "Nobody has this name" in page(
        browser.post("/templates/preview?channel=sms", {**form, "preview_query": "zzzzzz"})
    )


def test_the_live_preview_says_who_would_be_skipped(browser):
    CustomerFactory(first_name="Kavita", last_name="Iyer", home_branch=None)
    form = {**FORM, "en-body": "At {{ branch_name }}", "preview_query": "kavita iyer"}
    text = page(browser.post("/templates/preview?channel=sms", form))
    assert "This person would be skipped" in text
    assert "Home branch" in text


def test_scripts_in_email_never_reach_our_page(browser):
    form = {
        "en-subject": "Hi",
        "en-body": "Hi",
        "en-html": "<p style='color:red' onclick='x()'>Hi<script>x()</script></p>",
        "language": "en",
    }
    text = page(browser.post("/templates/preview?channel=email", form))
    assert "<p>Hi</p>" in text
    assert "<script" not in text


def test_edits_into_a_new_version(browser, create):
    template = create(channel="sms", contents={"en": {"body": BODY}, "hi": {"body": "नमस्ते"}})
    path = f"/templates/{template.pk}/edit"
    assert "नमस्ते" in page(browser.get(path))
    form = {"name": "Diwali", "version": "1", "en-body": "Hello", "hi-body": "", "do": "save"}
    assert browser.post(path, form).status_code == 302
    template.refresh_from_db()
    assert (template.version, template.template_type) == (2, "promotional")
    assert template.versions.get(number=2).contents == {"en": {"body": "Hello"}}


def test_the_topic_is_chosen_where_there_are_any(browser, chain):
    assert "What it is about" not in page(browser.get(NEW))
    offers, gone = [MessageTopic.objects.create(name=name) for name in ("Offers", "Gone")]
    MessageTopic.objects.filter(pk=gone.pk).update(is_active=False)
    text = page(browser.get(NEW))
    assert "What it is about" in text
    assert ">Offers</option>" in text
    assert ">Gone</option>" not in text
    page(browser.post(NEW, FORM | {"topic_id": str(gone.pk)}), 422)
    assert not MessageTemplate.objects.exists()
    assert browser.post(NEW, FORM | {"topic_id": str(offers.pk)}).status_code == 302
    template = MessageTemplate.objects.get()
    assert template.topic == offers
    MessageTopic.objects.filter(pk=offers.pk).update(is_active=False)
    path = f"/templates/{template.pk}/edit"
    assert "selected>Offers</option>" in page(browser.get(path))
    form = FORM | {"version": "1", "topic_id": str(offers.pk), "name": "Holi"}
    assert browser.post(path, form).status_code == 302
    template.refresh_from_db()
    assert (template.name, template.topic) == ("Holi", offers)


def test_a_stale_edit_keeps_what_was_typed(browser, create):
    template = create(channel="sms", contents={"en": {"body": BODY}})
    path = f"/templates/{template.pk}/edit"
    form = {"name": "Diwali", "version": "1", "en-body": "First", "do": "save"}
    browser.post(path, form)
    text = page(browser.post(path, {**form, "en-body": "Second"}), 422)
    assert "Somebody changed this template" in text
    assert "Second" in text
    assert template.versions.count() == 2


def test_shows_versions_review_and_use(browser, monkeypatch):
    template = TemplateFactory(name="Diwali")
    version = template.versions.get()
    version.whatsapp["hi"] |= {"status": "rejected", "reason": "INVALID_FORMAT"}
    version.save()
    use = usage.Use("Campaign", "Festival push", "/campaigns/1")
    monkeypatch.setattr(usage, "_registered", [lambda _: [use]])
    text = page(browser.get(f"/templates/{template.pk}?language=hi"))
    assert "INVALID_FORMAT" in text
    assert "Festival push" in text
    assert "नमस्ते Asha" in text


def test_email_opens_in_a_sandbox(browser):
    contents = {"en": {"subject": "Hi", "body": "Hi", "html": '<p style="color:red">Hi</p>'}}
    template = TemplateFactory(email=True, contents=contents)
    answer = browser.get(f"/templates/{template.pk}/mail")
    assert '<p style="color:red">Hi</p>' in page(answer)
    policy = answer["Content-Security-Policy"]
    assert "sandbox allow-popups" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_copies(browser):
    template = TemplateFactory(name="Diwali", is_system=True)
    answer = browser.post(f"/templates/{template.pk}/copy")
    copy = MessageTemplate.objects.get(is_system=False)
    assert answer.url == f"/templates/{copy.pk}/edit"


def test_hands_in(browser, create):
    template = create()
    path = f"/templates/{template.pk}"
    assert "Hand in to WhatsApp" in page(browser.get(path))
    assert "every 3s" not in page(browser.get(path))
    waiting = page(browser.post(f"{path}/submit", follow=True))
    assert template.versions.get().whatsapp["en"]["status"] == "pending"
    assert f'hx-get="{path}" hx-trigger="every 3s"' in waiting
    assert f"{path}/submit" not in waiting
    again = page(browser.post(f"{path}/submit", follow=True))
    assert "being handed in just now" in again


def test_looks_no_more_once_whatsapp_answered(browser):
    template = TemplateFactory(whatsapp_status="pending")
    path = f"/templates/{template.pk}"
    assert "every 3s" in page(browser.get(path))
    name = template.versions.get().whatsapp_template_name
    for language in ("en", "hi"):
        services.apply_whatsapp_status(name=name, language=language, status="approved")
    answered = page(browser.get(path))
    assert "every 3s" not in answered
    assert f"{path}/submit" not in answered


def test_what_another_provider_approved_can_be_handed_in_again(browser):
    template = TemplateFactory()
    path = f"/templates/{template.pk}"
    make_account("meta", is_default=True)
    assert f"{path}/submit" not in page(browser.get(path))
    ProviderAccount.objects.all().delete()
    make_account("gupshup", is_default=True)
    assert f"{path}/submit" in page(browser.get(path))


def test_takes_out_of_use_unless_used(browser, monkeypatch):
    template = TemplateFactory()
    use = usage.Use("Campaign", "Festival push", "/campaigns/1")
    monkeypatch.setattr(usage, "_registered", [lambda _: [use]])
    path = f"/templates/{template.pk}/deactivate"
    assert "in use: Festival push" in page(browser.post(path, follow=True))
    monkeypatch.setattr(usage, "_registered", [])
    browser.post(path)
    template.refresh_from_db()
    assert not template.is_active


def test_a_prebuilt_one_is_not_edited(browser):
    template = TemplateFactory(is_system=True)
    answer = browser.post(f"/templates/{template.pk}/edit", {"name": "Mine", "do": "save"})
    assert answer.status_code == 409
    template.refresh_from_db()
    assert template.name != "Mine"


PATHS = [
    ("get", "/templates"),
    ("get", "/templates/new"),
    ("post", "/templates/preview?channel=sms"),
    ("get", "/templates/{pk}"),
    ("get", "/templates/{pk}/edit"),
    ("post", "/templates/{pk}/edit"),
    ("get", "/templates/{pk}/mail"),
    ("post", "/templates/{pk}/copy"),
    ("post", "/templates/{pk}/submit"),
    ("post", "/templates/{pk}/deactivate"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_is_for_managers(login, method, path):
    template = TemplateFactory(email=True)
    answer = getattr(login("receptionist"), method)(path.format(pk=template.pk))
    assert answer.status_code == 403
    template.refresh_from_db()
    assert template.is_active


@pytest.mark.parametrize(("method", "path"), [each for each in PATHS if "{pk}" in each[1]])
def test_anothers_template_is_not_found(browser, other_chain, chain, scope, method, path):
    scope(other_chain.tenant.pk)
    foreign = TemplateFactory(email=True)
    scope(chain.tenant.pk)
    answer = getattr(browser, method)(path.format(pk=foreign.pk))
    assert answer.status_code == 404
    scope(other_chain.tenant.pk)
    foreign.refresh_from_db()
    assert foreign.is_active
    assert MessageTemplate.objects.count() == 1


@pytest.mark.parametrize(("language", "greeting"), [("en", "Hi there,"), ("hi", "नमस्ते जी,")])
def test_the_preview_shows_what_stands_in_for_a_name_in_each_language(browser, language, greeting):
    words = {
        "en-body": 'Hi {{ customer_name | default: "there" }}, {{ salon_name }}',
        "hi-body": 'नमस्ते {{ customer_name | default: "जी" }}, {{ salon_name }}',
        "language": language,
    }
    url = "/templates/preview?channel=sms"
    assert "Asha" in page(browser.post(url, words))
    shown = page(browser.post(url, words | {"preview_stranger": "1"}))
    assert greeting in shown
    assert "would be skipped" not in shown
    words["en-body"] = words["hi-body"] = "{{ customer_name }}!"
    assert "would be skipped" in page(browser.post(url, words | {"preview_stranger": "1"}))


def test_a_template_is_shown_as_for_somebody_without_a_name(browser):
    body = {"body": 'Hi {{ customer_name | default: "there" }}, come!'}
    template = TemplateFactory(sms=True, contents={"en": body})
    assert "Hi Asha, come!" in page(browser.get(f"/templates/{template.pk}"))
    shown = page(browser.get(f"/templates/{template.pk}?preview_stranger=1"))
    assert "Hi there, come!" in shown


def test_a_laid_out_mail_is_shown_whole_on_a_page_that_runs_nothing(browser):
    template = TemplateFactory(email=True)
    answer = browser.get(f"/templates/{template.pk}/mail?language=hi")
    text = page(answer)
    assert text.startswith("<!doctype html>")
    assert 'lang="hi"' in text
    assert "prefers-color-scheme" in text
    assert "sandbox" in answer.headers["Content-Security-Policy"]
