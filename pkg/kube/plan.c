/* SPDX-License-Identifier: Apache-2.0 */
/* What the pure clone needs besides the source's documents: who asks, the image's ENTRYPOINT, the gate. */
#include "pkg/kube/kube.h"

#include <string.h>
#include "pkg/kube/clone.h"
#include "pkg/kube/gate/gate.h"
#include "pkg/kube/registry.h"
#include "pkg/base/base64.h"

/* Only an image whose ENTRYPOINT stays has to be asked for it. */
static bool needs_entrypoint(const struct request *request, const cJSON *container)
{
	return request->entrypoint_mode == ENTRYPOINT_KEEP && !request->image &&
	       request->kubernetes.gate == GATE_AUTO &&
	       json_is_unset(json_member(container, "command"));
}

/* One pull secret, decoded; without the right to read it the registry is asked without. */
static void add_secret(struct kube *kube, const char *name, cJSON *secrets)
{
	static const char *const keys[] = {".dockerconfigjson", ".dockercfg"};
	_cleanup_free_ char *path = kube_path("", kube->config.name_space, "secrets", name, NULL);
	_cleanup_(json_free) cJSON *secret = NULL;
	struct err ignored = ERR_INIT;

	if (!path || kube_call(kube, "GET", path, NULL, &secret, &ignored) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(1 << 20);
		const cJSON *data = json_member(json_member(secret, "data"), keys[i]);
		cJSON *document = NULL;

		if (!cJSON_IsString(data) || base64_decode(data->valuestring, true, &text) < 0 ||
		    json_parse(strbuf_str(&text), text.length, 1 << 20, &document, &ignored) < 0)
			continue;
		if (json_add_node(secrets, document) < 0)
			return;
	}
}

/* repo@sha256:… of the running container, or NULL where no registry can be asked for it. */
static char *pinned_reference(const char *image, const char *image_id)
{
	const char *digest = image_id ? strstr(image_id, "@sha256:") : NULL;
	const char *slash = image ? strrchr(image, '/') : NULL;
	size_t length = image ? strcspn(image, "@") : 0;
	const char *colon = image ? memchr(slash ? slash : image, ':',
	                                   length - (size_t)((slash ? slash : image) - image))
	                          : NULL;
	char *text = NULL;

	if (!image || !digest)
		return NULL;
	if (colon)
		length = (size_t)(colon - image);
	if (asprintf(&text, "%.*s%s", (int)length, image, digest) < 0)
		return NULL;
	return text;
}

static cJSON *ask_registry(struct kube *kube, const struct release *release, const cJSON *spec)
{
	_cleanup_free_ char *reference = pinned_reference(release->image, release->digest);
	_cleanup_(json_free) cJSON *secrets = cJSON_CreateArray();
	struct registry_settings settings = {
		.pull_secrets = secrets,
		.architecture = kube->architecture ? kube->architecture : "amd64",
		.reporter = kube->reporter,
	};
	const cJSON *item;
	cJSON *config = NULL;
	struct err err = ERR_INIT;

	if (!reference || !secrets)
		return NULL;
	cJSON_ArrayForEach (item, json_member(spec, "imagePullSecrets")) {
		const char *name = json_string(item, "name");

		if (name)
			add_secret(kube, name, secrets);
	}
	if (registry_image_config(&settings, reference, &config, &err) < 0) {
		report(&kube->reporter, REPORT_DETAIL, "the image's registry: %s", err.message);
		return NULL;
	}
	return config;
}

/* The image's config document, or NULL: then there is no gate before its ENTRYPOINT, and the plan says so. Who waits for
 * a lock plans again and again: the registry is asked once. */
static const cJSON *image_config(struct kube *kube, const struct release *release,
                                 const cJSON *spec)
{
	if (!kube->registry_asked)
		kube->image_config = ask_registry(kube, release, spec);
	kube->registry_asked = true;
	return kube->image_config;
}

void kube_ask_user(struct kube *kube)
{
	static const char text[] = "{\"apiVersion\":\"authentication.k8s.io/v1\","
				   "\"kind\":\"SelfSubjectReview\"}";
	_cleanup_(json_free) cJSON *question = NULL, *answer = NULL;
	struct err ignored = ERR_INIT;
	const char *name;

	if (kube->user || json_parse(text, strlen(text), sizeof(text), &question, &ignored) < 0 ||
	    kube_call(kube, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", question,
	              &answer, &ignored) < 0)
		return;
	name = json_string(answer, "status.userInfo.username");
	kube->user = name ? strdup(name) : NULL;
}

int kube_plan(struct backend *backend, const struct release *release, const struct request *request,
              const struct identity *identity, struct plan *ret, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	const cJSON *document = release->document;
	const cJSON *pod_template = json_member(document, "podTemplate");
	const cJSON *container;
	struct kube_clone_input input = {
		.pod_template = pod_template,
		.pod = json_member(document, "pod"),
		.workload = json_member(document, "workload"),
		.services = json_member(document, "services"),
		.budgets = json_member(document, "budgets"),
		.policies = json_member(document, "policies"),
		.workloads = json_member(document, "workloads"),
		.claims = json_member(document, "claims"),
		.request = request,
		.id = identity->id,
		.name = identity->name,
		.name_space = kube->config.name_space,
		.source = kube->source,
		.architecture = kube->architecture,
		.now_unix_seconds = identity->started,
	};

	if (!pod_template)
		pod_template = input.pod;
	container = kube_clone_container(pod_template, request->kubernetes.container, err);
	if (!container)
		return -1;
	kube_ask_user(kube);
	input.user = kube->user ? kube->user : identity->user;
	input.gate = request->kubernetes.gate != GATE_NONE &&
	             gate_find(kube->architecture ? kube->architecture : "amd64");
	if (input.gate && needs_entrypoint(request, container))
		input.image_config = image_config(kube, release, json_member(pod_template, "spec"));
	kube->rows = request->tty_rows;
	kube->columns = request->tty_columns;
	kube->start_timeout_ms = request->start_timeout_ms;
	kube->detached = request->detach;
	return kube_clone(&input, ret, err);
}
