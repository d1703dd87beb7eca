# SPDX-License-Identifier: Apache-2.0
"""Events: recording them as the controllers do, and the two API groups that show them."""
import time

from kinds import EVENTS
from store import now


def record(store, kind, obj, event_type, reason, message, component, field_path=None):
    """Writes an event about an object; the same one again only counts up."""
    meta = obj["metadata"]
    namespace = meta.get("namespace") or "default"
    about = {"kind": kind.kind}
    if meta.get("namespace"):
        about["namespace"] = namespace
    about.update({"name": meta["name"], "uid": meta["uid"], "apiVersion": kind.api_version,
                  "resourceVersion": meta.get("resourceVersion", "")})
    if field_path:
        about["fieldPath"] = field_path
    for old in store.all(EVENTS, namespace):
        if old["reason"] == reason and old.get("message") == message and \
                old["involvedObject"].get("uid") == meta["uid"] and \
                old["involvedObject"].get("fieldPath") == field_path:
            store.change(EVENTS, namespace, old["metadata"]["name"],
                         lambda event: event.update(count=event.get("count", 1) + 1, lastTimestamp=now()))
            return
    store.add(EVENTS, {
        "kind": "Event", "apiVersion": "v1",
        "metadata": {"name": f"{meta['name']}.{time.time_ns():x}", "namespace": namespace},
        "involvedObject": about, "reason": reason, "message": message, "source": {"component": component},
        "firstTimestamp": now(), "lastTimestamp": now(), "count": 1, "type": event_type, "eventTime": None,
        "reportingComponent": component, "reportingInstance": ""})


def to_new(event):
    """core/v1 Event to events.k8s.io/v1."""
    result = {"kind": "Event", "apiVersion": "events.k8s.io/v1", "metadata": event["metadata"],
              "eventTime": event.get("eventTime"), "reportingController": event.get("reportingComponent", ""),
              "reportingInstance": event.get("reportingInstance", ""), "reason": event.get("reason"),
              "regarding": event.get("involvedObject", {}), "note": event.get("message", ""),
              "type": event.get("type")}
    for new, old in (("action", "action"), ("related", "related"), ("series", "series"),
                     ("deprecatedSource", "source"), ("deprecatedFirstTimestamp", "firstTimestamp"),
                     ("deprecatedLastTimestamp", "lastTimestamp"), ("deprecatedCount", "count")):
        if event.get(old) is not None:
            result[new] = event[old]
    return result


def from_new(event):
    """events.k8s.io/v1 Event to core/v1, which is how both are stored."""
    result = {"kind": "Event", "apiVersion": "v1", "metadata": event["metadata"],
              "involvedObject": event.get("regarding", {}), "reason": event.get("reason"),
              "message": event.get("note", ""), "source": event.get("deprecatedSource", {}),
              "firstTimestamp": event.get("deprecatedFirstTimestamp"),
              "lastTimestamp": event.get("deprecatedLastTimestamp"), "type": event.get("type"),
              "eventTime": event.get("eventTime"), "reportingComponent": event.get("reportingController", ""),
              "reportingInstance": event.get("reportingInstance", "")}
    for key in ("action", "related", "series"):
        if event.get(key) is not None:
            result[key] = event[key]
    return result


def causes(event, in_new_group):
    """What validation refuses: (reason, field, message) for errors.invalid."""
    found = []
    involved = event["involvedObject"]
    namespace = event["metadata"].get("namespace", "")
    if (involved.get("namespace") or "default") != namespace:
        found.append(("FieldValueInvalid", "involvedObject.namespace", f'Invalid value: "'
                      f'{involved.get("namespace", "")}": does not match event.namespace'))
    if in_new_group or event.get("eventTime"):
        for field, key in (("reportingController", "reportingComponent"), ("reportingInstance", "reportingInstance"),
                           ("action", "action"), ("reason", "reason")):
            if not event.get(key):
                found.append(("FieldValueRequired", field, "Required value"))
    if in_new_group and not event.get("eventTime"):
        found.append(("FieldValueRequired", "eventTime", "Required value"))
    if in_new_group and len(event.get("message", "")) > 1024:
        found.append(("FieldValueTooLong", "note", "Too long: may not be more than 1024 bytes"))
    return found
