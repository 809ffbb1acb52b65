"""Asking whether links work, over real HTTP on loopback."""

import socket
from http.server import BaseHTTPRequestHandler

import pytest

from marketing.content import link_check, link_states, services
from marketing.content.link_check import Finding, Outcome, check, is_public
from marketing.content.links import written_links
from marketing.content.selectors import current_version
from marketing.content.tasks import check_link
from marketing.core.errors import Forbidden
from tests.factories.content import TemplateFactory
from tests.loopback import serving


class Site(BaseHTTPRequestHandler):
    """A salon's site with its faults."""

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        path = self.path.split("?")[0]
        status, location = {
            "/": (200, ""),
            "/moved": (301, "/"),
            "/round": (302, "/round"),
            "/inside": (302, "http://169.254.169.254/latest"),
            "/file": (302, "file:///etc/passwd"),
            "/login": (302, "http://asha:secret@127.0.0.1/"),
            "/port": (302, "//127.0.0.1:0x16/"),
            "/broken": (500, ""),
            "/gone": (410, ""),
            "/no-head": (405 if self.command == "HEAD" else 200, ""),
            "/dr%C3%BCck": (200, ""),
        }.get(path, (404, ""))
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        # Whoever waited for this much would wait for ever.
        self.send_header("Content-Length", str(10**12 if path == "/no-head" else 0))
        self.end_headers()


def loopback_only(address, port):
    return address == "127.0.0.1"


@pytest.fixture
def site():
    with serving(Site) as address:
        yield address


@pytest.mark.parametrize(
    ("path", "outcome", "status", "leads_to"),
    [
        ("", Outcome.WORKS, 200, ""),
        ("/?a=1#top", Outcome.WORKS, 200, ""),
        ("/drück", Outcome.WORKS, 200, ""),
        ("/no-head", Outcome.WORKS, 200, ""),
        ("/moved", Outcome.REDIRECTS, 200, "/"),
        ("/nowhere", Outcome.MISSING, 404, ""),
        ("/gone", Outcome.MISSING, 410, ""),
        ("/broken", Outcome.FAILS, 500, ""),
        ("/round", Outcome.FAILS, 302, "/round"),
        ("/inside", Outcome.NOT_ASKED, 0, ""),
        ("/file", Outcome.NOT_ASKED, 0, ""),
        ("/login", Outcome.NOT_ASKED, 0, ""),
        ("/port", Outcome.NOT_ASKED, 0, ""),
    ],
)
def test_says_what_becomes_of_a_link(site, path, outcome, status, leads_to):
    found = check(f"{site}{path}", may_ask=loopback_only)
    assert found == Finding(outcome, status, leads_to and f"{site}{leads_to}")


def test_a_host_that_does_not_listen_cannot_be_reached():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = check(f"http://127.0.0.1:{port}/", may_ask=loopback_only)
    assert found == Finding(Outcome.UNREACHABLE)


def test_a_host_that_does_not_exist_cannot_be_reached(monkeypatch):
    def nobody(*args, **options):
        raise socket.gaierror

    monkeypatch.setattr(link_check.socket, "getaddrinfo", nobody)
    assert check("https://no.such.salon/").outcome == Outcome.UNREACHABLE


@pytest.mark.parametrize(
    "link",
    [
        "ftp://example.com/a",
        "https://",
        "https://asha:secret@example.com/",
        "https://example.com:99999/",
        "https://[::1",
        "mailto:asha@example.com",
    ],
)
def test_what_is_no_web_address_is_not_asked(link):
    assert check(link).outcome == Outcome.NOT_ASKED


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "fe80::1%eth0", "fd00::1"),
        *(
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "2002:7f00:1::",
            "64:ff9b:1::1",
            "64:ff9b::7f00:1",
        ),
        # The older ways to write an IPv4 address in an IPv6 one, and site-local ones.
        *("::", "::127.0.0.1", "::ffff:0:127.0.0.1", "fec0::1", "2001::7f00:1"),
    ],
)
def test_our_own_network_is_not_asked(address):
    assert not is_public(address, 443)


def test_the_open_internet_is_asked_at_web_ports_only():
    assert is_public("93.184.216.34", 443)
    assert is_public("2606:2800:220:1::1", 80)
    assert not is_public("93.184.216.34", 22)


def test_a_name_that_leads_into_our_network_is_not_asked(site):
    assert check(site).outcome == Outcome.NOT_ASKED


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "[::1]", "[::ffff:7f00:1]"]
)
def test_our_own_network_in_other_spellings_is_not_asked(host, monkeypatch):
    monkeypatch.setattr(link_check.socket, "create_connection", None)
    assert check(f"http://{host}/").outcome == Outcome.NOT_ASKED


def test_the_address_that_was_judged_is_the_one_connected_to(monkeypatch):
    """A name that gives another address when it is asked again leads nowhere else."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    connected = []

    def once(host, port, **options):
        return [(0, 0, 0, "", (next(answers), port))]

    def connect(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(link_check.socket, "getaddrinfo", once)
    monkeypatch.setattr(link_check.socket, "create_connection", connect)
    check("http://rebinding.example/")
    assert connected == [("93.184.216.34", 80)]


def test_one_private_address_among_others_is_enough(monkeypatch):
    def two(*args, **options):
        return [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", ("10.0.0.1", 443))]

    monkeypatch.setattr(link_check.socket, "getaddrinfo", two)
    monkeypatch.setattr(link_check.socket, "create_connection", None)
    assert check("https://rebinding.example/").outcome == Outcome.NOT_ASKED


def test_finds_every_link_once():
    contents = {
        "en": {
            "image": "https://x.in/a.png",
            "body": "See https://x.in/one, or https://x.in/two?n={{ customer_name }}.",
            "buttons": [
                {"type": "url", "text": "Go", "value": "https://x.in/one"},
                {"type": "phone", "text": "Call", "value": "+919820012345"},
            ],
            "html": '<a href="https://x.in/three?a=1&amp;b=2">x</a>',
        },
        "hi": {"body": "https://x.in/one"},
    }
    assert written_links(contents) == (
        "https://x.in/a.png",
        "https://x.in/one",
        "https://x.in/two?n={{ customer_name }}",
        "https://x.in/three?a=1&b=2",
    )


class TestOfATemplate:
    @pytest.fixture
    def template(self, chain, site):
        contents = {"en": {"body": f"See {site}/moved or {site}/nowhere?n={{{{ customer_name }}}}"}}
        return TemplateFactory(sms=True, contents=contents)

    @pytest.fixture
    def asked(self, monkeypatch):
        """The links that tasks were asked to look at; they wait."""
        asked = []
        monkeypatch.setattr(
            "marketing.content.services.links.check_link.delay", lambda _, link: asked.append(link)
        )
        return asked

    @pytest.fixture
    def run(self, chain, monkeypatch, asked):
        """Do what the tasks would."""
        monkeypatch.setattr(
            "marketing.content.services.links.check",
            lambda link: check(link, may_ask=loopback_only),
        )

        def run():
            for link in asked:
                services.judge_link(tenant_id=chain.tenant.pk, link=link)

        return run

    def press(self, login, template, staff="manager", **headers):
        return login(staff).post(f"/templates/{template.pk}/links/check", headers=headers)

    def test_nothing_is_known_before_it_is_asked(self, login, template):
        shown = login("manager").get(f"/templates/{template.pk}").content.decode()
        assert shown.count("Not checked") == 2
        assert "Check the links" in shown

    def test_a_press_has_a_task_ask_and_the_page_waits(
        self, login, template, asked, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            shown = self.press(login, template, **{"HX-Request": "true"}).content.decode()
        assert len(asked) == 2
        assert shown.count("Being checked") == 2
        assert 'hx-trigger="every 2s"' in shown
        with django_capture_on_commit_callbacks(execute=True):
            self.press(login, template)
        assert len(asked) == 2

    def test_what_was_found_is_shown_and_can_be_asked_again(
        self, login, template, asked, run, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            assert self.press(login, template).url == f"/templates/{template.pk}"
        run()
        fragment = login("manager").get(
            f"/templates/{template.pk}/links", headers={"HX-Request": "true"}
        )
        shown = fragment.content.decode()
        assert "Works" in shown
        assert "Leads on to:" in shown
        assert "Page not found (404)" in " ".join(shown.split())
        assert shown.count("Not secure") == 2
        assert "every 2s" not in shown
        with django_capture_on_commit_callbacks(execute=True):
            self.press(login, template)
        assert len(asked) == 4

    def test_a_link_with_merge_fields_is_asked_with_samples(self, template):
        link = link_states.states_of(current_version(template))[1].link
        assert link_states.as_asked(link).endswith("/nowhere?n=Asha")

    def test_a_check_that_ran_out_of_time_says_so(self, chain, template, monkeypatch):
        assert check_link.soft_time_limit, "a host may answer drop by drop"

        def slow(link):
            raise TimeoutError

        monkeypatch.setattr("marketing.content.services.links.check", slow)
        (first, _second) = link_states.states_of(current_version(template))
        with pytest.raises(TimeoutError):
            services.judge_link(tenant_id=chain.tenant.pk, link=first.link)
        (first, _second) = link_states.states_of(current_version(template))
        assert first.finding.outcome == Outcome.UNREACHABLE

    def test_another_chain_learns_nothing(self, chain, other_chain, scope, template):
        (first, _second) = link_states.states_of(current_version(template))
        link_states.keep(first.link, Finding(Outcome.WORKS, 200))
        scope(other_chain.tenant.pk)
        assert link_states.begin([first.link]) == [first.link]
        scope(chain.tenant.pk)
        assert link_states.states_of(current_version(template))[0].finding is not None

    def test_a_receptionist_may_not_ask(self, chain, login, template, asked):
        assert self.press(login, template, staff="receptionist").status_code == 403
        with pytest.raises(Forbidden):
            services.check_links(actor=chain.actor(chain.receptionist), template=template)
        assert asked == []

    def test_another_chains_template_is_not_found(self, other_chain, scope, chain, login, asked):
        scope(other_chain.tenant.pk)
        foreign = TemplateFactory(sms=True)
        scope(chain.tenant.pk)
        assert self.press(login, foreign).status_code == 404
        assert asked == []


def test_a_message_without_links_has_no_card(login, chain):
    template = TemplateFactory(sms=True)
    assert (
        "Check the links" not in login("manager").get(f"/templates/{template.pk}").content.decode()
    )
