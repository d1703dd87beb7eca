# SPDX-License-Identifier: Apache-2.0
"""The three kinds of PATCH: JSON merge patch, JSON patch, and a strategic merge that is good for kubectl."""
import copy

import errors

# Lists that a strategic merge joins by a key instead of replacing them.
MERGE_KEYS = {
    "containers": "name", "initContainers": "name", "ephemeralContainers": "name", "volumes": "name", "env": "name",
    "volumeMounts": "mountPath", "volumeDevices": "devicePath", "ports": "containerPort", "conditions": "type",
    "ownerReferences": "uid", "imagePullSecrets": "name", "hostAliases": "ip", "secrets": "name",
    "schedulingGates": "name", "podIPs": "ip", "addresses": "type", "topologySpreadConstraints": "topologyKey",
}


def merge(target, change):
    """RFC 7386."""
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic(target, change):
    if not isinstance(change, dict) or change.get("$patch") == "replace":
        result = copy.deepcopy(change)
        if isinstance(result, dict):
            result.pop("$patch", None)
        return result
    result = dict(target) if isinstance(target, dict) else {}
    keep = change.get("$retainKeys")
    if keep is not None:
        result = {key: value for key, value in result.items() if key in keep}
    for key, value in change.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.split("/", 1)[1]
            result[name] = [item for item in result.get(name) or [] if item not in value]
        elif key.startswith("$"):
            continue  # $setElementOrder, $retainKeys
        elif value is None:
            result.pop(key, None)
        elif key == "finalizers" and isinstance(value, list):
            result[key] = list(dict.fromkeys((result.get(key) or []) + value))
        elif key in MERGE_KEYS and isinstance(value, list) and all(isinstance(item, dict) for item in value):
            result[key] = strategic_list(result.get(key) or [], value, key)
        elif isinstance(value, dict):
            result[key] = strategic(result.get(key), value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def strategic_list(target, change, name):
    key = MERGE_KEYS[name]
    if name == "ports" and any("containerPort" not in item for item in change):
        key = "port"  # of a Service
    items = [item for item in target]
    for item in change:
        if item.get("$patch") == "replace":
            return [copy.deepcopy(other) for other in change if other is not item]
        if key not in item:
            return copy.deepcopy(change)
        index = next((i for i, old in enumerate(items) if old.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            items = [old for old in items if old.get(key) != item[key]]
        elif index is None:
            items.append(copy.deepcopy(item))
        else:
            items[index] = strategic(items[index], item)
    return items


def walk(document, pointer):
    """The parent of what a JSON pointer names, and the last step."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in steps[:-1]:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document, steps[-1]


def fetch(document, pointer):
    parent, last = walk(document, pointer)
    return parent[int(last)] if isinstance(parent, list) else parent[last]


def store(document, pointer, value, insert):
    parent, last = walk(document, pointer)
    if not isinstance(parent, list):
        parent[last] = value
    elif last == "-":
        parent.append(value)
    elif insert:
        parent.insert(int(last), value)
    else:
        parent[int(last)] = value


def drop(document, pointer):
    parent, last = walk(document, pointer)
    del parent[int(last) if isinstance(parent, list) else last]


def json_patch(target, operations):
    """RFC 6902. A failed test or a missing path is 422, as from the real server."""
    document = copy.deepcopy(target)
    for operation in operations:
        try:
            name, path = operation["op"], operation["path"]
            if name == "test":
                try:
                    found = fetch(document, path)
                except (KeyError, IndexError):
                    found = None
                if found != operation.get("value"):
                    raise errors.ApiError(422, "Invalid", "the server rejected our request due to an error in our "
                                          "request", {})
            elif name in ("add", "replace"):
                if name == "replace":
                    fetch(document, path)
                store(document, path, copy.deepcopy(operation.get("value")), name == "add")
            elif name == "remove":
                drop(document, path)
            elif name in ("copy", "move"):
                value = copy.deepcopy(fetch(document, operation["from"]))
                if name == "move":
                    drop(document, operation["from"])
                store(document, path, value, True)
            else:
                raise errors.bad_request(f"Unexpected kind: {name}")
        except (KeyError, IndexError, ValueError, TypeError):
            raise errors.ApiError(422, "Invalid", "the server rejected our request due to an error in our request",
                                  {}) from None
    return document


def apply(content_type, target, change):
    if content_type.startswith("application/json-patch+json"):
        return json_patch(target, change)
    if content_type.startswith("application/merge-patch+json"):
        return merge(target, change)
    if content_type.startswith(("application/strategic-merge-patch+json", "application/apply-patch+yaml")):
        return strategic(target, change)
    raise errors.ApiError(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted "
                          "media types include: application/json-patch+json, application/merge-patch+json, "
                          "application/strategic-merge-patch+json, application/apply-patch+yaml", {})
