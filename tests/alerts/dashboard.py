"""Sends every query of docs/grafana/dashboard.json to Prometheus, as Grafana would.

A query without a result uses a metric or a label that is not exported. Series whose labels are
known are exported from the start with 0. The other series need a region that fails and an override
in force, which the test provides.
"""

import json
import math
import re
import sys
import urllib.error
import urllib.parse

from common import ROOT, until

# Grafana's __rate_interval is four scrapes, here 1 s: too short for the rare events to appear.
RATE = "10s"
LIMIT = 20


def panels(under):
    """All panels, including those of collapsed rows."""
    for panel in under.get("panels", []):
        yield panel
        yield from panels(panel)


def queries(dashboard):
    """Title, query and legend of all queries: panels, annotations, variables."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"], target.get("legendFormat", "")
    for note in dashboard["annotations"]["list"]:
        if "expr" in note:
            yield note["name"], note["expr"], note["textFormat"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            query = variable["query"]["query"]
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
            name = f"variable {variable['name']}"
            yield name, f"group by ({label}) ({metric})", f"{{{{{label}}}}}"


def rendered(query, variables):
    """The query with all variables replaced."""
    for name, value in (variables | {"__rate_interval": RATE}).items():
        query = re.sub(rf"\${{?{name}\b}}?", value, query)
    if "$" in query:
        sys.exit(f"FAILED: the dashboard has a variable that this test does not set: {query}")
    return query


def result(ask, prometheus, query):
    """The series of the query's result whose value is a number."""
    try:
        url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        response = json.loads(ask(url))
    except urllib.error.HTTPError as error:
        sys.exit(f"FAILED: Prometheus rejects {query}: {error.read().decode()}")
    series = response["data"]["result"]
    return [each["metric"] for each in series if not math.isnan(float(each["value"][1]))]


def check(ask, prometheus, variables):
    """Every query has a result with the labels that its legend names."""
    dashboard = json.loads((ROOT / "docs/grafana/dashboard.json").read_text())
    expected = list(queries(dashboard))
    for title, query, legend in expected:
        query = rendered(query, variables)
        what = f"{title}: a result for {query}"
        found = until(what, LIMIT, lambda query=query: result(ask, prometheus, query))
        # Prometheus drops empty labels, so one series may lack a label; all of them may not.
        missing = set(re.findall(r"{{(\w+)}}", legend)) - set.union(*(set(each) for each in found))
        if missing:
            sys.exit(f"FAILED: {title}: its legend names {missing}, which {query} does not return")
    print(f"  {len(expected)} queries of the dashboard have a result")
