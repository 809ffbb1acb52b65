"""Who is a machine: by what previewers, scanners and proxies call themselves."""

import pytest

from marketing.delivery.links.agents import judge

CHROME = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
MACHINES = [
    ("WhatsApp/2.24.20.89 A", "preview"),
    ("WhatsApp/2.2446.3 N", "preview"),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "preview"),
    ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "preview"),
    ("TelegramBot (like TwitterBot)", "preview"),
    ("Twitterbot/1.0", "preview"),
    ("LinkedInBot/1.0 (compatible; Mozilla/5.0; +http://www.linkedin.com)", "preview"),
    ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "preview"),
    ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", "preview"),
    (
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "image_proxy",
    ),
    ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "image_proxy"),
    ("Mozilla/5.0", "privacy_proxy"),
    ("Mozilla/5.0 (compatible; SafeLinks; Microsoft Office 365 Protection)", "scanner"),
    ("Barracuda Sentinel (EE)", "scanner"),
    ("Mozilla/5.0 (compatible; BarracudaCentral/1.0)", "scanner"),
    ("Mozilla/5.0 (compatible; Proofpoint URL Defense)", "scanner"),
    ("Mimecast URL Protect", "scanner"),
    ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0.0.0 Safari/537.36", "program"),
    ("curl/8.5.0", "program"),
    ("python-requests/2.32.3", "program"),
    ("Go-http-client/2.0", "program"),
    ("okhttp/4.12.0", "program"),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "program"),
    ("", "no_agent"),
]
PEOPLE = [
    (CHROME, "Chrome"),
    (SAFARI, "Safari"),
    (
        "Mozilla/5.0 (Linux; Android 13; SM-A536E) AppleWebKit/537.36 (KHTML, like Gecko) "
        "SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
        "Samsung Internet",
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like "
        "Gecko) Version/4.0 Chrome/130.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/490.0.0.0;]",
        "Facebook app",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
        "Edge",
    ),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox"),
]


@pytest.mark.parametrize(("agent", "machine"), MACHINES)
def test_machines_are_known_by_name(agent, machine):
    assert judge("GET", {"User-Agent": agent}).machine == machine


@pytest.mark.parametrize(("agent", "family"), PEOPLE)
def test_browsers_are_people(agent, family):
    visitor = judge("GET", {"User-Agent": agent})
    assert (visitor.machine, visitor.family) == ("", family)


@pytest.mark.parametrize(
    ("method", "headers", "machine"),
    [
        ("HEAD", {}, "head"),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}, "prefetch"),
        ("GET", {"Purpose": "prefetch"}, "prefetch"),
        ("GET", {"X-Moz": "prefetch"}, "prefetch"),
        ("GET", {"X-Purpose": "preview"}, "prefetch"),
    ],
)
def test_a_browser_that_only_looks_ahead_is_no_person(method, headers, machine):
    assert judge(method, {"User-Agent": CHROME, **headers}).machine == machine
