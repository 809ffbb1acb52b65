"""Who asked for a link: a person's browser, or a machine and which.

Sources: the programs' own documentation of their user agents (WhatsApp, Meta, Slack, Telegram,
Google, Microsoft, Apple, Proofpoint, Barracuda, Mimecast) and the fetch standard's Sec-Purpose.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

PREVIEW = "preview"
SCANNER = "scanner"
IMAGE_PROXY = "image_proxy"
PRIVACY_PROXY = "privacy_proxy"
PREFETCH = "prefetch"
HEAD = "head"
PROGRAM = "program"
NO_AGENT = "no_agent"
TOO_SOON = "too_soon"
BURST = "burst"


@dataclass(frozen=True)
class Visitor:
    """`machine` says why this is no person, empty for one; `family` is who it says it is."""

    machine: str
    family: str


# The first that is found in the user agent decides; matched without regard to case.
_MACHINES = tuple(
    (re.compile(pattern, re.I), machine, family)
    for pattern, machine, family in (
        (r"whatsapp", PREVIEW, "WhatsApp"),
        (r"facebookexternalhit|facebookcatalog|meta-externalagent", PREVIEW, "Facebook"),
        (r"slackbot|slack-imgproxy", PREVIEW, "Slack"),
        (r"telegrambot", PREVIEW, "Telegram"),
        (r"twitterbot", PREVIEW, "X"),
        (r"linkedinbot", PREVIEW, "LinkedIn"),
        (r"discordbot", PREVIEW, "Discord"),
        (r"skypeuripreview|microsoftpreview|bingpreview|msteams", PREVIEW, "Microsoft"),
        (r"snapchat url preview|pinterestbot|viber|vkshare|redditbot|iframely", PREVIEW, "Preview"),
        (r"google-pagerenderer|google-safety|googlemessages|apis-google", PREVIEW, "Google"),
        (r"googleimageproxy|ggpht\.com", IMAGE_PROXY, "Gmail"),
        (r"yahoomailproxy|yahoo! slurp", IMAGE_PROXY, "Yahoo Mail"),
        (r"outlook-?imageproxy|outlookimageproxy", IMAGE_PROXY, "Outlook"),
        (r"duckduckgo.*mail|proton.*proxy|imageproxy", IMAGE_PROXY, "Image proxy"),
        (r"safelinks|office ?365.*(scan|protection)|microsoft.*(defender|atp)", SCANNER, "Outlook"),
        (r"barracuda|bnlinkprotect", SCANNER, "Barracuda"),
        (r"proofpoint|ppsecurity|urldefense", SCANNER, "Proofpoint"),
        (r"mimecast", SCANNER, "Mimecast"),
        (r"symantec|messagelabs|norton safeweb", SCANNER, "Symantec"),
        (r"trend ?micro|sophos|fortinet|fortigate|cisco|ironport|forcepoint", SCANNER, "Scanner"),
        (r"mcafee|trellix|fireeye|zscaler|checkpoint|avanan|virustotal", SCANNER, "Scanner"),
        (r"cloudmark|spamtitan|mailscanner|rspamd|phish|urlscan|safebrowsing", SCANNER, "Scanner"),
        (r"headlesschrome|phantomjs|selenium|puppeteer|playwright|electron/", PROGRAM, "Headless"),
        (
            r"\b(curl|wget|python|aiohttp|httpx|okhttp|java|go-http-client|axios|node-fetch|got"
            r"|libwww|ruby|perl|php|guzzle|apache-httpclient|postman|scrapy)\b",
            PROGRAM,
            "Program",
        ),
        (r"bot\b|crawl|spider|slurp|fetcher|preview|monitor|validator|scan", PROGRAM, "Bot"),
    )
)
# Apple Mail's privacy protection loads every picture, read or not, and says no more than this.
_APPLE_PRIVACY = "mozilla/5.0"
_BROWSERS = (
    ("FBAN", "Facebook app"),
    ("FBAV", "Facebook app"),
    ("Instagram", "Instagram app"),
    ("GSA/", "Google app"),
    ("EdgiOS", "Edge"),
    ("EdgA", "Edge"),
    ("Edg/", "Edge"),
    ("SamsungBrowser", "Samsung Internet"),
    ("UCBrowser", "UC Browser"),
    ("OPR/", "Opera"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("Thunderbird", "Thunderbird"),
    ("Outlook", "Outlook"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("AppleWebKit", "Safari"),
)


def judge(method: str, headers: Mapping[str, str]) -> Visitor:
    """Who a request comes from, by its method and headers alone."""
    visitor = _judge_agent(headers.get("User-Agent", "").strip())
    if visitor.machine:
        return visitor
    if method == "HEAD":
        return Visitor(HEAD, visitor.family)
    purposes = (headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"))
    if re.search("prefetch|prerender|preview", " ".join(purposes), re.I):
        return Visitor(PREFETCH, visitor.family)
    return visitor


@lru_cache(maxsize=1024)
def _judge_agent(agent: str) -> Visitor:
    """By the program's own name for itself; most of them come again and again."""
    for pattern, machine, family in _MACHINES:
        if pattern.search(agent):
            return Visitor(machine, family)
    if not agent:
        return Visitor(NO_AGENT, "")
    if agent.casefold() == _APPLE_PRIVACY:
        return Visitor(PRIVACY_PROXY, "Apple Mail")
    return Visitor("", next((name for mark, name in _BROWSERS if mark in agent), "Other"))
