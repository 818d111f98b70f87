"""How requests are written."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.actions.requests import form_request, json_text
from relay.destinations.errors import Refused

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_form_reads_back_as_it_was(form: dict[str, str]) -> None:
    request = form_request("POST", "https://vendor.invalid/", form)
    assert dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True)) == form


def test_a_form_is_written_as_browsers_write_it() -> None:
    form = {"data": '{"a b":"1+1=2, 100%~é"}', "x": "*-._"}
    request = form_request("POST", "https://vendor.invalid/", form)
    assert request.body == b"data=%7B%22a+b%22%3A%221%2B1%3D2%2C+100%25%7E%C3%A9%22%7D&x=*-._"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded;charset=UTF-8"


def test_json_that_cannot_be_written_is_refused() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(Refused, match="nested too deeply"):
        json_text(nested)
