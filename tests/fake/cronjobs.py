# SPDX-License-Identifier: Apache-2.0
"""The CronJob controller: a Job at each minute that matches, concurrency, deadline, history; times as recorded.

Schedules are matched minute by minute against the wall clock, which shares nothing with pkg/schedule. `@every` is not
run. Only UTC and the zones of Python's zoneinfo.
"""
import asyncio
import calendar
import copy
import datetime
import re
import time
import zoneinfo

import errors
import events
from kinds import JOBS, by_plural
from workloads import owner_reference

CRONJOBS = by_plural("cronjobs")
STAMP = "%Y-%m-%dT%H:%M:%SZ"
WORDS = {"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
         "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *"}
FIELDS = ((0, 59, ""), (0, 23, ""), (1, 31, ""), (1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
          (0, 6, "sun mon tue wed thu fri sat"))
BEHIND = 100  # minutes that are looked back for missed times


def values(text, low, high, names):
    """The set of numbers that one field stands for."""
    found = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        begin, dash, end = span.partition("-")
        first, last = [names.split().index(word.lower()) + low if word.lower() in names.split() else word
                       for word in (begin, end)]
        if begin in ("*", "?"):
            first, last = low, high
        elif not dash:
            last = high if step else first
        found.update(range(int(first), int(last) + 1, int(step or 1)))
    return found


def matches(schedule, moment):
    """Whether a minute of the wall clock is one of the schedule's."""
    fields = WORDS.get(schedule, schedule).split()
    if len(fields) != 5:
        return False
    minute, hour, day, month, weekday = (values(text, *bounds) for text, bounds in zip(fields, FIELDS))
    days = moment.day in day, moment.isoweekday() % 7 in weekday
    either = not any(re.search(r"(^|,)[*?](/1)?(,|$)", fields[i]) for i in (2, 4))
    return moment.minute in minute and moment.hour in hour and moment.month in month and \
        (any(days) if either else all(days))


def seconds(stamp):
    return calendar.timegm(time.strptime(stamp, STAMP))


def reference(job):
    return {"kind": "Job", "apiVersion": "batch/v1", **{key: job["metadata"][key] for key in (
        "namespace", "name", "uid", "resourceVersion")}}


def is_ended(job):
    return any(c["type"] in ("Complete", "Failed") and c["status"] == "True"
               for c in job["status"].get("conditions") or [])


class CronJobs:
    def __init__(self, server):
        self.server, self.store = server, server.store
        self.waiting = False
        self.store.listeners.append(self.listener)
        self.task = asyncio.get_running_loop().create_task(self.run())

    def listener(self, change):
        if change.kind in (JOBS, CRONJOBS) and not self.waiting:
            self.waiting = True
            asyncio.get_running_loop().call_later(0.02, self.sync)

    async def run(self):
        while True:
            await asyncio.sleep(60.02 - time.time() % 60)
            self.sync()

    def sync(self):
        self.waiting = False
        for cronjob in self.store.all(CRONJOBS):
            if not cronjob["metadata"].get("deletionTimestamp"):
                self.sync_one(cronjob)

    def jobs(self, cronjob):
        return [job for job in self.store.all(JOBS, cronjob["metadata"]["namespace"])
                if any(owner["uid"] == cronjob["metadata"]["uid"] and owner.get("controller")
                       for owner in job["metadata"].get("ownerReferences") or [])]

    def clock(self):
        return time.time() + self.server.settings["cron_ahead"] / 1000

    def write(self, cronjob, **status):
        """Sets fields of the status; what is None goes."""
        def edit(obj):
            old = obj.setdefault("status", {})
            old.update(status)
            for key in [key for key, value in old.items() if value is None]:
                del old[key]
        meta = cronjob["metadata"]
        return self.store.change(CRONJOBS, meta["namespace"], meta["name"], edit)

    def event(self, cronjob, reason, message, kind="Normal"):
        events.record(self.store, CRONJOBS, cronjob, kind, reason, message, "cronjob-controller")

    def sync_one(self, cronjob):
        """What is active is what the controller itself has started, as in its status."""
        status = cronjob.get("status") or {}
        jobs = {job["metadata"]["uid"]: job for job in self.jobs(cronjob)}
        active = []
        for entry in status.get("active") or []:
            job = jobs.get(entry["uid"])
            if job and not is_ended(job):
                active.append(entry)
            elif job:
                done = job["status"].get("completionTime")
                self.event(cronjob, "SawCompletedJob", f"Saw completed job: {entry['name']}, condition: "
                           + ("Complete" if done else "Failed"))
                if done:
                    cronjob = self.write(cronjob, lastSuccessfulTime=done)
        cronjob = self.write(cronjob, active=active or None)
        self.trim(cronjob, jobs.values())
        due = None if cronjob["spec"].get("suspend") else self.due(cronjob)
        if due is not None:
            self.fire(cronjob, due, [jobs[entry["uid"]] for entry in active])

    def due(self, cronjob):
        """The last scheduled time that has not been served, in seconds since 1970."""
        spec, status = cronjob["spec"], cronjob.get("status") or {}
        zone = zoneinfo.ZoneInfo(spec.get("timeZone") or "UTC")
        last = seconds(status.get("lastScheduleTime") or cronjob["metadata"]["creationTimestamp"])
        minute = int(self.clock()) // 60 * 60
        for moment in range(minute, max(last, minute - BEHIND * 60), -60):
            if matches(spec["schedule"], datetime.datetime.fromtimestamp(moment, zone)):
                limit = spec.get("startingDeadlineSeconds")
                return moment if limit is None or self.clock() - moment <= limit else None
        return None

    def fire(self, cronjob, due, active):
        policy = cronjob["spec"]["concurrencyPolicy"]
        if active and policy == "Forbid":
            self.event(cronjob, "JobAlreadyActive", "Not starting job because prior execution is running and "
                       "concurrency policy is Forbid")
            return
        if active and policy == "Replace":
            for job in active:
                self.server.garbage.delete(JOBS, job, {"propagationPolicy": "Background"})
            active = []
        meta, template = cronjob["metadata"], copy.deepcopy(cronjob["spec"]["jobTemplate"])
        given = template.get("metadata") or {}
        job = {"kind": "Job", "apiVersion": "batch/v1", "spec": template["spec"], "metadata": {
            "name": f"{meta['name']}-{due // 60}", "namespace": meta["namespace"], "labels": given.get("labels") or {},
            "annotations": {**(given.get("annotations") or {}), "batch.kubernetes.io/cronjob-scheduled-timestamp":
                            time.strftime(STAMP, time.gmtime(due))},
            "ownerReferences": [owner_reference(CRONJOBS, cronjob)]}}
        try:
            job = self.server.create_object(JOBS, JOBS, job)
        except errors.ApiError as error:
            self.event(cronjob, "FailedCreate", f"Error creating job: {error.message}", "Warning")
            return
        self.event(cronjob, "SuccessfulCreate", f"Created job {job['metadata']['name']}")
        self.write(cronjob, active=[reference(one) for one in active + [job]],
                   lastScheduleTime=time.strftime(STAMP, time.gmtime(due)))

    def trim(self, cronjob, jobs):
        """Keeps as many ended Jobs of each kind as the history limits say."""
        for kind, key in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
            ended = [job for job in jobs if any(c["type"] == kind and c["status"] == "True"
                                                for c in job["status"].get("conditions") or [])]
            ended.sort(key=lambda job: job["status"].get("startTime") or "")
            for job in ended[:max(0, len(ended) - cronjob["spec"][key])]:
                if not job["metadata"].get("deletionTimestamp"):
                    self.server.garbage.delete(JOBS, job, {"propagationPolicy": "Background"})
