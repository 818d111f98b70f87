"""What a child does besides sending events: secrets, tokens, tests, deletion, look-ups, other clients."""

import base64
import json
from typing import Any

from tests.destinations import referee
from tests.destinations.bridge.child import Child, sent

HUBSPOT = {"type": "hubspot", "settings": {"portalId": "1"}}
CONTACT = {"partnerAction": "upsertContact", "mapping": {"email": {"@path": "$.traits.email"}}}
PERSON = {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com"}}
TOKENS = {"accessToken": "old", "refreshToken": "r1", "clientId": "id", "clientSecret": "secret"}
MODE = "__segment_internal_sync_mode"
TIME = "2026-03-02T12:00:00Z"
UNAUTHORIZED = {"status": 401, "json": {"message": "expired"}}
AWS = {
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AMAZON_S3_ACTIONS_ROLE_ADDRESS": "arn:aws:iam::123456789012:role/ours",
    "AMAZON_S3_ACTIONS_EXTERNAL_ID": "ours",
    "AMAZON_KINESIS_ACTIONS_ROLE_ADDRESS": "arn:aws:iam::123456789012:role/ours",
    "AMAZON_KINESIS_ACTIONS_EXTERNAL_ID": "ours",
}
ROLE = "arn:aws:iam::123456789012:role/theirs"
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
STS = {"status": 200, "headers": {"content-type": "text/xml"}, "text": ASSUMED}


def event(**more: Any) -> dict[str, Any]:
    return {"op": "event", "env": {}, **more}


def test_a_token_that_is_refused_is_left_to_relay(child: Child) -> None:
    message = event(**HUBSPOT, auth=TOKENS, subscription=CONTACT, event=PERSON)
    answered = child.call(message, [UNAUTHORIZED])
    (request,) = answered.requests
    assert request["headers"]["authorization"] == "Bearer old"
    assert answered.value["error"]["status"] == 401
    assert "tokens" not in answered.value


def test_a_token_that_is_refused_in_a_batch_is_left_to_relay(child: Child) -> None:
    message = event(**HUBSPOT, auth=TOKENS, subscription=CONTACT, events=[PERSON]) | {"op": "batch"}
    answered = child.call(message, [UNAUTHORIZED])
    assert len(answered.requests) == 1
    assert answered.value["error"]["status"] == 401


def test_what_one_action_says_to_the_next_is_told(child: Child) -> None:
    message = event(**HUBSPOT, auth=TOKENS, subscription=CONTACT, event=PERSON)
    answered = child.call(message, [{"status": 200, "json": {"id": "7"}}])
    assert answered.value["transaction"] == {"contact_id": "7"}


def test_tokens_are_renewed_on_demand(child: Child) -> None:
    new = {"status": 200, "json": {"access_token": "new"}}
    answered = child.call({"op": "refresh", **HUBSPOT, "auth": TOKENS}, [new])
    assert "refresh_token=r1" in answered.requests[0]["body"]
    assert answered.value["tokens"] == {"accessToken": "new"}
    message = event(**HUBSPOT, auth=TOKENS | answered.value["tokens"], subscription=CONTACT, event=PERSON)
    assert child.call(message).requests[0]["headers"]["authorization"] == "Bearer new"


def test_credentials_are_tested(child: Child) -> None:
    message = {"op": "test", "type": "mixpanel", "settings": {"projectToken": "t", "apiSecret": "s"}}
    assert "error" not in child.call(message).value
    refused = child.call(message, [{"status": 401, "text": "no"}]).value["error"]
    assert "401" in refused["message"]


def test_a_person_is_deleted(child: Child) -> None:
    message = {"op": "delete", "type": "intercom", "settings": {}, "auth": TOKENS, "event": {"userId": "u1"}}
    answered = child.call(message, [{"status": 200, "json": {"total_count": 1, "data": [{"id": "c1"}]}}])
    assert "error" not in answered.value
    assert [request["method"] for request in answered.requests] == ["POST", "DELETE"]


def test_what_cannot_delete_says_so(child: Child) -> None:
    message = {"op": "delete", "type": "slack", "settings": {}, "event": {"userId": "u1"}}
    assert child.call(message).value["error"]["status"] == 400


def test_choices_of_a_field_are_looked_up(child: Child) -> None:
    message = {
        "op": "field",
        "type": "salesforce",
        "settings": {"instanceUrl": "https://x.my.salesforce.com"},
        "auth": TOKENS,
        "action": "customObject",
        "field": "customObjectName",
    }
    objects = [{"label": "Boat", "name": "Boat__c", "createable": True, "queryable": True}]
    answered = child.call(message, [{"status": 200, "json": {"sobjects": objects}}])
    assert answered.value["field"]["choices"] == [{"value": "Boat__c", "label": "Boat"}]


def test_the_sync_mode_of_an_action_is_its_default(child: Child) -> None:
    recorded = referee.recorded("braze")
    place = next(
        n for n, one in enumerate(recorded["subscriptions"]) if one["partnerAction"] == "trackPurchase2"
    )
    row = next(row for row in recorded["results"] if row["subscription"] == place and "error" not in row)
    subscription = recorded["subscriptions"][place]
    assert subscription["mapping"][MODE] == "add"
    mapping = {key: value for key, value in subscription["mapping"].items() if key != MODE}
    message = event(
        type="braze",
        settings=recorded["settings"],
        subscription={"partnerAction": subscription["partnerAction"], "mapping": mapping},
        event=referee.events()[row["event"]],
    )
    answered = child.call(message)
    assert "error" not in answered.value
    assert [json.loads(request["body"]) for request in answered.requests] == [
        one["json"] for one in row["requests"]
    ]


def test_secrets_are_seen_by_their_call_only(child: Child) -> None:
    message = event(
        type="apolloio",  # reads its secret when it is loaded
        settings={"apiToken": "t"},
        subscription={
            "partnerAction": "track",
            "mapping": {"event": "E", "timestamp": TIME, "ipAddress": "203.0.113.1", "page": {"url": "u"}},
        },
        event={"type": "track", "event": "E", "userId": "u1"},
    )
    asked = [
        child.call({**message, "env": {"ACTIONS_APOLLOIO_HEADER_SECRET": secret}})
        for secret in ("first", "second")
    ]
    assert [("first" in one, "second" in one) for one in map(str, (one.requests for one in asked))] == [
        (True, False),
        (False, True),
    ]


def test_calls_side_by_side_keep_their_own_requests(child: Child) -> None:
    child.write({"type": "call", "id": 1, "message": slack("one")})
    child.write({"type": "call", "id": 2, "message": slack("two")})
    asked = sorted((child.read() for _ in range(2)), key=lambda frame: frame["id"])
    assert [json.loads(frame["value"]["body"])["text"] for frame in asked] == ["one", "two"]
    for frame, status in zip(reversed(asked), (500, 200), strict=True):
        child.write(
            {"type": "reply", "id": frame["id"], "rid": frame["rid"], "value": sent({"status": status})}
        )
    answers = {frame["id"]: frame["value"] for frame in (child.read(), child.read())}
    assert "error" not in answers[1]
    assert answers[2]["error"]["status"] == 500


def test_a_refusal_of_the_vendor_has_its_status_and_when_to_come_back(child: Child) -> None:
    busy = {"status": 429, "headers": {"Retry-After": "30"}, "text": "slow down"}
    error = child.call(slack("x"), [busy]).value["error"]
    assert (error["name"], error["status"], error["retryAfter"]) == ("HTTPError", 429, "30")
    assert error["message"] == "Too Many Requests"


def test_a_request_that_relay_cannot_do_is_an_error(child: Child) -> None:
    child.write({"type": "call", "id": 1, "message": slack("x")})
    asked = child.read()
    failed = {"name": "TimedOut", "message": "no answer"}
    child.write({"type": "reply", "id": 1, "rid": asked["rid"], "error": failed})
    error = child.read()["value"]["error"]
    assert (error["name"], error["message"]) == ("TimedOut", "no answer")


def test_a_payload_that_does_not_fit_names_its_fields(child: Child) -> None:
    message = event(
        type="slack",
        settings={},
        subscription={"partnerAction": "postToChannel", "mapping": {"url": "https://hooks.slack.com/x"}},
        event={"type": "track", "event": "E"},
    )
    error = child.call(message).value["error"]
    assert (error["name"], error["status"], error["fields"]) == ("AggregateAjvError", 400, ["text"])


def test_a_destination_may_count_though_nobody_looks(child: Child) -> None:
    message = event(
        type="noop",
        settings={},
        subscription={"partnerAction": "noop", "mapping": {}},
        event={"type": "track", "event": "E"},
    )
    assert child.call(message).value == {}


def test_an_action_that_is_not_there_is_refused(child: Child) -> None:
    message = {**slack("x"), "subscription": {"partnerAction": "dance", "mapping": {}}}
    assert child.call(message).value["error"]["message"] == "there is no action dance"


def test_a_destination_that_is_not_there_is_refused(child: Child) -> None:
    assert child.call({**slack("x"), "type": "nowhere"}).value["error"]["message"] == "no destination nowhere"


def test_linkedin_is_served_though_it_names_an_agent(child: Child) -> None:
    message = event(
        type="linkedin-audiences",
        settings={"ad_account_id": "1", "send_email": True, "send_google_advertising_id": False},
        auth=TOKENS,
        subscription={
            "partnerAction": "updateAudience",
            "mapping": {
                "enable_batching": False,
                "email": "ada@example.com",
                "dmp_user_action": "ADD",
                "personas_audience_key": "key",
                "event_name": "Audience Entered",
                "source_segment_id": "key",
            },
        },
        event={
            "type": "track",
            "event": "Audience Entered",
            "userId": "u1",
            "properties": {"audience_key": "key"},
        },
    )
    segment = {"status": 200, "json": {"elements": [{"id": "s1"}]}}
    answered = child.call(message, [segment])
    assert "error" not in answered.value, answered.value
    assert [request["method"] for request in answered.requests] == ["GET", "POST"]
    assert all(request["headers"]["authorization"] == "Bearer old" for request in answered.requests)


def test_files_go_to_s3(child: Child) -> None:
    message = event(
        type="s3",
        env=AWS,
        settings={
            "iam_role_arn": ROLE,
            "iam_external_id": "x",
            "s3_aws_bucket_name": "shop",
            "s3_aws_region": "us-west-2",
        },
        subscription={
            "partnerAction": "syncToS3",
            "mapping": {
                "columns": {"event_name": "name"},
                "enable_batching": True,
                "delimiter": ",",
                "file_extension": "csv",
                "filename_prefix": "events",
                "batch_keys": [],
            },
        },
        events=[{"type": "track", "event": "E", "userId": "u1"}],
        op="batch",
    )
    answered = child.call(message, [STS, STS, {"status": 200, "headers": {"etag": '"1"'}, "text": ""}])
    assert [one["status"] for one in answered.value.get("multistatus", [])] == [200], answered.value
    put = answered.requests[-1]
    assert put["method"] == "PUT"
    assert put["url"].startswith("https://shop.s3.us-west-2.amazonaws.com/events")
    assert put["headers"]["authorization"].startswith("AWS4-HMAC-SHA256 Credential=A/")
    assert put["body"].splitlines()[0] == "event_name"


def test_records_go_to_kinesis(child: Child) -> None:
    message = event(
        type="aws-kinesis",
        env=AWS,
        settings={"iamRoleArn": ROLE, "iamExternalId": "x" * 10},
        subscription={
            "partnerAction": "send",
            "mapping": {
                "payload": {"@path": "$."},
                "partitionKey": "k",
                "streamName": "s",
                "awsRegion": "us-west-2",
                "max_batch_size": 500,
                "batch_bytes": 1_000_000,
            },
        },
        event={"type": "track", "event": "E", "messageId": "m1"},
    )
    done = {
        "status": 200,
        "headers": {"content-type": "application/x-amz-json-1.1"},
        "text": '{"FailedRecordCount": 0, "Records": [{"SequenceNumber": "1", "ShardId": "s"}]}',
    }
    answered = child.call(message, [STS, STS, done])
    assert "error" not in answered.value, answered.value
    assert answered.requests[-1]["url"] == "https://kinesis.us-west-2.amazonaws.com/"
    (record,) = json.loads(answered.requests[-1]["body"])["Records"]
    assert json.loads(base64.b64decode(record["Data"]))["messageId"] == "m1"


def test_a_body_that_is_no_text_survives(child: Child) -> None:
    child.write({"type": "call", "id": 1, "message": slack("x")})
    asked = child.read()
    packed = {"status": 400, "headers": {}, "bodyBase64": base64.b64encode(b"\xff\x00").decode()}
    child.write({"type": "reply", "id": 1, "rid": asked["rid"], "value": packed})
    assert child.read()["value"]["error"]["status"] == 400


def slack(text: str) -> dict[str, Any]:
    return event(
        type="slack",
        settings={},
        subscription={
            "partnerAction": "postToChannel",
            "mapping": {"url": "https://hooks.slack.com/x", "text": text},
        },
        event={"type": "track", "event": "E"},
    )
