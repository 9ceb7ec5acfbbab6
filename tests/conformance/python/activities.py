"""Activities of the scenarios, on the event loop and on threads. They run in the scenarios' process: see `seen`."""
import asyncio
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Sequence

from temporalio import activity
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, CancelledError


@dataclass
class Seen:
    begins: int = 0
    token: bytes = b""
    activity_id: str = ""
    thread: str = ""
    cancelled: str = ""  # the reasons, joined
    times: list[float] = field(default_factory=list)


seen: dict[str, Seen] = {}  # by workflow id


def note() -> Seen:
    info = activity.info()
    entry = seen.setdefault(info.workflow_id, Seen())
    entry.begins += 1
    entry.token, entry.activity_id = info.task_token, info.activity_id
    entry.thread = threading.current_thread().name
    entry.times.append(time.monotonic())
    return entry


def reasons() -> str:
    """Why this activity is cancelled, as the SDK tells it."""
    details = activity.cancellation_details()
    return "" if details is None else " ".join(name for name, value in vars(details).items() if value)


@activity.defn
async def echo(value: Any) -> Any:
    return value


@activity.defn
def echo_on_thread(value: Any) -> Any:
    note()
    return value


@activity.defn
async def flaky(failures: int) -> int:
    """Fails until the attempt after `failures`; tells the attempt that got through."""
    attempt = activity.info().attempt
    if attempt <= failures:
        raise RuntimeError(f"attempt {attempt}")
    return attempt


@activity.defn
async def resumes() -> Any:
    """Its first attempt heartbeats and asks for a late second one, which tells the details it was given."""
    if activity.info().attempt > 1:
        return list(activity.info().heartbeat_details)
    activity.heartbeat({"page": 7}, "more")
    raise ApplicationError("after the heartbeat", next_retry_delay=timedelta(milliseconds=700))


@activity.defn
async def fails_in_depth(message: str, non_retryable: bool) -> None:
    try:
        try:
            raise ValueError("the root")
        except ValueError as error:
            raise ApplicationError("the middle", "inner detail", type="Middle") from error
    except ApplicationError as error:
        raise ApplicationError(message, "detail", {"answer": 42}, type="Outer", non_retryable=non_retryable) from error


@activity.defn
async def until_cancelled(seconds: float) -> str:
    """Heartbeats till it is cancelled, and ends as cancelled then."""
    entry = note()
    try:
        for _ in range(int(seconds * 20)):
            activity.heartbeat()
            await asyncio.sleep(0.05)
        return "not cancelled"
    except asyncio.CancelledError:
        entry.cancelled = reasons()
        raise


@activity.defn
def until_cancelled_on_thread(seconds: float) -> str:
    """The same on a thread, into which the SDK throws."""
    entry = note()
    try:
        for _ in range(int(seconds * 20)):
            activity.heartbeat()
            time.sleep(0.05)
        return "not cancelled"
    except CancelledError:
        entry.cancelled = reasons()
        raise


@activity.defn
async def tells_why(seconds: float) -> str:
    """Heartbeats till it is cancelled in its first attempt, and completes with the reasons."""
    entry = note()
    if entry.begins > 1:
        return entry.cancelled
    try:
        for _ in range(int(seconds * 20)):
            activity.heartbeat()
            await asyncio.sleep(0.05)
        return "not cancelled"
    except asyncio.CancelledError:
        entry.cancelled = reasons()
        return entry.cancelled


@activity.defn
async def keeps_still(seconds: float) -> str:
    """Heartbeats once, then not any more."""
    entry = note()
    activity.heartbeat("alive")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        entry.cancelled = reasons()
        raise
    return "done"


@activity.defn
async def until_shutdown() -> str:
    """Waits till its worker shuts down, and uses the grace it is given."""
    note()
    await activity.wait_for_worker_shutdown()
    await asyncio.sleep(0.3)
    return "in time"


@activity.defn
async def completes_elsewhere(_: Any = None) -> str:
    note()
    activity.raise_complete_async()


@activity.defn
async def pause(seconds: float) -> int:
    note()
    await asyncio.sleep(seconds)
    return activity.info().attempt


@activity.defn(dynamic=True)
async def any_activity(args: Sequence[RawValue]) -> str:
    values = [activity.payload_converter().from_payload(arg.payload) for arg in args]
    return f"{activity.info().activity_type}{values}"


ALL = [
    echo, echo_on_thread, flaky, resumes, fails_in_depth, until_cancelled, until_cancelled_on_thread, tells_why, keeps_still,
    until_shutdown, completes_elsewhere, pause, any_activity,
]
