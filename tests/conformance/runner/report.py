"""The report: every scenario with what each server made of it, and what that means for the run's end."""
import json
import os

KINDS = ("ours", "real")


VERDICTS = ("passed", "passed again", "failed", "gap", "skipped", "oracle", "not run")


def read_gaps(path):
    """What our server is known not to do yet: one `suite/scenario` a line; # begins a remark."""
    with open(path, encoding="utf-8") as file:
        return {line.strip() for line in file if line.strip() and not line.startswith("#")}


GAPS = read_gaps(os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "gaps.txt"))


def verdict(kind, row):
    """One of VERDICTS. oracle: the real server cannot pass it, by a rule of the contract. gap: ours fails it and gaps.txt
    says so. passed again: it failed among the others and passed alone."""
    if kind == "real" and row["oracle"]:
        return "oracle"
    if kind == "ours" and row["status"] == "failed" and f"{row['suite']}/{row['name']}" in GAPS:
        return "gap"
    return "passed again" if row["status"] == "passed" and row.get("again") else row["status"]


def closed_gaps(rows):
    return [name for name in (f"{row['suite']}/{row['name']}" for row in rows if row["status"] == "passed") if name in GAPS]


class Report:
    """Results by server and suite, kept in `folder` between runs, so that two runs make one table."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def _path(self, kind, suite):
        return os.path.join(self.folder, f"{kind}-{suite}.json")

    def keep(self, kind, suite, rows, whole):
        """`whole`: all scenarios ran, so the rows replace what was kept; else they replace the rows of the same names."""
        known = {} if whole else {row["name"]: row for row in self.rows(kind, suite)}
        for row in rows:
            known[row["name"]] = row
        with open(self._path(kind, suite), "w", encoding="utf-8") as file:
            json.dump(list(known.values()), file, indent=1)

    def rows(self, kind, suite):
        try:
            with open(self._path(kind, suite), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return []

    def table(self, suites):
        """One dict a scenario: suite, name, ours, real, reason, ms by server."""
        lines = {}
        for suite in suites:
            for kind in KINDS:
                for row in self.rows(kind, suite):
                    line = lines.setdefault((suite, row["name"]), {"suite": suite, "scenario": row["name"], "ours": "not run",
                                                                   "real": "not run", "reason": "", "oracle": "", "ms": {}})
                    line[kind] = verdict(kind, row)
                    line["ms"][kind] = row["ms"]
                    line["oracle"] = line["oracle"] or row["oracle"]
                    if row["status"] != "passed" and row["reason"]:
                        line["reason"] = "; ".join(filter(None, [line["reason"], f"{kind}: {row['reason']}"]))
        return list(lines.values())

    def write(self, suites):
        """Writes report.json and report.txt; returns the counts by server."""
        table = self.table(suites)
        counts = {kind: dict.fromkeys(VERDICTS, 0) for kind in KINDS}
        for line in table:
            for kind in KINDS:
                counts[kind][line[kind]] += 1
        with open(os.path.join(self.folder, "report.json"), "w", encoding="utf-8") as file:
            json.dump({"counts": counts, "scenarios": table}, file, indent=1)
        with open(os.path.join(self.folder, "report.txt"), "w", encoding="utf-8") as file:
            width = max([len(line["suite"]) + len(line["scenario"]) + 1 for line in table], default=8)
            file.write(f"{'scenario':<{width}}  {'ours':<12} {'real':<12} reason\n")
            for line in table:
                why = " | ".join(filter(None, [line["oracle"] and f"oracle: {line['oracle']}", line["reason"]]))
                name = f"{line['suite']}/{line['scenario']}"
                file.write(f"{name:<{width}}  {line['ours']:<12} {line['real']:<12} {why}".rstrip() + "\n")
            file.write("\n" + summary(counts) + "\n")
        return counts


def summary(counts):
    return "\n".join(f"{kind}: " + ", ".join(f"{number} {what}" for what, number in counts[kind].items() if number)
                     for kind in KINDS if sum(counts[kind].values()) > counts[kind]["not run"])
