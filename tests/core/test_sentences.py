"""Sentences that are kept in one language and read in another."""

import json

import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy

from marketing.core.sentences import gettext as _
from marketing.core.sentences import kept, said, sentence

BRANCH = "There is no such branch."
AMOUNT = "The lines come to %s."


def in_hindi(make):
    with translation.override("hi"):
        return make()


@pytest.mark.parametrize(
    ("make", "english"),
    [
        (lambda: _(BRANCH), BRANCH),
        (lambda: sentence(gettext_lazy(BRANCH)), BRANCH),
        (lambda: _(AMOUNT) % "₹500", "The lines come to ₹500."),
        (lambda: _("At most %(n)d characters.") % {"n": 20}, "At most 20 characters."),
        (lambda: _(AMOUNT) % _(BRANCH), f"The lines come to {BRANCH}."),
        (lambda: _("From %(least)s to %(most)s.") % {"least": _(BRANCH), "most": 2},
         f"From {BRANCH} to 2."),
    ],
)  # fmt: skip
def test_what_was_said_in_hindi_is_read_in_english(make, english):
    hindi = in_hindi(make)
    through_json = json.loads(json.dumps(kept(hindi)))
    with translation.override("en"):
        assert make() == english != hindi
        assert said(through_json) == english
    assert in_hindi(lambda: said(through_json)) == hindi


def test_words_that_nobody_made_stay_as_they_are():
    with translation.override("hi"):
        assert said(kept("अपने शब्द")) == "अपने शब्द"
        assert said("") == ""
        assert said("100% off") == "100% off"
