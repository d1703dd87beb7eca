# SPDX-License-Identifier: Apache-2.0
"""What only kubectl asks for: tables, OpenAPI, the scale subresource, bodies in YAML."""
import calendar
import json
import time

import errors
import protobuf
from kinds import KINDS, group_versions

PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")


def decode(request):
    """The object in a body."""
    if request.body.startswith(protobuf.MAGIC):
        return protobuf.decode(request.body)
    try:
        return json.loads(request.body)
    except ValueError:
        if request.header("content-type").startswith(("application/yaml", "application/apply-patch+yaml")):
            return decode_yaml(request.body)
        raise errors.bad_request("the object provided is unrecognized (must be of type Status): couldn't get "
                                 "version/kind; json parse error") from None


def decode_yaml(body):
    try:
        import yaml
    except ImportError:
        raise errors.ApiError(415, "UnsupportedMediaType", "YAML needs python3-yaml", {}) from None
    return yaml.safe_load(body)


# tables

def age(obj):
    seconds = int(time.time()) - calendar.timegm(time.strptime(obj["metadata"]["creationTimestamp"],
                                                               "%Y-%m-%dT%H:%M:%SZ"))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{max(0, seconds)}s"


def pod_cells(pod):
    statuses = pod.get("status", {}).get("containerStatuses", [])
    reason = pod.get("status", {}).get("reason") or pod.get("status", {}).get("phase")
    for status in statuses:
        for kind in ("waiting", "terminated"):
            reason = status["state"].get(kind, {}).get("reason") or reason
    if pod["metadata"].get("deletionTimestamp"):
        reason = "Terminating"
    return [f"{sum(s['ready'] for s in statuses)}/{len(pod['spec']['containers'])}", reason,
            str(sum(s["restartCount"] for s in statuses)), age(pod)]


def deployment_cells(obj):
    status = obj.get("status") or {}
    return [f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 1)}", status.get("updatedReplicas", 0),
            status.get("availableReplicas", 0), age(obj)]


def job_cells(obj):
    status = obj.get("status") or {}
    state = next((c["type"] for c in reversed(status.get("conditions", []))), "Running")
    return [state, f"{status.get('succeeded', 0)}/{obj['spec'].get('completions', 1)}", "", age(obj)]


COLUMNS = {"pods": (["Ready", "Status", "Restarts", "Age"], pod_cells),
           "deployments": (["Ready", "Up-to-date", "Available", "Age"], deployment_cells),
           "jobs": (["Status", "Completions", "Duration", "Age"], job_cells)}


def wants_table(request):
    return "as=Table" in request.header("accept")


def rows(kind, items):
    _, cells = COLUMNS.get(kind.plural, (None, lambda obj: [age(obj)]))
    return [{"cells": [obj["metadata"]["name"]] + cells(obj),
             "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                        "metadata": obj["metadata"]}} for obj in items]


def table(request, kind, items, meta):
    if not wants_table(request):
        return None
    names, _ = COLUMNS.get(kind.plural, (["Age"], None))
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": [
        {"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "",
         "priority": 0} for name in ["Name"] + names], "rows": rows(kind, items)}


def table_row(request, kind, obj):
    """One object for a GET or a watch: as it is, or as a table if kubectl prints it."""
    if not wants_table(request) or obj.get("kind") == "Status":
        return obj
    return table(request, kind, [obj], {"resourceVersion": obj["metadata"]["resourceVersion"]})


# scale

def scale(server, request, kind, namespace, name, verb):
    obj = server.store.get(kind, namespace, name)
    if verb != "get":
        wanted = decode(request)["spec"]["replicas"]
        obj = server.store.change(kind, namespace, name, lambda copy: copy["spec"].update(replicas=wanted))
    meta = {key: obj["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    request.connection.respond_json(200, {
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta,
        "spec": {"replicas": obj["spec"].get("replicas", 1)},
        "status": {"replicas": (obj.get("status") or {}).get("replicas", 0)}})


# OpenAPI: no schemas, only what kubectl looks for: which kinds take dryRun and fieldValidation

def openapi(request, steps):
    if steps == ["openapi", "v3"]:
        paths = {}
        for group, version in group_versions():
            path = f"apis/{group}/{version}" if group else "api/v1"
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash=fake"}
        return request.connection.respond_json(200, {"paths": paths})
    if steps == ["openapi", "v2"]:
        # kubectl wants protobuf here; an empty document says that nothing is described.
        return request.connection.respond(200, [("Content-Type", "application/com.github.proto-openapi.spec.v2.v1.0+"
                                                 "protobuf")], b"")
    group, version = ("", "v1") if steps[2] == "api" else (steps[3], steps[4])
    paths = {}
    for kind in KINDS.values():
        if (kind.group, kind.version) == (group, version):
            prefix = f"/apis/{group}/{version}" if group else "/api/v1"
            scope = "/namespaces/{namespace}" if kind.namespaced else ""
            about = {"group": group, "version": version, "kind": kind.kind}
            parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in PARAMETERS]
            paths[f"{prefix}{scope}/{kind.plural}/{{name}}"] = {"patch": {
                "parameters": parameters, "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": about, "responses": {"200": {"description": "OK"}}}}
    request.connection.respond_json(200, {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "fake"},
                                          "paths": paths, "components": {"schemas": {}}})
