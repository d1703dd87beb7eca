# SPDX-License-Identifier: Apache-2.0
"""Checks of the API: objects, errors, watches, controllers, rights, faults; compared with the recordings."""
import json
import time

from harness import JOB_PATH, POD_PATH, check, recording, same, shape_of_job, shape_of_pod, shapes

SHOP = "/api/v1/namespaces/shop"
APPS = "/apis/apps/v1/namespaces/shop"


def like_recording(world, name, answer, **names):
    """Compares a Status with a recorded one, whose names are put in the place of ours."""
    code, body = answer
    text = json.dumps(recording(name))
    for ours, theirs in names.values():
        text = text.replace(theirs, ours)
    wanted = json.loads(text)
    same(body, wanted, name)
    same(code, wanted["code"], name)


def renamed(ours, theirs):
    return (ours, theirs)


@check
def errors_are_worded_as_recorded(world):
    call = world.admin.call
    job = {"metadata": {"name": "dup"}, "spec": {"suspend": True, "template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "shop/web:1"}]}}}}
    made = world.admin.post(JOB_PATH, job)
    like_recording(world, "status-409-exists.json", call("POST", JOB_PATH, job))
    stale = {**made, "metadata": {**made["metadata"], "resourceVersion": "1"}}
    like_recording(world, "status-409-conflict.json", call("PUT", JOB_PATH + "/dup", stale))
    wrong = {"preconditions": {"uid": "11111111-2222-3333-4444-555555555555"}}
    like_recording(world, "status-409-precondition.json", call("DELETE", JOB_PATH + "/dup", wrong),
                   uid=renamed(made["metadata"]["uid"], "02d74c64-2c89-4d93-9943-b994ffcd7c8d"))
    like_recording(world, "status-404-deployment.json", call("GET", APPS + "/deployments/nosuch"))
    like_recording(world, "status-404-namespace.json", call("POST", "/api/v1/namespaces/nosuch/pods", {
        "metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}))
    code, headers, body = world.admin.raw("GET", "/apis/no.such/v1/things")
    same((code, body, headers["Content-Type"]), (404, b"404 page not found\n", "text/plain; charset=utf-8"))
    bogus = {**job, "bogus": 1}
    like_recording(world, "status-400-strict.json", call("POST", JOB_PATH + "?fieldValidation=Strict", bogus))
    always = json.loads(json.dumps(job).replace("Never", "Always").replace("dup", "x"))
    like_recording(world, "status-422-job-restartpolicy.json", call("POST", JOB_PATH, always))
    mount = json.loads(json.dumps(job).replace("dup", "x"))
    mount["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/d"}]
    like_recording(world, "status-422-job-mount.json", call("POST", JOB_PATH, mount))
    pod = {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "i:1"}], "priority": 5}}
    like_recording(world, "status-403-priority.json", call("POST", POD_PATH, pod))
    del pod["spec"]["priority"]
    pod["spec"]["ephemeralContainers"] = [{"name": "e", "image": "i:1"}]
    like_recording(world, "status-422-ephemeral.json", call("POST", POD_PATH, pod))
    like_recording(world, "status-504-resourceversion-too-large.json",
                   call("GET", POD_PATH + "?resourceVersion=99999999"),
                   version=renamed(str(world.stats()["resourceVersion"]), "8047"))


@check
def cron_jobs_are_validated_as_recorded(world):
    path = "/apis/batch/v1/namespaces/shop/cronjobs"
    spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "shop/web:1"}]}}}}}
    like_recording(world, "status-422-cronjob-name.json",
                   world.admin.call("POST", path, {"metadata": {"name": "a" * 53}, "spec": spec}))
    bad = {**spec, "schedule": "0 3 L * *", "timeZone": "Mars/X"}
    like_recording(world, "status-422-cronjob-schedule.json",
                   world.admin.call("POST", path, {"metadata": {"name": "a"}, "spec": bad}))


@check
def rights_are_refused_as_recorded(world):
    ours = renamed("system:serviceaccount:shop:runner", "system:serviceaccount:r-rec:default")
    place = renamed("shop", "r-rec")
    world.allow()
    like_recording(world, "status-403-list-pods.json", world.runner.call("GET", POD_PATH), user=ours, place=place)
    like_recording(world, "status-403-create-job.json", world.runner.call("POST", JOB_PATH, {}), user=ours,
                   place=place)
    world.runner.token, token = "wrong", world.runner.token
    like_recording(world, "status-401.json", world.runner.call("GET", POD_PATH))
    world.runner.token = token
    world.allow({"verbs": ["list"], "resources": ["pods"]})
    same(world.runner.call("GET", POD_PATH)[0], 200)
    review = {"spec": {"resourceAttributes": {"namespace": "r-rec", "verb": "create", "resource": "pods",
                                              "subresource": "attach"}}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    world.allow()
    same(world.runner.post(path, review), recording("selfsubjectaccessreview-denied.json"))
    same(world.admin.post(path, review), recording("selfsubjectaccessreview-allowed.json"))
    code, body = world.runner.call("GET", POD_PATH, headers={"Impersonate-User": "admin"})
    same((code, body["reason"]), (403, "Forbidden"))
    code, body = world.admin.call("GET", POD_PATH, headers={"Impersonate-User": "nobody"})
    assert code == 403 and 'User "nobody" cannot list' in body["message"], body


@check
def lists_are_paged_and_selected(world):
    whole = world.admin.get(POD_PATH)["items"]
    first = world.admin.get(POD_PATH + "?limit=2")
    same(first["metadata"]["remainingItemCount"], len(whole) - 2)
    rest = world.admin.get(f"{POD_PATH}?limit=500&continue={first['metadata']['continue']}")["items"]
    same([p["metadata"]["name"] for p in first["items"] + rest], [p["metadata"]["name"] for p in whole])
    same(len(world.admin.get(POD_PATH + "?labelSelector=app%3Dweb%2Ctier%20in%20(backend)")["items"]), 2)
    same([p["metadata"]["name"] for p in world.admin.get(POD_PATH + "?fieldSelector=metadata.name%3Dbare")["items"]],
         ["bare"])
    world.admin.get("/fake/compact")
    world.admin.post(SHOP + "/configmaps", {"metadata": {"name": "after"}})
    world.admin.get("/fake/compact")
    code, body = world.admin.call("GET", f"{POD_PATH}?limit=2&continue={first['metadata']['continue']}")
    wanted = recording("status-410-continue.json")
    same((code, body["message"], body["reason"]), (410, wanted["message"], wanted["reason"]))
    again = world.admin.get(f"{POD_PATH}?limit=2&continue={body['metadata']['continue']}")["items"]
    same([p["metadata"]["name"] for p in again], [p["metadata"]["name"] for p in whole[2:4]])


@check
def leases_lock(world):
    path = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"
    lease = world.admin.post(path, {"metadata": {"name": "lock"}, "spec": {
        "holderIdentity": "a", "leaseDurationSeconds": 15}})
    same(world.admin.call("POST", path, {"metadata": {"name": "lock"}, "spec": {}})[0], 409)
    lease["spec"]["holderIdentity"] = "b"
    same(world.admin.call("PUT", path + "/lock", lease)[0], 200)
    same(world.admin.call("PUT", path + "/lock", lease)[0], 409)
    del lease["metadata"]["resourceVersion"]
    same(world.admin.call("PUT", path + "/lock", lease)[0], 422)
    patch = [{"op": "test", "path": "/spec/holderIdentity", "value": "a"}]
    kind = {"Content-Type": "application/json-patch+json"}
    same(world.admin.call("PATCH", path + "/lock", patch, kind)[0], 422)
    code, body = world.admin.call("PATCH", path + "/lock", {"spec": {"holderIdentity": None}},
                                  {"Content-Type": "application/merge-patch+json"})
    same((code, "holderIdentity" in body["spec"]), (200, False))


@check
def a_lease_goes_with_its_job(world):
    path = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"
    job = world.admin.post(JOB_PATH, {"metadata": {"name": "holder"}, "spec": {"suspend": True, "template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "shop/web:1"}]}}}})
    lease = world.admin.post(path, {"metadata": {"name": "owned"}, "spec": {"renewTime": "2026-01-02T03:04:05.000000Z"}})
    lease["metadata"]["ownerReferences"] = [{"apiVersion": "batch/v1", "kind": "Job", "name": "holder",
                                             "uid": job["metadata"]["uid"]}]
    same(world.admin.call("PUT", path + "/owned", lease)[0], 200)
    lease["spec"]["renewTime"] = "2026-01-02T03:04:05Z"
    same(world.admin.call("PUT", path + "/owned", lease)[0], 400)
    stale = {"preconditions": {"resourceVersion": "1"}}
    same(world.admin.call("DELETE", JOB_PATH + "/holder", stale)[0], 409)
    same(world.admin.call("DELETE", JOB_PATH + "/holder?propagationPolicy=Background")[0], 200)
    wait_until(lambda: world.admin.call("GET", path + "/owned")[0] == 404)


def wait_until(holds, seconds=5):
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, "in time"
        time.sleep(0.02)


@check
def a_suspended_job_has_no_pod_until_it_is_resumed(world):
    merge = {"Content-Type": "application/merge-patch+json"}
    world.admin.post(JOB_PATH, {"metadata": {"name": "later"}, "spec": {"suspend": True, "template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "shop/web:1", "command": ["sleep", "30"]}]}}}})

    def conditions():
        job = world.admin.get(JOB_PATH + "/later")
        return [(c["type"], c["status"], c["reason"]) for c in job["status"].get("conditions", [])]

    def pods():
        return world.admin.get(POD_PATH + "?labelSelector=job-name%3Dlater")["items"]
    wait_until(lambda: conditions() == [("Suspended", "True", "JobSuspended")])
    same(pods(), [])
    same(world.admin.call("PATCH", JOB_PATH + "/later", {"metadata": {"uid": "1"}, "spec": {"suspend": False}},
                          merge)[0], 409)
    same(world.admin.call("PATCH", JOB_PATH + "/later", {"spec": {"suspend": False}}, merge)[0], 200)
    wait_until(lambda: conditions() == [("Suspended", "False", "JobResumed")])
    wait_until(lambda: pods() and pods()[0]["status"]["phase"] == "Running")
    # A pod's deadline may come earlier, and ends it with its log and its code.
    path = POD_PATH + "/" + pods()[0]["metadata"]["name"]
    same(world.admin.call("PATCH", path, {"spec": {"containers": None}}, merge)[0], 422)
    same(world.admin.call("PATCH", path, {"spec": {"activeDeadlineSeconds": 1, "terminationGracePeriodSeconds": 5}},
                          merge)[0], 422)
    same(world.admin.call("PATCH", path, {"spec": {"activeDeadlineSeconds": 1}}, merge)[0], 200)
    same(world.admin.call("PATCH", path, {"spec": {"activeDeadlineSeconds": 9}}, merge)[0], 422)
    world.admin.call("DELETE", JOB_PATH + "/later?propagationPolicy=Background")


@check
def many_objects_are_listed_in_the_order_of_their_keys(world):
    world.admin.post("/fake/objects", {"namespace": "shop", "count": 1200}, 200)
    names, token = [], ""
    while True:
        page = world.admin.get(f"{JOB_PATH}?limit=500&labelSelector=oneoff.dev%2Fid&continue={token}")
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
    same((len(names), names), (1200, sorted(names)))
    world.faults({"match": {"path": "continue="}, "action": "410", "token": True})
    first = world.admin.get(f"{JOB_PATH}?limit=500&labelSelector=oneoff.dev%2Fid")["metadata"]["continue"]
    code, body = world.admin.call("GET", f"{JOB_PATH}?limit=500&continue={first}")
    world.faults()
    same((code, body["reason"]), (410, "Expired"))
    rest = world.admin.get(f"{JOB_PATH}?limit=500&labelSelector=oneoff.dev%2Fid&continue={body['metadata']['continue']}")
    same(rest["items"][0]["metadata"]["name"], names[500])
    world.admin.post("/fake/objects", {"namespace": "shop", "count": 0}, 200)


@check
def a_restart_breaks_connections_and_not_pods(world):
    before = world.stats()
    world.admin.post("/fake/restart", {"ms": 200}, 200)
    time.sleep(0.6)
    after = world.stats()
    same((after["processes"], after["pods"]), (before["processes"], before["pods"]))


def watch_run(world, name, kind, last):
    path = f"{POD_PATH}?watch=true&labelSelector=job-name%3D{name}" if kind == "pod" else \
        f"{JOB_PATH}?watch=true&fieldSelector=metadata.name%3D{name}"
    return world.admin.watch(path + "&resourceVersion=" + world.begin, last)


def compare_run(world, name, recorded, last_pod, last_job):
    pods = watch_run(world, name, "pod", last_pod)
    jobs = watch_run(world, name, "job", last_job)
    wanted = recording(f"watch-job-{recorded}-pod.ndjson")
    compare(shapes(pods, shape_of_pod), shapes(wanted, shape_of_pod), recorded + " pod")
    compare(shapes(jobs, shape_of_job), shapes(recording(f"watch-job-{recorded}-job.ndjson"), shape_of_job),
            recorded + " job")
    same(set(pods[0]["object"]["metadata"]), set(wanted[0]["object"]["metadata"]), "metadata")
    same(set(pods[0]["object"]["metadata"]["labels"]), set(wanted[0]["object"]["metadata"]["labels"]), "labels")


def compare(found, wanted, what):
    for index in range(max(len(found), len(wanted))):
        same(found[index] if index < len(found) else None, wanted[index] if index < len(wanted) else None,
             f"{what}: event {index}")


def has_condition(kind):
    return lambda event: any(c["type"] == kind for c in event["object"]["status"].get("conditions", []))


def untracked(event):
    return event["object"]["status"]["phase"] in ("Failed", "Succeeded") and \
        not event["object"]["metadata"].get("finalizers")


def deleted(event):
    return event["type"] == "DELETED"


@check
def watch_of_exit_3_is_as_recorded(world):
    world.begin = str(world.stats()["resourceVersion"])
    name = world.job("echo out; echo err >&2; exit 3")
    compare_run(world, name, "exit3", untracked, has_condition("Failed"))


@check
def watch_of_exit_0_is_as_recorded(world):
    world.begin = str(world.stats()["resourceVersion"])
    name = world.job("echo out")
    compare_run(world, name, "ok", untracked, has_condition("Complete"))


@check
def watch_of_ttl_0_is_as_recorded(world):
    world.begin = str(world.stats()["resourceVersion"])
    name = world.job("echo out", ttlSecondsAfterFinished=0)
    compare_run(world, name, "ttl0", deleted, deleted)


@check
def watch_of_a_job_deadline_is_as_recorded(world):
    world.begin = str(world.stats()["resourceVersion"])
    name = world.job("sleep 60", activeDeadlineSeconds=1)
    compare_run(world, name, "deadline", deleted, has_condition("Failed"))


@check
def watch_of_a_native_sidecar_is_as_recorded(world):
    world.begin = str(world.stats()["resourceVersion"])
    sidecar = {"name": "ship", "image": "shop/web:1", "command": ["sleep", "60"], "restartPolicy": "Always"}
    name = world.job("sleep 0.2; exit 5", pod={"initContainers": [sidecar]})
    events = watch_run(world, name, "pod", untracked)
    compare(shapes(events, shape_of_pod), shapes(recording("watch-job-native-sidecar-pod.ndjson"), shape_of_pod),
            "sidecar")


@check
def watch_of_an_eviction_is_as_recorded(world):
    name = world.job("sleep 60")
    pod = world.admin.wait(f"{POD_PATH}?labelSelector=job-name%3D{name}", lambda found: found["items"] and found[
        "items"][0]["status"]["phase"] == "Running")["items"][0]
    begin = pod["metadata"]["resourceVersion"]
    world.admin.post(f"{POD_PATH}/{pod['metadata']['name']}/eviction?dryRun=All", {})
    same(world.admin.get(f"{POD_PATH}/{pod['metadata']['name']}")["metadata"]["resourceVersion"], begin)
    world.admin.post(f"{POD_PATH}/{pod['metadata']['name']}/eviction", {"metadata": {
        "name": pod["metadata"]["name"]}})
    events = world.admin.watch(f"{POD_PATH}?watch=true&labelSelector=job-name%3D{name}&resourceVersion={begin}",
                               deleted)
    found = [(e["type"], has_condition("DisruptionTarget")(e), e["object"]["status"]["phase"],
              "deletionTimestamp" in e["object"]["metadata"]) for e in events]
    wanted = [(e["type"], has_condition("DisruptionTarget")(e), e["object"]["status"]["phase"],
               "deletionTimestamp" in e["object"]["metadata"]) for e in recording("watch-pod-evicted.ndjson")]
    same(list(dict.fromkeys(found)), list(dict.fromkeys(wanted))[1:])


@check
def old_versions_are_gone(world):
    events = world.admin.watch(POD_PATH + "?watch=true&resourceVersion=1", lambda event: True)
    wanted = recording("watch-410-expired.ndjson")[0]
    number = events[0]["object"]["message"].split("(")[1]
    wanted["object"]["message"] = wanted["object"]["message"].split("(")[0] + "(" + number
    same(events, [wanted])


@check
def bookmarks_come_at_the_end_and_after_initial_events(world):
    events = world.admin.watch(POD_PATH + "?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&timeoutSeconds=1"
                               "&resourceVersionMatch=NotOlderThan", lambda event: False)
    kinds = [event["type"] for event in events]
    same(kinds.count("BOOKMARK"), 2)
    first = events[kinds.index("BOOKMARK")]["object"]
    same(first["metadata"]["annotations"], {"k8s.io/initial-events-end": "true"})
    same(kinds[-1], "BOOKMARK")


@check
def a_job_orphans_its_pod_unless_told_otherwise(world):
    for policy, left in ((None, True), ("Background", False), ("Foreground", False)):
        name = world.job("sleep 60")
        world.admin.wait(f"{POD_PATH}?labelSelector=job-name%3D{name}", lambda found: found["items"] and found[
            "items"][0]["status"]["phase"] == "Running")
        job = world.admin.get(f"{JOB_PATH}/{name}")
        made = world.admin.post(SHOP + "/configmaps", {"metadata": {"name": name, "ownerReferences": [{
            "apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job["metadata"]["uid"]}]}})
        code, body = world.admin.call("DELETE", f"{JOB_PATH}/{name}", {"propagationPolicy": policy} if policy else {})
        same(code, 200)
        if policy == "Background":
            wanted = recording("delete-job-response.json")
            wanted["details"].update(name=name, uid=job["metadata"]["uid"])
            same(body, wanted)
        time.sleep(0.1)
        same("deletionTimestamp" in world.admin.get(f"{POD_PATH}?labelSelector=job-name%3D{name}")["items"][0][
            "metadata"], not left, policy)
        if not left:
            world.admin.wait(f"{POD_PATH}?labelSelector=job-name%3D{name}", lambda found: not found["items"])
            code, _ = world.admin.call("GET", f"{SHOP}/configmaps/{made['metadata']['name']}")
            same(code, 404, policy)
