"""workflow update ..., start-update-with-start, execute-update-with-start."""
from bench import contains, family, same

scenario = family("update")


@scenario("execute tells the result; rejected and failed end with code 1 (C.8)")
def _(t):
    workflow_id = t.start("updatable", 5)
    words = ["workflow", "update", "execute", "-w", workflow_id]
    same(t.json(*words, "--name", "change", "-i", "3", "--update-id", "first"),
         {"name": "change", "updateId": "first", "result": 8})
    same(t.json(*words, "--name", "change", "-i", "3", "--update-id", "first")["result"], 8)  # the id is known
    same(t.json(*words, "--name", "viaActivity", "-i", '"text"')["result"], "text")
    contains(t.refused(*words, "--name", "change", "-i", "-3"), "not below zero (type: Negative, retryable: false)")
    contains(t.refused(*words, "--name", "throws"), "the handler failed")


@scenario("start, describe and result follow one through its stages (C.8)")
def _(t):
    workflow_id = t.start("updatable", 0)
    one = ["-w", workflow_id, "--update-id", "slow"]
    same(t.json("workflow", "update", "start", *one, "--name", "waits", "-i", '"a"', "--wait-for-stage", "accepted"),
         {"name": "waits", "updateId": "slow"})
    same(t.json("workflow", "update", "describe", *one), {"updateId": "slow", "stage": "Accepted"})
    t.ok("workflow", "signal", "-w", workflow_id, "--name", "release")
    same(t.json("workflow", "update", "result", *one), {"updateId": "slow", "result": "released a"})
    same(t.json("workflow", "update", "describe", *one), {"updateId": "slow", "result": "released a", "stage": "Completed"})
    contains(t.refused("workflow", "update", "describe", "-w", workflow_id, "--update-id", "none"), "not found")


@scenario("with start: starts the run, then meets the one that runs (C.9)")
def _(t):
    workflow_id = t.id()
    words = ["--type", "updatable", "-t", t.queue, "-w", workflow_id, "-i", "1", "--id-conflict-policy", "UseExisting",
             "--update-name", "change", "--update-input", "4"]
    first = t.json("workflow", "execute-update-with-start", *words, "--update-id", "one")
    same((first["updateId"], first["updateResult"]), ("one", 5))
    second = t.json("workflow", "start-update-with-start", *words, "--update-wait-for-stage", "accepted", "--update-id", "two")
    same((second["runId"], second["updateId"]), (first["runId"], "two"))
    same(t.json("workflow", "update", "result", "-w", workflow_id, "--update-id", "two")["result"], 9)
    contains(t.refused("workflow", "execute-update-with-start", *words[:-1], "-4"), "not below zero")
