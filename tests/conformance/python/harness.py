"""What a scenario is, and what it is given. Scenarios register themselves by family; main.py runs them."""
import asyncio
import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Awaitable, Callable

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

import activities
import workflows

SECONDS = 180  # for one scenario, on a machine that does other things
THREADS = 64


@dataclass(frozen=True)
class Scenario:
    """phase: `together` with all others at once, `alone` after them, or `last`, which kills the server."""

    name: str
    body: Callable[["Bench"], Awaitable[None]]
    phase: str
    seconds: float
    oracle: str


scenarios: list[Scenario] = []
warned: list[str] = []  # what the SDK warned of, by Python's warnings


def family(prefix: str):
    def scenario(name: str, *, phase: str = "together", seconds: float = SECONDS, oracle: str = ""):
        def keep(body):
            scenarios.append(Scenario(f"{prefix}/{name}", body, phase, seconds, oracle))
            return body

        return keep

    return scenario


@dataclass
class House:
    """What all scenarios share: the client, the threads of activities, the queue of the common worker."""

    client: Client
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS))
    mark: str = field(default_factory=lambda: secrets.token_hex(3))

    @property
    def queue(self) -> str:
        return f"shared-{self.mark}"

    @staticmethod
    async def open() -> "House":
        namespace = os.environ["CONFORMANCE_NAMESPACE"]
        return House(await Client.connect(os.environ["CONFORMANCE_ADDRESS"], namespace=namespace))

    def worker(self, task_queue: str, client: Client | None = None, **options) -> Worker:
        """A worker over all workflows and activities of the suite; `options` win over its own."""
        options = {
            "workflows": workflows.ALL, "activities": activities.ALL, "activity_executor": self.threads,
            "max_heartbeat_throttle_interval": timedelta(milliseconds=200),
            "default_heartbeat_throttle_interval": timedelta(milliseconds=200),
            "graceful_shutdown_timeout": timedelta(seconds=2), **options,
        }
        return Worker(client or self.client, task_queue=task_queue, **options)


class Bench:
    """One scenario's hands: a client, names of its own, the shared queue."""

    def __init__(self, house: House, name: str):
        self.house = house
        self.client = house.client
        self.queue = house.queue
        self.namespace = house.client.namespace
        self._name = f"{re.sub(r'[^a-zA-Z0-9]+', '-', name)}-{house.mark}"
        self._serial = 0

    @property
    def service(self):
        return self.client.workflow_service

    def id(self, suffix: str = "") -> str:
        """A name nobody else uses: for workflow ids, queues, schedules."""
        self._serial += 1
        return "-".join(filter(None, [self._name, str(self._serial), suffix]))

    def named(self, options: dict) -> dict:
        return {"id": self.id(), "task_queue": self.queue, **options}

    async def start(self, workflow, *args, **options) -> WorkflowHandle:
        return await self.client.start_workflow(workflow, args=args, **self.named(options))

    async def execute(self, workflow, *args, **options) -> Any:
        return await (await self.start(workflow, *args, **options)).result()

    def worker(self, task_queue: str, **options) -> Worker:
        """For `async with`: polls until the block ends, then shuts down."""
        return self.house.worker(task_queue, **options)

    async def events(self, handle: WorkflowHandle) -> list:
        return list((await handle.fetch_history()).events)

    async def control(self, verb: str) -> str:
        """Asks the runner's control port; gives what its answer tells besides `ok`."""
        host, port = os.environ["CONFORMANCE_RESTART"].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{verb}\n".encode())
        answer, _, rest = (await reader.read()).decode().strip().partition(" ")
        writer.close()
        assert answer == "ok", f"the control port says: {answer} {rest}"
        return rest


def kinds(events) -> list[str]:
    """The names of the events, without the long prefix: what a history reads like."""
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").title().replace("_", "") for event in events]


def attributes(events, kind: str) -> list:
    """The attributes of all events of one kind, such as `activity_task_scheduled`."""
    name = f"{kind}_event_attributes"
    return [getattr(event, name) for event in events if event.HasField(name)]


async def until(ask: Callable[[], Awaitable[Any]], met: Callable[[Any], bool] = bool, every: float = 0.05) -> Any:
    """Asks until `met` holds of what `ask` tells: for what the server does in its own time. Ends by the scenario's clock."""
    while not met(told := await ask()):
        await asyncio.sleep(every)
    return told


async def refused(call: Awaitable[Any], kind: type[BaseException] = Exception) -> Any:
    """The error that `call` ends with; it is a failure of the scenario when it ends well, or with another kind."""
    try:
        value = await call
    except kind as error:
        return error
    raise AssertionError(f"expected a refusal, came {value!r}")


def same(told: Any, expected: Any) -> None:
    assert told == expected, f"expected {expected!r}, came {told!r}"
