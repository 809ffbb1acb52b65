"""What operators, regulators and vendors ask of a message before it goes.

WhatsApp: the vendor that sends now must be the one that knows the template.
SMS in India (TRAI TCCCPR 2018, DLT): entity and header of the account and a template of exactly
these words are registered; each `{#var#}` of it takes at most 30 characters once filled.
SMS in Bangladesh (BTRC, 12 March 2019): promotional ones are in Bangla script.

What holds for everybody is refused at submit and at the freeze. A value that is too long for its
variable concerns one person: she is skipped as `missing_value`, for she has none that may go.
It is not cut: the operators block what they cannot match, and half a name is nobody's.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby

from django.utils.translation import gettext as _

from customers.links import NOBODY, unsubscribe_url
from customers.models import Channel, Purpose
from marketing.content import merge_fields
from marketing.content.links import compile_sent
from marketing.content.markup import Output
from marketing.content.models import TemplateVersion
from marketing.content.rendering import CompiledVersion
from marketing.core.errors import (
    SmsNotInBengali,
    SmsNotRegistered,
    WhatsAppTemplateNotApproved,
)
from marketing.policy.models import ProviderAccount
from marketing.policy.vendors import VENDORS

VARIABLE_LENGTH = 30
# `{#var#}`, and the typed ones of newer registrations such as `{#numeric#}` and `{#url#}`.
SLOT = re.compile(r"\{#\s*\w+\s*#\}")
BENGALI = re.compile(r"[\u0980-\u09FF]")


def require_compliant(
    *, version: TemplateVersion, account: ProviderAccount, country: str, purpose: str
) -> None:
    """Raises `WhatsAppTemplateNotApproved`, `SmsNotRegistered` or `SmsNotInBengali`.

    Each says what to mend and where. In the open tenant scope.
    """
    if version.template.channel == Channel.WHATSAPP:
        _require_known_to(account, version)
    if version.template.channel != Channel.SMS:
        return
    if country == "IN":
        _require_registered_account(account)
        for language in version.contents:
            _require_registered_words(version, language, account)
    elif country == "BD" and purpose == Purpose.PROMOTIONAL:
        for language, parts in version.contents.items():
            if not BENGALI.search(parts["body"]):
                raise SmsNotInBengali(
                    fields={
                        "templateId": [
                            _(
                                "Promotional SMS in Bangladesh must be in Bangla script; the text "
                                "in “%(language)s” has none. Write it in Bangla, or send it by "
                                "another channel."
                            )
                            % {"language": language}
                        ]
                    },
                    details={"language": language},
                )


def value_limits(version: TemplateVersion, country: str) -> dict[str, dict[str, int]]:
    """How long each merge value may be, by language and name; empty where nothing limits it."""
    if version.template.channel != Channel.SMS or country != "IN":
        return {}
    compiled = compile_sent(version).compiled
    return {
        language: _limits(compiled, language, _registered_text(version, language))
        for language in compiled.languages
    }


def too_long(
    limits: Mapping[str, Mapping[str, int]], language: str, values: Mapping[str, str]
) -> list[str]:
    """The names whose values do not fit their variable, in this language."""
    fitting = limits.get(language, {})
    return [name for name, limit in fitting.items() if len(values.get(name) or "") > limit]


def _require_known_to(account: ProviderAccount, version: TemplateVersion) -> None:
    for language in version.contents:
        known_to = version.whatsapp_provider(language)
        if known_to and known_to != account.provider:
            text = _(
                "The text in “%(language)s” was approved by way of another provider than "
                "%(vendor)s, which sends now. Hand it in again."
            ) % {"language": language, "vendor": account.get_provider_display()}
            raise WhatsAppTemplateNotApproved(
                text,
                fields={"templateId": [text]},
                details={"language": language, "provider": known_to},
            )


def _require_registered_account(account: ProviderAccount) -> None:
    sender = account.sender
    missing = []
    if not sender.get("entity_id"):
        missing.append(_("DLT entity ID"))
    if not (sender.get("header") or sender.get("from_number")):
        missing.append(_("header"))
    if missing:
        raise _unregistered(
            _("The account “%(account)s” lacks: %(missing)s. Add it under Settings, Accounts.")
            % {"account": account.name, "missing": ", ".join(missing)},
            missing=missing,
        )


def _require_registered_words(
    version: TemplateVersion, language: str, account: ProviderAccount
) -> None:
    ids = version.sms_ids.get(language, {})
    if not ids.get("dltTemplateId"):
        raise _unregistered(
            _(
                "The text in “%(language)s” has no DLT template id. Register it on the DLT portal "
                "and enter its id at the message."
            )
            % {"language": language},
            language=language,
        )
    if _needs_vendor_template(account) and not ids.get("vendorTemplateId"):
        raise _unregistered(
            _(
                "The text in “%(language)s” has no template id at %(vendor)s. Create it there and "
                "enter its id at the message."
            )
            % {"language": language, "vendor": account.get_provider_display()},
            language=language,
        )
    compiled = compile_sent(version).compiled
    registered = _registered_text(version, language)
    if _signature(_pieces_of(registered)) != _signature(compiled.pieces(language)):
        raise _unregistered(
            _(
                "The text in “%(language)s” is not the registered one, character by character: "
                "“%(registered)s”. Change either."
            )
            % {"language": language, "registered": registered},
            language=language,
        )
    _require_fitting_constants(compiled, language, registered)


def _require_fitting_constants(compiled: CompiledVersion, language: str, registered: str) -> None:
    """What is the same for everybody, defaults and our own links, must fit at once."""
    limits = _limits(compiled, language, registered)
    for output in compiled.pieces(language):
        if isinstance(output, str):
            continue
        text = output.default or ""
        if merge_fields.kind(output.name) == merge_fields.SYSTEM:
            text = _system_value(output.name)
        if len(text) > limits[output.name]:
            raise _unregistered(
                _(
                    "“%(text)s” for “%(field)s” has %(length)d characters; the registered variable "
                    "takes %(limit)d. Shorten it, or register as many {#var#} in a row as it needs."
                )
                % {
                    "text": text,
                    "field": merge_fields.label(output.name),
                    "length": len(text),
                    "limit": limits[output.name],
                },
                language=language,
            )


def _unregistered(text: str, **details: object) -> SmsNotRegistered:
    return SmsNotRegistered(text, fields={"templateId": [text]}, details=details)


def _needs_vendor_template(account: ProviderAccount) -> bool:
    """MSG91 sends its own copy of the text; the others send ours."""
    return VENDORS[account.provider].sends_own_copy


def _registered_text(version: TemplateVersion, language: str) -> str:
    """What stands in the register. Where nobody entered it, the ids belong to these words."""
    entered: str = version.sms_ids.get(language, {}).get("dltText", "")
    return entered or compile_sent(version).compiled.dlt_text(language)


Piece = str | Output


def _pieces_of(registered: str) -> Iterator[Piece]:
    end = 0
    for slot in SLOT.finditer(registered):
        if slot.start() > end:
            yield registered[end : slot.start()]
        yield Output(name="", default=None, start=slot.start())
        end = slot.end()
    if end < len(registered):
        yield registered[end:]


def _runs(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """Neighbours of one sort together: fixed words, or variables in a row."""
    return [list(group) for _, group in groupby(pieces, key=lambda piece: isinstance(piece, str))]


def _signature(pieces: Iterable[Piece]) -> list[str]:
    """The fixed words in order, with one mark for one or more variables in a row."""
    return [
        "".join(piece if isinstance(piece, str) else "" for piece in run) or "{#var#}"
        for run in _runs(pieces)
    ]


def _limits(compiled: CompiledVersion, language: str, registered: str) -> dict[str, int]:
    """The characters for each name. Variables in a row share their slots evenly."""
    slots = [len(run) for run in _runs(_pieces_of(registered)) if isinstance(run[0], Output)]
    ours = [
        [piece for piece in run if isinstance(piece, Output)]
        for run in _runs(compiled.pieces(language))
        if isinstance(run[0], Output)
    ]
    limits: dict[str, int] = {}
    for number, outputs in enumerate(ours):
        given = slots[number] if number < len(slots) else 1
        limit = VARIABLE_LENGTH * given // len(outputs)
        for output in outputs:
            limits[output.name] = min(limit, limits.get(output.name, limit))
    return limits


@lru_cache(maxsize=8)
def _system_value(name: str) -> str:
    """A value that is made at sending, as long as a real one."""
    if name == "unsubscribe_url":
        return unsubscribe_url(NOBODY, NOBODY, Channel.SMS)
    field = merge_fields.get(name)
    return field.sample if field else ""
