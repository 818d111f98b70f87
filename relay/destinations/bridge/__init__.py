"""The bridge: Segment's own destinations (npm: @segment/action-destinations, MIT), unmodified, in a child process.

Nothing of the package is part of relay. `relay destinations install` fetches it onto the operator's machine by the
lock in `package/` and makes one file of it, in which only the HTTP client is another: it hands requests to relay.
The child that runs it may read that file, and nothing else of the machine or the network.

folder       where it is installed, and how it is found and verified
deno         Deno as a tool: fetches packages, and what went wrong in a sentence
install      from the lock to a folder that can be used; upgrade, remove
bundle       one file of all packages
catalogue    what each destination is, made at install
scan         which secrets and feature flags each reads
notices      licences of what was installed
compare      what changed between two catalogues

kinds        each of them as a type like relay's own
route        from events to calls, by subscriptions
flow         one call: its requests, its outcome
runtime      the children, their secrets, flags and tokens

worker.mjs   the program of a child; bundle.mjs and http.mjs are its parts
describe.mjs the program that makes the catalogue
shims/       what stands in the bundle for the packages that open connections
package/     package.json and the lock: versions and hashes, no addresses
"""
