"""The OpenAPI document: it has every route and no other, and a running relay keeps to it, whatever it is sent."""

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from relay.api.auth import OPEN
from relay.api.openapi.document import document
from relay.api.server import admin_application
from tests.acceptance.relay_process import ADMIN_TOKEN, RelayProcess, running, source
from tests.api.plan_apis import PLANS
from tests.gateway.relay_here import RelayHere

EXAMPLES = 5  # of an operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
METHODS = ("get", "put", "post", "patch", "delete")


def routes() -> set[str]:
    config = SimpleNamespace(server=SimpleNamespace(read_token=None))
    stub: Any = SimpleNamespace(admin_token="", config=config)
    return {
        f"{route.method} {route.resource.canonical.rstrip('/')}"
        for route in admin_application(stub).router.routes()
        if route.resource is not None
        and route.method != "HEAD"
        and route.resource.canonical not in ("/", "/console")  # pages
        and not route.resource.canonical.startswith("/console/")
    }


def test_the_document_has_every_route_and_no_other() -> None:
    described = {
        f"{method.upper()} {path}" for path, of_path in document()["paths"].items() for method in of_path
    }
    assert described == routes()


def test_every_reference_leads_somewhere() -> None:
    named = set(re.findall(r"#/components/schemas/(\w+)", str(document())))
    assert named <= document()["components"]["schemas"].keys()
    assert {"ConfigPlan", "Rules", "TrackingPlan", "Problem"} <= named


async def test_it_is_served_with_a_token_only(relay: RelayHere) -> None:
    answer = await relay.ask("GET", "/openapi.json")
    assert (answer.status, answer.json) == (200, document())
    assert (await relay.ask("GET", "/openapi.json", token=None)).status == 401


# --- what is sent by a machine that tries to find fault


def operations() -> list[Any]:
    loaded: Any = schemathesis.openapi.from_dict(document())
    found = [result.ok() for result in loaded.get_all_operations()]
    return [one for one in found if one.path not in OPEN]  # there is nothing that these could be sent


async def there_is(relay: RelayProcess) -> dict[str, str]:
    """A plan that is connected; what paths may be given so that something is found."""
    async with relay.session.post(
        relay.admin + PLANS,
        json={"display_name": "Shop", "rules": {"events": [{"name": "Paid", "rules": {}}]}},
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
    ) as response:
        made = await response.json()
    plan = made["name"].rpartition("/")[2]
    return {"plan": plan, "source": "web", "workspace": "w", "name": "web", "id": "1"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", GenerationMode)
async def test_a_running_relay_keeps_to_the_document(mode: GenerationMode, tmp_path: Path) -> None:
    async with running(tmp_path, source("web", "web-key")) as relay:
        for operation in operations():
            there = await there_is(relay)
            await asyncio.to_thread(try_out, operation, mode, relay.admin, there)
        assert (await relay.ask_admin("GET", "/v1/status")).status == 200


def try_out(operation: Any, mode: GenerationMode, url: str, there: dict[str, str]) -> None:
    """What the document allows, or what it does not."""

    @given(case=operation.as_strategy(generation_mode=mode), is_there=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any, is_there: bool) -> None:
        if is_there and case.path_parameters:
            case.path_parameters = {
                name: there.get(name, value) for name, value in case.path_parameters.items()
            }
        case.call_and_validate(
            base_url=url, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}, checks=CHECKS, timeout=30
        )

    run()
