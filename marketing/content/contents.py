"""Checks what an author wrote, before it becomes a version."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Channel
from customers.rules import normalize_phone
from marketing.content import email_html, markup, merge_fields, rules
from marketing.content.links import with_short_links
from marketing.content.markup import Markup, MarkupError
from marketing.content.rendering import compile_contents
from marketing.content.slots import Slot, examples
from marketing.content.written import written_values
from marketing.core.errors import ValidationFailed

IMAGE = re.compile(r"https://[^\s\"'<>]+")

Parts = dict[str, Any]
Contents = dict[str, Parts]

PARTS = {
    Channel.WHATSAPP: ("header", "body", "footer", "buttons"),
    Channel.SMS: ("body",),
    Channel.EMAIL: (
        "subject",
        "preheader",
        "header",
        "image",
        "imageAlt",
        "body",
        "buttons",
        "html",
    ),
}
REQUIRED = {
    Channel.WHATSAPP: ("body",),
    Channel.SMS: ("body",),
    Channel.EMAIL: ("subject", "body"),
}
BUTTON_TYPES = {
    Channel.WHATSAPP: ("quick_reply", "url", "phone"),
    Channel.EMAIL: ("url", "phone"),
}
BUTTONS = {Channel.WHATSAPP: rules.WHATSAPP_BUTTONS, Channel.EMAIL: rules.EMAIL_BUTTONS}
# Parts of an e-mail that are one line, and how long each may be.
LINES = {
    "subject": rules.MAX_SUBJECT,
    "preheader": rules.MAX_PREHEADER,
    "header": rules.MAX_HEADING,
    "imageAlt": rules.MAX_IMAGE_ALT,
}


def clean_contents(
    channel: str,
    contents: Mapping[str, Any],
    *,
    languages: Sequence[str],
    country: str,
    short_links_at: str = "",
    slots: Sequence[Slot] = (),
) -> Contents:
    """What is to be stored: known parts only, trimmed, e-mail HTML sanitised.

    The first of `languages` must be there, the others may. Raises `ValidationFailed` with
    fields by path, such as `contents.hi.body`. An SMS is counted as it leaves: with our short
    links at this address in place of its own, unless that is empty. The words may use the `slots`,
    and must use each.
    """
    checker = _Checker(channel, country, short_links_at, slots)
    cleaned: Contents = {}
    for language, parts in contents.items():
        path = f"contents.{language}"
        if language not in languages:
            checker.fail(path, _("The chain does not write in this language."))
        elif not isinstance(parts, Mapping):
            checker.fail(path, _("Give the parts of the message, such as its body."))
        else:
            cleaned[language] = checker.clean_language(path, parts)
    if languages[0] not in contents:
        checker.fail(
            f"contents.{languages[0]}.body",
            _("Write the message in the chain's first language too; others fall back to it."),
        )
    if checker.errors:
        raise ValidationFailed(fields=checker.errors)
    checker.try_out(cleaned, tuple(languages))
    checker.require_use_of_slots(cleaned, tuple(languages))
    if checker.errors:
        raise ValidationFailed(fields=checker.errors)
    return cleaned


def placeholders_of(channel: str, contents: Contents, languages: Sequence[str]) -> list[str]:
    """The merge fields of cleaned contents, in order of first appearance."""
    return list(compile_contents(channel, contents, tuple(languages)).placeholders)


class _Checker:
    """Collects every mistake, so that an author sees all of them at once."""

    def __init__(
        self, channel: str, country: str, short_links_at: str, slots: Sequence[Slot]
    ) -> None:
        self.channel = Channel(channel)
        self.country = country
        self.short_links_at = short_links_at
        self.slots = slots
        self.errors: dict[str, list[str]] = defaultdict(list)

    def fail(self, path: str, message: str) -> None:
        self.errors[path].append(message)

    def clean_language(self, path: str, parts: Mapping[str, Any]) -> Parts:
        for name in set(parts) - set(PARTS[self.channel]):
            self.fail(
                f"{path}.{name}",
                _("A message on %(channel)s has no such part.") % {"channel": self.channel.label},
            )
        texts = {
            name: self._text(f"{path}.{name}", parts.get(name))
            for name in PARTS[self.channel]
            if name != "buttons"
        }
        cleaned: Parts = {name: text for name, text in texts.items() if text}
        for name in REQUIRED[self.channel]:
            if name not in cleaned and f"{path}.{name}" not in self.errors:
                self.fail(f"{path}.{name}", _("This may not be empty."))
        for name, text in cleaned.items():
            self._check_text(f"{path}.{name}", name, text)
        if "image" in cleaned and "imageAlt" not in cleaned:
            self.fail(
                f"{path}.imageAlt",
                _("Say what the picture shows: many mail programs show no pictures at first."),
            )
        if "html" in cleaned and f"{path}.html" not in self.errors:
            cleaned["html"] = email_html.clean_source(cleaned["html"])
        if buttons := parts.get("buttons"):
            cleaned["buttons"] = self._clean_buttons(f"{path}.buttons", buttons)
        return cleaned

    def try_out(self, contents: Contents, languages: tuple[str, ...]) -> None:
        """Render with samples and with nothing: what fails then would fail while sending."""
        for language, parts in contents.items():
            for name, source in parts.items():
                if name == "buttons":
                    continue
                read = markup.parse(source, html=name == "html")
                for variables in (self._samples(read.names, language), {}):
                    try:
                        read.render(written_values(read.names, variables, language))
                    except MarkupError as error:
                        self.fail(f"contents.{language}.{name}", str(error))
                        break
        if self.errors or self.channel != Channel.SMS:
            return
        sent: Mapping[str, Mapping[str, Any]] = contents
        if self.short_links_at:
            sent, _links = with_short_links(self.channel, contents, self.short_links_at)
        compiled = compile_contents(self.channel, sent, languages)
        for language in contents:
            samples = self._samples(compiled.placeholders, language)
            count = rules.count_sms(compiled.render(language, samples).body)
            if count.segments > rules.MAX_SMS_SEGMENTS:
                self.fail(
                    f"contents.{language}.body",
                    _("This takes %(segments)d SMS; at most %(limit)d are allowed.")
                    % {"segments": count.segments, "limit": rules.MAX_SMS_SEGMENTS},
                )

    def require_use_of_slots(self, contents: Contents, languages: tuple[str, ...]) -> None:
        """A field that stands nowhere would be filled in for nothing."""
        if self.errors or not self.slots:
            return
        used = compile_contents(self.channel, contents, languages).placeholders
        for number, slot in enumerate(self.slots):
            if slot.placeholder not in used:
                self.fail(
                    f"slots.{number}.name",
                    _("Write %(code)s where it stands in the message.")
                    % {"code": f"{{{{ {slot.placeholder} }}}}"},
                )

    def _samples(self, names: Sequence[str], language: str) -> dict[str, str]:
        return merge_fields.samples(names) | examples(self.slots, language)

    def _text(self, path: str, value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fail(path, _("Give a text."))
            return ""
        if "\x00" in value:
            self.fail(path, _("This holds a character that cannot be stored."))
            return ""
        return value.replace("\r\n", "\n").replace("\r", "\n").strip()

    def _check_text(self, path: str, name: str, source: str) -> None:
        limit = rules.MAX_HTML if name == "html" else rules.MAX_SOURCE
        if len(source) > limit:
            self._too_long(path, len(source), limit)
            return
        read = self._read(path, source, html=name == "html")
        if read is None:
            return
        if self.channel == Channel.EMAIL and name in LINES:
            self._one_line(path, source)
            if len(source) > LINES[name]:
                self._too_long(path, len(source), LINES[name])
        if name == "image":
            self._check_image(path, read)
        if self.channel == Channel.EMAIL or not self._is_plain(path, read):
            return
        if self.channel == Channel.WHATSAPP:
            {"header": self._header, "body": self._body, "footer": self._footer}[name](path, read)

    def _read(self, path: str, source: str, *, html: bool = False) -> Markup | None:
        """The parsed source when its grammar and names are right."""
        try:
            read = markup.parse(source, html=html)
        except MarkupError as error:
            self.fail(path, str(error))
            return None
        open_ones = {slot.placeholder for slot in self.slots}
        unknown = [
            name for name in read.names if merge_fields.get(name) is None and name not in open_ones
        ]
        for name in unknown:
            message = _("There is no merge field “%(name)s”.") % {"name": name[:60]}
            if nearest := merge_fields.nearest(name):
                message += " " + _("Did you mean “%(name)s”?") % {"name": nearest}
            where = markup.position(source, read.positions[name])
            self.fail(path, str(MarkupError(message, *where)))
        return None if unknown else read

    def _is_plain(self, path: str, read: Markup) -> bool:
        if read.unplain_at is not None:
            self._fail_at(
                path,
                read,
                read.unplain_at,
                _(
                    "Here only {{ name }} and {{ name | default: “…” }} are allowed, because "
                    "the provider fills the values in."
                ),
            )
            return False
        for output in read.outputs:
            if output.default is not None and not output.default.strip():
                self._fail_at(path, read, output.start, _("The default may not be empty."))
        return True

    def _fail_at(self, path: str, read: Markup, index: int, message: str) -> None:
        self.fail(path, str(MarkupError(message, *markup.position(read.source, index))))

    def _too_long(self, path: str, length: int, limit: int) -> None:
        self.fail(
            path,
            _("This has %(length)d characters; at most %(limit)d are allowed.")
            % {"length": length, "limit": limit},
        )

    def _one_line(self, path: str, source: str) -> None:
        if "\n" in source:
            self.fail(path, _("This must be one line."))

    def _check_image(self, path: str, read: Markup) -> None:
        if not IMAGE.fullmatch(read.source):
            self.fail(
                path, _("Give the picture's address, which begins with https:// and has no spaces.")
            )
        elif read.names:
            self.fail(path, _("Merge fields are not allowed here."))
        elif len(read.source) > rules.WHATSAPP_BUTTON_URL:
            self._too_long(path, len(read.source), rules.WHATSAPP_BUTTON_URL)

    def _header(self, path: str, read: Markup) -> None:
        self._one_line(path, read.source)
        self._limit_text(path, read, rules.WHATSAPP_HEADER)
        self._limit_outputs(path, read, 1)

    def _footer(self, path: str, read: Markup) -> None:
        self._one_line(path, read.source)
        self._limit_text(path, read, rules.WHATSAPP_FOOTER)
        self._limit_outputs(path, read, 0)

    def _body(self, path: str, read: Markup) -> None:
        self._limit_text(path, read, rules.WHATSAPP_BODY)
        pieces = read.pieces or ()
        if any(not isinstance(piece, str) for piece in (pieces[:1] + pieces[-1:])):
            self.fail(
                path,
                _("WhatsApp refuses messages that begin or end with a merge field: add a word."),
            )

    def _limit_text(self, path: str, read: Markup, limit: int) -> None:
        """Counted as WhatsApp sees it, with `{{1}}` for each merge field."""
        length = sum(len(piece) if isinstance(piece, str) else 5 for piece in read.pieces or ())
        if length > limit:
            self._too_long(path, length, limit)

    def _limit_outputs(self, path: str, read: Markup, limit: int) -> None:
        if len(read.outputs) > limit:
            self._fail_at(
                path,
                read,
                read.outputs[limit].start,
                ngettext(
                    "At most %(limit)d merge field is allowed here.",
                    "At most %(limit)d merge fields are allowed here.",
                    limit,
                )
                % {"limit": limit}
                if limit
                else _("Merge fields are not allowed here."),
            )

    def _clean_buttons(self, path: str, buttons: Any) -> list[dict[str, str]]:
        if not isinstance(buttons, Sequence) or isinstance(buttons, str):
            self.fail(path, _("Give a list of buttons."))
            return []
        limit = BUTTONS[self.channel]
        if len(buttons) > limit:
            self.fail(path, _("At most %(limit)d buttons.") % {"limit": limit})
            return []
        return [
            self._clean_button(f"{path}.{index}", button) for index, button in enumerate(buttons)
        ]

    def _clean_button(self, path: str, button: Any) -> dict[str, str]:
        types = BUTTON_TYPES[self.channel]
        if not isinstance(button, Mapping) or button.get("type") not in types:
            self.fail(f"{path}.type", _("One of %(all)s.") % {"all": ", ".join(types)})
            return {}
        text = self._text(f"{path}.text", button.get("text"))
        value = self._text(f"{path}.value", button.get("value"))
        if not text:
            self.fail(f"{path}.text", _("Say what stands on the button."))
        elif len(text) > rules.WHATSAPP_BUTTON_TEXT:
            self._too_long(f"{path}.text", len(text), rules.WHATSAPP_BUTTON_TEXT)
        if "{{" in text or "{%" in text:
            self.fail(f"{path}.text", _("Merge fields are not allowed here."))
        if button["type"] == "url":
            self._check_link(f"{path}.value", value)
        elif button["type"] == "phone":
            value = self._clean_number(f"{path}.value", value)
        else:
            value = ""
        return {"type": button["type"], "text": text, "value": value}

    def _clean_number(self, path: str, source: str) -> str:
        """In an e-mail a merge field may give the number, such as that of the reader's branch."""
        if self.channel == Channel.EMAIL and source.startswith("{{"):
            read = self._read(path, source)
            if read and len(read.pieces or ()) != 1:
                self.fail(path, _("Give a phone number, or one merge field and nothing else."))
            return source
        try:
            return normalize_phone(source, self.country)
        except ValueError as error:
            self.fail(path, str(error))
            return source

    def _check_link(self, path: str, source: str) -> None:
        if not source.startswith(("https://", "http://")):
            self.fail(path, _("Begin the link with https://."))
        if len(source) > rules.WHATSAPP_BUTTON_URL:
            self._too_long(path, len(source), rules.WHATSAPP_BUTTON_URL)
            return
        read = self._read(path, source)
        if self.channel == Channel.EMAIL or read is None or not self._is_plain(path, read):
            return
        self._limit_outputs(path, read, 1)
        if read.outputs and isinstance((read.pieces or ("",))[-1], str):
            self._fail_at(
                path,
                read,
                read.outputs[0].start,
                _("A link may hold a merge field at its end only."),
            )
