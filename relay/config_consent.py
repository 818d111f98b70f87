"""What `consent_manager` asks of a source in relay.toml: that the script which asks the manager is the one that pages get."""

from relay.config_errors import Problems, Table


def check_managers(sources: list[Table], browser: Table, problems: Problems) -> None:
    """Add what is wrong with the `consent_manager` of each source."""
    if browser.values.get("library") != "analytics-next":
        return
    for source in sources:
        if source.values.get("consent_manager") is not None:
            sentence = (
                "`consent_manager` is for relay's own analytics.js: leave it out, and put Segment's consent wrapper"
                ' into the page, or leave out `library = "analytics-next"`'
            )
            problems.add((*source.place, "consent_manager"), sentence)
