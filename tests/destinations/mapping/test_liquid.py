"""`@liquid` renders as liquidjs does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.mapping import MappingError, compile_mapping
from relay.destinations.mapping.liquid.filters import FILTERS

EVENT: dict[str, Any] = {
    "event": "Order Completed",
    "timestamp": "2026-03-02T09:05:00.000Z",
    "void": None,
    "no": False,
    "zero": 0,
    "empty": "",
    "blank_text": " ",
    "num": "42",
    "total": 27.5,
    "tags": ["a", "b", None, 3],
    "html": "<b>&\"'</b>",
    "one": {"size": 9},
    "two": {"x": 1, "y": 2},
    "items": [{"id": "p1", "n": 1}, {"id": "p2", "n": 2}, {"sku": 1}],
}


def rendered(template: str) -> str:
    return str(compile_mapping({"@liquid": template})(EVENT))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ tags }}|{{ two }}|{{ nope }}|{{ void }}", "ab3|[object Object]||"),
        ("{{ one.size }} {{ two.size }} {{ event.size }} {{ tags.first }} {{ tags.last }}", "9 2 15 a 3"),
        ("{{ items[-1].sku }} {{ items.0.id }} {{ items[9].id }}", "1 p1 "),
        ("{{ now }}{{ today }}", ""),
        ("{{ empty | default: 'e' }} {{ no | default: 'e' }} {{ zero | default: 5 }}", "e e 0"),
        ("{{ no | default: 'e', allow_false: true }}", "false"),
        ("{{ 7 | divided_by: 2 }} {{ 7 | divided_by: 2, true }} {{ 1 | divided_by: 0 }}", "3.5 3 Infinity"),
        ("{{ -7 | modulo: 3 }} {{ 'abc' | plus: 1 }} {{ '0x10' | plus: 1 }}", "2 1 17"),
        (
            "{{ 2.5 | round }} {{ -2.5 | round }} {{ 1.005 | round: 2 }} {{ 1234 | round: -2 }}",
            "3 -3 1.01 1200",
        ),
        ("{{ 1.0 }} {{ 0.1 | plus: 0.2 }} {{ 1e400 }}", "1 0.30000000000000004 "),
        ("{{ 'abc' | replace: '', '-' }} {{ 'abc' | remove_last: 'c' }}", "a-b-c ab"),
        ("{{ 'a\\nb' | split: '\\n' | join: '+' }}", "a+b"),
        ("{{ 'a,b,,' | split: ',' | size }} {{ tags | join }}", "2 a b  3"),
        ("{{ html | escape }} {{ html | strip_html }}", "&lt;b&gt;&amp;&#34;&#39;&lt;/b&gt; &\"'"),
        ("{{ items | where: 'id', 'p2' | json }}", '[{"id":"p2","n":2}]'),
        ("{{ items | sum: 'n' }} {{ tags | compact | size }}", "3 3"),
        (
            "{{ event | slice: -3, 2 }} {{ event | truncate: 8 }} {{ event | truncatewords: 1 }}",
            "te Order... Order...",
        ),
        ("{{ timestamp | date: '%-d.%-m.%Y %H:%M %P', 'Europe/Berlin' }}", "2.3.2026 10:05 am"),
        ("{{ timestamp | date }}", "Monday, March 2, 2026 at 9:05 am +0000"),
        ("{{ 'not a date' | date: '%Y' }}{{ void | date: '%Y' }}", "not a date"),
        ("{{ 'a b' | url_encode }} {{ 'a+b' | url_decode }} {{ 'hi' | base64_encode }}", "a+b a b aGk="),
        ("{{ event | md5 }} {{ event | upcase: 1, 2 }}", "Order Completed ORDER COMPLETED"),
        ("{{ (1..3) }} {{ empty }}|{{ blank }}", "123 |"),
        ("{% assign k = 'total' %}{{ [k] }}{% capture c %}[{{ zero }}]{% endcapture %}{{ c }}", "27.5[0]"),
        ("{% echo event | downcase %}", "order completed"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{% increment i %}{% increment i %}", "01"),
    ],
)
def test_output(template: str, text: str) -> None:
    assert rendered(template) == text


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("empty", True),
        ("zero", True),
        ("nope", False),
        ("no", False),
        ("one.empty == empty", False),
        ("html != empty", True),
        ("blank_text == blank", True),
        ("void == blank", True),
        ("nope == nil", True),
        ("num > 20", True),
        ("num == 42", False),
        ("void < 1", True),
        ("nope < 1", False),
        ("'10' < '9'", True),
        ("'10' < 9", False),
        ("total >= 27.5 and zero == 0", True),
        ("1 == true", False),
        ("tags contains 3", True),
        ("event contains 'Comp'", True),
        ("event contains nope", False),
        ("two == two", True),
        ("tags == tags", True),
        ("not no and void", False),
        ("not no == true", True),
        ("true or false and false", True),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:
    assert rendered(f"{{% if {condition} %}}t{{% else %}}f{{% endif %}}") == ("t" if holds else "f")


@pytest.mark.parametrize(
    "tag", ["case x", "for i in x", "include 'x'", "layout 'x'", "render 'x'", "tablerow i in x"]
)
def test_blocked_tags(tag: str) -> None:
    with pytest.raises(MappingError):
        compile_mapping({"@liquid": f"{{% {tag} %}}"})


@pytest.mark.parametrize("used", ["map: 'x'", "sort", "uniq", "type"])
def test_blocked_filters_are_found_wherever_they_stand(used: str) -> None:
    with pytest.raises(MappingError, match="blocked"):
        compile_mapping({"@liquid": f"{{% if false %}}{{{{ x | upcase | {used} }}}}{{% endif %}}"})


def test_a_template_cannot_grow_without_bound() -> None:
    grows = "{% assign x = event %}" + "{% assign x = x | append: x %}" * 25 + "{{ x }}"
    with pytest.raises(MappingError, match="more than"):
        rendered(grows)


def test_keys_that_are_words_of_the_language_are_found() -> None:
    run = compile_mapping({"@liquid": "{{ p.nil | append: '.nil' }}{{ p.empty }}{% if p.and %}!{% endif %}"})
    assert run({"p": {"nil": 1, "empty": 2, "and": 3}}) == "1.nil2!"


PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{%",
            "%}",
            "if",
            "endif",
            "else",
            "assign x =",
            "|",
            ":",
            ",",
            "'",
            "x",
            "event",
            "tags",
        ),
        *(
            "1",
            "-5",
            "1e300",
            "items",
            "== ",
            ">",
            "contains",
            "(1..3)",
            "[0]",
            ".size",
            "\\",
            "-%}",
            "empty",
        ),
        *FILTERS,
    ]
)

ARGUMENTS = st.sampled_from(
    ["1", "-3", "1.5", "'a'", "''", "x", "tags", "items", "nope", "1, 2", "'%Y %s', 'x'", "99999999999"]
)
FILTERS_CHAINED = st.lists(st.tuples(st.sampled_from(sorted(FILTERS)), ARGUMENTS), max_size=4)


@given(st.lists(PIECES, max_size=14), FILTERS_CHAINED)
def test_any_template_gives_text_or_says_what_is_wrong(
    pieces: list[str], chain: list[tuple[str, str]]
) -> None:
    filters = "".join(f" | {name}: {argument}" for name, argument in chain)
    for template in (" ".join(pieces), "{{ x " + filters + " }}", "{{ tags " + filters + " }}"):
        try:
            assert isinstance(compile_mapping({"@liquid": template})({**EVENT, "x": 1e300}), str)
        except MappingError:
            continue
