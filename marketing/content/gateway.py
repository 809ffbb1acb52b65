"""The way to WhatsApp's template review; the app that owns the vendors registers it."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from marketing.content.models import TemplateVersion
from marketing.core.errors import ProviderFailed

Submit = Callable[[TemplateVersion, str], Mapping[str, str]]

_registered: list[Submit] = []


def register_gateway(submit: Submit) -> None:
    """Set how one language of a version is handed in: `submit(version, language)`.

    It is called outside any transaction and tenant scope, with `version.template` and
    `version.tenant` loaded, and opens a scope of its own for what it reads. It returns
    `{"id": …, "status": …, "reason": …, "category": …}` with a status of `WhatsAppStatus` (reason
    and the vendor's category optional),
    and raises `ProviderFailed`, with `details={"isRetryable": True}` when trying again may help.
    """
    _registered[:] = [submit]


def submit(version: TemplateVersion, language: str) -> Mapping[str, str]:
    if not _registered:
        raise ProviderFailed(_("No WhatsApp provider is set up."))
    return _registered[-1](version, language)
