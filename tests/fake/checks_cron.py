# SPDX-License-Identifier: Apache-2.0
"""Checks of CronJobs that fire, of Roles, and of the tokens that service accounts get."""
import base64
import time

from client import Client
from harness import JOB_PATH, POD_PATH, check, recording, same

CRON_PATH = "/apis/batch/v1/namespaces/shop/cronjobs"
ROLE_PATH = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop"


def cron(world, name, script, schedule="* * * * *", **spec):
    world.admin.post(CRON_PATH, {"metadata": {"name": name}, "spec": {"schedule": schedule, **spec, "jobTemplate": {
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                 "containers": [{"name": "c", "image": "shop/web:1", "command": ["sh", "-c", script]}]}}}}}})


def fired(world, name):
    return [job for job in world.admin.get(JOB_PATH)["items"] if job["metadata"]["name"].startswith(name + "-")]


def drop(world, *names):
    for name in names:
        world.admin.call("DELETE", f"{CRON_PATH}/{name}", {"propagationPolicy": "Background"})
    world.set(cron_ahead=0)


def shape(value):
    return {key: shape(entry) for key, entry in value.items()} if isinstance(value, dict) else type(value).__name__


@check
def a_cron_job_fires_as_recorded(world):
    cron(world, "tock", "exit 0")
    same(fired(world, "tock"), [])
    world.set(cron_ahead=60000)
    done = world.admin.wait(f"{CRON_PATH}/tock", lambda obj: "lastSuccessfulTime" in obj["status"])
    (job,), wanted = fired(world, "tock"), recording("cronjob-jobs.json")["items"][0]
    for key in ("annotations", "ownerReferences", "labels"):
        found = job["metadata"][key]
        same(shape(found[0] if key == "ownerReferences" else found),
             shape(wanted["metadata"][key][0] if key == "ownerReferences" else wanted["metadata"][key]))
    minutes = time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(int(job["metadata"]["name"][5:]) * 60))
    same(minutes, job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"])
    same(done["status"]["lastScheduleTime"], minutes)
    assert "active" not in done["status"], done["status"]
    drop(world, "tock")
    world.admin.wait(JOB_PATH, lambda found: not any(j["metadata"]["name"].startswith("tock-") for j in found["items"]))


@check
def a_cron_job_forbids_replaces_and_is_suspended(world):
    cron(world, "forbid", "sleep 60", concurrencyPolicy="Forbid")
    cron(world, "replace", "sleep 60", concurrencyPolicy="Replace")
    cron(world, "asleep", "sleep 60", suspend=True)
    cron(world, "other", "sleep 60", schedule="0 0 30 2 *")
    world.set(cron_ahead=60000)
    first = {name: fired(world, name)[0]["metadata"]["name"] for name in ("forbid", "replace")}
    world.set(cron_ahead=120000)
    same([job["metadata"]["name"] for job in fired(world, "forbid")], [first["forbid"]])
    left = world.admin.wait(f"{CRON_PATH}/replace", lambda obj: obj["status"]["active"][0]["name"] != first["replace"])
    same(len(left["status"]["active"]), 1)
    same(fired(world, "asleep") + fired(world, "other"), [])
    drop(world, "forbid", "replace", "asleep", "other")


@check
def roles_allow_what_they_say_to_whom_they_are_bound(world):
    world.kubectl("-n", "shop", "create", "serviceaccount", "looker")
    answer = world.admin.post("/api/v1/namespaces/shop/serviceaccounts/looker/token", {
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {"expirationSeconds": 600}})
    looker = Client(world.folder, world.url, answer["status"]["token"])
    looker.get(POD_PATH, 403)
    world.kubectl("-n", "shop", "create", "role", "look", "--verb=list", "--resource=pods")
    world.kubectl("-n", "shop", "create", "rolebinding", "look", "--role=look", "--serviceaccount=shop:looker",
                  "--user=jane")
    looker.get(POD_PATH)
    looker.get(POD_PATH.replace("shop", "default"), 403)
    looker.get(JOB_PATH, 403)
    same(world.kubectl("-n", "shop", "--as", "jane", "auth", "can-i", "list", "pods"), "yes\n")
    same(world.kubectl("-n", "shop", "--as", "jack", "auth", "can-i", "list", "pods", code=1), "no\n")
    for kind in ("role", "rolebinding"):
        world.kubectl("-n", "shop", "delete", kind, "look")
    looker.get(POD_PATH, 403)
    world.kubectl("-n", "shop", "delete", "serviceaccount", "looker")
    looker.get(POD_PATH, 401)


@check
def a_pod_has_a_token_of_its_account_and_needs_the_account(world):
    name = world.pod("base64 /var/run/secrets/kubernetes.io/serviceaccount/token; sleep 60", serviceAccountName="web")
    text = ""
    while not text.endswith("\n"):
        text = world.kubectl("logs", name)
    inside = Client(world.folder, world.url, base64.b64decode(text).decode())
    review = inside.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    same(review["status"]["userInfo"]["username"], "system:serviceaccount:shop:web")
    answer = world.admin.post(POD_PATH, {"metadata": {"name": "nobody"}, "spec": {
        "serviceAccountName": "nobody", "containers": [{"name": "c", "image": "shop/web:1"}]}}, 403)
    same(answer["message"], 'pods "nobody" is forbidden: error looking up service account shop/nobody: serviceaccount '
         '"nobody" not found')
