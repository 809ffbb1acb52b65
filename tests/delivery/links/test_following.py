"""A short link as the world sees it: over HTTP, without a login."""

import datetime as dt
import http.client
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketing.core.tenancy import tenant_scope
from marketing.delivery.links import recording
from marketing.delivery.links.codes import make_code
from marketing.delivery.models import Engagement, LinkCount, Message, SendRun, TrackedLink
from marketing.policy.models import MarketingConfig
from tests.delivery.links.conftest import BROWSER, code_of, send
from tests.factories.policy import set_config

UTM = "utm_source=parlour&utm_medium=email&utm_campaign=diwali-2026&utm_content=diwali-offer-1"


def get(path, agent=BROWSER, method="get", **headers):
    return getattr(Client(), method)(path, headers={"User-Agent": agent, **headers})


def noted():
    return [(e.kind, e.machine, e.agent) for e in Engagement.objects.order_by("pk")]


def test_a_real_server_leads_on_and_remembers(live_chain, live_server):
    with tenant_scope(live_chain.tenant.pk):
        message = send()
        code = code_of(message)
    address = urlsplit(live_server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    connection.request("GET", f"/r/{code}", headers={"User-Agent": BROWSER})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 302
    assert answer.headers["Location"] == f"https://kesar.example/book?{UTM}"
    assert answer.headers["Cache-Control"] == "no-store, max-age=0"
    assert "Set-Cookie" not in answer.headers
    connection.request("HEAD", f"/r/{code}", headers={"User-Agent": BROWSER})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 302
    connection.close()
    with tenant_scope(live_chain.tenant.pk):
        assert noted() == [("click", "", "Chrome"), ("click", "head", "Chrome")]
        row = Engagement.objects.order_by("pk")[0]
        assert (row.message_id, row.customer_id, row.run_id) == (
            message.pk,
            message.customer_id,
            message.run_id,
        )


def test_no_table_for_people_is_read(chain, django_assert_num_queries):
    code = code_of(send())
    get(f"/r/{code}")
    # Savepoint and scope twice each, the message with its run, chain and settings, the note.
    with django_assert_num_queries(6) as queries:
        get(f"/r/{code}")
    assert not any("session" in query["sql"] or "core_user" in query["sql"] for query in queries)


def test_an_opening_picture_reads_no_table_for_people(chain, django_assert_num_queries):
    code = code_of(send(), 0)
    get(f"/o/{code}.gif")
    with django_assert_num_queries(6) as queries:
        answer = get(f"/o/{code}.gif")
    assert answer["Content-Length"] == str(len(answer.content))
    assert not any("session" in query["sql"] or "core_user" in query["sql"] for query in queries)


def test_the_second_link_leads_elsewhere(chain):
    message = send()
    assert get(f"/r/{code_of(message, 2)}")["Location"].startswith("https://kesar.example/prices?")


def require_says_so(answer):
    """That the link does not work, and what to do instead."""
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "<h1>This link does not work</h1>" in page
    assert "Part of it may be missing. Open it straight from the message." in page
    assert "ask the salon that wrote to you." in page


@pytest.mark.parametrize("forged", ["x" * 24, "1", "a/b", "0" * 30, "Z" * 33])
def test_what_we_did_not_make_is_a_page_that_says_so(chain, forged):
    require_says_so(get(f"/r/{forged}"))
    assert not Engagement.objects.exists()


def test_what_we_did_not_make_says_so_in_hindi_to_who_chooses_it(chain):
    client, address = Client(), f"/r/{'x' * 24}"
    assert 'name="language" value="hi"' in client.get(address).content.decode()
    choice = {"language": "hi", "next": address}
    answer = client.post(reverse("set_language"), choice, follow=True)
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "<h1>यह लिंक काम नहीं करता</h1>" in page
    assert "शायद इसका कुछ हिस्सा छूट गया है। इसे सीधे मैसेज से खोलें।" in page


def test_a_link_that_was_never_made_is_unknown(chain):
    require_says_so(get(f"/r/{make_code(2**40, send().pk)}"))


def test_a_picture_is_no_link_and_a_link_no_picture(chain):
    message = send()
    require_says_so(get(f"/r/{code_of(message, 0)}"))
    assert get(f"/o/{code_of(message)}.gif").status_code == 404
    assert not Engagement.objects.exists()


def test_forms_may_not_be_posted(chain):
    assert get(f"/r/{code_of(send())}", method="post").status_code in (403, 405)
    assert not Engagement.objects.exists()


def test_another_chains_message_is_not_found_by_our_link(chain, other_chain):
    """The link names the tenant; a message of another one is out of its sight."""
    code_of(send())
    link_id = TrackedLink.objects.get(source="https://kesar.example/book").pk
    with tenant_scope(other_chain.tenant.pk):
        theirs = send()
    answer = get(f"/r/{make_code(link_id, theirs.pk)}")
    assert answer.status_code == 410
    assert not Engagement.objects.exists()
    with tenant_scope(other_chain.tenant.pk):
        assert not Engagement.objects.exists()


class TestTheEnd:
    def test_when_the_message_went(self, chain):
        set_config(website="https://kesar.example")
        message = send()
        code = code_of(message)
        Message.objects.filter(pk=message.pk).delete()
        answer = get(f"/r/{code}")
        assert answer.status_code == 410
        assert chain.tenant.name in answer.content.decode()
        assert 'href="https://kesar.example"' in answer.content.decode()
        assert f"Go to {chain.tenant.name}" in answer.content.decode()

    def test_when_links_last_so_many_days(self, chain):
        set_config(link_days=30)
        message = send()
        code = code_of(message)
        assert get(f"/r/{code}").status_code == 302
        old = timezone.now() - dt.timedelta(days=30, minutes=1)
        Message.objects.filter(pk=message.pk).update(created_at=old)
        assert get(f"/r/{code}").status_code == 410
        assert Engagement.objects.count() == 1

    def test_without_a_website_nothing_is_offered(self, chain):
        set_config(link_days=1)
        message = send()
        Message.objects.filter(pk=message.pk).update(
            created_at=timezone.now() - dt.timedelta(days=2)
        )
        answer = get(f"/r/{code_of(message)}")
        assert answer.status_code == 410
        assert f"Go to {chain.tenant.name}" not in answer.content.decode()

    def test_in_the_readers_language(self, chain):
        set_config(link_days=1)
        message = send()
        code = code_of(message)
        Message.objects.update(language="hi", created_at=timezone.now() - dt.timedelta(days=2))
        assert b'lang="hi"' in get(f"/r/{code}").content

    def test_of_a_chain_that_left(self, chain):
        code = code_of(send())
        chain.tenant.is_active = False
        chain.tenant.save()
        assert get(f"/r/{code}").status_code == 410


class TestDestinations:
    def test_merge_fields_are_filled_in_behind_the_host(self, chain):
        message = send("Book https://kesar.example/for/{{ customer_name }}?x=1 now")
        Message.objects.update(variables={"customer_name": "Asha R&D\r\nX: y"})
        location = get(f"/r/{code_of(message)}")["Location"]
        assert location.startswith("https://kesar.example/for/Asha%20R")
        assert "\n" not in location

    def test_an_erased_person_has_no_personal_link(self, chain):
        message = send("Book https://kesar.example/for/{{ customer_name }}")
        code = code_of(message)
        Message.objects.update(variables={}, address="")
        assert get(f"/r/{code}").status_code == 410
        assert not Engagement.objects.exists()

    def test_an_erased_persons_plain_link_leads_on_unnoted(self, chain):
        message = send()
        code = code_of(message)
        Message.objects.update(variables={}, address="")
        assert get(f"/r/{code}").status_code == 302
        assert not Engagement.objects.exists()

    def test_a_test_on_a_staff_phone_counts_for_nobody(self, chain):
        code = code_of(send(kind=SendRun.Kind.TEST))
        assert get(f"/r/{code}").status_code == 302
        assert not Engagement.objects.exists()

    def test_utm_can_be_switched_off(self, chain):
        set_config(add_utm=False)
        assert get(f"/r/{code_of(send())}")["Location"] == "https://kesar.example/book"

    def test_links_lead_on_without_settings(self, chain):
        code = code_of(send())
        MarketingConfig.objects.all().delete()
        assert get(f"/r/{code}").status_code == 302


class TestMachines:
    def test_who_comes_within_two_seconds_of_the_sending(self, chain):
        now = timezone.now()
        message = send(sent_at=now, sending_at=now)
        get(f"/r/{code_of(message)}")
        assert noted() == [("click", "too_soon", "Chrome")]

    def test_previews_are_led_on_but_marked(self, chain):
        answer = get(f"/r/{code_of(send())}", agent="WhatsApp/2.24.20.89 A")
        assert answer.status_code == 302
        assert noted() == [("click", "preview", "WhatsApp")]

    def test_prefetching_is_marked(self, chain):
        get(f"/r/{code_of(send())}", **{"Sec-Purpose": "prefetch"})
        assert noted() == [("click", "prefetch", "Chrome")]

    def test_what_comes_without_end_is_only_counted(self, chain, monkeypatch):
        monkeypatch.setattr(recording, "MOST_KEPT", 3)
        message, other = send(), send()
        for _ in range(5):
            assert get(f"/r/{code_of(message)}").status_code == 302
        get(f"/o/{code_of(message, 0)}.gif")
        assert len(noted()) == 3
        get(f"/r/{code_of(other)}")
        assert len(noted()) == 4
        counts = LinkCount.objects.filter(run_id=message.run_id).order_by("kind")
        assert [(c.kind, c.times, c.machine_times) for c in counts] == [
            ("click", 0, 2),
            ("open", 0, 1),
        ]


class TestOpenings:
    def test_the_picture_notes_and_is_not_kept(self, chain):
        answer = get(f"/o/{code_of(send(), 0)}.gif")
        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/gif"
        assert answer.content.startswith(b"GIF89a")
        assert "no-store" in answer["Cache-Control"]
        assert noted() == [("open", "", "Chrome")]

    @pytest.mark.parametrize(
        ("agent", "machine"),
        [
            ("Mozilla/5.0", "privacy_proxy"),
            ("Mozilla/5.0 Firefox/11.0 (via ggpht.com GoogleImageProxy)", "image_proxy"),
        ],
    )
    def test_proxies_are_marked(self, chain, agent, machine):
        get(f"/o/{code_of(send(), 0)}.gif", agent=agent)
        assert [row[1] for row in noted()] == [machine]

    def test_a_forged_picture_is_not_found(self, chain):
        assert get(f"/o/{'x' * 24}.gif").status_code == 404
