"""What Mixpanel's actions take of an event, by the names of Segment's own mappings."""

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

_CAMPAIGN = {
    "utm_source": path("$.context.campaign.source"),
    "utm_medium": path("$.context.campaign.medium"),
    "utm_campaign": path("$.context.campaign.name"),
    "utm_term": path("$.context.campaign.term"),
    "utm_content": path("$.context.campaign.content"),
}
_HINTS = {
    "mobile": boolean("Whether it is a phone."),
    "platform": text("The operating system."),
    "architecture": text("The processor's architecture."),
    "bitness": text("The processor's bits."),
    "model": text("The model."),
    "platformVersion": text("The operating system's version."),
    "uaFullVersion": text("The browser's full version."),
    "wow64": boolean("Whether it is a 32-bit program on 64-bit Windows."),
}

EVENT: Fields = {
    "distinct_id": text(
        "Whose event it is: the user's id, else the anonymous one.",
        default=either("$.userId", "$.anonymousId"),
    ),
    "anonymous_id": text("The id from before the user was known.", default=path("$.anonymousId")),
    "user_id": text("The user's id.", default=path("$.userId")),
    "group_id": text("The group the user acted for.", default=path("$.context.groupId")),
    "insert_id": text(
        "What Mixpanel knows an event by that is sent twice.",
        default=path("$.messageId"),
    ),
    "fit_insert_id": boolean(
        "Whether an `insert_id` is hashed that is longer than the 36 letters, digits and dashes Mixpanel takes.",
        default=True,
    ),
    "time": moment("When it happened.", default=path("$.timestamp")),
    "app_name": text("The app's name.", default=path("$.context.app.name")),
    "app_namespace": text("The app's namespace.", default=path("$.context.app.namespace")),
    "app_build": text("The app's build.", default=path("$.context.app.build")),
    "app_version": text("The app's version.", default=path("$.context.app.version")),
    "os_name": text("The operating system.", default=path("$.context.os.name")),
    "os_version": text("Its version.", default=path("$.context.os.version")),
    "device_id": text("The device's id.", default=path("$.context.device.id")),
    "device_type": text("The kind of device.", default=path("$.context.device.type")),
    "device_name": text("The device's name.", default=path("$.context.device.name")),
    "device_manufacturer": text("Who made it.", default=path("$.context.device.manufacturer")),
    "device_model": text("Its model.", default=path("$.context.device.model")),
    "bluetooth": boolean("Whether Bluetooth is on.", default=path("$.context.network.bluetooth")),
    "carrier": text("The mobile network.", default=path("$.context.network.carrier")),
    "cellular": boolean("Whether the mobile network is on.", default=path("$.context.network.cellular")),
    "wifi": boolean("Whether Wi-Fi is on.", default=path("$.context.network.wifi")),
    "country": text("The country.", default=path("$.context.location.country")),
    "region": text("The region.", default=path("$.context.location.region")),
    "language": text("The language that is set.", default=path("$.context.locale")),
    "library_name": text("The library that sent the event.", default=path("$.context.library.name")),
    "library_version": text("Its version.", default=path("$.context.library.version")),
    "ip": text("The IP address, for the place.", default=path("$.context.ip")),
    "idfa": text(
        "The advertising id.", default=either("$.context.device.advertisingId", "$.context.device.idfa")
    ),
    "url": text("The page's URL.", default=path("$.context.page.url")),
    "screen_width": number("The screen's width.", default=path("$.context.screen.width")),
    "screen_height": number("The screen's height.", default=path("$.context.screen.height")),
    "screen_density": number("The screen's density.", default=path("$.context.screen.density")),
    "referrer": text("Where the user came from.", default=path("$.context.page.referrer")),
    "userAgent": text("The `User-Agent`, for the browser.", default=path("$.context.userAgent")),
    "advertising_id": text("The advertising id.", default=path("$.context.device.advertisingId")),
    "ad_tracking_enabled": text(
        "Whether the user may be tracked for advertising.", default=path("$.context.device.adTrackingEnabled")
    ),
    "timezone": text("The time zone.", default=path("$.context.timezone")),
    "app_platform": text("The app's platform.", default=path("$.context.app.platform")),
    "name": text("The name the event had.", default=either("$.event", "$.name")),
    "event_properties": record("The event's properties.", default=path("$.properties")),
    "context": record("The event's context.", default=path("$.context")),
    "utm_properties": record(
        "The campaign.", {name: text(f"The campaign's {name}.") for name in _CAMPAIGN}, default=_CAMPAIGN
    ),
    "enable_batching": boolean("Whether several events may go in one request."),
    "batch_size": number("Events a request at most.", minimum=1, maximum=2000),
    "userAgentData": record(
        "What the browser says of the device beside its `User-Agent`.",
        _HINTS,
        default={name: path(f"$.context.userAgentData.{name}") for name in _HINTS},
    ),
}

_TEXTS = ("product_id", "sku", "category", "name", "brand", "variant")
_PRODUCT: Fields = {
    **{name: text(f"The item's {name}.") for name in _TEXTS},
    "price": number("The price of one."),
    "quantity": integer("How many."),
    "coupon": text("The coupon."),
    "position": number("Its place in the list."),
    "url": text("Its page."),
    "image_url": text("Its picture."),
}

PRODUCTS: Fields = {
    "products": record(
        "The items of an order.",
        _PRODUCT,
        multiple=True,
        more=True,
        default=each("$.properties.products", {name: path(name) for name in _PRODUCT}),
    ),
}
