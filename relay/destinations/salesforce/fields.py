"""The fields of the objects that Salesforce calls standard, and those that every action has.

Names are Segment's; `api_name` makes Salesforce's of them. Default mappings read traits by both ways of writing a
name: `last_name` and `lastName`.
"""

from typing import Any

import msgspec

from relay.destinations.actions.fields import (
    Condition,
    Fields,
    When,
    boolean,
    either,
    integer,
    number,
    path,
    record,
    text,
)

MAX_ROWS = 5000  # Segment's own integration; a job of Bulk API 2.0 takes 150 MB


def _said(*names: str) -> dict[str, Any]:
    return either(*(f"$.{part}.{name}" for part in ("traits", "properties") for name in names))


def _address(what: str, prefix: str = "") -> Fields:
    return {
        f"{prefix}city": text(f"The city of {what}.", default=_said("address.city")),
        f"{prefix}postal_code": text(
            f"The postal code of {what}.", default=_said("address.postal_code", "address.postalCode")
        ),
        f"{prefix}country": text(f"The country of {what}.", default=_said("address.country")),
        f"{prefix}street": text(f"Street and number of {what}.", default=_said("address.street")),
        f"{prefix}state": text(f"The state of {what}.", default=_said("address.state")),
    }


_PERSON: Fields = {
    "last_name": text("The family name; a new record must have one.", default=_said("last_name", "lastName")),
    "first_name": text("The given name.", default=_said("first_name", "firstName")),
    "email": text("The address.", default=_said("email")),
}

LEAD: Fields = {
    "company": text(
        "The company, which a new lead must have.",
        default=either("$.traits.company.name", "$.traits.company", "$.properties.company"),
    ),
    **_PERSON,
    **_address("the lead"),
}
OLD_LEAD: Fields = {  # of the older action: without a name, a batch refuses the event before it is sent
    **LEAD,
    "last_name": msgspec.structs.replace(
        LEAD["last_name"], required=When((Condition("operation", "create"),))
    ),
}
CONTACT: Fields = {
    **_PERSON,
    "account_id": text("Salesforce's id of the account that the contact belongs to."),
    **_address("the contact", "mailing_"),
}
ACCOUNT: Fields = {
    "name": text("The name, which a new account must have.", default=path("$.traits.name")),
    "account_number": text("Your own id of the account.", default=path("$.groupId")),
    "number_of_employees": integer("How many work there.", default=_said("employees")),
    **_address("the billing address", "billing_"),
    "shipping_city": text("The city of the shipping address."),
    "shipping_postal_code": text("The postal code of the shipping address."),
    "shipping_country": text("The country of the shipping address."),
    "shipping_street": text("Street and number of the shipping address."),
    "shipping_state": text("The state of the shipping address."),
    "phone": text("The telephone number.", default=_said("phone")),
    "description": text("What there is to say.", default=_said("description")),
    "website": text("The website.", default=_said("website")),
}
OPPORTUNITY: Fields = {
    "close_date": text("When it is likely to close; a new opportunity must have it."),
    "name": text("The name; a new opportunity must have it."),
    "stage_name": text("The stage; a new opportunity must have it."),
    "amount": text("What it is worth."),
    "description": text("What there is to say."),
}
CASE: Fields = {"description": text("What there is to say.")}

OBJECT_NAME: Fields = {
    "customObjectName": text("The API name of the object, such as `Invoice__c`.", required=True)
}
OPERATION: Fields = {
    "operation": text(
        "What is done with the record.", required=True, choices=("create", "update", "upsert", "delete")
    )
}
COMMON: Fields = {
    "recordMatcherOperator": text(
        "Whether a record is found by any of `traits` or by all.", choices=("OR", "AND"), default="OR"
    ),
    "enable_batching": boolean("Whether events wait for each other and go by the Bulk API.", default=False),
    "batch_size": number("Rows of a job at most.", default=MAX_ROWS),
    "traits": record("What a record is found by: Salesforce's names of fields, and values."),
    "bulkUpsertExternalId": record(
        "In the Bulk API, what an upsert tells records by.",
        {
            "externalIdName": text("The name of the external id's field."),
            "externalIdValue": text("The external id."),
        },
    ),
    "bulkUpdateRecordId": text("In the Bulk API, the id of the record to update."),
    "customFields": record("Other fields of the record: Salesforce's names, and values."),
}
