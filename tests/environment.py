"""Environment variables for examples: a value for every one, a different one each."""

# what must be more than a text or a URL
PARTICULAR = {
    "SALESFORCE_INSTANCE_URL": "https://example.my.salesforce.com",
    "SEGMENT_WRITE_KEY": "Segment0Key1Segment0Key1",
}


class Environment(dict[str, str]):
    """Every variable is set, to what passes for a text and for a URL."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        plain = f"https://{name.lower().replace('_', '-')}.example.com"
        return PARTICULAR.get(name, plain)
