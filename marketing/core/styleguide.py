"""The style guide: every component in every state, to look at and to test for accessibility."""

from datetime import timedelta
from decimal import Decimal

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

STATES = [
    "draft", "pending_approval", "approved", "rejected", "scheduled", "sending", "paused",
    "cancelled", "queued", "sent", "delivered", "read", "failed", "skipped", "held", "unknown",
    "pending", "active", "inactive", "expired", "opted_in", "opted_out",
]  # fmt: skip
RECIPIENTS = {
    "queued": 412, "sending": 38, "sent": 604, "delivered": 2210, "read": 1498, "failed": 71,
    "skipped": 322, "held": 0, "unknown": 9,
}  # fmt: skip
BRANCHES = ["Bandra", "Koramangala", "Indiranagar", "Powai", "Salt Lake", "Jayanagar", "Andheri"]
HINDI = "नमस्ते {{ first_name }}, आपका *हेयर स्पा* इस हफ्ते ₹999 में। आज ही समय बुक करें।"
ENGLISH = (
    "Hi Ananya,\nyour *hair spa* is ₹999 this week, and the head massage is on us.\n"
    "_Valid until Sunday at Bandra._"
)


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(max_length=60, help_text="Only your team sees it.")
    email = forms.EmailField(required=False)
    channel = forms.ChoiceField(choices=[("whatsapp", "WhatsApp"), ("sms", "SMS")])
    branch = forms.ChoiceField(
        choices=[(name, name) for name in BRANCHES],
        widget=forms.Select(attrs={"data-searchable": True}),
    )
    tags = forms.MultipleChoiceField(
        choices=[(name, name) for name in ["bride", "colour", "vip", "student"]],
        required=False,
        widget=forms.SelectMultiple(attrs={"data-searchable": True}),
    )
    send_at = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    days = forms.MultipleChoiceField(
        choices=[("mon", "Monday"), ("tue", "Tuesday")], widget=forms.CheckboxSelectMultiple
    )
    urgent = forms.BooleanField(required=False, label="Send at once", help_text="Skips the queue.")


def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component. Served in development only."""
    now = timezone.now()
    campaigns = [
        ("Diwali glow", "sending", 5164, Decimal("4027.92"), now - timedelta(minutes=4)),
        ("Monsoon hair care", "pending_approval", 12840, Decimal("10015.20"), now),
        ("Win back: 60 days", "paused", 890, Decimal("694.20"), now - timedelta(days=2)),
    ]
    wrong = SampleForm({"name": "", "email": "ananya@", "channel": "whatsapp"}, auto_id="wrong_%s")
    return render(
        request,
        "styleguide.html",
        {
            "states": STATES,
            "recipients": RECIPIENTS,
            "spend": [
                {"label": "WhatsApp", "value": 62, "fill": "1"},
                {"label": "SMS", "value": 27, "fill": "2"},
                {"label": "E-mail", "value": 11, "fill": "3"},
            ],
            "campaigns": [
                dict(zip(["name", "state", "people", "cost", "at"], row, strict=True))
                for row in campaigns
            ],
            "points": [12, 18, 15, 22, 31, 28, 40, 38, 47],
            "steps": [
                {"label": "Details", "url": "#", "state": "done"},
                {"label": "Audience", "url": "#", "state": "done"},
                {"label": "Message", "url": "", "state": "current"},
                {"label": "Schedule", "url": "", "state": "todo"},
                {"label": "Review", "url": "", "state": "todo"},
            ],
            "tabs": [
                {"label": "Overview", "url": "#", "active": True},
                {"label": "Recipients", "url": "#", "count": 5164},
                {"label": "History", "url": "#", "icon": "history"},
            ],
            "options": [
                {"value": "whatsapp", "label": "WhatsApp", "icon": "brand-whatsapp"},
                {"value": "sms", "label": "SMS", "icon": "message"},
                {"value": "email", "label": "E-mail", "icon": "mail"},
            ],
            "branches": [{"value": name, "label": name} for name in BRANCHES],
            "amount": Decimal("123456.5"),
            "now": now,
            "hour_ago": now - timedelta(hours=1, minutes=5),
            "english": ENGLISH,
            "hindi": HINDI,
            "form": SampleForm(),
            "wrong_form": wrong,
        },
    )
