"""What templates leave open, and locks: declared, checked, rendered, kept by versions."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.content import services
from marketing.content.errors import TemplateLocked
from marketing.content.models import MessageTemplate, TemplateVersion
from marketing.content.preview import preview
from marketing.content.rendering import compile_version
from marketing.content.slots import Slot, SlotFaults, clean_given, slots_of, texts
from marketing.core.errors import Forbidden, ValidationFailed

OFFER = {"name": "offer", "label": "The offer", "kind": "text", "max_length": 30,
         "example": "20 % off"}  # fmt: skip
UNTIL = {"name": "until", "label": "Until when", "kind": "date", "example": "2026-11-30"}
WORDS = {
    "en": {"body": "Hi {{ customer_name }}, {{ slot_offer }} until {{ slot_until }}. Come soon!"},
    "hi": {"body": "नमस्ते {{ customer_name }}, {{ slot_until }} तक {{ slot_offer }}। आइए!"},
}


@pytest.fixture
def open_template(create):
    return create(contents=WORDS, slots=[OFFER, UNTIL])


def slot(**values):
    return Slot(**({"name": "offer", "label": "Offer", "kind": "text", "max_length": 30,
                    "example": "x"} | values))  # fmt: skip


def test_they_belong_to_the_version(chain, open_template):
    version = open_template.versions.get()
    assert [each.placeholder for each in slots_of(version)] == ["slot_offer", "slot_until"]
    assert version.placeholders == ["customer_name", "slot_offer", "slot_until"]
    values = {"slots": [{**OFFER, "max_length": 20}, UNTIL]}
    services.update_template(
        actor=chain.actor(chain.manager), template=open_template, values=values
    )
    numbers = open_template.versions.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [1, 2]
    assert slots_of(version)[0].max_length == 30


def test_the_same_slots_again_are_no_new_version(chain, open_template):
    values = {"slots": [OFFER, {**UNTIL, "max_length": None}], "contents": WORDS}
    services.update_template(
        actor=chain.actor(chain.manager), template=open_template, values=values
    )
    assert open_template.versions.count() == 1


@pytest.mark.parametrize(
    ("slots", "field"),
    [
        ([{**OFFER, "name": "Offer!"}, UNTIL], "slots.0.name"),
        ([{**OFFER, "label": " "}, UNTIL], "slots.0.label"),
        ([{**OFFER, "kind": "colour"}, UNTIL], "slots.0.kind"),
        ([{**OFFER, "max_length": 301}, UNTIL], "slots.0.maxLength"),
        ([{**OFFER, "max_length": "ten"}, UNTIL], "slots.0.maxLength"),
        ([{**OFFER, "example": ""}, UNTIL], "slots.0.example"),
        ([{**OFFER, "example": "{{ customer_name }}"}, UNTIL], "slots.0.example"),
        ([OFFER, {**UNTIL, "example": "30 November"}], "slots.1.example"),
        ([OFFER, UNTIL, {**OFFER, "label": "Again"}], "slots.2.name"),
        ([OFFER, UNTIL, {**OFFER, "name": "unused"}], "slots.2.name"),
        ([OFFER, UNTIL, "offer"], "slots.2"),
        ([OFFER] * 11, "slots"),
        ([OFFER], "contents.en.body"),
    ],
)
def test_declarations_are_checked(create, slots, field):
    with pytest.raises(ValidationFailed) as refusal:
        create(contents=WORDS, slots=slots)
    assert field in refusal.value.fields
    assert not MessageTemplate.objects.exists()


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("text", "  20 %   off  ", "20 % off"),
        ("text", "दिवाली पर 20 % छूट 🎉", "दिवाली पर 20 % छूट 🎉"),
        ("text", "e\u0301clat", "éclat"),
        ("number", "४९९.५", "499.5"),
        ("number", "0", "0"),
        ("date", "2026-11-30", "2026-11-30"),
        ("link", "https://example.com/diwali?a=1", "https://example.com/diwali?a=1"),
    ],
)
def test_what_is_kept(kind, value, kept):
    assert slot(kind=kind, max_length=60).clean(value) == kept


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "two\nlines"),
        ("text", "a\ttab"),
        ("text", "{{ customer_name }}"),
        ("text", "{% if x %}"),
        ("text", "a } brace"),
        ("text", "nul\x00"),
        ("text", "turned \u202e around"),
        ("text", "x" * 31),
        ("text", "🎉" * 31),
        ("text", 7),
        ("number", "12 or 13"),
        ("number", "1.2.3"),
        ("number", "-5"),
        ("number", "²"),
        ("date", "30.11.2026"),
        ("date", "2026-02-30"),
        ("link", "http://example.com"),
        ("link", "javascript:alert(1)"),
        ("link", "https://exam ple.com"),
    ],
)
def test_what_is_refused(kind, value):
    with pytest.raises(ValueError, match=r"\.$"):
        slot(kind=kind).clean(value)


@given(st.text(max_size=40))
def test_nothing_harmful_goes_through(value):
    """Whatever is typed is refused, or one visible line within its length, and stays as it is."""
    open_one = slot()
    try:
        kept = open_one.clean(value)
    except ValueError:
        return
    assert len(kept) <= 30
    assert not set("{}\n\t\r") & set(kept)
    assert "  " not in kept
    assert all(unicodedata.category(c) not in ("Cc", "Zl", "Zp") for c in kept)
    assert open_one.clean(kept) == kept


def test_values_by_language(open_template):
    slots = slots_of(open_template.versions.get())
    given_values = {"offer": {"en": "20 % off", "hi": "20 % छूट"}, "until": "2026-11-30"}
    assert clean_given(slots, given_values, ["en", "hi"]) == given_values
    with pytest.raises(SlotFaults) as wrong:
        clean_given(
            slots,
            {"offer": {"ta": "x", "hi": "a\nb"}, "until": {"en": "x"}, "no": "x"},
            ["en", "hi"],
        )
    assert set(wrong.value.faults) == {"offer.ta", "offer.hi", "until", "no"}
    with pytest.raises(SlotFaults):
        clean_given(slots, {"offer": "20 % off"}, ["en"])


def test_filled_in_as_each_language_writes_it(open_template):
    version = open_template.versions.get()
    filled = texts(version, {"offer": {"en": "20 % off"}, "until": "2026-11-30"})
    assert filled["en"] == {"slot_offer": "20 % off", "slot_until": "30 November 2026"}
    assert filled["hi"] == {"slot_offer": "", "slot_until": "30 नवंबर 2026"}
    compiled = compile_version(version)
    said = compiled.render("en", {"customer_name": "Asha", **filled["en"]})
    assert said.body == "Hi Asha, 20 % off until 30 November 2026. Come soon!"
    assert compiled.parameters("en", {"customer_name": "Asha", **filled["en"]}).body == (
        "Asha", "20 % off", "30 November 2026",
    )  # fmt: skip
    assert compiled.missing("hi", {"customer_name": "Asha", **filled["hi"]}) == ["slot_offer"]


def test_a_value_is_never_markup(open_template):
    compiled = compile_version(open_template.versions.get())
    evil = {"slot_offer": "{{ customer_name }}<b>", "slot_until": "x", "customer_name": "Asha"}
    assert "{{ customer_name }}<b>" in compiled.render("en", evil).body


def test_previews_and_vendors_get_examples(chain, open_template):
    version = open_template.versions.get()
    seen = preview(
        "whatsapp", version.contents, languages=["en", "hi"], language="hi", slots=slots_of(version)
    )
    assert "30 नवंबर 2026 तक 20 % off" in seen.rendered.body
    assert seen.missing == ()
    components = compile_version(version).meta_components(
        "en", samples={"slot_offer": "20 % off", "slot_until": "30 November 2026"}
    )
    assert components[0]["example"] == {"body_text": [["Asha", "20 % off", "30 November 2026"]]}


class TestLocked:
    @pytest.fixture
    def locked(self, chain, create):
        return create(actor=chain.actor(chain.owner), contents=WORDS, slots=[OFFER, UNTIL],
                      is_locked=True)  # fmt: skip

    @pytest.mark.parametrize("who", ["manager", "regional"])
    def test_branches_change_nothing(self, chain, locked, who):
        actor = chain.actor(getattr(chain, who))
        for work in (
            lambda: services.update_template(actor=actor, template=locked, values={"name": "x"}),
            lambda: services.update_template(
                actor=actor, template=locked, values={"is_locked": False}
            ),
            lambda: services.copy_template(actor=actor, template=locked),
            lambda: services.deactivate_template(actor=actor, template=locked),
            lambda: services.submit_whatsapp(actor=actor, template=locked),
        ):
            with pytest.raises(TemplateLocked):
                work()
        locked.refresh_from_db()
        assert (locked.is_locked, locked.is_active, locked.version) == (True, True, 1)
        assert MessageTemplate.objects.count() == 1

    def test_nobody_else_locks(self, chain, create):
        with pytest.raises(Forbidden):
            create(is_locked=True)
        template = create()
        with pytest.raises(Forbidden):
            services.update_template(
                actor=chain.actor(chain.regional), template=template, values={"is_locked": True}
            )

    def test_head_office_does(self, chain, locked):
        owner = chain.actor(chain.owner)
        copy = services.copy_template(actor=owner, template=locked)
        assert copy.is_locked
        assert slots_of(copy.versions.get()) == slots_of(locked.versions.get())
        services.update_template(actor=owner, template=locked, values={"is_locked": False})
        services.update_template(
            actor=chain.actor(chain.manager), template=locked, values={"name": "Now ours"}
        )

    def test_the_pages_say_so(self, login, locked):
        path = f"/templates/{locked.pk}"
        page = login("manager").get(path).content.decode()
        assert "Head office has locked this template" in page
        assert f"{path}/edit" not in page
        assert f"{path}/copy" not in page
        assert "A branch fills in" in page
        assert login("manager").get(f"{path}/edit").status_code == 403
        assert login("manager").post(f"{path}/edit", {"name": "x"}).status_code == 403
        assert "Locked" in login("manager").get("/templates").content.decode()
        assert f"{path}/edit" in login("owner").get(path).content.decode()

    def test_over_the_api(self, api, locked):
        path = f"templates/{locked.pk}"
        answer = api("manager", "patch", path, {"name": "x"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "MARKETING_403")
        assert api("manager", "delete", path).status_code == 403
        told = api("manager", "get", path).json()["data"]["template"]
        assert told["isLocked"] is True
        assert told["slots"][0] == {
            "name": "offer", "label": "The offer", "kind": "text", "maxLength": 30,
            "example": "20 % off", "required": True,
        }  # fmt: skip


def test_the_api_declares_slots(api):
    body = {
        "name": "Festival", "channel": "sms", "templateType": "promotional",
        "contents": {"en": {"body": "{{ slot_offer }} for {{ slot_who | default: 'all' }}"}},
        "slots": [
            {"name": "offer", "label": "Offer", "example": "20 % off", "maxLength": 25},
            {"name": "who", "label": "For whom", "example": "everybody"},
        ],
    }  # fmt: skip
    made = api("manager", "post", "templates", body, **{"Idempotency-Key": "slots-1"})
    assert made.status_code == 201, made.content
    told = made.json()["data"]["template"]["slots"]
    assert [(each["maxLength"], each["required"]) for each in told] == [(25, True), (60, False)]
    body["slots"][0]["maxLength"] = 9999
    wrong = api("manager", "post", "templates", body, **{"Idempotency-Key": "slots-2"})
    assert wrong.status_code == 400
    assert "slots.0.maxLength" in wrong.content.decode()


def test_the_editor_saves_them(login):
    browser = login("owner")
    form = {
        "name": "Festival", "template_type": "promotional", "do": "save", "is_locked": "on",
        "en-body": "Hi, {{ slot_offer }} for you.",
        "slot-0-name": "", "slot-0-label": "", "slot-0-example": "", "slot-0-kind": "text",
        "slot-1-name": "offer", "slot-1-label": "The offer", "slot-1-kind": "text",
        "slot-1-max_length": "", "slot-1-example": "",
    }  # fmt: skip
    path = "/templates/new?channel=sms"
    wrong = browser.post(path, form)
    assert wrong.status_code == 422
    assert "id_slot-1-example" in wrong.content.decode()
    assert "Give an example" in wrong.content.decode()
    saved = browser.post(path, {**form, "slot-1-example": "20 % off"})
    assert saved.status_code == 302
    template = MessageTemplate.objects.get()
    assert template.is_locked
    assert TemplateVersion.objects.get().slots[0]["name"] == "offer"
    page = browser.get(f"/templates/{template.pk}/edit").content.decode()
    assert 'value="20 % off"' in page
    assert "is_locked" not in login("manager").get(path).content.decode()
