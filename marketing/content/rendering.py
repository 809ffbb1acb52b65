"""What a template version says to one person: parsed once, rendered many times.

Nothing here reads the database, except `compile_version` for the chain's languages.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any

from marketing.content import email_html, markup, merge_fields
from marketing.content.email_layout import EmailButton, EmailParts, as_html, as_text
from marketing.content.mail import MailForm
from marketing.content.markup import Markup, Output, Value
from marketing.content.models import TemplateVersion
from marketing.content.written import written, written_values

TEXT_PARTS = ("subject", "preheader", "header", "image", "imageAlt", "body", "footer")
RENDERED_PARTS = ("header", "subject", "body", "footer")


class MissingValue(ValueError):
    """The person has no value for `names`, which the message cannot do without."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(", ".join(names))


@dataclass(frozen=True)
class Button:
    """`type` is url, quick_reply or phone; `value` the address or number."""

    type: str
    text: str
    value: str


@dataclass(frozen=True)
class Rendered:
    """A message as its reader gets it; parts the channel lacks are empty.

    `html` is filled for e-mail only, from the body where the template has none of its own.
    """

    body: str
    language: str
    subject: str = ""
    html: str = ""
    header: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()

    @property
    def page_html(self) -> str:
        """The HTML fit for one of our pages."""
        return email_html.for_page(self.html)


@dataclass(frozen=True)
class Parameters:
    """The texts a vendor fills into its own copy of the template, in order.

    `buttons` maps the index of a link button to its one parameter. The names are those of
    the merge fields, as many as the texts, for vendors that are told them.
    """

    body: tuple[str, ...]
    header: tuple[str, ...] = ()
    buttons: Mapping[int, str] = field(default_factory=dict)
    body_names: tuple[str, ...] = ()
    header_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Language:
    """One language's parsed parts, its placeholders, and those of them without a default.

    `kinds` are those of the placeholders. An e-mail has its form, too.
    """

    texts: Mapping[str, Markup]
    html: Markup | None
    buttons: tuple[tuple[str, str, Markup], ...]
    names: tuple[str, ...]
    required: tuple[str, ...]
    kinds: Mapping[str, str]
    mail: MailForm | None

    @cached_property
    def parameter_names(self) -> dict[str, tuple[str, ...]]:
        """Of the texts that vendors fill in."""
        return {
            part: tuple(output.name for output in read.outputs) for part, read in self.texts.items()
        }


class CompiledVersion:
    """A version ready to be rendered by any number of threads.

    `languages` begins with the one that stands in for languages the version lacks.
    `placeholders` are in order of first appearance. A person without a value for one of
    `required` must be skipped: somewhere it stands without a default.
    """

    def __init__(
        self, channel: str, contents: Mapping[str, Mapping[str, Any]], languages: Sequence[str]
    ) -> None:
        self.channel = channel
        ordered = [language for language in languages if language in contents]
        self.languages = (*ordered, *sorted(set(contents) - set(ordered)))
        self._languages = {
            code: _parse_language(channel, code, contents[code]) for code in self.languages
        }
        parsed = self._languages.values()
        self.placeholders = tuple(dict.fromkeys(name for one in parsed for name in one.names))
        self.required = frozenset(name for one in parsed for name in one.required)

    def language_for(self, language: str) -> str:
        """The asked language, or the one that stands in for it."""
        return language if language in self._languages else self.languages[0]

    def names(self, language: str) -> tuple[str, ...]:
        """The placeholders of this language's words, in order of first appearance."""
        return self._languages[self.language_for(language)].names

    def missing(self, language: str, variables: Mapping[str, str]) -> list[str]:
        """Names without a value that this language's text cannot do without."""
        parts = self._languages[self.language_for(language)]
        return [name for name in parts.required if not (variables.get(name) or "").strip()]

    def values(self, language: str, variables: Mapping[str, str]) -> dict[str, Value]:
        """What this language fills in, as it writes it. Raises `MissingValue`."""
        chosen = self.language_for(language)
        parts = self._languages[chosen]
        values = {
            name: written(kind, variables.get(name) or "", chosen)
            for name, kind in parts.kinds.items()
        }
        if missing := [name for name in parts.required if values[name] is None]:
            raise MissingValue(missing)
        return values

    def render(self, language: str, variables: Mapping[str, str]) -> Rendered:
        """The message with values filled in. Raises `MissingValue`, `MarkupError`."""
        return self.fill(language, self.values(language, variables))

    def fill(self, language: str, values: Mapping[str, Value]) -> Rendered:
        """The message with what `values` gave. Raises `MarkupError`."""
        chosen = self.language_for(language)
        parts = self._languages[chosen]
        mail = parts.mail.fill(values) if parts.mail else None
        texts = {
            name: parts.texts[name].render(values) for name in RENDERED_PARTS if name in parts.texts
        }
        if mail:
            texts["body"] = mail.body
        return Rendered(
            **texts,
            language=chosen,
            html=mail.html if mail else "",
            buttons=tuple(
                [Button(type_, text, value.render(values)) for type_, text, value in parts.buttons]
            ),
        )

    def mail(self, language: str) -> MailForm:
        """The form of an e-mail's language."""
        form = self._languages[self.language_for(language)].mail
        if form is None:
            raise TypeError(f"not a mail: {self.channel}")
        return form

    def parameters(self, language: str, variables: Mapping[str, str]) -> Parameters:
        """What WhatsApp and DLT vendors fill in. Raises `MissingValue`."""
        return self.fill_parameters(language, self.values(language, variables))

    def fill_parameters(self, language: str, values: Mapping[str, Value]) -> Parameters:
        """As `parameters`, with what `values` gave.

        White space in a value becomes single spaces: Meta refuses line breaks and tabs.
        """
        parts = self._languages[self.language_for(language)]

        def filled(part: Markup | None) -> tuple[str, ...]:
            outputs = part.outputs if part else ()
            return tuple([" ".join(output.value(values).split()) for output in outputs])

        return Parameters(
            body=filled(parts.texts["body"]),
            header=filled(parts.texts.get("header")),
            body_names=parts.parameter_names["body"],
            header_names=parts.parameter_names.get("header", ()),
            buttons={
                index: filled(value)[0]
                for index, (_type, _text, value) in enumerate(parts.buttons)
                if value.outputs
            },
        )

    def meta_components(
        self, language: str, *, named: bool = False, samples: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """The `components` of Meta's create-template call, with samples for each variable.

        `samples` are those of slots; of merge fields they are known. Variables of header and body
        are numbered, or keep the names of their merge fields.
        """
        parts = self._languages[language]
        components: list[dict[str, Any]] = []
        known = merge_fields.samples(parts.names) | dict(samples or {})
        written = partial(self._named if named else self._numbered, samples=known)
        if header := parts.texts.get("header"):
            components.append(
                {"type": "HEADER", "format": "TEXT", **written(header, "header_text", language)}
            )
        body = written(parts.texts["body"], "body_text", language)
        if "body_text" in body.get("example", {}):
            body["example"] = {"body_text": [body["example"]["body_text"]]}
        components.append({"type": "BODY", **body})
        if footer := parts.texts.get("footer"):
            components.append({"type": "FOOTER", "text": footer.source})
        if parts.buttons:
            buttons = [self._meta_button(*button, language, known) for button in parts.buttons]
            components.append({"type": "BUTTONS", "buttons": buttons})
        return components

    def pieces(self, language: str) -> tuple[str | Output, ...]:
        """The body's texts and merge fields in order; empty when it has other things."""
        return self._languages[self.language_for(language)].texts["body"].pieces or ()

    def dlt_text(self, language: str) -> str:
        """The body as the DLT register writes it: `Hi {#var#}`."""
        return "".join(
            piece if isinstance(piece, str) else "{#var#}" for piece in self.pieces(language)
        )

    def vendor_text(self, language: str) -> str:
        """The body as MSG91 and the DLT register write it: `Hi ##VAR1##`."""
        return _with_marks(self._languages[language].texts["body"], "##VAR{}##")

    def _numbered(
        self, part: Markup, key: str, language: str, samples: Mapping[str, str]
    ) -> dict[str, Any]:
        numbered: dict[str, Any] = {"text": _with_marks(part, "{{{{{}}}}}")}
        if part.outputs:
            numbered["example"] = {key: self._examples(part, language, samples)}
        return numbered

    def _named(
        self, part: Markup, key: str, language: str, samples: Mapping[str, str]
    ) -> dict[str, Any]:
        text = "".join(
            piece if isinstance(piece, str) else f"{{{{{piece.name}}}}}"
            for piece in part.pieces or ()
        )
        named: dict[str, Any] = {"text": text}
        if part.outputs:
            written = self._examples(part, language, samples)
            shown = dict(zip((o.name for o in part.outputs), written, strict=True))
            named["example"] = {
                f"{key}_named_params": [
                    {"param_name": name, "example": sample} for name, sample in shown.items()
                ]
            }
        return named

    def _meta_button(
        self, type_: str, text: str, value: Markup, language: str, samples: Mapping[str, str]
    ) -> dict[str, Any]:
        if type_ == "quick_reply":
            return {"type": "QUICK_REPLY", "text": text}
        if type_ == "phone":
            return {"type": "PHONE_NUMBER", "text": text, "phone_number": value.source}
        button: dict[str, Any] = {"type": "URL", "text": text}
        button["url"] = _with_marks(value, "{{{{{}}}}}")
        if value.outputs:
            button["example"] = [value.render(self._values(language, samples))]
        return button

    def _examples(self, part: Markup, language: str, samples: Mapping[str, str]) -> list[str]:
        values = self._values(language, samples)
        return [output.value(values) for output in part.outputs]

    def _values(self, language: str, variables: Mapping[str, str]) -> dict[str, Value]:
        return written_values(self._languages[language].names, variables, language)


def compile_version(version: TemplateVersion) -> CompiledVersion:
    """The version ready for rendering; parsed once per process and content."""
    return compile_contents(
        version.template.channel, version.contents, tuple(version.tenant.languages)
    )


def compile_contents(
    channel: str, contents: Mapping[str, Mapping[str, Any]], languages: tuple[str, ...]
) -> CompiledVersion:
    """As `compile_version`, for contents that need not be saved. Raises `MarkupError`."""
    return _compile(channel, json.dumps(contents, sort_keys=True), languages)


@lru_cache(maxsize=512)
def _compile(channel: str, contents: str, languages: tuple[str, ...]) -> CompiledVersion:
    return CompiledVersion(channel, json.loads(contents), languages)


def _parse_language(channel: str, language: str, parts: Mapping[str, Any]) -> _Language:
    texts = {name: markup.parse(parts[name]) for name in TEXT_PARTS if parts.get(name)}
    html = markup.parse(parts["html"], html=True) if parts.get("html") else None
    buttons = tuple(
        (button["type"], button["text"], markup.parse(button.get("value", "")))
        for button in parts.get("buttons", ())
    )
    sources = [*texts.values(), *([html] if html else []), *(value for *_, value in buttons)]
    names = tuple(dict.fromkeys(name for each in sources for name in each.names))
    return _Language(
        texts=texts,
        html=html,
        buttons=buttons,
        names=names,
        required=tuple(
            name
            for name in names
            if merge_fields.kind(name) != merge_fields.SYSTEM
            and any(name in each.required for each in sources)
        ),
        kinds={name: merge_fields.kind(name) for name in names},
        mail=_mail(language, texts, html, buttons) if channel == "email" else None,
    )


def _mail(
    language: str,
    texts: Mapping[str, Markup],
    html: Markup | None,
    buttons: Sequence[tuple[str, str, Markup]],
) -> MailForm:
    def parts(name: str) -> markup.Parts:
        return texts[name].parts if name in texts else ()

    email = EmailParts(
        subject=parts("subject"),
        body=parts("body"),
        preheader=parts("preheader"),
        heading=parts("header"),
        image=parts("image"),
        image_alt=parts("imageAlt"),
        buttons=[
            EmailButton(text, target.parts, is_phone=type_ == "phone")
            for type_, text, target in buttons
        ],
    )
    return MailForm(
        language=language,
        subject=email.subject,
        body=as_text(email),
        html=html.parts if html else as_html(email, language=language),
    )


def _with_marks(part: Markup, mark: str) -> str:
    """The source with its outputs replaced by numbered marks."""
    pieces, number = [], 0
    for piece in part.pieces or ():
        if isinstance(piece, Output):
            number += 1
            pieces.append(mark.format(number))
        else:
            pieces.append(piece)
    return "".join(pieces)
