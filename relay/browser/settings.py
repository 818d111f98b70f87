"""The settings documents that SDKs fetch at start: analytics.js and mobile, and RudderStack's JavaScript SDK."""

from collections.abc import Sequence
from typing import Any

import orjson


def segment_settings(write_key: str, api_host: str, protocol: str, cloud: Sequence[str]) -> bytes:
    """For `/v1/projects/{key}/settings`. `api_host`: host, port and path up to and with `/v1`.

    `cloud`: display names of the destinations that get this source's events from here. Listed as unbundled, not as
    integrations, they cost the browser no extra download.
    """
    document: dict[str, Any] = {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": api_host,
                "protocol": protocol,
                "unbundledIntegrations": list(cloud),
                "addBundledMetadata": True,
                "maybeBundledConfigIds": {},
                "retryQueue": True,
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        # without a host here telemetry goes to Segment
        "metrics": {"sampleRate": 0, "host": api_host},
        "plan": {
            "track": {"__default": {"enabled": True, "integrations": {}}},
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "middlewareSettings": {"routingRules": []},
        "enabledMiddleware": {},
        "remotePlugins": [],
        "legacyVideoPluginsEnabled": False,
        "edgeFunction": {},
        "consentSettings": {"allCategories": [], "hasUnmappedDestinations": False},
        "autoInstrumentationSettings": {"sampleRate": 0},
    }
    return orjson.dumps(document)


def rudder_settings(write_key: str, source: str, updated_at: str) -> bytes:
    """For `/sourceConfig/`: no destinations in the browser, no telemetry."""
    return orjson.dumps(
        {
            "source": {
                "id": source,
                "name": source,
                "writeKey": write_key,
                "enabled": True,
                "workspaceId": "relay",
                "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
                "destinations": [],
                "updatedAt": updated_at,
            },
            "updatedAt": updated_at,
        }
    )
