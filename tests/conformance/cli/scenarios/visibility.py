"""workflow list and count."""
from bench import contains, family, same

scenario = family("list")


@scenario("finds runs by id, type, status, attributes and their prefixes (C.13)")
def _(t):
    mark = t.id("mark")
    ids = [t.start_idle(["--search-attribute", f'CustomKeywordField="{mark}"', "--search-attribute", f"CustomIntField={number}"])
           for number in range(3)]
    mine = f'CustomKeywordField="{mark}"'
    t.wait_listed(mine, ids)
    same(t.listed(f"{mine} AND CustomIntField > 0"), set(ids[1:]))
    same(t.listed(f'CustomKeywordField STARTS_WITH "{mark[:-2]}" AND CustomIntField BETWEEN 0 AND 1'), set(ids[:2]))
    same(t.listed(f'WorkflowId="{ids[1]}" AND WorkflowType="idle" AND ExecutionStatus="Running"'), {ids[1]})
    same(len(t.listed(mine, limit=2)), 2)
    contains(t.ok("workflow", "list", "-q", f'WorkflowId="{ids[0]}"'), "Running", ids[0], "idle")


@scenario("counts, also by status (C.13)")
def _(t):
    mark = t.id("mark")
    for _ in range(2):
        t.start_idle(["--search-attribute", f'CustomKeywordField="{mark}"'])
    mine = f'CustomKeywordField="{mark}"'
    closed = t.start("returns", 1, options=["--search-attribute", f'CustomKeywordField="{mark}"'])
    same(t.result(closed), 1)
    count = t.until(lambda: t.json("workflow", "count", "-q", f"{mine} AND ExecutionStatus='Completed'"),
                    lambda told: told.get("count") == "1")
    same(count, {"count": "1"})
    groups = t.until(lambda: t.json("workflow", "count", "-q", f"{mine} GROUP BY ExecutionStatus"),
                     lambda told: told.get("count") == "3")["groups"]
    same({group["groupValues"][0]: group["count"] for group in groups}, {"Running": "2", "Completed": "1"})
    contains(t.ok("workflow", "count", "-q", mine), "Total: 3")


@scenario("a bad query is refused (C.13)")
def _(t):
    contains(t.refused("workflow", "list", "-q", 'Nope="x"'), "column name 'Nope' is not a valid search attribute")
    contains(t.refused("workflow", "list", "-q", "a b c"), "invalid query: malformed SQL query: syntax error at position")
    contains(t.refused("workflow", "count", "-q", "GROUP BY WorkflowType, RunId"), "invalid query")
    contains(t.refused("workflow", "list", "--archived"), "Cluster is not configured for visibility archival.")
