"""Automations of Prefect, made by code: each event of :mod:`flows.events` is sent to an address that you name."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, cast
from uuid import UUID

from prefect.automations import AutomationCore, EventTrigger
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import Posture
from pydantic import SecretStr

from flows import events

BLOCK: Final = "likeness-notify"
"""Name of the Prefect block that keeps the address: it may hold a secret, as those of chats do."""

TELLING: Final = {
    events.DELIVERABLE_MADE: ("Likeness: deliverable made", "a deliverable was made"),
    events.GATE_FAILED: ("Likeness: quality gate failed", "it misses what params.yaml asks of it"),
    events.DIVERGED: ("Likeness: training diverged", "its training diverged"),
    events.CONSENT_ENDING: ("Likeness: consent ends soon", "the consent ends soon"),
}
"""Event -> the name of its automation, and what happened, in words."""

BODY: Final = """\
{"text": "{{ event.resource.name }}: WORDS", "event": "{{ event.event }}", "resource": "{{ event.resource.id }}",
 "payload": {{ event.payload | tojson }}}"""
"""``text`` is what chats show of a message; the rest is for programs."""


def ensure(address: str) -> list[str]:
    """Make the automations that send events to an address, or bring them up to date; each is there once.

    Args:
        address: takes a POST of JSON: ``text``, ``event``, ``resource``, ``payload``.

    Returns:
        the names of the automations.
    """
    block = cast(UUID, Webhook(url=SecretStr(address), method="POST").save(BLOCK, overwrite=True))
    names = []
    with get_client(sync_client=True) as client:
        for event, (name, words) in TELLING.items():
            wanted = AutomationCore(
                name=name,
                description=f"Sends {event} to the address in the block {BLOCK}.",
                trigger=EventTrigger(
                    expect={event},
                    for_each={"prefect.resource.id"},
                    posture=Posture.Reactive,
                    threshold=1,
                    within=timedelta(0),
                ),
                actions=[CallWebhook(block_document_id=block, payload=BODY.replace("WORDS", words))],
            )
            found = client.read_automations_by_name(name)
            if found:
                # Whoever has switched one off in Prefect's pages wants it off.
                wanted.enabled = found[0].enabled
                client.update_automation(found[0].id, wanted)
            else:
                client.create_automation(wanted)
            names.append(name)
    return names
