"""The language of messages: what it reads, what it refuses, and that it stays cheap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.content import markup
from marketing.content.markup import MarkupError, parse


def test_reads_placeholders_in_order():
    read = parse("{{ b }} {% if a %}{{ c | upcase }}{% endif %} {{ b }}")
    assert read.names == ("b", "a", "c")


@pytest.mark.parametrize(
    ("source", "required"),
    [
        ("{{ a }}", {"a"}),
        ("{{ a | default: 'x' }}", set()),
        ("{{ a | upcase | default: 'x' | truncate: 5 }}", set()),
        ("{{ a | default: 'x' }} {{ a }}", {"a"}),
        ("{{ a | default: b }}", {"a", "b"}),
        ("{% if a %}{{ a }}{% endif %}", set()),
        ("{% if a and b %}{{ a }}{{ b }}{% endif %}", set()),
        ("{% if a or b %}{{ a }}{% endif %}", {"a"}),
        ("{% if a %}{{ b }}{% else %}{{ a }}{% endif %}", {"a", "b"}),
        ("{% if a %}x{% elsif b %}{{ b }}{% endif %}", set()),
        ("{% unless a %}{{ a }}{% endunless %}", {"a"}),
        ("{% case a %}{% when 'x' %}{{ b }}{% endcase %}", {"b"}),
    ],
)
def test_knows_which_values_it_cannot_do_without(source, required):
    assert parse(source).required == required


@pytest.mark.parametrize(
    ("source", "message", "line", "column"),
    [
        ("Hi {{ name", "Expected '}}'", 1, 4),
        ("Hi\n  {{ name | shout }}", "no filter “shout”", 2, 13),
        ("{% if a %}x", "endif", 1, 12),
        ("a }} b", "closing braces", 1, 1),
        ("{{ }}", "Expected a primitive", 1, 6),
        ("{{ customer.name }}", "“customer.name” is not a merge field", 1, 4),
        ("{{ a[b] }}", "is not a merge field", 1, 4),
        ("{% assign a = 'x' %}", "assign", 1, 4),
        ("{% raw %}{{ a }}{% endraw %}", "closing braces", 1, 1),
        ("{% include 'x' %}", "include", 1, 4),
    ],
)
def test_says_what_is_wrong_and_where(source, message, line, column):
    with pytest.raises(MarkupError, match=message) as caught:
        parse(source)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    "source",
    [
        "{{ (1..1000000000) | join }}",
        "{{ a | default: (1..1000000000) }}",
        "{% if (1..1000000000) contains 5 %}x{% endif %}",
        "{% case (1..1000000000) %}{% when 1 %}x{% endcase %}",
        "{% for i in (1..1000000000) %}x{% endfor %}",
        "{% for i in a %}{% for j in a %}{% for k in a %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% tablerow i in (1..100000) %}x{% endtablerow %}",
        "{% capture a %}{{ a }}{{ a }}{% endcapture %}",
        "{{ 'aaaaaaaa'" + " | replace: 'a', 'aaaaaaaa'" * 20 + " }}",
        "{{ 'a' | append: 'a' }}",
        "{{ 'now' | date: '%1000000000d' }}",
        "{{ 9 | times: 9 }}",
        "{% if a %}" * 200 + "x" + "{% endif %}" * 200,
    ],
)
def test_refuses_what_could_run_away(source):
    with pytest.raises(MarkupError):
        parse(source)


def test_filters_only_shorten_or_change_case():
    read = parse("{{ a | truncate: 5 }} {{ a | upcase }} {{ b | url_encode }}")
    assert read.render({"a": "abcdefgh", "b": "न"}) == "ab... ABCDEFGH %E0%A4%A8"


def test_filled_in_values_are_escaped_in_html_only():
    values = {"a": "<b>&'\""}
    assert parse("{{ a }}", html=True).render(values) == "&lt;b&gt;&amp;&#39;&#34;"
    assert parse("{{ a }}").render(values) == "<b>&'\""


def test_values_are_never_read_as_markup():
    assert parse("Hi {{ a }}").render({"a": "{{ b }}{% if %}"}) == "Hi {{ b }}{% if %}"


def test_numbers_compare_and_missing_ones_do_not_hold():
    read = parse("{% if visits > 5 %}regular{% else %}guest{% endif %}")
    assert read.render({"visits": 12}) == "regular"
    assert read.render({"visits": None}) == "guest"


def test_an_unsuitable_comparison_is_located():
    with pytest.raises(MarkupError) as caught:
        parse("{% if name > 5 %}x{% endif %}").render({"name": "Asha"})
    assert caught.value.line == 1


@pytest.mark.parametrize("html", [False, True])
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="{}%\r"), max_size=30),
    default=st.text(st.characters(codec="utf-8", exclude_characters="{}%\"'\\\r<&"), max_size=10),
    value=st.none()
    | st.integers()
    | st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1),
)
def test_sources_render_as_the_library_would(html, text, default, value):
    plain = f'{text}{{{{ a | default: "{default}" }}}} {{{{ a }}}}{text}'
    other = "{% if a -%} {{ a }} {%- else %}none{% endif %} {{- a | truncate: 3 }}"
    library = markup.MarkupEnvironment(autoescape=html)
    for source in (plain, plain + other):
        read = parse(source, html=html)
        assert (read.unplain_at is None) == (source == plain)
        assert read.render({"a": value}) == library.from_string(source).render({"a": value})


def test_position_counts_from_one():
    assert markup.position("ab\ncd", 4) == (2, 2)
