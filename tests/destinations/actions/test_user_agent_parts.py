"""User agents taken apart by their grammar."""

import pytest

from relay.destinations.actions.user_agent_parts import major, take_apart


def test_products_have_a_name_and_a_version() -> None:
    parts = take_apart("Mozilla/5.0 Chrome/131.0.0.0 Mobile Safari/537.36")
    assert parts.products == {"Mozilla": "5.0", "Chrome": "131.0.0.0", "Mobile": "", "Safari": "537.36"}
    assert parts.follows("Mobile", "Safari")
    assert not parts.follows("Chrome", "Safari")
    assert not parts.follows("Safari", "Mobile")


def test_of_two_products_with_one_name_the_first_counts() -> None:
    assert take_apart("Version/17.0 Version/4.0").products == {"Version": "17.0"}


@pytest.mark.parametrize(
    ("text", "products"),
    [
        ("Instagram 356.0.0.29.91 (iPhone15,2)", {"Instagram": "356.0.0.29.91"}),
        ("[FBAN/FBIOS;FBAV/490.0;FBBV/1]", {"FBAN": "FBIOS", "FBAV": "490.0", "FBBV": "1"}),
        ("XiaoMi/MiuiBrowser/14.13.0-gn", {"MiuiBrowser": "14.13.0-gn"}),
        ("[LinkedInApp]/9.30.2163", {"LinkedInApp": ""}),
        ("76.0.3809.146/6.0 TV Safari/537.36", {"76.0.3809.146": "6.0", "TV": "", "Safari": "537.36"}),
        ("", {}),
    ],
)
def test_what_apps_write_in_ways_of_their_own_are_products(text: str, products: dict[str, str]) -> None:
    assert take_apart(text).products == products


def test_the_fields_of_a_comment_stand_between_semicolons() -> None:
    parts = take_apart("Mozilla/5.0 (Linux; Android 14;Pixel 8 ) AppleWebKit/537.36 (KHTML, like Gecko)")
    assert parts.comments == (("Linux", "Android 14", "Pixel 8"), ("KHTML, like Gecko",))
    assert parts.fields == ("Linux", "Android 14", "Pixel 8", "KHTML, like Gecko")
    assert parts.has_field("Pixel")
    assert not parts.has_field("ixel")
    assert parts.field("Android") == "Android 14"
    assert parts.field("iPhone") is None


def test_parentheses_inside_a_comment_belong_to_the_field() -> None:
    parts = take_apart("Dalvik/2.1.0 (Linux; moto g(7) play; moto g power (2021))")
    assert parts.fields == ("Linux", "moto g(7) play", "moto g power (2021)")


def test_a_comment_that_is_cut_off_ends_with_the_text() -> None:
    parts = take_apart("MyApp/1.0) (iPhone; iOS 17")
    assert parts.fields == ("iPhone", "iOS 17")
    assert "MyApp" in parts.products


@pytest.mark.parametrize(("version", "number"), [("131.0.1", "131"), ("14", "14"), ("", None), ("x1", None)])
def test_the_first_number_of_a_version_is_its_major(version: str, number: str | None) -> None:
    assert major(version) == number
