"""What of a changed relay.toml is not in force before relay is started again."""

from relay.config import Config

_OF_SERVER = ("listen", "admin", "data_dir", "tls_cert", "tls_key", "admin_token", "encryption_key")


def restart_needed_for(opened_as: Config, now: Config) -> list[str]:
    """The keys that differ from those that relay was started with."""
    changed = [
        f"server.{key}" for key in _OF_SERVER if getattr(opened_as.server, key) != getattr(now.server, key)
    ]
    return changed + (["log.durability"] if now.log.durability != opened_as.log.durability else [])
