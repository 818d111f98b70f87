"""The settings documents that SDKs fetch at start: analytics.js and mobile, and RudderStack's JavaScript SDK."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec
import orjson


class Plugin(msgspec.Struct, frozen=True):
    """A destination whose events the browser sends itself. `name`: what it is called there; `also`: its other names.

    `rule`: its filters, with `matchers` and `transformers`.
    """

    type: str
    name: str
    id: str  # its name in relay.toml: what events say was done
    also: tuple[str, ...]
    settings: Mapping[str, Any]
    categories: tuple[str, ...] = ()
    rule: Mapping[str, Any] | None = None


class Facts(msgspec.Struct, frozen=True):
    """What browsers are told of a source.

    `cloud`: display names of the destinations that get its events from here. Listed as unbundled, not as integrations,
    they cost the browser no extra download. `planned`: the events of a plan that lets no others through, else None.
    `categories`: of consent, all that its destinations need; `has_unmapped`: whether one of them needs none.
    `consent_manager`: what analytics.js asks for it before it starts.
    `has_cookies`: requests carry them, for relay to renew. `has_own_names`: paths are without the well-known ones.
    """

    cloud: tuple[str, ...] = ()
    planned: tuple[str, ...] | None = None
    categories: tuple[str, ...] = ()
    has_unmapped: bool = False
    consent_manager: str | None = None
    plugins: tuple[Plugin, ...] = ()
    has_cookies: bool = False
    has_own_names: bool = False


def segment_settings(write_key: str, api_host: str, protocol: str, facts: Facts) -> bytes:
    """For `/v1/projects/{key}/settings`. `api_host`: host, port and path up to `/t`, mostly with `/v1`."""
    document: dict[str, Any] = {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": api_host,
                "protocol": protocol,
                "unbundledIntegrations": list(facts.cloud),
                "addBundledMetadata": True,
                "maybeBundledConfigIds": _ids(facts),
                "retryQueue": True,
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
                **_strategy(facts),
            },
            **_mapped(facts),
        },
        # without a host here telemetry goes to Segment
        "metrics": {"sampleRate": 0, "host": api_host},
        "plan": {
            "track": _track_plan(facts.planned),
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "middlewareSettings": {"routingRules": _rules(facts)},
        "enabledMiddleware": {},
        "remotePlugins": _plugins(write_key, facts, f"{protocol}://{api_host.removesuffix('/v1')}/"),
        "legacyVideoPluginsEnabled": False,
        "edgeFunction": {},
        "consentSettings": _consent(facts),
        "autoInstrumentationSettings": {"sampleRate": 0},
    }
    return orjson.dumps(document)


def inline_settings(write_key: str, facts: Facts) -> dict[str, Any]:
    """The same as relay's own analytics.js has it at its end: what says nothing is left out, and so is the host."""
    own: dict[str, Any] = {
        "apiKey": write_key,
        "unbundledIntegrations": list(facts.cloud),
        **_strategy(facts),
    }
    document: dict[str, Any] = {"integrations": {"Segment.io": own, **_mapped(facts)}}
    if facts.plugins:
        own["maybeBundledConfigIds"] = _ids(facts)
        document["remotePlugins"] = _plugins(write_key, facts, "")
    if rules := _rules(facts):
        document["middlewareSettings"] = {"routingRules": rules}
    if facts.planned is not None:
        document["plan"] = {"track": _track_plan(facts.planned)}
    if facts.categories:
        document["consentSettings"] = _consent(facts)
    return document


def _strategy(facts: Facts) -> dict[str, Any]:
    """Without it browsers send cookies to the very host of the page alone."""
    return {"deliveryStrategy": {"config": {"credentials": "include"}}} if facts.has_cookies else {}


def _ids(facts: Facts) -> dict[str, list[str]]:
    return {plugin.name: [plugin.id] for plugin in facts.plugins}


def _mapped(facts: Facts) -> dict[str, Any]:
    """The categories of plug-ins, where consent managers look for them.

    That it is bundled a plug-in says itself once its tool has begun (relay/browser/script/plugins/common.ts). If it stood
    here, what a browser cannot load would be lost.
    """
    return {
        plugin.name: {"consentSettings": {"categories": list(plugin.categories)}}
        for plugin in facts.plugins
        if plugin.categories
    }


def _rules(facts: Facts) -> list[dict[str, Any]]:
    about = {"scope": "destinations", "target_type": "workspace::project::destination::config"}
    return [
        {**about, "destinationName": plugin.name, **plugin.rule}
        for plugin in facts.plugins
        if plugin.rule is not None
    ]


def _plugins(write_key: str, facts: Facts, place: str) -> list[dict[str, Any]]:
    """`place`: what their addresses begin with, "" to find them beside the script."""
    own = quote(write_key, safe="")
    folder = f"{place}{'' if facts.has_own_names else 'analytics.js/v1/'}{own}/plugins/"
    return [
        {
            "name": plugin.name,
            "creationName": plugin.name,
            "url": f"{folder}{plugin.type}.js",
            "libraryName": f"relay:{plugin.type}",
            "settings": {
                **plugin.settings,
                "relay": {
                    "name": plugin.name,
                    "also": [plugin.id, *plugin.also],
                    "categories": list(plugin.categories),
                    # what evaluates the rules in relay's analytics.js
                    **({} if plugin.rule is None else {"filters": f"{folder}filters.js"}),
                },
            },
        }
        for plugin in facts.plugins
    ]


def _track_plan(planned: tuple[str, ...] | None) -> Mapping[str, Any]:
    """An event that is not enabled still comes here, and no further: the browser says so in its `integrations`."""
    on = {"enabled": True, "integrations": {}}
    if planned is None:
        return {"__default": on}
    return {"__default": {"enabled": False, "integrations": {}}} | dict.fromkeys(planned, on)


def _consent(facts: Facts) -> dict[str, Any]:
    return {"allCategories": list(facts.categories), "hasUnmappedDestinations": facts.has_unmapped}


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
