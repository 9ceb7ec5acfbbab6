"""schedule create, describe, list, toggle, trigger, update, backfill, delete."""
from bench import contains, expect, family, same

scenario = family("schedule")


def create(t, *words):
    schedule_id = t.id("schedule")
    t.ok("schedule", "create", "-s", schedule_id, "--type", "returns", "-t", t.queue, "-i", "5", *words)
    return schedule_id


def describe(t, schedule_id):
    return t.json("schedule", "describe", "-s", schedule_id)


def actions(t, schedule_id, count):
    """The recent actions, once there are `count`."""
    return t.until(lambda: describe(t, schedule_id)["info"].get("recentActions") or [], lambda told: len(told) == count)


@scenario("is created and described: spec, action, policies, state, memo (C.15)")
def _(t):
    schedule_id = create(t, "-w", "by-schedule", "--interval", "1h/5m", "--memo", 'a="b"', "--schedule-memo", 'k="v"', "--notes",
                         "the notes", "--overlap-policy", "BufferOne", "--catchup-window", "1h", "--paused",
                         "--remaining-actions", "3", "--run-timeout", "60s")
    told = describe(t, schedule_id)
    schedule, info = told["schedule"], told["info"]
    same(schedule["spec"]["interval"], [{"interval": "3600s", "phase": "300s"}])
    start = schedule["action"]["startWorkflow"]
    same((start["workflowId"], start["workflowType"]["name"], start["taskQueue"]["name"], start["workflowRunTimeout"]),
         ("by-schedule", "returns", t.queue, "60s"))
    same(schedule["policies"], {"overlapPolicy": "SCHEDULE_OVERLAP_POLICY_BUFFER_ONE", "catchupWindow": "3600s"})
    same(schedule["state"], {"notes": "the notes", "paused": True, "limitedActions": True, "remainingActions": "3"})
    same((len(info["futureActionTimes"]), set(told["memo"]["fields"])), (3, {"k"}))
    expect(all(":05:00Z" in time for time in info["futureActionTimes"]), f"times at five past in {info['futureActionTimes']}")
    contains(t.ok("schedule", "describe", "-s", schedule_id), schedule_id, "the notes", "BufferOne")


@scenario("cron and calendar come back as calendars (C.15)")
def _(t):
    by_cron = describe(t, create(t, "--cron", "30 12 * * Fri"))["schedule"]["spec"]["structuredCalendar"][0]
    by_calendar = describe(t, create(t, "--calendar", '{"dayOfWeek":"Fri","hour":"12","minute":"30"}'))
    same(by_calendar["schedule"]["spec"]["structuredCalendar"][0], by_cron)
    same(by_cron["hour"], [{"start": 12, "end": 12, "step": 1}])
    same(by_cron["dayOfWeek"], [{"start": 5, "end": 5, "step": 1}])


@scenario("is listed, and counted as running")
def _(t):
    schedule_id = create(t, "--interval", "1h", "--notes", "listed", "--schedule-search-attribute", 'CustomKeywordField="listed"')
    rows = t.until(lambda: [row for row in t.json("schedule", "list") if row["scheduleId"] == schedule_id], bool)
    same((rows[0]["info"]["workflowType"]["name"], rows[0]["info"]["notes"]), ("returns", "listed"))
    same(len(rows[0]["info"]["futureActionTimes"]), 5)
    running = 'TemporalNamespaceDivision="TemporalScheduler" AND ExecutionStatus="Running"'
    t.until(lambda: t.json("workflow", "count", "-q", running), lambda told: int(told.get("count", 0)) >= 1)  # as the Web UI asks
    contains(t.ok("schedule", "list", "--long"), schedule_id, "listed")


@scenario("trigger starts a run now, with the time in its id (C.15)")
def _(t):
    schedule_id = create(t, "--interval", "1h", "-w", (workflow_id := t.id("run")), "--paused")
    t.ok("schedule", "trigger", "-s", schedule_id)
    started = actions(t, schedule_id, 1)[0]["startWorkflowResult"]["workflowId"]
    expect(started.startswith(f"{workflow_id}-20") and started.endswith("Z"), f"a time in {started}")
    same(t.result(started), 5)


@scenario("toggle pauses and unpauses with a note")
def _(t):
    schedule_id = create(t, "--interval", "1h")
    t.ok("schedule", "toggle", "-s", schedule_id, "--pause", "--reason", "lunch")
    same(t.until(lambda: describe(t, schedule_id)["schedule"]["state"], lambda state: state.get("paused")),
         {"notes": "lunch", "paused": True})
    t.ok("schedule", "toggle", "-s", schedule_id, "--unpause", "--reason", "back")
    same(t.until(lambda: describe(t, schedule_id)["schedule"]["state"], lambda state: not state.get("paused")), {"notes": "back"})


@scenario("update replaces spec and action")
def _(t):
    schedule_id = create(t, "--interval", "1h")
    t.ok("schedule", "update", "-s", schedule_id, "--calendar", '{"hour":"12"}', "--type", "oneStep", "-t", t.queue, "-i", '"x"')
    told = t.until(lambda: describe(t, schedule_id), lambda told: "structuredCalendar" in told["schedule"]["spec"])
    same((told["schedule"]["action"]["startWorkflow"]["workflowType"]["name"], "interval" in told["schedule"]["spec"]),
         ("oneStep", False))


@scenario("backfill starts the runs of past times (C.15)")
def _(t):
    schedule_id = create(t, "--calendar", '{"hour":"12"}', "-w", (workflow_id := t.id("run")))
    t.ok("schedule", "backfill", "-s", schedule_id, "--start-time", "2022-05-01T00:00:00Z", "--end-time", "2022-05-03T00:00:00Z",
         "--overlap-policy", "AllowAll")
    told = actions(t, schedule_id, 2)
    same([action["startWorkflowResult"]["workflowId"] for action in told],
         [f"{workflow_id}-2022-05-0{day}T12:00:00Z" for day in (1, 2)])
    same(t.result(f"{workflow_id}-2022-05-02T12:00:00Z"), 5)


@scenario("a deleted one, an unknown one, a second of its id and bad specs are refused (C.15)")
def _(t):
    schedule_id = create(t, "--interval", "1h")
    words = ["schedule", "create", "--type", "returns", "-t", t.queue]
    contains(t.refused(*words, "-s", schedule_id, "--interval", "1h"), "schedule with this ID is already registered")
    contains(t.refused(*words, "-s", t.id(), "--cron", "x"), "Invalid schedule spec: CronString does not have 5-7 fields")
    contains(t.refused(*words, "-s", t.id(), "--cron", "0 0 * * *", "--time-zone", "Mars/X"), "unknown time zone Mars/X")
    t.ok("schedule", "delete", "-s", schedule_id)
    t.until(lambda: t.command("schedule", "describe", "-s", schedule_id)[0], lambda code: code == 1)
    contains(t.refused("schedule", "describe", "-s", schedule_id), "schedule not found")
    contains(t.refused("schedule", "describe", "-s", "no-such-schedule"), "not found")
    t.until(lambda: [row["scheduleId"] for row in t.json("schedule", "list")], lambda ids: schedule_id not in ids)
