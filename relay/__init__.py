"""relay: a self-hosted customer data platform in one process.

An event comes in (`gateway`), is logged (`log`), is admitted (`admission`), is sent (`delivery` to
`destinations`) and is shown (`console`, `api`). The rooms meet at the log; only `app` knows them all.
"""

__version__ = "0.1.0"
