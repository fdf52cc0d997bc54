"""What 033_monitoring.pl asks of the files in contrib/monitoring, by real parsers.

  monitoring.py faults FOLDER PAGE    each fault of the files and of docs/monitoring.md, a line each; nothing where all is well
  monitoring.py queries FOLDER        the queries as JSON: name, text, columns with their usage
  monitoring.py expressions FOLDER    a file of rules with every expression of the dashboard, for promtool
  monitoring.py scraped FOLDER        what standard input, a scrape, has not, or has with another type
  monitoring.py collectors FOLDER     writes lockstep_*.collector.yml, for sql_exporter, from postgres_exporter.yml
"""

import json
import pathlib
import re
import sys

import yaml

LABELS = {"datname", "ledger", "sqlstate", "severity", "kind"}
METRIC = re.compile(r"\blockstep_[a-z_]+\b")


def read(path):
    return yaml.safe_load(path.read_text())


def columns_of(query):
    """(column, usage, description) of each, in order."""
    for column in query["metrics"]:
        ((name, about),) = column.items()
        yield name, about["usage"], about["description"]


def metrics_of(queries):
    """The full name of each metric, and its type."""
    return {
        f"{name}_{column}": usage.lower()
        for name, query in queries.items()
        for column, usage, _ in columns_of(query)
        if usage != "LABEL"
    }


def headings(page):
    """The anchors of a page, as GitHub makes them."""
    return {
        re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in page.splitlines()
        if line.startswith("#")
    }


def panels_of(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions_of(dashboard):
    for panel in panels_of(dashboard):
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def faults_of_queries(queries):
    seen = set()
    for name, query in queries.items():
        if not re.fullmatch(r"lockstep(_[a-z]+)+", name) or set(query) - {"query", "metrics", "master"}:
            yield f"{name} is not a query of ours"
        labels = [column for column, usage, _ in columns_of(query) if usage == "LABEL"]
        if set(labels) - LABELS:
            yield f"{name} has a label that may have any number of values"
        for column, usage, description in columns_of(query):
            full = f"{name}_{column}"
            if full in seen:
                yield f"{full} is there twice"
            seen.add(full)
            if usage not in ("LABEL", "COUNTER", "GAUGE") or not description:
                yield f"{full} has no usage or no description"
            if (usage == "COUNTER") != column.endswith("_total"):
                yield f"{full}: counters, and they alone, end in _total"


def faults_of_alerts(alerts, page):
    for group in alerts["groups"]:
        for rule in group["rules"]:
            name = rule["alert"]
            if rule["labels"].get("severity") not in ("warning", "critical"):
                yield f"{name} is neither a warning nor critical"
            if {"summary", "description", "runbook"} - set(rule["annotations"]):
                yield f"{name} lacks an annotation"
            place, anchor = rule["annotations"]["runbook"].split("#")
            if place != "docs/monitoring.md" or anchor not in headings(page):
                yield f"{name} leads to no heading: {anchor}"
            if f"`{name}`" not in page:
                yield f"{name} is not on the page"
            # The view decides how bad it is; a number here would be a second threshold.
            if not re.search(r"severity=~?\"", rule["expr"]) or not rule["expr"].endswith("> 0"):
                yield f"{name} does not ask for a severity"


def faults_of_dashboard(dashboard):
    if not dashboard["uid"] or dashboard["schemaVersion"] < 36 or dashboard["id"] is not None:
        yield "the dashboard is not as Grafana 9 exports it"
    variables = {variable["name"]: variable["type"] for variable in dashboard["templating"]["list"]}
    if variables != {"datasource": "datasource", "instance": "query", "datname": "query"}:
        yield f"the dashboard has other variables: {variables}"
    ids, taken = set(), set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        if panel["id"] in ids or cells & taken or place["x"] + place["w"] > 24:
            yield f"panel {panel['title']} lies on another one, or has its id"
        ids.add(panel["id"])
        taken |= cells
    for panel in panels_of(dashboard):
        if not panel["fieldConfig"]["defaults"].get("unit") or not panel["description"]:
            yield f"panel {panel['title']} has no unit or no description"
        if panel["type"] not in ("timeseries", "stat"):
            yield f"panel {panel['title']} is of a type that not every Grafana has"
        for source in [panel, *panel["targets"]]:
            if source["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"panel {panel['title']} asks another data source"
    for title, expression in expressions_of(dashboard):
        unfiltered = re.sub(r"lockstep_[a-z_]+\{instance=~\"\$instance\"", "", expression)
        if METRIC.search(unfiltered):
            yield f"panel {title} does not go by the instance"


def faults(folder, page):
    queries = read(folder / "postgres_exporter.yml")
    alerts = read(folder / "alerts.yml")
    dashboard = json.loads((folder / "dashboard.json").read_text())
    defined = set(metrics_of(queries))
    shown = set(METRIC.findall("\n".join(expression for _, expression in expressions_of(dashboard))))
    asked = set(METRIC.findall(json.dumps([variable["query"] for variable in dashboard["templating"]["list"]])))
    alerted = set(METRIC.findall("\n".join(rule["expr"] for group in alerts["groups"] for rule in group["rules"])))
    yield from faults_of_queries(queries)
    yield from faults_of_alerts(alerts, page)
    yield from faults_of_dashboard(dashboard)
    for name in sorted((shown | asked | alerted) - defined):
        yield f"{name} is used and not defined"
    for name in sorted(defined - shown):
        yield f"{name} is in no panel"
    told = set(re.findall(r"^- `(lockstep_[a-z_]+)`", page, re.M))
    for name in sorted(told ^ defined):
        yield f"{name} is only on the page, or not on it"
    # Each alert is seen to fire, and to be silent.
    tests = [case for test in read(folder / "alerts_test.yml")["tests"] for case in test["alert_rule_test"]]
    for rule in (rule for group in alerts["groups"] for rule in group["rules"]):
        outcomes = {bool(case["exp_alerts"]) for case in tests if case["alertname"] == rule["alert"]}
        if outcomes != {True, False}:
            yield f"{rule['alert']} is not tried both ways in alerts_test.yml"
    for name, text in collectors(queries).items():
        if not (folder / name).exists() or (folder / name).read_text() != text:
            yield f"{name} is not what monitoring.py collectors writes"


class Text(str):
    """A text that YAML shows as a block."""


class Dumper(yaml.SafeDumper):
    """Writes a list again rather than a reference to it."""

    def ignore_aliases(self, data):
        return True


Dumper.add_representer(Text, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|"))


def collectors(queries):
    """The same queries and metrics for sql_exporter: those of the server, and those of a database."""
    files = {}
    for scope in ("server", "database"):
        chosen = {name: query for name, query in queries.items() if query.get("master", False) == (scope == "server")}
        metrics = []
        for name, query in chosen.items():
            labels = [column for column, usage, _ in columns_of(query) if usage == "LABEL"]
            for column, usage, description in columns_of(query):
                if usage != "LABEL":
                    metrics.append({"metric_name": f"{name}_{column}", "type": usage.lower(), "help": description}
                                   | ({"key_labels": labels} if labels else {}) | {"values": [column], "query_ref": name})
        document = {
            "collector_name": f"lockstep_{scope}",
            "metrics": metrics,
            "queries": [{"query_name": name, "query": Text(query["query"])} for name, query in chosen.items()],
        }
        files[f"lockstep_{scope}.collector.yml"] = (
            f"# Lockstep's metrics of a {scope}, for sql_exporter: written from postgres_exporter.yml, where to change them.\n"
            + yaml.dump(document, Dumper=Dumper, sort_keys=False, width=120)
        )
    return files


def expressions(folder):
    """Every expression of the dashboard as a rule, with the variables as Grafana fills them."""
    rules = []
    dashboard = json.loads((folder / "dashboard.json").read_text())
    for number, (_, expression) in enumerate(expressions_of(dashboard)):
        for variable, value in (("$__rate_interval", "1m"), ("$instance", ".*"), ("$datname", ".*")):
            expression = expression.replace(variable, value)
        rules.append({"record": f"panel:expression:{number}", "expr": expression})
    return yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, sort_keys=False)


def scraped(folder, text):
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    for name, kind in metrics_of(read(folder / "postgres_exporter.yml")).items():
        if types.get(name) != kind:
            yield f"{name} is {types.get(name, 'not there')}"
    for line in text.splitlines():
        if line.startswith("lockstep_") and not re.fullmatch(r"\S+(\{.*\})? -?[0-9][0-9.e+-]*", line):
            yield f"no number: {line}"


def main():
    command, folder, *more = sys.argv[1:]
    folder = pathlib.Path(folder)
    if command == "faults":
        print(*faults(folder, pathlib.Path(more[0]).read_text()), sep="\n", end="")
    elif command == "queries":
        queries = read(folder / "postgres_exporter.yml")
        print(json.dumps([
            {"name": name, "query": query["query"], "columns": [list(column[:2]) for column in columns_of(query)]}
            for name, query in queries.items()
        ]))
    elif command == "expressions":
        print(expressions(folder), end="")
    elif command == "scraped":
        print(*scraped(folder, sys.stdin.read()), sep="\n", end="")
    elif command == "collectors":
        for name, text in collectors(read(folder / "postgres_exporter.yml")).items():
            (folder / name).write_text(text)
    else:
        sys.exit(__doc__)


main()
