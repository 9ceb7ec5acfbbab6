"""The report: every scenario with what each server made of it, and what that means for the run's end."""
import json
import os

KINDS = ("ours", "real")


def verdict(kind, row):
    """passed, failed, skipped, or oracle: a scenario the real server cannot pass, by a rule of the contract."""
    if kind == "real" and row["oracle"]:
        return "oracle"
    return row["status"]


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
        counts = {kind: {"passed": 0, "failed": 0, "skipped": 0, "oracle": 0, "not run": 0} for kind in KINDS}
        for line in table:
            for kind in KINDS:
                counts[kind][line[kind]] += 1
        with open(os.path.join(self.folder, "report.json"), "w", encoding="utf-8") as file:
            json.dump({"counts": counts, "scenarios": table}, file, indent=1)
        with open(os.path.join(self.folder, "report.txt"), "w", encoding="utf-8") as file:
            width = max([len(line["suite"]) + len(line["scenario"]) + 1 for line in table], default=8)
            file.write(f"{'scenario':<{width}}  {'ours':<8} {'real':<8} reason\n")
            for line in table:
                why = " | ".join(filter(None, [line["oracle"] and f"oracle: {line['oracle']}", line["reason"]]))
                name = f"{line['suite']}/{line['scenario']}"
                file.write(f"{name:<{width}}  {line['ours']:<8} {line['real']:<8} {why}".rstrip() + "\n")
            file.write("\n" + summary(counts) + "\n")
        return counts


def summary(counts):
    return "\n".join(f"{kind}: " + ", ".join(f"{number} {what}" for what, number in counts[kind].items() if number)
                     for kind in KINDS if sum(counts[kind].values()) > counts[kind]["not run"])
