"""The theme is a cookie of the browser."""

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_it_works(client: Client, theme: str) -> None:
    answer = client.post(reverse("set_theme"), {"theme": theme, "next": "/login"})
    assert (answer.status_code, answer["Location"]) == (302, "/login")
    assert client.cookies["theme"].value == theme
    assert f'data-bs-theme="{theme}"' in client.get("/login").content.decode()


def test_it_refuses_an_unknown_theme(client: Client) -> None:
    answer = client.post(reverse("set_theme"), {"theme": '"><script>'})
    assert answer.status_code == 400
    assert "theme" not in client.cookies


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", ""])
def test_it_leads_nowhere_else(client: Client, target: str) -> None:
    answer = client.post(reverse("set_theme"), {"theme": "dark", "next": target})
    assert answer["Location"] == "/"


def test_it_rejects_get(client: Client) -> None:
    assert client.get(reverse("set_theme")).status_code == 405


@pytest.mark.parametrize(
    "template", ["400.html", "403.html", "404.html", "500.html", "registration/locked.html"]
)
def test_error_pages_need_no_context(template: str) -> None:
    # Django renders 500.html without any; the others must not depend on more.
    assert "<h1>" in render_to_string(template)
