"""What the wizard's schedule step asks for: once, or again and again, until when, and which not."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from marketing.campaigns import recurrence, wording
from marketing.campaigns.forms.step import StepForm
from marketing.campaigns.models import Campaign, CampaignType
from marketing.campaigns.recurrence import Fault, RecurrenceError, Repetition, Silence
from marketing.campaigns.selectors.dates import DATES_SHOWN, starts_at
from marketing.core import clock


@dataclass(frozen=True)
class DateAhead:
    """A date of a recurring campaign, or one that is left out."""

    at: dt.datetime
    day: dt.date
    is_skipped: bool


class DatesField(forms.Field):
    """Several dates, each a value of its own; empty values are left out."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> tuple[dt.date, ...]:
        try:
            return tuple(sorted({dt.date.fromisoformat(text) for text in value or () if text}))
        except ValueError as error:
            raise forms.ValidationError(_("Enter a valid date."), code="invalid") from error


def _date(**options: Any) -> forms.DateField:
    return forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), **options
    )


class ScheduleForm(StepForm):
    NOW, LATER, REPEAT = "now", "later", "repeat"
    # A rule that says more than this form can; it stays as it is.
    KEPT = "kept"
    PATTERNS = (
        ("daily", _("Every day")),
        ("weekly", _("Every week")),
        ("monthly", _("Every month")),
    )
    WEEKDAYS = (
        ("1", _("Monday")), ("2", _("Tuesday")), ("3", _("Wednesday")), ("4", _("Thursday")),
        ("5", _("Friday")), ("6", _("Saturday")), ("0", _("Sunday")),
    )  # fmt: skip

    when = forms.ChoiceField(
        label=_("When"),
        choices=(
            (NOW, _("When I press Send")),
            (LATER, _("At a set time")),
            (REPEAT, _("Again and again")),
        ),
        widget=forms.RadioSelect,
        initial=NOW,
    )
    date = _date(label=_("Date"))
    pattern = forms.ChoiceField(label=_("How often"), choices=PATTERNS, required=False)
    weekday = forms.MultipleChoiceField(
        label=_("Days of the week"),
        choices=WEEKDAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    day = forms.IntegerField(
        label=_("Day of the month"),
        min_value=1,
        max_value=31,
        required=False,
        help_text=_("29 to 31 mean the last day of a shorter month."),
    )
    time = forms.TimeField(
        label=_("Time"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    interval = forms.IntegerField(
        label=_("Every how many days, weeks or months"),
        min_value=1,
        max_value=99,
        required=False,
        help_text=_("2 for every second one."),
    )
    start = _date(label=_("Not before"))
    until = _date(label=_("Last day"))
    times = forms.IntegerField(
        label=_("How many times"),
        min_value=1,
        max_value=999,
        required=False,
        help_text=_("Counted from the day it begins; skipped dates do not count."),
    )
    skipped = DatesField(label=_("Skipped dates"), required=False)

    def __init__(self, *args: Any, zone: str, **options: Any) -> None:
        self.zone = ZoneInfo(zone)
        self.rule, self.begin = "", clock.now()
        super().__init__(*args, **options)
        assert self.campaign is not None
        self.fields["time"].help_text = zone
        for name in ("date", "pattern", "weekday", "day", "time"):
            self.fields[name].is_needed_by_choice = True  # type: ignore[attr-defined]
        rule = self.campaign.recurrence_rule
        if rule and Repetition.of(rule) is None:
            kept = _("As it was set up: %(rule)s") % {"rule": rule.split("\n")[0]}
            self.fields["pattern"].choices = [*self.PATTERNS, (self.KEPT, kept)]  # type: ignore[attr-defined]

    def stored(self, campaign: Campaign) -> dict[str, Any]:
        if campaign.campaign_type == CampaignType.RECURRING:
            return self._stored_repetition(campaign)
        if campaign.scheduled_at is None:
            return {"when": self.NOW}
        local = campaign.scheduled_at.astimezone(self.zone)
        return {"when": self.LATER, "date": local.date(), "time": local.time()}

    def _stored_repetition(self, campaign: Campaign) -> dict[str, Any]:
        self.rule, self.begin = campaign.recurrence_rule, starts_at(campaign)
        start = campaign.scheduled_at and campaign.scheduled_at.astimezone(self.zone).date()
        values: dict[str, Any] = {"when": self.REPEAT, "start": start}
        made = Repetition.of(self.rule)
        if made is None:
            skipped = recurrence.parse(self.rule).skipped if self.rule else ()
            return values | {"pattern": self.KEPT if self.rule else None, "skipped": skipped}
        return values | {
            "pattern": made.pattern,
            "weekday": [str(number) for number in made.weekdays],
            "day": made.day,
            "time": made.at,
            "interval": made.interval if made.interval > 1 else None,
            "until": made.until,
            "times": made.times,
            "skipped": made.skipped,
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.rule = ""
        for name in self._needed(data):
            if not data.get(name) and name not in self.errors:
                error = self.fields[name].error_messages["required"]
                self.add_error(name, forms.ValidationError(error, code="required"))
        if self.errors:
            return data
        if data["when"] == self.LATER and self._moment(data) <= clock.now():
            self.add_error("date", _("This time is past; choose a later one."))
        if data["when"] == self.REPEAT:
            self._clean_repetition(data)
        return data

    def _needed(self, data: dict[str, Any]) -> tuple[str, ...]:
        """The inputs that the choices made ask for."""
        if data.get("when") == self.LATER:
            return ("date", "time")
        if data.get("when") != self.REPEAT:
            return ()
        more = {"weekly": ("weekday", "time"), "monthly": ("day", "time"), self.KEPT: ()}
        return ("pattern", *more.get(data.get("pattern", ""), ("time",)))

    def _clean_repetition(self, data: dict[str, Any]) -> None:
        if data["until"] and data["times"]:
            self.add_error("times", _("Choose a last day or a number of times, not both."))
            return
        assert self.campaign is not None
        self.begin = self._scheduled_at(data) or self.campaign.created_at
        try:
            rule = recurrence.canonical(self._rule(data))
            why = recurrence.silence(rule, start=self.begin, after=clock.now(), zone=self.zone.key)
        except RecurrenceError as error:
            at = {Fault.TOO_OLD: "start", Fault.TOO_LONG: "skipped"}.get(error.fault, "pattern")
            self.add_error(at, str(wording.RECURRENCE_FAULTS[error.fault]))
            return
        self.rule = rule
        if why is not None:
            field_of = {
                Silence.NEVER: "start" if data["start"] else "pattern",
                Silence.OVER: "until" if data["until"] else "times",
                Silence.ALL_SKIPPED: "skipped",
            }
            field = "pattern" if data["pattern"] == self.KEPT else field_of[why]
            self.add_error(field, str(wording.SILENCES[why]))

    def _rule(self, data: dict[str, Any]) -> str:
        if data["pattern"] == self.KEPT:
            assert self.campaign is not None
            return recurrence.with_skipped(self.campaign.recurrence_rule, data["skipped"])
        return Repetition(
            pattern=data["pattern"],
            at=data["time"],
            interval=data["interval"] or 1,
            weekdays=tuple(int(number) for number in data["weekday"]),
            day=data["day"],
            until=data["until"],
            times=data["times"],
            skipped=data["skipped"],
        ).rule

    def _moment(self, data: dict[str, Any]) -> dt.datetime:
        return dt.datetime.combine(data["date"], data["time"], self.zone)

    def _scheduled_at(self, data: dict[str, Any]) -> dt.datetime | None:
        """From when on it repeats: the beginning of the day, or the moment that stood before."""
        stored = self.campaign.scheduled_at if self.campaign else None
        if data["start"] is None or (
            stored and data["start"] == stored.astimezone(self.zone).date()
        ):
            return stored if data["start"] else None
        return dt.datetime.combine(data["start"], dt.time(), self.zone)

    def ahead(self) -> list[DateAhead]:
        """The next dates of the rule as it stands in the form, and those it skips among them."""
        if not self.rule:
            return []
        moments = recurrence.first_occurrences(
            self.rule, DATES_SHOWN, start=self.begin, after=clock.now(), zone=self.zone.key
        )
        rows = [DateAhead(at, at.astimezone(self.zone).date(), False) for at in moments]
        at = moments[0].astimezone(self.zone).time() if moments else dt.time()
        today = clock.now().astimezone(self.zone).date()
        rows += [
            DateAhead(dt.datetime.combine(day, at, self.zone), day, True)
            for day in recurrence.parse(self.rule).skipped
            if day >= today
        ]
        return sorted(rows, key=lambda row: row.at)

    def skipped_unseen(self) -> list[str]:
        """Skipped dates that are not shown and must not get lost: those that are past, which
        still do not count as times, and all while there is no rule to show dates of.
        """
        today = clock.now().astimezone(self.zone).date().isoformat()
        days = sorted({str(day) for day in self["skipped"].value() or () if day})
        return [day for day in days if not self.rule or day < today]

    def reasons(self) -> list[str]:
        """Why there are no dates, apart from what is yet to be filled in."""
        return [
            str(text)
            for errors in self.errors.as_data().values()
            for error in errors
            if error.code != "required"
            for text in error.messages
        ]

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data["when"] == self.REPEAT:
            return {
                "campaign_type": CampaignType.RECURRING,
                "scheduled_at": self._scheduled_at(data),
                "recurrence_rule": self.rule,
            }
        moment = self._moment(data) if data["when"] == self.LATER else None
        return {"campaign_type": CampaignType.ONE_TIME, "scheduled_at": moment}
