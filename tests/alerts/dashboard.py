"""Every query of docs/grafana/dashboard.json, put to a Prometheus as Grafana would put it.

A query that finds nothing has a name or a label that nobody exports. None may: every series whose labels are known stands at 0, and the
rest comes with a region that is dead and an operator's word that is in force.
"""

import json
import math
import re
import sys
import urllib.error
import urllib.parse

from common import ROOT, until

# Grafana makes it four scrapes; here that would be a second, in which few things happen.
RATE = "10s"
LIMIT = 20


def panels(under):
    """All panels, also those that lie folded in a row."""
    for panel in under.get("panels", []):
        yield panel
        yield from panels(panel)


def queries(dashboard):
    """Title, query and legend of whatever Grafana would ask: panels, annotations, and what its variables may be."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"], target.get("legendFormat", "")
    for note in dashboard["annotations"]["list"]:
        if "expr" in note:
            yield note["name"], note["expr"], note["textFormat"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            yield f"the variable {variable['name']}", f"group by ({label}) ({metric})", f"{{{{{label}}}}}"


def rendered(query, variables):
    """The query with its variables, none of which may be left."""
    for name, value in (variables | {"__rate_interval": RATE}).items():
        query = re.sub(rf"\${{?{name}\b}}?", value, query)
    if "$" in query:
        sys.exit(f"FAILED: the dashboard has a variable that this test does not know: {query}")
    return query


def answer(ask, prometheus, query):
    """The series that the query finds and that have a number."""
    try:
        told = json.loads(ask(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"))
    except urllib.error.HTTPError as refused:
        sys.exit(f"FAILED: Prometheus refuses {query}: {refused.read().decode()}")
    return [series["metric"] for series in told["data"]["result"] if not math.isnan(float(series["value"][1]))]


def check(ask, prometheus, variables):
    """Every query finds something, with the labels that its legend names."""
    dashboard = json.loads((ROOT / "docs/grafana/dashboard.json").read_text())
    asked = list(queries(dashboard))
    for title, query, legend in asked:
        query = rendered(query, variables)
        found = until(f"{title}: something for {query}", LIMIT, lambda query=query: answer(ask, prometheus, query))
        # An empty label is none: some series may lack one, not all.
        missing = set(re.findall(r"{{(\w+)}}", legend)) - set.union(*(set(series) for series in found))
        if missing:
            sys.exit(f"FAILED: {title}: its legend names {missing}, which {query} does not give")
    print(f"  {len(asked)} queries of the dashboard found what they ask for")
