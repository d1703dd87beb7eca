# SPDX-License-Identifier: Apache-2.0
"""Server-side apply, as far as one manager with others beside it goes: what a manager no longer says goes away, what
somebody else changed since is a conflict, and with force=true it is taken over. A field belongs to who said it last;
defaults belong to nobody."""
import copy

import errors
import kubectl_support
from patch import MERGE_KEYS, strategic

TYPE = "application/apply-patch+yaml"


def is_apply(request):
    return request.header("content-type").startswith(TYPE)


def keyed(name, value):
    """The items of a list that is joined by a key, else None."""
    key = MERGE_KEYS.get(name)
    if key and isinstance(value, list) and all(isinstance(item, dict) and key in item for item in value):
        return {item[key]: item for item in value}
    return None


def without(live, before, change, name=""):
    """`live` less what was said before and is not said any more."""
    if isinstance(live, dict) and isinstance(before, dict) and isinstance(change, dict):
        return {key: without(value, before.get(key), change.get(key), key) for key, value in live.items()
                if key in change or key not in before}
    old, new, is_ = keyed(name, before), keyed(name, change), keyed(name, live)
    if old is None or new is None or is_ is None:
        return live
    return [without(item, old.get(key), new.get(key)) for key, item in is_.items() if key in new or key not in old]


def ordered(merged, change, name=""):
    """Joined lists in the order of what was applied, others' items behind."""
    if isinstance(merged, dict) and isinstance(change, dict):
        return {key: ordered(value, change.get(key), key) for key, value in merged.items()}
    new, is_ = keyed(name, change), keyed(name, merged)
    if new is None or is_ is None:
        return merged
    return [ordered(is_[key], new.get(key)) for key in [*(key for key in new if key in is_),
                                                        *(key for key in is_ if key not in new)]]


def conflicts(live, before, change, path="", name=""):
    """Paths that this manager set, that differ from that now, and that it wants otherwise."""
    if isinstance(live, dict) and isinstance(before, dict) and isinstance(change, dict):
        return [path_ for key in change if key in before
                for path_ in conflicts(live.get(key), before[key], change[key], f"{path}.{key}", key)]
    old, new, is_ = keyed(name, before), keyed(name, change), keyed(name, live)
    if old is not None and new is not None and is_ is not None:
        return [path_ for key in new if key in old and key in is_
                for path_ in conflicts(is_[key], old[key], new[key], f'{path}[{MERGE_KEYS[name]}="{key}"]')]
    if isinstance(change, (dict, list)) or live in (before, change):
        return []
    return [path]


def handle(server, request, kind, storage, namespace, name):
    """Answers an apply."""
    manager, change = request.query.get("fieldManager"), kubectl_support.decode(request)
    if not manager:
        raise errors.bad_request('PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required '
                                 "for apply patch")
    server.strict(request, kind, change)
    key = (kind.plural, namespace, name, manager)
    live = server.store.find(storage, namespace, name)
    if live is None:
        obj = copy.deepcopy(change)
        obj["metadata"].setdefault("namespace", namespace)
        made = server.create_object(kind, storage, obj, request.query.get("dryRun") == "All", request)
        server.applied[key] = (made["metadata"].get("uid"), change)
        return server.answer(request, kind, made, 201)
    uid, before = server.applied.get(key, (None, {}))
    before = before if uid == live["metadata"]["uid"] else {}
    wrong = conflicts(live, before, change)
    if wrong and request.query.get("force") != "true":
        raise errors.ApiError(409, "Conflict", f"Apply failed with {len(wrong)} conflict"
                              f"{'s' if len(wrong) > 1 else ''}: conflicts with another manager: {', '.join(wrong)}",
                              errors.details(kind, name))
    obj = ordered(strategic(without(copy.deepcopy(live), before, change), change), change)
    server.check_update(kind, live, obj)
    if request.query.get("dryRun") != "All":
        obj = server.store.put(storage, obj)
        server.applied[key] = (obj["metadata"]["uid"], change)
    return server.answer(request, kind, obj)
