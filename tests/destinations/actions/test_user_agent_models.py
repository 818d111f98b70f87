"""Makers of Android devices."""

import pytest

from relay.destinations.actions.user_agent_models import make_of


@pytest.mark.parametrize(
    ("model", "make"),
    [
        ("SM-S918B", ("Samsung", "SM-S918B", "mobile")),
        ("SM-X216B", ("Samsung", "SM-X216B", "tablet")),
        ("SAMSUNG SM-T870", ("Samsung", "SM-T870", "tablet")),
        ("SM-J730F/DS", ("Samsung", "SM-J730F", "mobile")),
        ("Pixel 9a", ("Google", "Pixel 9a", "mobile")),
        ("MI 9 SE", ("Xiaomi", "MI 9 SE", "mobile")),
        ("CPH2581", ("OPPO", "CPH2581", "mobile")),
        ("RMX2001", ("Realme", "RMX2001", "mobile")),
        ("vivo 1904", ("Vivo", "1904", "mobile")),
        ("VOG-L29", ("Huawei", "VOG-L29", "mobile")),
        ("AGS3-W09", ("Huawei", "AGS3-W09", "tablet")),
        ("Lenovo TB-X606F", ("Lenovo", "TB-X606F", "tablet")),
        ("Lenovo K5", ("Lenovo", "K5", "mobile")),
        ("motorola edge 40 neo", ("Motorola", "edge", "mobile")),
        ("BRAVIA 4K VH2", ("Sony", "BRAVIA 4K VH2", "smarttv")),
    ],
)
def test_a_models_name_or_code_tells_its_maker(model: str, make: tuple[str, str, str]) -> None:
    assert make_of(model, is_built=True) == make


@pytest.mark.parametrize(
    "model",
    ["", "K", "2201116SG", "Pixel 9 Pro", "Mi 10T", "RMX3630", "CPH25811", "VOG-L04", "moto g - 2024"],
)
def test_a_model_in_no_table_has_no_maker(model: str) -> None:
    assert make_of(model, is_built=True) is None


@pytest.mark.parametrize("model", ["V2036A", "OPPO A52"])
def test_some_models_are_known_only_where_a_build_follows(model: str) -> None:
    assert make_of(model, is_built=False) is None
    assert make_of(model, is_built=True) is not None
