"""What Amplitude's actions take of an event. The names are those of Amplitude's event, and of Segment's own mappings."""

from relay.destinations.actions.fields import (
    Fields,
    boolean,
    each,
    either,
    integer,
    moment,
    number,
    path,
    record,
    text,
)

_ADVERTISING = either("$.context.device.advertisingId", "$.context.device.idfa")
_PRODUCT_ID = either("productId", "product_id")

WHO: Fields = {
    "user_id": text("The user's id, where known.", default=path("$.userId"), allow_null=True),
    "device_id": text(
        "The id of the device; the anonymous id where it has none.",
        default=either("$.context.device.id", "$.anonymousId"),
    ),
}

DEVICE: Fields = {
    "app_version": text("The app's version.", default=path("$.context.app.version")),
    "platform": text("Such as iOS, Android or Web.", default=path("$.context.device.type")),
    "os_name": text("The operating system.", default=path("$.context.os.name")),
    "os_version": text("Its version.", default=path("$.context.os.version")),
    "device_brand": text("The device's brand.", default=path("$.context.device.brand")),
    "device_manufacturer": text("Who made it.", default=path("$.context.device.manufacturer")),
    "device_model": text("Its model.", default=path("$.context.device.model")),
    "carrier": text("The mobile network.", default=path("$.context.network.carrier")),
    "country": text("The country.", default=path("$.context.location.country")),
    "region": text("The region.", default=path("$.context.location.region")),
    "city": text("The city.", default=path("$.context.location.city")),
    "dma": text("The designated market area."),
    "language": text("The language that is set.", default=path("$.context.locale")),
}

AGENT: Fields = {
    "userAgent": text("The `User-Agent` of the device.", default=path("$.context.userAgent")),
    "userAgentParsing": boolean(
        "Whether operating system and device are told from the `User-Agent`.", default=True
    ),
    "includeRawUserAgent": boolean("Whether the `User-Agent` itself is sent.", default=False),
    "userAgentData": record(
        "What the browser says of the device beside its `User-Agent`.",
        {"model": text("The model."), "platformVersion": text("The operating system's version.")},
        default={
            "model": path("$.context.userAgentData.model"),
            "platformVersion": path("$.context.userAgentData.platformVersion"),
        },
    ),
}

MIN_ID_LENGTH: Fields = {
    "min_id_length": integer(
        "The least characters of user and device ids; Amplitude wants five unless it is told otherwise.",
        default=1,
        allow_null=True,
    ),
}

INSERT_ID: Fields = {
    "insert_id": text(
        "Amplitude takes an event of this id once within seven days.", default=path("$.messageId")
    ),
}

_CAMPAIGN = {
    "utm_source": path("$.context.campaign.source"),
    "utm_medium": path("$.context.campaign.medium"),
    "utm_campaign": path("$.context.campaign.name"),
    "utm_term": path("$.context.campaign.term"),
    "utm_content": path("$.context.campaign.content"),
}
_REFERRER = path("$.context.page.referrer")

CAMPAIGN: Fields = {
    "utm_properties": record(
        "The campaign, kept with the user as the latest and as the first.",
        {name: text(f"The campaign's {name}.") for name in _CAMPAIGN},
        default=_CAMPAIGN,
    ),
    "referrer": text("Where the user came from, kept as the latest and as the first.", default=_REFERRER),
}

_REVENUE: Fields = {
    "price": number("The price of one item.", default=path("$.properties.price")),
    "quantity": integer("How many items.", default=path("$.properties.quantity")),
    "revenue": number("The revenue; negative for a refund.", default=path("$.properties.revenue")),
    "productId": text(
        "The id of the item sold.", default=either("$.properties.productId", "$.properties.product_id")
    ),
    "revenueType": text("The kind of revenue.", default=path("$.properties.revenueType")),
    "currency": text("The revenue's currency, ISO 4217.", default=path("$.properties.currency")),
}

SEND_REVENUE: Fields = {
    "sendRevenue": boolean("Whether an event that carries `revenue` counts as revenue.", default=True),
}

EVENT: Fields = {
    **WHO,
    "event_type": text("The event's name.", default=path("$.event"), required=True),
    "session_id": moment(
        "When the session began, in milliseconds since 1970.",
        default=path("$.integrations.Actions Amplitude.session_id"),
    ),
    "time": moment("When it happened.", default=path("$.timestamp")),
    "event_properties": record("The event's properties.", default=path("$.properties")),
    "user_properties": record("The user's properties.", default=path("$.traits")),
    "groups": record("The groups the user is in: their kinds and values."),
    **DEVICE,
    **_REVENUE,
    "location_lat": number("The latitude.", default=path("$.context.location.latitude")),
    "location_lng": number("The longitude.", default=path("$.context.location.longitude")),
    "ip": text("The IP address.", default=path("$.context.ip")),
    "idfa": text("Apple's advertising id.", default=_ADVERTISING),
    "idfv": text("Apple's vendor id.", default=path("$.context.device.id")),
    "adid": text("Google's advertising id.", default=_ADVERTISING),
    "android_id": text("Android's own id."),
    "event_id": integer("A counter that tells events of one moment apart."),
    **INSERT_ID,
    "library": text("The library that sent the event.", default=path("$.context.library.name")),
    "library2": record(
        "The library that Amplitude is told of: `mapping` with the behaviour `use_mapping`, else `segment`.",
        {
            "behavior": text("Whose word counts.", choices=("auto", "use_mapping")),
            "mapping": text("The library."),
        },
        default={"behavior": "use_mapping", "mapping": path("$.context.library.name")},
    ),
    "use_batch_endpoint": boolean("Whether events go to `/batch`, which is throttled later."),
    **AGENT,
    **MIN_ID_LENGTH,
}

_PRODUCT = {
    "price": number("The price of one."),
    "quantity": integer("How many."),
    "revenue": number("The revenue."),
    "productId": text("Its id."),
    "revenueType": text("The kind of revenue."),
}


def products(*, is_sent: bool) -> Fields:
    """The items of an order. By default a track has none beside those in its properties."""
    shape = {**{name: path(name) for name in _PRODUCT}, "productId": _PRODUCT_ID}
    field = record(
        "The items of an order.",
        _PRODUCT,
        multiple=True,
        more=True,
        **({"default": each("$.properties.products", shape)} if is_sent else {}),
    )
    return {"products": field}


_FIRST = {"initial_referrer": _REFERRER, **{f"initial_{name}": at for name, at in _CAMPAIGN.items()}}
_LATEST = {"referrer": _REFERRER, **_CAMPAIGN}

SET: Fields = {
    "setOnce": record(
        "Properties that the user gets when there are none of that name.",
        {name: text(f"The user's {name}.") for name in _FIRST},
        more=True,
        default=_FIRST,
    ),
    "setAlways": record(
        "Properties that the user gets in any case.",
        {name: text(f"The user's {name}.") for name in _LATEST},
        more=True,
        default=_LATEST,
    ),
    "add": record("Numbers to add to the user's properties.", more=True),
}
