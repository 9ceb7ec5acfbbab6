"""activity complete, fail, pause, unpause, reset, update-options."""
from bench import contains, family, same

scenario = family("activity")


def start_external(t, name="completesElsewhere", args=(), **options):
    """Starts a run whose activity `act` ends by these commands; its id once the activity is started."""
    options = {"activityId": "act", "startToCloseTimeout": "100s", **options}
    workflow_id = t.start("runs", name, list(args), options)
    pending(t, workflow_id, lambda activity: activity["state"].endswith("_STARTED"))
    return workflow_id


def pending(t, workflow_id, met):
    """The run's pending activity, once `met` holds for it."""
    told = t.until(lambda: (t.describe(workflow_id).get("pendingActivities") or [None])[0], lambda one: one and met(one))
    same(told["activityId"], "act")
    return told


@scenario("complete gives the result")
def _(t):
    workflow_id = start_external(t)
    t.ok("activity", "complete", "-w", workflow_id, "--activity-id", "act", "--result", '{"by": "hand"}')
    same(t.result(workflow_id), {"by": "hand"})
    contains(t.refused("activity", "complete", "-w", workflow_id, "--activity-id", "act", "--result", "1"),
             "workflow execution already completed")


@scenario("fail gives reason and details, not retried")
def _(t):
    workflow_id = start_external(t)
    t.ok("activity", "fail", "-w", workflow_id, "--activity-id", "act", "--reason", "by hand", "--detail", '{"d": 1}')
    told = t.result(workflow_id)
    same((told["message"], told["details"], told["nonRetryable"]), ("by hand", [{"d": 1}], True))


@scenario("an unknown activity is refused")
def _(t):
    workflow_id = start_external(t)
    words = ["-w", workflow_id, "--activity-id", "other"]
    contains(t.refused("activity", "complete", *words, "--result", "1"), "cannot find pending activity with ActivityID other")
    contains(t.refused("activity", "pause", *words), "Can't find pending activity with such ID")


@scenario("pause holds the next attempt back, unpause lets it go (A8 tier 2)")
def _(t):
    workflow_id = t.start("runs", "flaky", [1], {"activityId": "act", "startToCloseTimeout": "10s",
                                                 "retry": {"initialInterval": "3s", "backoffCoefficient": 1}})
    pending(t, workflow_id, lambda activity: activity.get("lastFailure"))
    t.ok("activity", "pause", "-w", workflow_id, "--activity-id", "act", "--identity", "me")
    told = pending(t, workflow_id, lambda activity: activity.get("paused"))
    same((told["state"], told["attempt"]), ("PENDING_ACTIVITY_STATE_PAUSED", 2))
    t.ok("activity", "unpause", "-w", workflow_id, "--activity-id", "act")
    same(t.result(workflow_id), 2)


@scenario("reset begins at the first attempt again (A8 tier 2)")
def _(t):
    workflow_id = t.start("runs", "flaky", [1], {"activityId": "act", "startToCloseTimeout": "10s",
                                                 "retry": {"initialInterval": "1h"}})
    pending(t, workflow_id, lambda activity: activity["attempt"] == 2)
    t.ok("activity", "reset", "-w", workflow_id, "--activity-id", "act")
    told = pending(t, workflow_id, lambda activity: activity["attempt"] == 2)  # it failed once more
    same(told["lastFailure"]["message"], "attempt 1")
    t.ok("activity", "reset", "-w", workflow_id, "--activity-id", "act", "--keep-paused", "--reset-heartbeats")


@scenario("update-options changes timeouts and retries, and tells all (A8 tier 2)")
def _(t):
    workflow_id = start_external(t)
    told = t.json("activity", "update-options", "-w", workflow_id, "--activity-id", "act", "--start-to-close-timeout", "90s",
                  "--retry-maximum-attempts", "5", "--heartbeat-timeout", "80s")
    same((told["StartToCloseTimeout"], told["HeartbeatTimeout"], told["MaximumAttempts"], told["TaskQueue"]),
         (90_000_000_000, 80_000_000_000, 5, t.queue))
    options = pending(t, workflow_id, lambda activity: True)["activityOptions"]
    same((options["startToCloseTimeout"], options["retryPolicy"]["maximumAttempts"]), ("90s", 5))
