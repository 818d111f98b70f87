"""Salesforce: leads, contacts, accounts, opportunities, cases and objects of your own.

instance  settings, login, URLs
fields    what the objects have
soql      look-ups
records   one record at a time, by REST
bulk      up to 5,000 in a job, by Bulk API 2.0, where a mapping asks for it (`enable_batching`)

100,000 requests in 24 hours and more by licence, then 403 REQUEST_LIMIT_EXCEEDED, which is tried again. No key
against repeated events: use upsert.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

from relay.destinations.actions import Action, Preset, by_name
from relay.destinations.actions.fields import Fields
from relay.destinations.actions.requests import bare_request
from relay.destinations.base import Steps
from relay.destinations.salesforce import bulk, fields, records
from relay.destinations.salesforce.instance import Instance
from relay.destinations.salesforce.records import Kind

LEAD = Kind("Lead", fields.LEAD, ("last_name",))
CONTACT = Kind("Contact", fields.CONTACT, ("last_name",))
ACCOUNT = Kind("Account", fields.ACCOUNT, ("name",))
OPPORTUNITY = Kind("Opportunity", fields.OPPORTUNITY, ("close_date", "name", "stage_name"))
CASE = Kind("Case", fields.CASE)
ANY = Kind(None)


def _actions(
    kind: Kind, name: str, title: str, about: str, old_fields: Fields | None = None
) -> tuple[Action, Action]:
    """The older action, whose operation is a field, and the newer, whose operation is the sync mode."""
    own = kind.fields if kind.sobject else fields.OBJECT_NAME
    older = _action(kind, name, title, about, {**fields.OPERATION, **(old_fields or own)})
    newer = _action(kind, f"{name}2", f"{title} V2", about, own, tuple(map(str, records.SYNC_MODES)))
    return older, newer


def _action(
    kind: Kind, name: str, title: str, about: str, own: Fields, sync_modes: tuple[str, ...] = ()
) -> Action:
    return Action(
        name=name,
        title=title,
        about=about,
        fields={**own, **fields.COMMON},
        perform=partial(records.perform, kind),
        perform_batch=partial(bulk.perform_batch, kind),
        max_batch=fields.MAX_ROWS,
        batch_key=bulk.job_key,
        batches_unasked=False,
        keeps_empty_in_batches=True,
        sync_modes=sync_modes,
    )


ACTIONS = by_name(
    *_actions(LEAD, "lead", "Lead", "A person who may become a customer.", fields.OLD_LEAD),
    *_actions(CONTACT, "contact", "Contact", "A person who belongs to an account."),
    *_actions(ACCOUNT, "account", "Account", "A company."),
    *_actions(OPPORTUNITY, "opportunity", "Opportunity", "A deal that may be made."),
    *_actions(CASE, "cases", "Case", "A question or complaint of a customer."),
    *_actions(ANY, "customObject", "Custom Object", "A record of any object, your own included."),
)


class Salesforce(Instance, frozen=True):
    """Settings of `type = "salesforce"`."""

    title: ClassVar[str] = "Salesforce (Actions)"
    also_called: ClassVar[tuple[str, ...]] = ("Salesforce",)
    summary: ClassVar[str] = (
        "Salesforce: leads, contacts, accounts, opportunities, cases and objects of your own."
    )
    batch: ClassVar[int] = fields.MAX_ROWS
    max_batch: ClassVar[int] = fields.MAX_ROWS
    max_bytes: ClassVar[int] = (
        5_000_000  # of events: the CSV of a job has only what is mapped, at most 150 MB
    )
    actions: ClassVar[Mapping[str, Action]] = ACTIONS
    presets: ClassVar[Sequence[Preset]] = ()
    differences: ClassVar[Sequence[str]] = (
        "Default mappings read names in both spellings, `last_name` and `lastName`, and a company given as an object.",
        "In look-ups backslashes and line breaks are escaped too, so that no value can change the query.",
        "A Bulk API job whose upload failed is aborted, not handed over, so that trying again cannot double its rows.",
        "Events that differ in operation, object or external id never share a Bulk API job.",
        "An instance URL must be a host below salesforce.com or force.com; Segment looks at its beginning only.",
        "REQUEST_LIMIT_EXCEEDED and UNABLE_TO_LOCK_ROW are tried again; Segment takes them for refusals.",
    )
    notes: ClassVar[Sequence[str]] = (
        "There are no presets: which events become which records is for `subscriptions` to say.",
        "`create` has no key against repeated events: after a lost answer there may be two records. Use upsert.",
        "With `enable_batching` set a long `batch_wait`, such as 5m: there are 15,000 bulk batches in 24 hours.",
        "What becomes of the rows of a bulk job is seen in Salesforce only; one without its id fails there.",
        "In a bulk job a value that an event lacks and another has is null, which empties the field in an update.",
    )

    def check(self) -> Steps:
        """List what the API offers: a request that needs a good token and nothing else."""
        yield bare_request("GET", self.url(""))
