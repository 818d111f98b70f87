/** What every page of the console does beyond its markup. */

import { beside } from "./beside"
import { copyable } from "./copy"
import { keys } from "./keys"
import { live } from "./live"

copyable(document)
document.addEventListener("htmx:after:swap", () => copyable(document))
beside()
keys()
live()
