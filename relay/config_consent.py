"""What `consent_manager` asks of a source in relay.toml: that the script which asks the manager is the one that pages get."""

from relay.config_errors import Problems, Table


def check_managers(sources: list[Table], browser: Table, problems: Problems) -> None:
    """Add what is wrong with the `consent_manager` of each source."""
    is_segments = browser.values.get("library") == "analytics-next"
    for source in sources:
        if source.values.get("consent_manager") is None:
            continue
        if source.values.get("segment") is not None:
            _refuse(source, "`[sources.segment]`", problems)
        elif is_segments:
            _refuse(source, '`library = "analytics-next"`', problems)


def _refuse(source: Table, why: str, problems: Problems) -> None:
    sentence = (
        "`consent_manager` is for relay's own analytics.js: leave it out, and put Segment's consent wrapper"
        f" into the page, or leave out {why}"
    )
    problems.add((*source.place, "consent_manager"), sentence)
