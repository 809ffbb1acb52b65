"""What a version says to a person, and what vendors are told of it."""

import pytest

from marketing.content import merge_fields, rendering
from marketing.content.rendering import MissingValue, Parameters, compile_contents, compile_version
from tests.factories.content import TemplateFactory

LANGUAGES = ("en", "hi")


def compile_body(body, channel="whatsapp", **parts):
    return compile_contents(channel, {"en": {"body": body, **parts}}, LANGUAGES)


def test_renders_the_asked_language(chain):
    compiled = compile_version(TemplateFactory().versions.get())
    assert compiled.render("hi", {"customer_name": "आशा"}).body.startswith("नमस्ते आशा,")
    assert compiled.placeholders == ("customer_name",)
    assert compiled.required == {"customer_name"}


def test_falls_back_to_the_chains_first_language(chain):
    chain.tenant.languages = ["hi", "en"]
    chain.tenant.save()
    compiled = compile_version(TemplateFactory().versions.get())
    assert compiled.languages == ("hi", "en")
    rendered = compiled.render("bn", {"customer_name": "Asha"})
    assert (rendered.language, rendered.body[:6]) == ("hi", "नमस्ते")


def test_a_changed_order_of_languages_is_seen_at_once(chain):
    version = TemplateFactory().versions.get()
    assert compile_version(version).languages[0] == "en"
    version.tenant.languages = ["hi", "en"]
    assert compile_version(version).languages[0] == "hi"


@pytest.mark.parametrize("value", ["", "   ", None])
def test_a_missing_value_is_refused_or_replaced(value):
    variables = {} if value is None else {"customer_name": value}
    with pytest.raises(MissingValue) as caught:
        compile_body("Hi {{ customer_name }}").render("en", variables)
    assert caught.value.names == ("customer_name",)
    kind = compile_body("Hi {{ customer_name | default: 'dear guest' }}!")
    assert kind.render("en", variables).body == "Hi dear guest!"
    assert kind.required == frozenset()


def test_only_the_languages_own_values_are_asked_for():
    compiled = compile_contents(
        "sms",
        {"en": {"body": "{{ branch_name }}"}, "hi": {"body": "{{ customer_name }}"}},
        LANGUAGES,
    )
    assert compiled.render("hi", {"customer_name": "Asha"}).body == "Asha"
    assert compiled.required == {"branch_name", "customer_name"}


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "until 5 December 2026"), ("hi", "तक 5 दिसंबर 2026")]
)
def test_dates_are_written_in_the_readers_language(language, expected):
    compiled = compile_contents(
        "sms",
        {
            "en": {"body": "until {{ membership_expiry_date }}"},
            "hi": {"body": "तक {{ membership_expiry_date }}"},
        },
        LANGUAGES,
    )
    assert compiled.render(language, {"membership_expiry_date": "2026-12-05"}).body == expected


def test_a_birthday_has_no_year():
    assert (
        compile_body("{{ birthday }}").render("en", {"birthday": "1994-12-05"}).body == "5 December"
    )


def test_numbers_can_be_compared():
    compiled = compile_body(
        "{% if visit_count > 5 %}Dear regular{% else %}Welcome{% endif %}", "sms"
    )
    assert compiled.render("en", {"visit_count": "12"}).body == "Dear regular"
    assert compiled.render("en", {"visit_count": ""}).body == "Welcome"


def test_email_escapes_values_in_html_and_not_in_text():
    compiled = compile_body(
        "Hi {{ customer_name }}",
        "email",
        subject="For {{ customer_name }}",
        html="<p>Hi {{ customer_name }}</p>",
    )
    rendered = compiled.render("en", {"customer_name": "<Asha & co>"})
    assert rendered.html == "<p>Hi &lt;Asha &amp; co&gt;</p>"
    assert (rendered.subject, rendered.body) == ("For <Asha & co>", "Hi <Asha & co>")


def test_email_without_html_gets_one_from_its_text():
    rendered = compile_body("Hi {{ customer_name }}\n\nBye", "email", subject="Hi").render(
        "en", {"customer_name": "<Asha>"}
    )
    assert ">Hi &lt;Asha&gt;</p>" in rendered.html
    assert ">Bye</p>" in rendered.html


def test_the_senders_own_values_are_not_required_of_the_customer():
    compiled = compile_body("Stop: {{ unsubscribe_url }}", "sms")
    assert compiled.required == frozenset()
    assert compiled.placeholders == ("unsubscribe_url",)
    assert compiled.render("en", {"unsubscribe_url": "https://x/1"}).body == "Stop: https://x/1"


RICH = {
    "header": "For {{ customer_name }}",
    "footer": "Reply STOP to opt out",
    "buttons": [
        {"type": "quick_reply", "text": "Book", "value": ""},
        {"type": "url", "text": "See offers", "value": "https://x.example/{{ branch_city }}"},
        {"type": "phone", "text": "Call", "value": "+912226400100"},
    ],
}
BODY = 'Hi {{ customer_name }}, {{ visit_count | default: "many" }} visits at {{ branch_name }}.'


def test_parameters_stand_in_order_of_appearance():
    compiled = compile_body(BODY, **RICH)
    values = {"customer_name": "Asha\n\tS", "branch_name": "Bandra", "branch_city": "Pune"}
    assert compiled.parameters("en", values) == Parameters(
        body=("Asha S", "many", "Bandra"),
        header=("Asha S",),
        buttons={1: "Pune"},
        body_names=("customer_name", "visit_count", "branch_name"),
        header_names=("customer_name",),
    )
    with pytest.raises(MissingValue):
        compiled.parameters("en", {"customer_name": "Asha"})


def test_meta_gets_numbered_variables_with_examples():
    assert compile_body(BODY, **RICH).meta_components("en") == [
        {
            "type": "HEADER",
            "format": "TEXT",
            "text": "For {{1}}",
            "example": {"header_text": ["Asha"]},
        },
        {
            "type": "BODY",
            "text": "Hi {{1}}, {{2}} visits at {{3}}.",
            "example": {"body_text": [["Asha", "7", "Bandra West"]]},
        },
        {"type": "FOOTER", "text": "Reply STOP to opt out"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Book"},
                {
                    "type": "URL",
                    "text": "See offers",
                    "url": "https://x.example/{{1}}",
                    "example": ["https://x.example/Mumbai"],
                },
                {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+912226400100"},
            ],
        },
    ]


def test_a_body_without_variables_has_no_example():
    assert compile_body("Hello").meta_components("en") == [{"type": "BODY", "text": "Hello"}]


def test_meta_may_get_named_variables():
    body = "Hi {{ customer_name }} of {{ branch_name }}, {{ customer_name }}!"
    assert compile_body(body).meta_components("en", named=True) == [
        {
            "type": "BODY",
            "text": "Hi {{customer_name}} of {{branch_name}}, {{customer_name}}!",
            "example": {
                "body_text_named_params": [
                    {"param_name": "customer_name", "example": "Asha"},
                    {"param_name": "branch_name", "example": "Bandra West"},
                ]
            },
        }
    ]


def test_the_dlt_register_gets_marks():
    assert compile_body("Hi {{ customer_name }}!").dlt_text("en") == "Hi {#var#}!"


def test_dlt_text_marks_its_variables():
    assert compile_body(BODY, "sms").vendor_text("en") == (
        "Hi ##VAR1##, ##VAR2## visits at ##VAR3##."
    )


def test_compiles_once_per_content():
    first = compile_body("Hi {{ customer_name }}, once")
    assert compile_body("Hi {{ customer_name }}, once") is first
    assert rendering._compile.cache_info().maxsize == 512


def test_samples_cover_every_registered_field():
    names = [field.name for field in merge_fields.all_fields()]
    compiled = compile_body(" ".join(f"{{{{ {name} }}}}" for name in names))
    assert "{{" not in compiled.render("en", merge_fields.samples(names)).body
