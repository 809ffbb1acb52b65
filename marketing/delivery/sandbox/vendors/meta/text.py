"""A template's variables: what a message must give, and what the phone then shows."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from marketing.delivery.sandbox.vendors.meta.wire import Invalid

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
MEDIA = ("IMAGE", "VIDEO", "GIF", "DOCUMENT")
# What a message fills each part with, by name; parts without names count from 1.
Given = dict[str, dict[str, str]]


def read_parameters(asked: Mapping[str, Any], body: Mapping[str, Any]) -> Given:
    """The values of a message, checked against its template. Raises `Invalid`."""
    given: Given = {}
    for component in asked.get("components", []):
        kind = component["type"].lower()
        key = f"button{int(component['index'])}" if kind == "button" else kind
        given[key] = _values(component["parameters"])
    for component in body["components"]:
        kind = component["type"].lower()
        if kind == "header" and component.get("format") in MEDIA:
            if component["format"].lower() not in given.get("header", {}):
                raise Invalid(132012, f"header: a {component['format'].lower()} is expected")
        elif kind in ("header", "body"):
            _check(kind, component.get("text", ""), given.get(kind, {}))
        elif kind == "buttons":
            _check_buttons(component["buttons"], given)
    return given


def _values(parameters: list[Mapping[str, Any]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for number, parameter in enumerate(parameters, 1):
        kind = parameter.get("type", "text")
        if kind in ("text", "payload", "coupon_code"):
            values[str(parameter.get("parameter_name", number))] = str(parameter.get(kind, ""))
        else:
            media = parameter[kind]
            values[kind] = str(media.get("link") or media["id"])
    return values


def _check(part: str, text: str, given: Mapping[str, str]) -> None:
    wanted = set(PLACEHOLDER.findall(text))
    if len(wanted) != len(given):
        raise Invalid(132000, f"{part}: {len(wanted)} parameters expected, {len(given)} given")
    if wanted != given.keys():
        raise Invalid(132012, f"{part}: no parameter named {min(wanted - given.keys())}")
    if any(not value or "\n" in value or "\t" in value for value in given.values()):
        raise Invalid(132012, f"{part}: a parameter is empty or has a line break")


def _check_buttons(buttons: list[Mapping[str, Any]], given: Given) -> None:
    for index, button in enumerate(buttons):
        needs = "{{" in button.get("url", "") or button["type"] == "COPY_CODE"
        if needs and not any(given.get(f"button{index}", {}).values()):
            raise Invalid(131008, f"button {index}: its parameter is missing")


def shown(content: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The message as a phone shows it: header, body, footer, buttons."""
    parts: dict[str, Any] = {"header": "", "body": "", "footer": "", "buttons": []}
    for component in content["components"]:
        kind = component["type"].lower()
        if kind == "buttons":
            parts["buttons"] = [button.get("text", "Copy code") for button in component["buttons"]]
        elif kind in parts:
            parts[kind] = _filled(component.get("text", ""), given.get(kind, {}))
    return parts


def places(content: Mapping[str, Any]) -> list[str]:
    """A template's variables in order of appearance: its header's, its body's, its buttons'."""
    texts = [component.get("text", "") for component in content["components"]]
    for component in content["components"]:
        texts += [button.get("url", "") for button in component.get("buttons", [])]
    return [name for text in texts for name in PLACEHOLDER.findall(text)]


def shown_in_order(content: Mapping[str, Any], values: Iterable[str]) -> dict[str, Any]:
    """`shown` for vendors that number the variables through all of a template."""
    following = iter(values)
    given = {
        component["type"].lower(): {
            name: next(following, "") for name in PLACEHOLDER.findall(component.get("text", ""))
        }
        for component in content["components"]
    }
    return shown(content, given)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values.get(match[1], ""), text)
