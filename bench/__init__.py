"""What relay costs: `python -m bench NAME [--json]`, one file per benchmark.

bridge      Segment's own destinations in a child, against relay's own
generator   what the load generator itself can offer, so that the others can be believed
ingest      single events and 100-event batches, against an aiohttp server that only answers
pipeline    batches to three batch webhooks, then with a single webhook beside them: lag and loss
replay      stored events, delivered again to a batch webhook
soak        N sources at R requests a second each, open loop, delivered to one batch webhook

The server under measurement has the first core to itself; the load generator (this process) and
the receivers share the last one. On a machine with one core everything shares it, and the rates
say little, while CPU time per request still does.

Shared pieces: `events` (requests rendered ahead), `load` (sends them), `sink` (receives what is
delivered), `baseline` (the server that only answers), `processes` (starts, pins, measures and
stops all of these), `report` (table or JSON).
"""
