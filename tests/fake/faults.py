# SPDX-License-Identifier: Apache-2.0
"""The fault script: which request or pod goes wrong, and how.

A script is a JSON list; it comes from --faults FILE or by POST /fake/faults (which replaces the list; GET shows it,
with how often each rule has matched). A rule for requests:

    {"match": {"method": "GET", "path": "REGEX over path and query", "nth": 1}, "action": "ACTION", ...}

nth (a number or [from, to]) counts matches from 1; without it every match is hit. Actions:

    delay        "ms": answer later                       status     "code": 429/500/503/504/…, "retryAfter": s, "text"
    cut          "bytes": n bytes of answer, then RST     half-open  "bytes": n bytes, then silence, socket kept
    drop-reply   do it, but end the connection instead of answering
    stale-watch  the watch opens and never delivers       410        the watch or the page is too old; "token": true:
                                                               with a token to go on with, as the real one gives it
    attach-delay "ms": the runtime attaches that late after the 101 (output until then is lost)

A rule for pods: {"pod": "REGEX over the name", "reason": "REASON", ...}, with

    ErrImagePull, ImagePullBackOff, CreateContainerConfigError   "ms": how long until it heals (default: never)
    Unschedulable "ms", "message"      SlowStart "ms": between ContainerCreating and the start
    Quota "message": create is refused with 403, and a Job gets FailedCreate events
    OOMKilled, Evicted, DeadlineExceeded, NodeLost  "ms": that long after the container has started
"""
import re

RECORDED_QUOTA = "exceeded quota: q, requested: requests.cpu=50m, used: requests.cpu=999, limited: requests.cpu=10m"


class Faults:
    def __init__(self, rules=()):
        self.set(list(rules))

    def set(self, rules):
        for rule in rules:
            match = rule.get("match", {})
            re.compile(match.get("path", ""))
            re.compile(rule.get("pod", ""))
            if "pod" not in rule and "action" not in rule:
                raise ValueError("a rule needs an action, or a pod and a reason")
            rule["hits"] = 0
        self.rules = rules

    def for_request(self, method, target):
        """The rules that this request hits, in their order."""
        hit = []
        for rule in self.rules:
            if "pod" in rule:
                continue
            match = rule.get("match", {})
            if match.get("method", method) != method or not re.search(match.get("path", ""), target):
                continue
            rule["hits"] += 1
            nth = match.get("nth")
            if nth is None or nth == rule["hits"] or (isinstance(nth, list) and nth[0] <= rule["hits"] <= nth[1]):
                hit.append(rule)
        return hit

    def for_pod(self, name, *reasons):
        """The first rule for this pod with one of the reasons, or None."""
        for rule in self.rules:
            if "pod" in rule and rule.get("reason") in reasons and re.search(rule["pod"], name):
                rule["hits"] += 1
                return rule
        return None
