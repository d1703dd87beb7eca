# SPDX-License-Identifier: Apache-2.0
"""The objects, their versions, and the history that watches read.

An object in the store is never changed in place: who wants a change takes a deep copy (`change` does), so
that watchers and lists may hold on to what they were given.
"""
import base64
import collections
import copy
import json
import random
import time
import uuid
from dataclasses import dataclass

import errors

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
CONTINUE_LIVES = 300  # seconds, as etcd compacts after five minutes


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def now_micro():
    seconds = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e6):06d}Z"


def random_suffix(length=5):
    return "".join(random.choice(SUFFIX) for _ in range(length))


@dataclass
class Change:
    version: int
    type: str  # ADDED, MODIFIED, DELETED
    kind: object
    obj: dict
    old: dict


class Store:
    def __init__(self, history=20000):
        self.version = 1000
        self.oldest = self.version  # a watch from before this has to be refused with 410
        self.objects = collections.defaultdict(dict)
        self.by_uid = {}
        self.history = collections.deque()
        self.history_limit = history
        self.listeners = []
        self.order = {}  # kind → (version, keys in order)

    # reading

    def keys(self, kind):
        """The keys of a kind as etcd sorts them: by the bytes of NAMESPACE/NAME."""
        version, keys = self.order.get(kind, (None, None))
        if version != self.version or len(keys) != len(self.objects[kind]):
            keys = sorted(self.objects[kind], key="/".join)
            self.order[kind] = self.version, keys
        return keys

    def find(self, kind, namespace, name):
        return self.objects[kind].get((namespace or "", name))

    def get(self, kind, namespace, name):
        obj = self.find(kind, namespace, name)
        if obj is None:
            raise errors.not_found(kind, name)
        return obj

    def all(self, kind, namespace=None):
        """Objects of a kind, in order."""
        items = self.objects[kind]
        return [items[key] for key in self.keys(kind) if not namespace or key[0] == namespace]

    def page(self, kind, namespace, matches, limit, token):
        """One page of a list: (items, continue token, how many remain)."""
        start = ""
        if token:
            start = "/".join(self._read_token(token))
        items, rest, last = [], 0, None
        for key in self.keys(kind):
            if "/".join(key) <= start or (namespace and key[0] != namespace) or not matches(self.objects[kind][key]):
                continue
            if limit and len(items) == limit:
                rest += 1
                continue
            items.append(self.objects[kind][key])
            last = key
        return items, self._write_token(last) if rest else None, rest

    def _write_token(self, key):
        data = {"v": "meta.k8s.io/v1", "rv": self.version, "start": list(key), "t": int(time.time())}
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

    def fresh_token(self, token):
        """The same place in what is there now, whatever that is: an inconsistent continuation."""
        if not token:
            return ""
        data = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        data["rv"] = -1
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

    def _read_token(self, token):
        try:
            data = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            start = tuple(data["start"])
        except (ValueError, KeyError, TypeError):
            raise errors.bad_request("continue key is not valid: illegal base64 data at input byte 0") from None
        if data["rv"] != -1 and (data["rv"] < self.oldest or time.time() - data["t"] > CONTINUE_LIVES):
            raise errors.expired(EXPIRED_CONTINUE, {"continue": self.fresh_token(token)})
        return start

    # writing

    def add(self, kind, obj, complete=None):
        """Stores a new object and fills what the server fills; `complete` may use its uid before it is seen."""
        obj = copy.deepcopy(obj)
        meta = obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        if key in self.objects[kind]:
            raise errors.already_exists(kind, meta["name"])
        stamp(kind, obj)
        if complete:
            complete(obj)
        return self._save("ADDED", kind, key, obj, None)

    def put(self, kind, obj):
        """Replaces an object; equal content changes nothing, not even the version."""
        meta = obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        old = self.objects[kind].get(key)
        if old is None:
            raise errors.not_found(kind, meta["name"])
        meta["resourceVersion"] = old["metadata"]["resourceVersion"]
        if obj == old:
            return old
        if "generation" in meta and obj.get("spec") != old.get("spec") and kind.plural != "pods":
            meta["generation"] = old["metadata"]["generation"] + 1
        if meta.get("deletionTimestamp") and not meta.get("finalizers") and \
                meta.get("deletionGracePeriodSeconds", 0) == 0 and old["metadata"].get("finalizers"):
            return self.remove(kind, old)  # DELETED shows the last finalizer
        return self._save("MODIFIED", kind, key, obj, old)

    def change(self, kind, namespace, name, edit):
        """Takes a copy, lets `edit` change it, stores it. None if the object is gone."""
        old = self.find(kind, namespace, name)
        if old is None:
            return None
        obj = copy.deepcopy(old)
        edit(obj)
        return self.put(kind, obj)

    def remove(self, kind, obj):
        obj = copy.deepcopy(obj)
        key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        old = self.objects[kind].pop(key, None)
        if old is not None:
            self.by_uid.pop(old["metadata"]["uid"], None)
            self._save("DELETED", kind, None, obj, old)
        return obj

    def _save(self, change_type, kind, key, obj, old):
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        if key is not None:
            self.objects[kind][key] = obj
            self.by_uid[obj["metadata"]["uid"]] = (kind, obj)
        change = Change(self.version, change_type, kind, obj, old)
        self.history.append(change)
        if len(self.history) > self.history_limit:
            self.oldest = self.history.popleft().version
        for listener in list(self.listeners):
            listener(change)
        return obj

    def compact(self):
        """Forgets the history: every older resourceVersion is now too old."""
        self.history.clear()
        self.oldest = self.version

    def since(self, version):
        """Changes after a version; raises 410 when they are forgotten."""
        if version < self.oldest:
            raise errors.expired(f"too old resource version: {version} ({self.oldest})")
        return [change for change in self.history if change.version > version]


def stamp(kind, obj):
    """Puts the server's fields in the order of the recordings: name, uid, version, generation, time."""
    meta = obj["metadata"]
    first = {key: meta.pop(key) for key in ("name", "generateName", "namespace") if key in meta}
    meta.pop("managedFields", None)
    first["uid"] = str(uuid.uuid4())
    first["resourceVersion"] = meta.pop("resourceVersion", "")
    meta.pop("uid", None)
    if "spec" in obj and kind.plural not in ("services", "nodes", "leases", "namespaces"):
        first["generation"] = 1
    meta.pop("generation", None)
    first["creationTimestamp"] = now()
    meta.pop("creationTimestamp", None)
    obj["metadata"] = {**first, **meta}


EXPIRED_CONTINUE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
    "modified, or deleted between the time the first chunk was returned and now may show up in the list.")
