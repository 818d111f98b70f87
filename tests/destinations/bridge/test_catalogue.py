"""What is known of every destination once the package is installed."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from relay.destinations import CATALOGUE
from relay.destinations.bridge.catalogue import Catalogue
from tests.destinations import referee

NO_SETTINGS = 25  # of those that take OAuth or nothing


def test_all_214_load(catalogue: Catalogue) -> None:
    assert len(catalogue.destinations) == 214
    assert catalogue.failed == []
    assert sum(len(one.actions) for one in catalogue.destinations) == 601
    assert sum(action["hasPerformBatch"] for one in catalogue.destinations for action in one.actions) == 212


def test_all_list_their_settings(catalogue: Catalogue) -> None:
    without = [one.type for one in catalogue.destinations if not one.settings]
    assert len(without) <= NO_SETTINGS, without
    for one in catalogue.destinations:
        for name, field in one.settings.items():
            assert {"label", "type"} <= field.keys(), (one.type, name)


def test_how_they_log_in_is_known(catalogue: Catalogue) -> None:
    schemes = Counter(one.scheme for one in catalogue.destinations)
    assert schemes == {"custom": 159, "oauth2": 28, "basic": 17, "oauth-managed": 6, "none": 4}
    has = Counter()  # type: Counter[str]
    for one in catalogue.destinations:
        has.update(
            test=one.has_test, refresh=one.has_refresh, delete=one.has_delete, audience=bool(one.audience)
        )
    assert has == {"test": 143, "refresh": 30, "delete": 26, "audience": 27}


def test_presets_are_there(catalogue: Catalogue) -> None:
    presets = [preset for one in catalogue.destinations for preset in one.presets]
    assert len(presets) == 547
    assert Counter(preset["type"] for preset in presets)["automatic"] == 426


def test_fields_say_when_they_are_required(catalogue: Catalogue) -> None:
    found = [
        field["required"]
        for one in catalogue.destinations
        for action in one.actions
        for field in action["fields"].values()
        if isinstance(field.get("required"), dict)
    ]
    assert found
    assert all({"conditions"} <= condition.keys() for condition in found)


def test_a_field_has_all_its_attributes(catalogue: Catalogue) -> None:
    action = _action(catalogue, "amplitude", "logEventV2")
    assert action["fields"]["user_id"]["default"] == {"@path": "$.userId"}
    assert action["fields"]["user_id"]["allowNull"] is True
    assert _action(catalogue, "hubspot", "upsertObject")["syncMode"]["default"] == "update"


def test_dynamic_fields_are_marked(catalogue: Catalogue) -> None:
    marked = [
        (one.type, name)
        for one in catalogue.destinations
        for action in one.actions
        for name, field in action["fields"].items()
        if field.get("dynamic") is True
    ]
    assert ("salesforce", "customObjectName") in marked


@pytest.mark.parametrize("kind", referee.kinds())
def test_native_and_bridged_types_have_the_same_name(catalogue: Catalogue, kind: str) -> None:
    found = catalogue.find(kind)
    assert found is not None
    assert found.name == referee.recorded(kind)["name"]


def test_native_settings_are_named_as_the_bridged_ones(catalogue: Catalogue) -> None:
    for kind in ("amplitude", "mixpanel", "braze", "klaviyo"):
        ours = {field.encode_name for field in msgspec.structs.fields(CATALOGUE[kind])}
        assert catalogue.by_type[kind].settings.keys() & ours, kind


@pytest.mark.parametrize("name", ["aws-s3", "actions-s3-csv", "s3-csv"])
def test_segments_slug_is_another_name(catalogue: Catalogue, name: str) -> None:
    found = catalogue.find(name)
    assert found is not None
    assert found.type == "aws-s3"


def test_an_unknown_name_is_none(catalogue: Catalogue) -> None:
    assert catalogue.find("amplitud") is None


def test_secrets_of_an_app_are_named(catalogue: Catalogue) -> None:
    assert catalogue.by_type["facebook-conversions-api"].secrets == ["ACTIONS_FB_CAPI_SYSTEM_USER_TOKEN"]
    assert "ADWORDS_DEVELOPER_TOKEN" in catalogue.by_type["google-enhanced-conversions"].secrets
    assert "AWS_ACCESS_KEY_ID" in catalogue.by_type["s3"].secrets
    assert catalogue.by_type["amplitude"].secrets == []
    assert len([one for one in catalogue.destinations if one.secrets]) >= 20


def test_features_are_named_by_their_values(catalogue: Catalogue) -> None:
    assert catalogue.by_type["mixpanel"].features == ["mixpanel-multistatus"]
    assert catalogue.by_type["google-campaign-manager-360"].features == ["cm360-canary-api-version"]


def test_what_must_be_on_is_a_feature_of_it(catalogue: Catalogue) -> None:
    needing = [one for one in catalogue.destinations if one.needed_features]
    assert {one.type for one in needing} == {"liveramp-audiences", "the-trade-desk-crm"}
    assert all(one.needed_features == one.features for one in needing)


def test_what_opens_its_own_connections_is_unsupported(catalogue: Catalogue) -> None:
    unsupported = {one.type for one in catalogue.destinations if one.unsupported is not None}
    assert unsupported == {"amazon-eventbridge", "kafka", "sftp"}
    assert "unsupported" in _action(catalogue, "liveramp-audiences", "audienceEnteredSFTP")


def _action(catalogue: Catalogue, type_: str, name: str) -> dict[str, Any]:
    return next(action for action in catalogue.by_type[type_].actions if action["name"] == name)
