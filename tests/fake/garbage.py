# SPDX-License-Identifier: Apache-2.0
"""Deletion: grace, finalizers, propagation policies, and the garbage collector by ownerReferences."""
import asyncio

import errors
from kinds import JOBS, NAMESPACES, NODES, PODS
from store import now

FOREGROUND = "foregroundDeletion"
TRACKING = "batch.kubernetes.io/job-tracking"


class Garbage:
    def __init__(self, store):
        self.store = store
        store.listeners.append(self.listener)

    # what DELETE does

    def delete(self, kind, obj, options=None):
        """Deletes as the options say. (object or None if it is gone at once)"""
        options = options or {}
        self.check_preconditions(kind, obj, options.get("preconditions") or {})
        if kind is PODS:
            return self.delete_pod(obj, options.get("gracePeriodSeconds"))
        if kind is NAMESPACES:
            self.empty(obj["metadata"]["name"])
        policy = options.get("propagationPolicy")
        if policy is None and options.get("orphanDependents") is not None:
            policy = "Orphan" if options["orphanDependents"] else "Background"
        if policy is None:
            policy = "Orphan" if kind is JOBS else "Background"
        if policy == "Orphan":
            self.orphan(obj["metadata"]["uid"])
        elif policy == "Foreground" and self.dependents(obj["metadata"]["uid"]):
            return self.delete_foreground(kind, obj)
        if obj["metadata"].get("finalizers"):
            return self.mark(kind, obj)
        self.store.remove(kind, obj)
        return None

    def empty(self, namespace):
        """Takes everything out of a namespace, without grace."""
        for kind, objects in list(self.store.objects.items()):
            for obj in [o for key, o in objects.items() if key[0] == namespace]:
                obj = self.store.change(kind, namespace, obj["metadata"]["name"],
                                        lambda copy: copy["metadata"].pop("finalizers", None)) or obj
                self.store.remove(kind, obj)

    @staticmethod
    def check_preconditions(kind, obj, wanted):
        meta = obj["metadata"]
        if wanted.get("uid") and wanted["uid"] != meta["uid"]:
            raise errors.precondition(kind, meta["name"], "UID", wanted["uid"], meta["uid"])
        if wanted.get("resourceVersion") and wanted["resourceVersion"] != meta["resourceVersion"]:
            raise errors.precondition(kind, meta["name"], "ResourceVersion", wanted["resourceVersion"],
                                      meta["resourceVersion"])

    def mark(self, kind, obj, finalizer=None, grace=0, at=None):
        """Sets deletionTimestamp; the object goes when its finalizers are gone."""
        meta = obj["metadata"]

        def edit(copy):
            if "generation" in copy["metadata"]:
                copy["metadata"]["generation"] += 1
            copy["metadata"]["deletionTimestamp"] = at or now()
            copy["metadata"]["deletionGracePeriodSeconds"] = grace
            if finalizer:
                copy["metadata"]["finalizers"] = copy["metadata"].get("finalizers", []) + [finalizer]
        if meta.get("deletionTimestamp"):
            return obj
        return self.store.change(kind, meta.get("namespace"), meta["name"], edit)

    def delete_foreground(self, kind, obj):
        marked = self.mark(kind, obj, FOREGROUND)
        # The collector works behind the answer, as the real one does.
        asyncio.get_running_loop().call_later(0.005, self.delete_dependents, obj["metadata"]["uid"])
        return marked

    def delete_dependents(self, uid):
        for kind, child in self.dependents(uid):
            self.delete(kind, child, {"propagationPolicy": "Background"})
        self.finish_foreground(uid)

    def finish_foreground(self, uid):
        """Lets an owner go whose dependents are gone."""
        kind, owner = self.store.by_uid.get(uid, (None, None))
        if owner is None or FOREGROUND not in owner["metadata"].get("finalizers", []) or self.dependents(uid):
            return

        def edit(copy):
            copy["metadata"]["finalizers"] = [f for f in copy["metadata"]["finalizers"] if f != FOREGROUND]
            if not copy["metadata"]["finalizers"]:
                del copy["metadata"]["finalizers"]
        self.store.change(kind, owner["metadata"].get("namespace"), owner["metadata"]["name"], edit)

    def delete_pod(self, pod, grace):
        """Graceful: the kubelet (pods.py) ends the processes and then calls `finish_pod`."""
        meta, spec = pod["metadata"], pod["spec"]
        if grace is None:
            grace = spec.get("terminationGracePeriodSeconds", 30)
        ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        if ended or not spec.get("nodeName"):
            grace = 0
        if meta.get("deletionTimestamp"):
            if grace < meta.get("deletionGracePeriodSeconds", 0):
                if grace == 0:
                    return self.finish_pod(pod)
                return self.store.change(PODS, meta["namespace"], meta["name"], lambda copy: copy["metadata"].update(
                    deletionGracePeriodSeconds=grace))
            return pod
        marked = self.mark(PODS, pod, grace=grace)
        if grace == 0:
            return self.finish_pod(marked)
        return marked

    def finish_pod(self, pod):
        """Takes the pod out of the store, unless a finalizer still holds it."""
        meta = pod["metadata"]
        current = self.store.find(PODS, meta["namespace"], meta["name"])
        if current is None or current["metadata"]["uid"] != meta["uid"]:
            return None

        def edit(copy):
            copy["metadata"]["deletionTimestamp"] = now()
            copy["metadata"]["deletionGracePeriodSeconds"] = 0
        current = self.store.change(PODS, meta["namespace"], meta["name"], edit)
        if current["metadata"].get("finalizers"):
            return current
        self.store.remove(PODS, current)
        return None

    # the collector

    def dependents(self, uid):
        return [(kind, obj) for kind, objects in list(self.store.objects.items()) for obj in list(objects.values())
                if any(owner["uid"] == uid for owner in obj["metadata"].get("ownerReferences", []))]

    def orphan(self, uid):
        for kind, child in self.dependents(uid):
            def edit(copy):
                meta = copy["metadata"]
                meta["ownerReferences"] = [o for o in meta["ownerReferences"] if o["uid"] != uid]
                if not meta["ownerReferences"]:
                    del meta["ownerReferences"]
                drop_tracking(meta)
            self.store.change(kind, child["metadata"].get("namespace"), child["metadata"]["name"], edit)

    def listener(self, change):
        loop = asyncio.get_running_loop()
        meta = change.obj["metadata"]
        if change.type == "DELETED":
            loop.call_later(0.02, self.owner_gone, meta["uid"])
            for owner in meta.get("ownerReferences", []):
                loop.call_soon(self.finish_foreground, owner["uid"])
        elif meta.get("ownerReferences") and (change.type == "ADDED" or meta["ownerReferences"] !=
                                              change.old["metadata"].get("ownerReferences")):
            loop.call_later(0.05, self.check_owners, meta["uid"])

    def owner_gone(self, uid):
        for _, child in self.dependents(uid):
            self.check_owners(child["metadata"]["uid"])

    def check_owners(self, uid):
        """Deletes an object none of whose owners exists (any more)."""
        kind, obj = self.store.by_uid.get(uid, (None, None))
        if obj is None or any(owner["uid"] in self.store.by_uid or owner["kind"] == "Node"
                              for owner in obj["metadata"].get("ownerReferences", [])):
            return
        if kind is PODS:
            # What the job controller does for a pod whose Job is gone.
            obj = self.store.change(PODS, obj["metadata"]["namespace"], obj["metadata"]["name"],
                                    lambda copy: drop_tracking(copy["metadata"]))
        if kind is not NODES:
            self.delete(kind, obj, {"propagationPolicy": "Background"})


def drop_tracking(meta):
    if TRACKING in meta.get("finalizers", []):
        meta["finalizers"] = [name for name in meta["finalizers"] if name != TRACKING]
        if not meta["finalizers"]:
            del meta["finalizers"]
