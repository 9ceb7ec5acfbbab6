"""operator cluster, namespace, search-attribute; task-queue; worker."""
from bench import contains, expect, family, same

scenario = family("operator")
queue_scenario = family("task-queue")
CAPABILITIES = {"signalAndQueryHeader", "internalErrorDifferentiation", "encodedFailureAttributes", "upsertMemo", "sdkMetadata",
                "supportsSchedules", "countGroupByExecutionStatus", "activityFailureIncludeHeartbeat"}


@scenario("cluster health, system, describe and list (A1, A3)")
def _(t):
    same(t.json("operator", "cluster", "health"), {"status": "SERVING"})
    system = t.json("operator", "cluster", "system")
    same(system["serverVersion"], "1.29.1")
    same(CAPABILITIES - set(system["capabilities"]), set(), "missing capabilities")
    cluster = t.json("operator", "cluster", "describe")
    same((cluster["clusterName"], cluster["historyShardCount"]), ("active", 1))
    expect("temporal-cli" in cluster["supportedClients"] and cluster["persistenceStore"], f"clients and stores in {cluster}")
    rows = t.json("operator", "cluster", "list")
    same([(row["clusterName"], row["isConnectionEnabled"]) for row in rows], [("active", True)])


@scenario("a namespace is created, described, updated, listed, used and deleted (C.16)")
def _(t):
    name = t.id("space")
    t.ok("operator", "namespace", "create", "-n", name, "--retention", "48h", "--description", "ours", "--email", "a@example.com",
         "--data", "k=v")
    told = t.until(lambda: t.command("operator", "namespace", "describe", "-n", name)[0], lambda code: code == 0)
    told = t.json("operator", "namespace", "describe", "-n", name)
    info = told["namespaceInfo"]
    same((info["state"], info["description"], info["ownerEmail"], info["data"], told["config"]["workflowExecutionRetentionTtl"]),
         ("NAMESPACE_STATE_REGISTERED", "ours", "a@example.com", {"k": "v"}, "172800s"))
    expect(info.get("supportsSchedules") and info["capabilities"].get("asyncUpdate"), f"what it can do in {info}")
    told = t.json("operator", "namespace", "update", "-n", name, "--retention", "72h", "--data", "k2=w")
    same((told["config"]["workflowExecutionRetentionTtl"], told["namespaceInfo"]["data"]), ("259200s", {"k": "v", "k2": "w"}))
    expect({name, "default"} <= {row["namespaceInfo"]["name"] for row in t.json("operator", "namespace", "list")}, "its row")
    # The real server's caches learn of a namespace within a second or two.
    start = ["workflow", "start", "--type", "idle", "-t", "nobody", "-w", "one", "-n", name]
    t.until(lambda: t.command(*start)[0], lambda code: code == 0)
    t.until(lambda: t.json("workflow", "count", "-n", name), lambda told: told.get("count") == "1")
    expect("one" not in t.listed('WorkflowId="one"'), "that the default namespace knows nothing of it")
    same(t.json("operator", "namespace", "delete", "-n", name, "--yes")["deletedNamespace"], f"{name}-deleted-{info['id'][:5]}")
    t.until(lambda: t.command("operator", "namespace", "describe", "-n", name)[0], lambda code: code == 1)


@scenario("a namespace twice, one unknown, one of the system's and a bad retention are refused (C.16)")
def _(t):
    contains(t.refused("operator", "namespace", "create", "-n", "default"), 'Namespace \\"default\\" already exists')
    contains(t.refused("operator", "namespace", "describe", "-n", "nowhere"), "Namespace nowhere is not found.")
    contains(t.refused("operator", "namespace", "update", "-n", "nowhere", "--description", "x"), "Namespace nowhere is not found.")
    contains(t.refused("operator", "namespace", "delete", "-n", "temporal-system", "--yes"), "unable to delete system namespace")
    contains(t.refused("operator", "namespace", "create", "-n", t.id(), "--retention", "59m"), "A valid retention period is not set")


@scenario("a search attribute is created, used, listed and removed (C.13)")
def _(t):
    name = "Cli" + t.house.mark
    t.ok("operator", "search-attribute", "create", "--name", name, "--type", "Keyword")
    custom = t.until(lambda: t.json("operator", "search-attribute", "list")["customAttributes"], lambda told: name in told)
    same(custom[name], "INDEXED_VALUE_TYPE_KEYWORD")
    start = ["workflow", "start", "--type", "idle", "-t", "nobody", "-w", (workflow_id := t.id()), "--search-attribute", f'{name}="x"']
    t.until(lambda: t.command(*start)[0], lambda code: code == 0)  # caches again
    t.wait_listed(f'{name}="x"', [workflow_id])
    t.ok("operator", "search-attribute", "remove", "--name", name, "--yes")
    t.until(lambda: t.json("operator", "search-attribute", "list")["customAttributes"], lambda told: name not in told)
    contains(t.ok("operator", "search-attribute", "list"), "CustomKeywordField", "ExecutionStatus")


@scenario("what is not enabled here is empty or refused (A8 tier 3)")
def _(t):
    same(t.json("operator", "nexus", "endpoint", "list"), [])
    same(t.json("worker", "deployment", "list"), [])
    t.refused("operator", "cluster", "upsert", "--frontend-address", "127.0.0.1:1")


@queue_scenario("describe tells pollers and backlog (A8 tier 1)")
def _(t):
    told = t.until(lambda: t.json("task-queue", "describe", "-t", t.queue),
                   lambda told: {one["taskQueueType"] for one in told.get("pollers") or []} == {"workflow", "activity"})
    same({row["taskQueueType"] for row in told["stats"]}, {"workflow", "activity"})
    contains(t.ok("task-queue", "describe", "-t", t.queue), "UNVERSIONED", "workflow", "activity", "ApproximateBacklogCount")
    queue = t.id("nobody")
    t.json("workflow", "start", "--type", "idle", "-t", queue, "-w", t.id())
    t.until(lambda: [row["approximateBacklogCount"] for row in t.json("task-queue", "describe", "-t", queue)["stats"]
                     if row["taskQueueType"] == "workflow"], lambda counts: counts == [1])
    expect(t.json("task-queue", "describe", "-t", t.queue, "--legacy-mode")["pollers"], "pollers in the old form")
    same(t.json("task-queue", "describe", "-t", t.queue, "--report-reachability")["reachability"],
         [{"buildId": "UNVERSIONED", "reachability": "reachable"}])


@queue_scenario("list-partition names the queue (A8 tier 2)")
def _(t):
    told = t.json("task-queue", "list-partition", "-t", t.queue)
    same((told["activityTaskQueuePartitions"][0]["key"], told["workflowTaskQueuePartitions"][0]["key"]), (t.queue, t.queue))


@queue_scenario("config is set, got and unset (A8 tier 2)")
def _(t):
    words = ["-t", t.id("limited"), "--task-queue-type", "activity"]
    t.ok("task-queue", "config", "set", *words, "--queue-rps-limit", "10", "--queue-rps-limit-reason", "slow down")
    limit = t.json("task-queue", "config", "get", *words)["queueRateLimit"]
    same((limit["rateLimit"]["requestsPerSecond"], limit["metadata"]["reason"]), (10, "slow down"))
    t.ok("task-queue", "config", "set", *words, "--queue-rps-limit", "default")
    same(set(t.json("task-queue", "config", "get", *words)["queueRateLimit"]), {"metadata"})


@queue_scenario("build ids of the old kinds are refused in the server's words (A8 tier 2)")
def _(t):
    contains(t.refused("task-queue", "get-build-ids", "-t", t.queue), "Worker versioning v0.1")
    contains(t.refused("task-queue", "get-build-id-reachability", "-t", t.queue, "--build-id", "x"), "Worker versioning v0.2")
