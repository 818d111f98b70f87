"""`[sources.segment]`: what it may say, and what `relay check` notes about it."""

from pathlib import Path

import pytest

from relay.browser.proxy_config import SegmentConfig
from relay.config import Config, load
from relay.errors import ConfigError

SOURCE = '[[sources]]\nname = "web"\nwrite_key = "key-1"\n'
TABLE = SOURCE + "[sources.segment]\n"  # line 4
TO_SEGMENT = '[[destinations]]\nname = "seg"\ntype = "segment"\nsettings = { writeKey = "key-1" }\n'


def loaded(folder: Path, text: str, **environ: str) -> Config:
    file = folder / "relay.toml"
    file.write_text(text)
    return load(file, environ)


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        loaded(folder, text)
    return [problem.partition("relay.toml:")[2] for problem in error.value.problems]


def notes(folder: Path, text: str) -> list[str]:
    return [note.partition("relay.toml:")[2] for note in loaded(folder, text).notes]


def test_without_the_table_there_is_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, SOURCE).sources[0].segment is None


def test_the_key_is_the_sources_own_unless_it_is_given(tmp_path: Path) -> None:
    assert loaded(tmp_path, TABLE).sources[0].segment == SegmentConfig(None, "https://cdn.segment.com")
    given = TABLE + 'write_key = "${THEIR_KEY}"\ncdn = "https://cdn.example.com:8443"\n'
    segment = loaded(tmp_path, given, THEIR_KEY="abc").sources[0].segment
    assert segment == SegmentConfig("abc", "https://cdn.example.com:8443")


@pytest.mark.parametrize("key", ["", "a b", "a/b", "../x", "a?b", "é", "a" * 101])
def test_a_key_that_cannot_stand_in_an_address_is_none(key: str, tmp_path: Path) -> None:
    told = "5: `write_key` must be a write key of Segment's: letters and digits"
    assert mistakes(tmp_path, f'{TABLE}write_key = "{key}"') == [told]


def test_nor_can_one_of_the_source(tmp_path: Path) -> None:
    odd = TABLE.replace("key-1", "key/1")
    told = "missing key `write_key`: the source's own is none of Segment's"
    assert mistakes(tmp_path, odd) == [f"4: {told}"]
    loaded(tmp_path, odd + 'write_key = "abc"')


@pytest.mark.parametrize(
    "cdn", ["cdn.segment.com", "https://cdn.segment.com/", "ftp://a.example", "https://a@b.example", ""]
)
def test_a_cdn_is_an_origin(cdn: str, tmp_path: Path) -> None:
    told = "5: `cdn` must be scheme, host and port only, such as https://cdn.segment.com"
    assert mistakes(tmp_path, f'{TABLE}cdn = "{cdn}"') == [told]


def test_all_sources_have_the_same_cdn(tmp_path: Path) -> None:
    first = f'{TABLE}cdn = "https://a.example"\n'
    second = first.replace("web", "shop").replace("key-1", "key-2")
    loaded(tmp_path, first + second)
    told = "`cdn` must be the same for all sources, as at line 5"
    assert mistakes(tmp_path, first + second.replace("a.example", "b.example")) == [f"10: {told}"]
    third = TABLE.replace("web", "shop").replace("key-1", "key-2")
    assert mistakes(tmp_path, first + third) == [f"9: {told}"]


def test_other_keys_and_shapes_are_refused(tmp_path: Path) -> None:
    assert mistakes(tmp_path, f'{TABLE}cnd = "https://a.example"')[0].endswith("did you mean `cdn`?")
    assert mistakes(tmp_path, f"{SOURCE}segment = true")[0].startswith("4: Expected ")


def test_check_notes_that_segment_gets_no_events(tmp_path: Path) -> None:
    none = "4: `[sources.segment]` of `web`: no destination of type `segment` takes its events, so Segment gets none"
    assert notes(tmp_path, TABLE) == [none]
    assert notes(tmp_path, TABLE + TO_SEGMENT) == []
    assert notes(tmp_path, SOURCE) == []
    other = '[[sources]]\nname = "shop"\nwrite_key = "key-2"\n'
    for line in ('sources = ["shop"]', "enabled = false"):
        changed = TO_SEGMENT.replace('type = "segment"', f'type = "segment"\n{line}')
        assert notes(tmp_path, TABLE + other + changed) == [none]
    relay = TO_SEGMENT.replace('"segment"', '"relay"\nendpoint = "https://b.example"')
    assert notes(tmp_path, TABLE + relay) == [none]


def test_check_notes_that_events_go_to_another_source(tmp_path: Path) -> None:
    told = "4: `[sources.segment]` of `web`: `seg` sends its events to another write key than its settings come from"
    assert notes(tmp_path, TABLE + 'write_key = "other"\n' + TO_SEGMENT) == [told]
    rotated = TABLE.replace('write_key = "key-1"', 'write_keys = ["key-1", "key-0"]')
    assert notes(tmp_path, rotated + TO_SEGMENT) == []
