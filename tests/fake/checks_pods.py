# SPDX-License-Identifier: Apache-2.0
"""Checks of pods and of the fault script; the last one ends the server."""
import http.client
import json
import os
import shutil
import ssl
import time

from harness import JOB_PATH, POD_PATH, World, alive, check, descendants, numbers, recording, same

SHOP = "/api/v1/namespaces/shop"


@check
def a_pod_with_the_labels_gets_traffic_and_spoils_the_budget(world):
    labels = {"app": "web", "tier": "backend"}
    slices = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?labelSelector=kubernetes.io/service-name%3Dweb"
    budget = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web"
    world.admin.wait(budget, lambda b: b["status"]["disruptionsAllowed"] == 1)
    same(len(world.admin.get(slices)["items"][0]["endpoints"]), 2)
    name = f"j{next(numbers)}"
    world.admin.post(JOB_PATH, {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": {
        "metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                                                 "containers": [{"name": "c", "image": "shop/web:1"}]}}}})
    found = world.admin.wait(budget, lambda b: b["status"]["conditions"][0]["reason"] == "SyncFailed")["status"]
    wanted = recording("poddisruptionbudgets-with-job-pod.json")["items"][2]["status"]
    for status in (found, wanted):
        status["conditions"][0].pop("lastTransitionTime")
    same(found, wanted)
    world.admin.wait(slices, lambda found: sum(e["conditions"]["ready"] for e in found["items"][0]["endpoints"]) == 3)
    world.admin.call("DELETE", f"{JOB_PATH}/{name}", {"propagationPolicy": "Background"})
    world.admin.wait(budget, lambda b: b["status"]["disruptionsAllowed"] == 1)


@check
def refused_pods_show_only_in_events(world):
    world.faults({"pod": "^quota", "reason": "Quota"})
    pod = {"metadata": {"name": "quota"}, "spec": {"containers": [{"name": "c", "image": "shop/web:1"}]}}
    wanted = json.loads(json.dumps(recording("status-403-quota.json")).replace('"x', '"quota').replace(
        '\\"x\\"', '\\"quota\\"'))
    same(world.admin.call("POST", POD_PATH + "?dryRun=All", pod), (403, wanted))
    name = world.job("true", "quota")
    found = world.admin.wait(SHOP + "/events?fieldSelector=involvedObject.name%3Dquota", lambda e: e["items"])["items"]
    assert found[0]["reason"] == "FailedCreate" and "exceeded quota: q" in found[0]["message"], found
    same(world.admin.get(f"{JOB_PATH}/{name}")["status"], {})
    world.faults()
    world.admin.wait(f"{JOB_PATH}/{name}", lambda job: job["status"].get("succeeded") == 1)


@check
def pods_fail_as_scripted(world):
    world.faults({"pod": "^oom", "reason": "OOMKilled", "ms": 50}, {"pod": "^evict", "reason": "Evicted", "ms": 50},
                 {"pod": "^late", "reason": "DeadlineExceeded"}, {"pod": "^pull", "reason": "ErrImagePull"},
                 {"pod": "^place", "reason": "Unschedulable"}, {"pod": "^lost", "reason": "NodeLost"})
    pods = {name: world.pod("sleep 60", name, wait=None) for name in ("oom", "evict", "late", "pull", "place", "lost")}
    ends = {name: world.admin.wait(f"{POD_PATH}/{name}", lambda pod: pod["status"]["phase"] == "Failed")["status"]
            for name in ("oom", "evict", "late")}
    state = ends["oom"]["containerStatuses"][0]["state"]["terminated"]
    same((state["exitCode"], state["reason"]), (137, "OOMKilled"))
    same((ends["evict"]["reason"], ends["late"]["reason"]), ("Evicted", "DeadlineExceeded"))
    pull = world.admin.wait(f"{POD_PATH}/pull", lambda pod: "containerStatuses" in pod["status"] and pod["status"][
        "containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff")
    same([c["type"] for c in pull["status"]["conditions"]],
         [c["type"] for c in recording("pod-imagepullbackoff.json")["status"]["conditions"]])
    place = world.admin.wait(f"{POD_PATH}/place", lambda pod: pod["status"].get("conditions"))["status"]["conditions"]
    same(place[0]["message"], recording("pod-unschedulable-cpu.json")["status"]["conditions"][0]["message"])
    world.admin.wait(f"{POD_PATH}/lost", lambda pod: "deletionTimestamp" in pod["metadata"])
    world.faults()
    for name in pods:
        world.admin.call("DELETE", f"{POD_PATH}/{name}?gracePeriodSeconds=0")


@check
def a_missing_command_is_a_start_error(world):
    name = world.pod("", container={"command": ["nosuchcommand"]}, wait="Failed")
    found = world.admin.get(f"{POD_PATH}/{name}")["status"]["containerStatuses"][0]["state"]["terminated"]
    wanted = recording("pod-starterror-128.json")["status"]["containerStatuses"][0]["state"]["terminated"]
    for key in ("exitCode", "reason", "message", "startedAt"):
        same(found[key], wanted[key], key)


@check
def last_words_reach_the_status(world):
    one = world.pod("echo from-file > /dev/termination-log; exit 2", wait="Failed")
    two = world.pod("echo last words; exit 2", container={"terminationMessagePolicy": "FallbackToLogsOnError"},
                    wait="Failed")
    three = world.pod("kill -9 $$; exit 4", wait="Failed")
    for name, wanted in ((one, (2, "Error", "from-file\n")), (two, (2, "Error", "last words\n")),
                         (three, (4, "Error", None))):
        state = world.admin.get(f"{POD_PATH}/{name}")["status"]["containerStatuses"][0]["state"]["terminated"]
        same((state["exitCode"], state["reason"], state.get("message")), wanted)


@check
def volumes_environment_and_user_reach_the_process(world):
    world.admin.post(SHOP + "/configmaps", {"metadata": {"name": "tool"}, "binaryData": {
        "run": "IyEvYmluL3NoCmVjaG8gdG9vbCAkKGlkIC11KQo="}, "data": {"text": "hello"}})
    spec = {"volumes": [{"name": "tool", "configMap": {"name": "tool", "defaultMode": 0o755}},
                        {"name": "late", "configMap": {"name": "late"}}, {"name": "tmp", "emptyDir": {}}]}
    container = {"volumeMounts": [{"name": "tool", "mountPath": "/.oneoff"}, {"name": "tmp", "mountPath": "/scratch"},
                                  {"name": "late", "mountPath": "/late"}],
                 "envFrom": [{"secretRef": {"name": "web-secret"}}],
                 "env": [{"name": "WHO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                         {"name": "TWICE", "value": "$(WHO)-$(WHO)"}],
                 "securityContext": {"runAsUser": 1000, "readOnlyRootFilesystem": True}}
    script = ("/.oneoff/run; cat /.oneoff/text; echo; echo $DATABASE_PASSWORD $TWICE $(hostname); pwd; "
              "echo x > /scratch/x && echo written; echo x > /app/x || echo read-only; cat /late/key")
    name = world.pod(script, "seen", container, wait=None, **spec)
    time.sleep(0.3)
    same(world.admin.get(f"{POD_PATH}/{name}")["status"]["phase"], "Pending")
    world.admin.post(SHOP + "/configmaps", {"metadata": {"name": "late"}, "data": {"key": "late\n"}})
    world.admin.wait(f"{POD_PATH}/{name}", lambda pod: pod["status"]["phase"] == "Succeeded")
    text = world.admin.raw("GET", f"{POD_PATH}/{name}/log")[2].decode()
    same([line for line in text.splitlines() if "can't create" not in line],
         ["tool 1000", "hello", "s3cret seen-seen seen", "/app", "written", "read-only", "late"])


@check
def requests_fail_as_scripted(world):
    path = SHOP + "/configmaps/web-env"
    world.faults({"match": {"method": "GET", "path": "web-env", "nth": 1}, "action": "status", "code": 429,
                  "retryAfter": 3},
                 {"match": {"path": "web-env", "nth": 2}, "action": "status", "code": 500},
                 {"match": {"path": "web-env", "nth": 3}, "action": "delay", "ms": 300},
                 {"match": {"path": "web-env", "nth": 4}, "action": "cut", "bytes": 400},
                 {"match": {"path": "web-env", "nth": 5}, "action": "half-open"})
    code, headers, _ = world.admin.raw("GET", path)
    same((code, headers["Retry-After"]), (429, "3"))
    same(world.admin.call("GET", path)[0], 500)
    begin = time.monotonic()
    same(world.admin.call("GET", path)[0], 200)
    assert time.monotonic() - begin >= 0.3
    for error in (http.client.IncompleteRead, TimeoutError):
        try:
            world.admin.raw("GET", path, timeout=0.5)
        except (error, ConnectionResetError, ssl.SSLEOFError):
            continue
        raise AssertionError(f"no {error}")
    world.faults({"match": {"method": "POST", "path": "configmaps"}, "action": "drop-reply"})
    try:
        world.admin.call("POST", SHOP + "/configmaps", {"metadata": {"name": "dropped"}})
        raise AssertionError("there was an answer")
    except (http.client.RemoteDisconnected, ConnectionResetError, ssl.SSLEOFError):
        pass
    world.faults()
    same(world.admin.call("GET", SHOP + "/configmaps/dropped")[0], 200)


@check
def watches_go_stale_or_too_old_as_scripted(world):
    world.faults({"match": {"path": "watch=true", "nth": 1}, "action": "stale-watch"},
                 {"match": {"path": "watch=true", "nth": 2}, "action": "410"})
    same(world.admin.watch(POD_PATH + "?watch=true&timeoutSeconds=1", lambda event: False), [])
    events = world.admin.watch(POD_PATH + "?watch=true&timeoutSeconds=1", lambda event: False)
    same([(e["type"], e["object"]["code"]) for e in events], [("ERROR", 410)])
    world.faults()


@check
def images_decide_what_runs(world):
    name = world.pod("", container={"image": "shop/entry:1", "command": None, "args": ["sh", "-c", "echo $ENTRY_RAN"]},
                     wait="Succeeded")
    same(world.admin.raw("GET", f"{POD_PATH}/{name}/log")[2], b"yes\n")
    digest = "shop/web@sha256:" + "2" * 64
    name = world.pod("echo $APP_RELEASE", container={"image": digest}, wait="Succeeded")
    same(world.admin.raw("GET", f"{POD_PATH}/{name}/log")[2], b"2\n")
    same(world.admin.get(f"{POD_PATH}/{name}")["status"]["containerStatuses"][0]["imageID"], digest)
    name = world.pod("true", container={"image": "scratch/app:1"}, wait="Failed")
    state = world.admin.get(f"{POD_PATH}/{name}")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert state["reason"] == "StartError" and '"sh": executable file not found' in state["message"], state
    world.pod("", container={"image": "scratch/app:1", "command": ["/app/busybox", "true"]}, wait="Succeeded")


@check
def a_readiness_gate_keeps_traffic_away(world):
    name = world.pod("sleep 60", readinessGates=[{"conditionType": "oneoff.dev/never"}], wait=None)
    path = f"{POD_PATH}/{name}"
    world.admin.call("PATCH", path, {"metadata": {"labels": {"app": "web"}}}, {
        "Content-Type": "application/merge-patch+json"})
    pod = world.admin.wait(path, lambda pod: pod["status"]["phase"] == "Running")
    ready = {c["type"]: (c["status"], c.get("reason")) for c in pod["status"]["conditions"]}
    same((ready["Ready"], ready["ContainersReady"]), (("False", "ReadinessGatesNotReady"), ("True", None)))
    slices = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?labelSelector=kubernetes.io/service-name%3Dweb"
    found = world.admin.wait(slices, lambda s: len(s["items"][0]["endpoints"]) == 3)["items"][0]["endpoints"]
    same(sorted(e["conditions"]["ready"] for e in found), [False, True, True])
    world.admin.call("DELETE", path + "?gracePeriodSeconds=0")


@check
def a_replica_set_adopts_and_kills_a_pod_with_its_labels(world):
    labels = world.admin.get(POD_PATH + "?labelSelector=app%3Dweb")["items"][0]["metadata"]["labels"]
    world.admin.post(POD_PATH, {"metadata": {"name": "stray", "labels": labels}, "spec": {"containers": [{
        "name": "c", "image": "shop/web:1"}], "terminationGracePeriodSeconds": 0}})
    world.admin.wait(POD_PATH, lambda pods: "stray" not in [p["metadata"]["name"] for p in pods["items"]])
    same(len(world.admin.get(POD_PATH + "?labelSelector=app%3Dweb")["items"]), 2)


@check
def a_slow_start_is_slow(world):
    world.faults({"pod": "^slow", "reason": "SlowStart", "ms": 500})
    begin = time.monotonic()
    world.pod("sleep 60", "slow")
    assert time.monotonic() - begin > 0.5
    world.faults()


@check
def a_killed_server_leaves_no_process(_):
    world = World()
    pids = descendants(world.process.pid)
    world.process.kill()
    world.process.wait()
    world.process.stdout.close()
    end = time.monotonic() + 5
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < end, [pid for pid in pids if alive(pid)]
        time.sleep(0.02)
    assert len(pids) > 10, pids
    shutil.rmtree(world.folder)
    shutil.rmtree(world.home)


@check
def sigterm_leaves_nothing(world):
    world.pod("sleep 60 & sleep 60 & wait")
    assert world.stats()["processes"] >= 5, world.stats()
    pids, left, files = world.stop()
    assert len(pids) > 10, pids
    same((left, files), ([], []))
    os.rmdir(world.folder)
