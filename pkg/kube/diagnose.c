/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/diagnose.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/number.h"
#include "pkg/kube/kube.h"

int kube_finding(const struct diagnosis *diagnosis, enum finding_level level, const char *subject,
                 const char *fix, struct err *err, const char *format, ...)
{
	char text[600];
	const struct finding finding = {level, subject, text, fix};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return diagnosis->visit(diagnosis->context, &finding, err);
}

/* Minor versions may have a '+' behind them. */
int64_t kube_minor_of(const cJSON *version)
{
	const char *text = json_string(version, "minor");
	char digits[16];
	int64_t minor;

	snprintf(digits, sizeof(digits), "%.*s", text ? (int)strspn(text, "0123456789") : 0,
	         text ? text : "");
	return parse_int64(digits, 0, 1000, &minor) == 0 ? minor : 1000;
}

static int check_server(const struct diagnosis *diagnosis, struct err *err)
{
	struct kube *kube = diagnosis->kube;
	_cleanup_(json_free) cJSON *version = NULL;
	const char *name;
	int64_t minor;

	if (kube_call(kube, "GET", "/version", NULL, &version, err) < 0)
		return -1;
	name = json_string(version, "gitVersion");
	minor = kube_minor_of(version);
	if (kube_finding(diagnosis, FINDING_GOOD, "server", NULL, err,
	                 "%s answers, Kubernetes %s (context '%s')", kube->config.server,
	                 name ? name : "of an unknown version", kube->config.context) < 0)
		return -1;
	if (minor >= 30)
		return 0;
	return kube_finding(diagnosis, FINDING_NOTE, "server", NULL, err,
	                    "older than 1.30: a task does not learn that its input ended");
}

static int check_user(const struct diagnosis *diagnosis, struct err *err)
{
	struct kube *kube = diagnosis->kube;

	kube_ask_user(kube);
	if (!kube->user)
		return kube_finding(diagnosis, FINDING_NOTE, "user", NULL, err,
		                    "the server does not say who we are");
	return kube_finding(diagnosis, FINDING_GOOD, "user", NULL, err, "%s", kube->user);
}

/* Whoever may not read the namespace may still work in it. */
static int check_namespace(const struct diagnosis *diagnosis, struct err *err)
{
	struct kube *kube = diagnosis->kube;
	const char *name = kube->config.name_space, *level;
	_cleanup_free_ char *path = kube_path("", NULL, "namespaces", name, NULL);
	_cleanup_(json_free) cJSON *object = NULL;
	struct err own = ERR_INIT;

	if (!path)
		return err_no_memory(err);
	if (kube_call(kube, "GET", path, NULL, &object, &own) < 0) {
		if (own.http_status == 404)
			return kube_finding(diagnosis, FINDING_BAD, "namespace",
			                    "choose another one with -n", err,
			                    "there is no namespace '%s'", name);
		return 0;
	}
	if (json_at(object, "metadata.deletionTimestamp"))
		return kube_finding(diagnosis, FINDING_BAD, "namespace",
		                    "choose another one with -n", err, "'%s' is being deleted",
		                    name);
	level = cJSON_GetStringValue(json_member(json_at(object, "metadata.labels"),
	                                         "pod-security.kubernetes.io/enforce"));
	if (!level || !strcmp(level, "privileged"))
		return 0;
	return kube_finding(
		diagnosis, FINDING_NOTE, "pod security", NULL, err,
		"'%s' is enforced in '%s': a one-off that asks for more than the app has is refused",
		level, name);
}

/* ---- the source ---- */

static const cJSON *pod_spec(const struct diagnosis *diagnosis)
{
	const cJSON *document = diagnosis->release->document;
	const cJSON *spec = json_at(document, "podTemplate.spec");

	return spec ? spec : json_at(document, "pod.spec");
}

static bool is_once_only(const cJSON *claim)
{
	const cJSON *mode;

	cJSON_ArrayForEach (mode, json_at(claim, "spec.accessModes")) {
		const char *text = cJSON_GetStringValue(mode);

		if (text && !strcmp(text, "ReadWriteOncePod"))
			return true;
	}
	return false;
}

static int check_claims(const struct diagnosis *diagnosis, struct err *err)
{
	const cJSON *claim, *volume;

	cJSON_ArrayForEach (claim, json_at(diagnosis->release->document, "claims")) {
		const char *name = json_string(claim, "metadata.name");

		cJSON_ArrayForEach (volume, json_at(pod_spec(diagnosis), "volumes")) {
			const char *own = json_string(volume, "persistentVolumeClaim.claimName");

			if (!name || !own || strcmp(name, own) || !is_once_only(claim))
				continue;
			if (kube_finding(
				    diagnosis, FINDING_BAD, "volumes",
				    "give the claim another access mode, or run the task in "
				    "the app's own pod",
				    err,
				    "the claim '%s' is ReadWriteOncePod: no second pod may use it",
				    name) < 0)
				return -1;
		}
	}
	return 0;
}

static int check_policies(const struct diagnosis *diagnosis, struct err *err)
{
	const cJSON *policies = json_at(diagnosis->release->document, "policies");
	int count = cJSON_GetArraySize(policies);

	if (!count)
		return 0;
	return kube_finding(
		diagnosis, FINDING_NOTE, "network policies", NULL, err,
		"there are %d; a one-off lacks labels that services select on: see oneoff plan and "
		"--network-identity",
		count);
}

int kube_diagnose(struct backend *backend, const struct release *release, finding_visitor *visit,
                  void *context, struct err *err)
{
	const struct diagnosis diagnosis = {(struct kube *)backend, release, visit, context};

	if (check_server(&diagnosis, err) < 0 || check_user(&diagnosis, err) < 0 ||
	    check_namespace(&diagnosis, err) < 0 || kube_diagnose_rights(&diagnosis, err) < 0 ||
	    kube_diagnose_quota(&diagnosis, err) < 0)
		return -1;
	if (!release)
		return 0;
	return check_claims(&diagnosis, err) < 0 ? -1 : check_policies(&diagnosis, err);
}
