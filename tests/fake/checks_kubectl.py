# SPDX-License-Identifier: Apache-2.0
"""A real kubectl, working with the fake server."""
import json
import os
import subprocess
import time

from harness import POD_PATH, check

JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: NAME}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: c, image: "shop/web:1", command: [sh, -c, exit 0]}
"""
CRON_JOB = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: NAME}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - {name: c, image: "shop/web:1"}
"""


@check
def kubectl_get(world):
    for what, least in (("pods", 4), ("deploy", 1), ("jobs", 0), ("rs", 1), ("cj", 1), ("pdb", 1), ("sts", 1),
                        ("endpointslices", 2), ("rollouts.argoproj.io", 1), ("ro", 1), ("nodes", 1)):
        found = json.loads(world.kubectl("get", what, "-o", "json"))
        assert len(found["items"]) >= least, (what, found)
    deploy = json.loads(world.kubectl("get", "deploy/web", "-o", "json"))
    assert deploy["status"]["readyReplicas"] == 2, deploy
    assert "2/2" in world.kubectl("get", "deploy"), "no table"
    assert "Running" in world.kubectl("get", "pod", "bare"), "no table of one"


@check
def kubectl_describe(world):
    text = world.kubectl("describe", "deploy/web")
    for word in ("NewReplicaSet", "2 desired | 2 updated | 2 total | 2 available", "shop/web:1"):
        assert word in text, (word, text)
    text = world.kubectl("describe", "pod", "bare")
    for word in ("Status:           Running", "Scheduled", "Started", "kube-api-access"):
        assert word in text, (word, text)
    assert "Container started" in world.kubectl("events"), "no events"


@check
def kubectl_create_log_and_delete_a_job(world):
    world.kubectl("create", "job", "made", "--image=shop/web:1", "--", "sh", "-c", "echo one; sleep 0.3; echo two")
    world.kubectl("wait", "--for=condition=Ready", "pod", "-l", "job-name=made", "--timeout=10s")
    assert world.kubectl("logs", "-f", "job/made") == "one\ntwo\n"
    world.kubectl("wait", "--for=condition=Complete", "job/made", "--timeout=10s")
    assert world.kubectl("logs", "job/made", "--tail=1") == "two\n"
    assert "Completed" in world.kubectl("describe", "job/made")
    world.kubectl("delete", "job", "made")
    assert world.kubectl("get", "pods", "-l", "job-name=made", "-o", "name") == ""
    world.kubectl("create", "job", "from", "--from=cronjob/tick")
    world.kubectl("wait", "--for=condition=Complete", "job/from", "--timeout=10s")
    assert world.kubectl("logs", "job/from") == "tick\n"


@check
def kubectl_apply_on_the_server(world):
    for text in (JOB, CRON_JOB):
        out = world.kubectl("apply", "--dry-run=server", "-f", "-", stdin=text.replace("NAME", "dry").encode())
        assert "(server dry run)" in out, out
    assert "dry" not in world.kubectl("get", "jobs,cj", "-o", "name")
    world.kubectl("apply", "-f", "-", stdin=CRON_JOB.replace("NAME", "wet").encode())
    out = world.kubectl("apply", "-f", "-", stdin=CRON_JOB.replace("NAME", "wet").replace("0 3", "0 4").encode())
    assert "configured" in out, out
    assert world.kubectl("get", "cj/wet", "-o", "jsonpath={.spec.schedule}") == "0 4 * * *"
    bad = JOB.replace("NAME", "bad").replace("backoffLimit: 0", "backoffLimit: 0\n  bogus: 1").encode()
    world.kubectl("apply", "--dry-run=server", "-f", "-", stdin=bad, code=1)


@check
def kubectl_auth(world):
    assert world.kubectl("auth", "can-i", "create", "pods", "--subresource=attach") == "yes\n"
    token = os.path.join(world.folder, "kubeconfig-token")
    world.allow(*world.least)
    assert world.kubectl("--kubeconfig", token, "auth", "can-i", "create", "jobs") == "yes\n"
    assert world.kubectl("--kubeconfig", token, "auth", "can-i", "list", "secrets", code=1) == "no\n"
    assert "system:serviceaccount:shop:runner" in world.kubectl("--kubeconfig", token, "auth", "whoami")
    assert "pods/attach" in world.kubectl("--kubeconfig", token, "auth", "can-i", "--list")


@check
def kubectl_attach(world):
    name = world.io_pod()
    out = world.kubectl("attach", "-i", name, stdin=b"a\nb\n")
    assert out == "got:a\ngot:b\nEOF\n", out


@check
def kubectl_attach_to_a_terminal(world):
    name = world.io_pod(tty=True, script="sh")
    done = subprocess.Popen(["script", "-qec", f"kubectl attach -it {name}", "/dev/null"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=world.environment)
    time.sleep(0.5)
    done.stdin.write(b"echo $((6*7)); exit 5\r")
    done.stdin.flush()
    out, _ = done.communicate(timeout=15)
    assert b"42" in out, out
    pod = world.admin.wait(f"{POD_PATH}/{name}", lambda pod: pod["status"]["phase"] == "Failed")
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 5


@check
def kubectl_exec(world):
    assert world.kubectl("exec", "bare", "--", "sh", "-c", "hostname; pwd") == "bare\n/app\n"
    assert world.kubectl("exec", "-i", "bare", "--", "cat", stdin=b"through\n") == "through\n"
    world.kubectl("exec", "bare", "--", "sh", "-c", "exit 7", code=7)


@check
def kubectl_drain(world):
    out = world.kubectl("drain", "lab", "--dry-run=server", "--ignore-daemonsets", "--force",
                        "--delete-emptydir-data")
    assert "node/lab drained (server dry run)" in out, out
    assert "Terminating" not in world.kubectl("get", "pods"), "a dry run has evicted"


@check
def kubectl_rollout(world):
    world.kubectl("set", "image", "deploy/web", "web=shop/web:2")
    world.kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    sets = json.loads(world.kubectl("get", "rs", "-l", "app=web", "-o", "json"))["items"]
    assert sorted(s["spec"]["replicas"] for s in sets) == [0, 2], sets
    world.kubectl("set", "image", "deploy/web", "web=shop/web:1")
    world.kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    world.kubectl("wait", "--for=delete", "pod", "-l", "pod-template-hash=" + next(
        s["metadata"]["labels"]["pod-template-hash"] for s in sets if s["spec"]["replicas"]), "--timeout=20s")
