"""What the audit log says: acts, the things they were done to, and changes, in plain words."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.core.models import AuditEntry
from marketing.policy import forms

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ACTS = {
    "account.close_circuit": gettext_lazy("Let an account send again"),
    "account.create": gettext_lazy("Added an account"),
    "account.open_circuit": gettext_lazy("Stopped an account after errors"),
    "account.set_default": gettext_lazy("Made an account its channel's default"),
    "account.test_connection": gettext_lazy("Tested an account's connection"),
    "account.update": gettext_lazy("Changed an account"),
    "api_key.issue": gettext_lazy("Issued an API key"),
    "api_key.revoke": gettext_lazy("Revoked an API key"),
    "api_key.rotate": gettext_lazy("Replaced an API key"),
    "branch_config.update": gettext_lazy("Changed a branch's settings"),
    "campaign.approve": gettext_lazy("Approved a campaign"),
    "campaign.ask_for_changes": gettext_lazy("Asked for changes to a campaign"),
    "campaign.cancel": gettext_lazy("Cancelled a campaign"),
    "campaign.comment": gettext_lazy("Wrote about a campaign"),
    "campaign.create": gettext_lazy("Made a campaign"),
    "campaign.delete": gettext_lazy("Deleted a campaign"),
    "campaign.edit": gettext_lazy("Edited a campaign"),
    "campaign.export": gettext_lazy("Exported whom a campaign went to"),
    "campaign.pause": gettext_lazy("Paused a campaign"),
    "campaign.reject": gettext_lazy("Rejected a campaign"),
    "campaign.resume": gettext_lazy("Resumed a campaign"),
    "campaign.retry": gettext_lazy("Sent a campaign's failed messages again"),
    "campaign.schedule": gettext_lazy("Scheduled a campaign"),
    "campaign.send": gettext_lazy("Sent a campaign"),
    "campaign.stop": gettext_lazy("Paused a campaign that could not go on"),
    "campaign.submit": gettext_lazy("Submitted a campaign"),
    "config.update": gettext_lazy("Changed the settings"),
    "consent.update": gettext_lazy("Changed a customer's consent"),
    "counter_settings.update": gettext_lazy("Changed how bills are priced"),
    "coupon.create": gettext_lazy("Made an offer"),
    "coupon.make_codes": gettext_lazy("Made codes for an offer"),
    "coupon.name_customer": gettext_lazy("Said whose bill it was"),
    "coupon.record_bill": gettext_lazy("Took in a bill without an offer"),
    "coupon.redeem": gettext_lazy("Gave an offer on a bill"),
    "coupon.release": gettext_lazy("Let go of a reserved bill"),
    "coupon.renew": gettext_lazy("Kept a bill reserved for longer"),
    "coupon.reserve": gettext_lazy("Reserved a bill"),
    "coupon.reverse": gettext_lazy("Took back an offer with a refund"),
    "coupon.revoke_batch": gettext_lazy("Revoked all codes of a batch"),
    "coupon.revoke_code": gettext_lazy("Revoked a code"),
    "coupon.update": gettext_lazy("Changed an offer"),
    "customer.add_contact_point": gettext_lazy("Added a way to reach a customer"),
    "customer.change_note": gettext_lazy("Changed a note about a customer"),
    "customer.create": gettext_lazy("Added a customer"),
    "customer.delete_note": gettext_lazy("Deleted a note about a customer"),
    "customer.erase": gettext_lazy("Erased a customer"),
    "customer.export": gettext_lazy("Exported what is kept of a customer"),
    "customer.export_list": gettext_lazy("Exported a list of customers"),
    "customer.merge": gettext_lazy("Merged two customers"),
    "customer.not_duplicate": gettext_lazy("Said that two customers are two people"),
    "customer.note": gettext_lazy("Noted something about a customer"),
    "customer.preferences": gettext_lazy("Changed what a customer wants to hear of"),
    "customer.separate": gettext_lazy("Undid a merge of two customers"),
    "customer.update": gettext_lazy("Changed a customer"),
    "delegation.create": gettext_lazy("Named somebody to approve in their place"),
    "delegation.revoke": gettext_lazy("Ended that somebody approves in their place"),
    "festival.add": gettext_lazy("Added a festival"),
    "festival.keep": gettext_lazy("Took a festival into the calendar again"),
    "festival.leave_out": gettext_lazy("Left a festival out of the calendar"),
    "festival.move": gettext_lazy("Changed the day of a festival"),
    "festival.remove": gettext_lazy("Removed a festival"),
    "followup.complete": gettext_lazy("Noted what came of a follow-up"),
    "followup.create": gettext_lazy("Made a follow-up reminder"),
    "followup.delete": gettext_lazy("Deleted a follow-up reminder"),
    "followup.dismiss": gettext_lazy("Dismissed a follow-up reminder"),
    "followup.reopen": gettext_lazy("Opened a follow-up reminder again"),
    "followup.update": gettext_lazy("Changed a follow-up reminder"),
    "import.cancel": gettext_lazy("Cancelled an import of customers"),
    "import.done": gettext_lazy("Imported a file of customers"),
    "import.failed": gettext_lazy("Could not import a file of customers"),
    "import.map": gettext_lazy("Chose the columns of an import"),
    "import.start": gettext_lazy("Started an import of customers"),
    "import.upload": gettext_lazy("Uploaded a file of customers"),
    "keywords.update": gettext_lazy("Changed the words that mean stop, start or help"),
    "loyalty.adjust": gettext_lazy("Corrected a customer's points"),
    "loyalty.configure": gettext_lazy("Changed the points programme"),
    "loyalty.rates": gettext_lazy("Changed which services give more points"),
    "loyalty.tier": gettext_lazy("Changed a tier"),
    "loyalty.tier_delete": gettext_lazy("Deleted a tier"),
    "message.test_sent": gettext_lazy("Sent a test message"),
    "purchase.refund": gettext_lazy("Took back a bill, or a part of it"),
    "rate_card.set": gettext_lazy("Set a price"),
    "referral.approve": gettext_lazy("Approved a referral"),
    "referral.attribute": gettext_lazy("Noted who brought a customer"),
    "referral.choose_notices": gettext_lazy("Chose which messages tell of referrals"),
    "referral.configure": gettext_lazy("Changed the referral programme"),
    "referral.reject": gettext_lazy("Rejected a referral"),
    "scoring.update": gettext_lazy("Changed how customers are scored"),
    "segment.create": gettext_lazy("Made a segment"),
    "segment.delete": gettext_lazy("Deleted a segment"),
    "segment.update": gettext_lazy("Changed a segment"),
    "send_run.created": gettext_lazy("Began to send"),
    "send_run.decide_unknown": gettext_lazy("Decided what became of unknown messages"),
    "send_run.discard_failed": gettext_lazy("Gave up failed messages"),
    "send_run.retry_failed": gettext_lazy("Sent failed messages again"),
    "staff.create": gettext_lazy("Added a person to the staff"),
    "staff.update": gettext_lazy("Changed a person of the staff"),
    "template.create": gettext_lazy("Made a template"),
    "template.deactivate": gettext_lazy("Took a template out of use"),
    "template.submit": gettext_lazy("Handed a template in at WhatsApp"),
    "template.update": gettext_lazy("Changed a template"),
    "event.record": gettext_lazy("Took in events of another program"),
    "raw.replay": gettext_lazy("Took in what another program sent once more"),
    "webhook.replay": gettext_lazy("Read a vendor's reports again"),
}

_LABELLED = (
    forms.SwitchesForm, forms.HoursForm, forms.BudgetForm, forms.ApprovalForm, forms.LinksForm,
    forms.StaffForm, forms.KeyForm, forms.RateCardForm, forms.ScoresForm,
)  # fmt: skip
# Names that no form of the settings has.
FIELDS = {
    "approvalBecause": gettext_lazy("Approval because of"),
    "branch_ids": gettext_lazy("Branches"),
    "bytes": gettext_lazy("Size"),
    "campaign_type": gettext_lazy("When"),
    "channel_mode": gettext_lazy("The further channels are used"),
    "channel": gettext_lazy("Channel"),
    "codes": gettext_lazy("Errors"),
    "cost": gettext_lazy("Cost"),
    "count": gettext_lazy("People"),
    "counts": gettext_lazy("Lines"),
    "file": gettext_lazy("File"),
    "format": gettext_lazy("Format"),
    "further_steps": gettext_lazy("Further channels"),
    "imported": gettext_lazy("Imported"),
    "mapping": gettext_lazy("Columns"),
    "masked": gettext_lazy("Masked"),
    "options": gettext_lazy("Options"),
    "result": gettext_lazy("Result"),
    "marketing_enabled": gettext_lazy("Marketing"),
    "messages": gettext_lazy("Messages"),
    "monthly_budget_limit": gettext_lazy("Limit a month"),
    "whatsapp_consent": gettext_lazy("Consent to WhatsApp"),
    "coupon_id": gettext_lazy("Offer"),
    "unique_codes": gettext_lazy("A code for each"),
    "segment_id": gettext_lazy("Segment"),
    "exclude_segment_ids": gettext_lazy("But not"),
    "template_id": gettext_lazy("Message"),
    "home_branch_id": gettext_lazy("Home branch"),
    "sms_consent": gettext_lazy("Consent to SMS"),
    "email_consent": gettext_lazy("Consent to e-mail"),
    "marketing_opted_out": gettext_lazy("Opted out of marketing"),
    "is_dnd": gettext_lazy("On the do-not-disturb register"),
    "delegate": gettext_lazy("Who approves"),
    "from": gettext_lazy("First day"),
    "inPlaceOf": gettext_lazy("In the place of"),
    "to": gettext_lazy("Last day"),
    "text": gettext_lazy("Words"),
    "language": gettext_lazy("Language"),
    "notify_by_email": gettext_lazy("E-mails"),
    "nextRunAt": gettext_lazy("Next time"),
    "notSent": gettext_lazy("Not sent"),
    "note": gettext_lazy("Note"),
    "outcome": gettext_lazy("What came of it"),
    "provider": gettext_lazy("Provider"),
    "reason": gettext_lazy("Reason"),
    "recipients": gettext_lazy("People"),
    "recurrence_rule": gettext_lazy("Repeats"),
    "reminder_date": gettext_lazy("Day"),
    "reminder_time": gettext_lazy("Time"),
    "rules": gettext_lazy("Rules"),
    "scheduled_at": gettext_lazy("Date and time"),
    "source": gettext_lazy("Source"),
    "target_all_customers": gettext_lazy("All customers"),
    "version": gettext_lazy("Version"),
}
# What a thing is called, where it is not `name`.
NAMES = {
    "policy.branchmarketingconfig": ("branch__name",),
    "customers.customer": ("first_name", "last_name"),
    "customers.importjob": ("file_name",),
    "followups.followupreminder": ("customer__first_name", "customer__last_name"),
    "policy.marketingconfig": (),
    "customers.scoringconfig": (),
}


# Changes that hold ids, and of what.
REFERENCES = {
    "branch_ids": "core.branch",
    "home_branch_id": "core.branch",
    "coupon_id": "coupons.offer",
    "segment_id": "segments.segment",
    "exclude_segment_ids": "segments.segment",
    "template_id": "content.messagetemplate",
}


@dataclass(frozen=True)
class ActInWords:
    """One line of the log. `thing` is empty where the act's object has no name, or is gone."""

    entry: AuditEntry
    act: str
    thing: str
    changes: Sequence[str]


def in_words(entries: Sequence[AuditEntry]) -> list[ActInWords]:
    """The entries for people to read; one query per kind of thing, none per entry."""
    names = _names(entries)
    lines = []
    for entry in entries:
        thing = names.get(str(entry.object_id), "")
        changes = [
            f"{_field(name)}: {_change(change, names)}"
            for name, change in entry.changes.items()
            if not (name == "name" and change == thing)
        ]
        lines.append(ActInWords(entry, act_in_words(entry.action), thing, changes))
    return lines


def changes_in_words(changes: Mapping[str, Sequence[Any]]) -> list[tuple[str, str, str]]:
    """Of changes `{field: [one value, another]}` the field and both values, in plain words."""
    names = _names([AuditEntry(changes=changes)])
    return [
        (_field(name), _value(one, names), _value(another, names))
        for name, (one, another) in changes.items()
    ]


def act_in_words(action: str) -> str:
    """The act's sentence; `branch.rename` of the admin as "Branch: rename"."""
    known = ACTS.get(action)
    return str(known) if known else action.replace("_", " ").replace(".", ": ").capitalize()


def acts_called(text: str) -> list[str]:
    """The actions in whose sentence the text occurs, in the reader's language."""
    sought = text.casefold()
    return [action for action, words in ACTS.items() if sought in str(words).casefold()]


def _names(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """What the things are called that the entries are about or mention, by id."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.object_id:
            wanted[entry.object_type].add(str(entry.object_id))
        for name in REFERENCES.keys() & entry.changes.keys():
            wanted[REFERENCES[name]].update(_ids(entry.changes[name]))
    found: dict[str, str] = {}
    for object_type, ids in wanted.items():
        try:
            model = apps.get_model(object_type)
            columns = NAMES.get(object_type, ("name",))
            for column in columns:
                model._meta.get_field(column.partition("__")[0])
        except (LookupError, ValueError, FieldDoesNotExist):
            continue
        if columns:
            rows = model._default_manager.filter(pk__in=ids).values_list("pk", *columns)
            found |= {str(pk): " ".join(filter(None, names)) for pk, *names in rows}
    return found


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _ids(each)
    elif isinstance(value, str) and UUID.fullmatch(value):
        yield value


def _field(name: str) -> str:
    if name in FIELDS:
        return str(FIELDS[name])
    for form in _LABELLED:
        if name in form.base_fields:
            return str(form.base_fields[name].label)
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).capitalize()


def _change(change: Any, names: Mapping[str, str]) -> str:
    if isinstance(change, list) and len(change) == 2:
        return f"{_value(change[0], names)} → {_value(change[1], names)}"
    return _value(change, names)


def _value(value: Any, names: Mapping[str, str]) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_value(each, names) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{_field(key)} {_value(part, names)}" for key, part in value.items())
    return names.get(str(value), str(value))
