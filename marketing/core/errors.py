"""Typed errors with Module 11's codes. Edges map them to HTTP or to a page; services raise them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Fields = Mapping[str, Sequence[str]]


class DomainError(Exception):
    """A refusal a person or program can act on.

    `code` and `name` are Module 11's (extended within its tens), `fields` says which inputs
    to mend, `details` carries numbers to show.
    """

    code = "MARKETING_500"
    name = "INTERNAL_ERROR"
    http_status = 500
    default_message: str | Promise = _("Something went wrong on our side.")

    def __init__(
        self,
        message: str = "",
        *,
        fields: Fields | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or str(self.default_message)
        self.fields = {key: list(value) for key, value in (fields or {}).items()}
        self.details = dict(details or {})
        super().__init__(self.message)

    @property
    def sentences(self) -> list[str]:
        """The refusal in as many sentences as it has reasons."""
        reasons = [reason for found in self.fields.values() for reason in found]
        if self.message == self.default_message and reasons:
            return reasons
        return [self.message, *(reason for reason in reasons if reason not in self.message)]


class ValidationFailed(DomainError):
    code, name, http_status = "MARKETING_400", "VALIDATION_FAILED", 400
    default_message = _("Some of what was sent cannot be accepted.")


class NotAuthenticated(DomainError):
    code, name, http_status = "MARKETING_401", "NOT_AUTHENTICATED", 401
    default_message = _("Log in or send an API key.")


class Forbidden(DomainError):
    code, name, http_status = "MARKETING_403", "FORBIDDEN", 403
    default_message = _("Your role does not allow this.")


class NotFound(DomainError):
    code, name, http_status = "MARKETING_404", "NOT_FOUND", 404
    default_message = _("There is no such thing, or it is not yours to see.")


class FormOnly(DomainError):
    code, name, http_status = "MARKETING_405", "METHOD_NOT_ALLOWED", 405
    default_message = _("This address takes what a form sends. Open its page again, and send it.")


class Conflict(DomainError):
    code, name, http_status = "MARKETING_409", "CONFLICT", 409
    default_message = _("Somebody changed this in the meantime.")


# Beside a `Conflict` on a form that holds what was typed and the version that stands now.
SAVE_AGAIN = _(
    "What you entered stands below: save again to keep it, or load the page anew to see theirs."
)


class TooLarge(DomainError):
    code, name, http_status = "MARKETING_413", "TOO_LARGE", 413
    default_message = _("This is more than can be sent at once: send less, in several calls.")


class IdempotencyMismatch(DomainError):
    code, name, http_status = "MARKETING_422", "IDEMPOTENCY_MISMATCH", 422
    default_message = _(
        "The same was sent before, with something else in it. Send what is new under a new name."
    )


class Throttled(DomainError):
    code, name, http_status = "MARKETING_429", "THROTTLED", 429
    default_message = _("Too many requests.")


class Unavailable(DomainError):
    code, name, http_status = "MARKETING_503", "UNAVAILABLE", 503
    default_message = _("Busy just now; try again shortly.")


class MarketingDisabled(DomainError):
    code, name, http_status = "MARKETING_001", "MARKETING_DISABLED", 409
    default_message = _("Marketing is switched off.")


class ChannelDisabled(DomainError):
    code, name, http_status = "MARKETING_002", "CHANNEL_DISABLED", 409
    default_message = _("This channel is switched off.")


class NoConsent(DomainError):
    code, name, http_status = "MARKETING_010", "NO_CONSENT", 409
    default_message = _("The customer has not agreed to messages on this channel.")


class OptedOut(DomainError):
    code, name, http_status = "MARKETING_011", "OPTED_OUT", 409
    default_message = _("The customer has opted out of marketing.")


class DndRegistered(DomainError):
    code, name, http_status = "MARKETING_012", "DND_REGISTERED", 409
    default_message = _("The number is on the do-not-disturb register.")


class InvalidCampaignStatus(DomainError):
    code, name, http_status = "MARKETING_020", "INVALID_CAMPAIGN_STATUS", 409
    default_message = _("The campaign's state does not allow this.")


class TemplateChannelMismatch(DomainError):
    code, name, http_status = "MARKETING_021", "TEMPLATE_CHANNEL_MISMATCH", 409
    default_message = _("The template is for another channel than the campaign.")


class WhatsAppTemplateNotApproved(DomainError):
    code, name, http_status = "MARKETING_022", "WHATSAPP_TEMPLATE_NOT_APPROVED", 409
    default_message = _("WhatsApp has not approved this template yet.")


class BudgetExceeded(DomainError):
    code, name, http_status = "MARKETING_023", "BUDGET_EXCEEDED", 409
    default_message = _("This would go over the monthly budget.")


class SmsNotRegistered(DomainError):
    code, name, http_status = "MARKETING_024", "SMS_NOT_REGISTERED", 409
    default_message = _("Indian operators would block this SMS: it is not registered as it stands.")


class SmsNotInBengali(DomainError):
    code, name, http_status = "MARKETING_025", "SMS_NOT_IN_BENGALI", 409
    default_message = _("Promotional SMS in Bangladesh must be in Bangla script.")


class NoExchangeRate(DomainError):
    code, name, http_status = "MARKETING_026", "NO_EXCHANGE_RATE", 409
    default_message = _("A price is in another currency, and nobody has entered its rate.")


class OutsideSendWindow(DomainError):
    code, name, http_status = "MARKETING_050", "OUTSIDE_SEND_WINDOW", 409
    default_message = _("Messages may not be sent at this hour.")


class ThrottleLimit(DomainError):
    code, name, http_status = "MARKETING_051", "THROTTLE_LIMIT", 409
    default_message = _("The customer has had as many messages as the limits allow.")


class ProviderFailed(DomainError):
    code, name, http_status = "MARKETING_052", "PROVIDER_ERROR", 502
    default_message = _("The message provider refused or could not be reached.")
