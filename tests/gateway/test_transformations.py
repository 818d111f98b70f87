"""A source's transformations in a whole relay, and a change of them while it runs."""

from pathlib import Path

from relay.console.search import Search
from tests.gateway.relay_here import SOURCE, event, relay_here
from tests.receiver import Receiver

HOOK = '[[destinations]]\nname = "hook"\ntype = "webhook"\nbatch_wait = "0s"\nsettings.url = "{}"\n'
RENAMES = '[[sources.transformations]]\nif = \'event = "Tested"\'\nnew_event_name = "{}"\n'


async def test_a_source_renames_its_events_and_a_reload_changes_the_name(
    receiver: Receiver, tmp_path: Path
) -> None:
    hook = HOOK.format(receiver.url)
    async with relay_here(tmp_path, SOURCE + RENAMES.format("One") + hook) as relay:
        await relay.post("/v1/track", event())
        await receiver.wait_for(1)
        relay.file.write_text(
            relay.file.read_text("utf-8").replace('new_event_name = "One"', 'new_event_name = "Two"'), "utf-8"
        )
        assert await relay.app.reload() == []
        await relay.post("/v1/track", event())
        await receiver.wait_for(2)
        assert [e["event"] for e in receiver.events()] == ["One", "Two"]
        newest = relay.app.debugger.newest(Search(source="web"), 2)
        assert [shown["event"]["event"] for shown in newest] == ["Two", "One"]
