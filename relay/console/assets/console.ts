/** What every page of the console does beyond its markup. */

import { beside } from "./beside"
import { choose } from "./choose"
import { copyable } from "./copy"
import { keys } from "./keys"
import { live } from "./live"
import { trouble } from "./trouble"

copyable(document)
document.addEventListener("htmx:after:swap", () => copyable(document))
beside()
choose(document)
keys()
live()
trouble()
