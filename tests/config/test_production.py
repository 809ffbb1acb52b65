"""What a deployment must say for itself, and where that is written."""

import runpy
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = {
    "SECRET_KEY": "x" * 50,
    "FIELD_KEYS": "a key",
    "ALLOWED_HOSTS": "parlour.example",
    "DEFAULT_FROM_EMAIL": "Parlour <parlour@kesar.example>",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name, value in REQUIRED.items():
        monkeypatch.delenv(f"{name}_FILE", raising=False)
        monkeypatch.setenv(name, value)


def production():
    return runpy.run_module("config.settings.production")


def test_mail_to_staff_comes_from_an_address_of_the_deployments():
    found = production()
    assert found["DEFAULT_FROM_EMAIL"] == "Parlour <parlour@kesar.example>"
    assert found["SERVER_EMAIL"] == found["DEFAULT_FROM_EMAIL"]


@pytest.mark.parametrize("name", REQUIRED)
def test_nothing_starts_without_what_is_required(monkeypatch, name):
    monkeypatch.delenv(name)
    with pytest.raises(ImproperlyConfigured, match=name):
        production()


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_required_is_said_where_people_look(name):
    assert f"  {name}: ${{{name}:?" in (ROOT / "compose.yaml").read_text()
    assert f"| `{name}` |" in (ROOT / "docs" / "running.md").read_text()
    assert f"{name}=unused" in (ROOT / "Dockerfile").read_text()
    (row,) = [
        line for line in (ROOT / "README.md").read_text().splitlines() if f"| `{name}`" in line
    ]
    assert "required" in row
