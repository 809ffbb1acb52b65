"""How many questions a page asks the database, with the parts it loads at once."""

import re
from collections.abc import Mapping
from html import unescape
from http import HTTPStatus

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

FRAGMENT = re.compile(r'<[^>]*hx-get="([^"]+)"[^>]*hx-trigger="load[^>]*>')

# What opens and closes the transaction and names the tenant asks for nothing.
NO_QUESTION = re.compile(r"BEGIN|COMMIT|SAVEPOINT|RELEASE|SELECT set_config")


def fragments(body: str) -> list[str]:
    """What a page asks for as soon as it stands."""
    return [unescape(path) for path in FRAGMENT.findall(body)]


def questions(
    client: Client, path: str, headers: Mapping[str, str] | None = None
) -> tuple[list[str], int]:
    """The statements of the page and its fragments, and how many fragments there are.

    Looked at twice: what is kept between two requests is not asked for again.
    """
    for part in fragments(client.get(path, headers=headers).content.decode()):
        client.get(part, headers={"HX-Request": "true"})
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(path, headers=headers)
        if answer.status_code != HTTPStatus.OK:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        parts = fragments(answer.content.decode())
        for part in parts:
            client.get(part, headers={"HX-Request": "true"})
    asked = [query["sql"] for query in caught if not NO_QUESTION.match(query["sql"])]
    return asked, len(parts)
