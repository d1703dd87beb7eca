/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/kube.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/environment.h"
#include "pkg/kube/channel.h"

static void kube_close(struct backend *backend)
{
	struct kube *kube = (struct kube *)backend;

	/* The task has ended: nobody has to wait for the cluster to notice. */
	if (kube->http && kube->task.status.stage == POD_ENDED && kube->task.status.exit.known)
		kube_lock_give_back(kube);
	if (kube->channel)
		kube->channel->ops->close(kube->channel);
	watch_close(kube->watch);
	kube_lock_release(&kube->lock);
	for (size_t i = 0; i < KUBE_MAX_SIDE; i++)
		http_cancel(kube->side[i]);
	http_client_close(kube->http);
	credentials_close(kube->credentials);
	kubeconfig_release(&kube->config);
	strv_release(&kube->headers);
	kube_task_release(&kube->task);
	json_free(&kube->workload);
	free(kube->source);
	free(kube->user);
	free(kube->architecture);
	json_free(&kube->image_config);
	free(kube);
}

static int load_config(struct kube *kube, const struct backend_settings *settings, struct err *err)
{
	const struct kubeconfig_settings where = {
		.kubeconfig = settings->kubeconfig,
		.context = settings->context,
		.name_space = settings->name_space,
		.as = settings->as,
		.as_groups = settings->as_groups,
		.get = environment_get,
	};

	if (kubeconfig_load(&where, &kube->config, err) < 0)
		return -1;
	report(&kube->reporter, REPORT_DETAIL, "cluster: %s, context '%s', namespace '%s' (%s)",
	       kube->config.server, kube->config.context, kube->config.name_space,
	       kube->config.origin);
	return 0;
}

static int connect_to(struct kube *kube, struct err *err)
{
	struct kubeconfig *config = &kube->config;
	struct http_target target = {
		.base_url = config->server,
		.name = config->server,
		.tls_verify = !config->insecure,
		.ca_file = config->ca_file,
		.ca_data = config->ca_data,
		.cert_file = config->cert_file,
		.cert_data = config->cert_data,
		.key_file = config->key_file,
		.key_data = config->key_data,
		.tls_server_name = config->tls_server_name,
		.proxy = config->proxy_url ? config->proxy_url : "",
		.headers = &kube->headers,
		.max_connections = KUBE_MAX_CONNECTIONS,
	};

	if (credentials_open(config, &kube->reporter, &kube->credentials, err) < 0 ||
	    kube_renew(kube, false, err) < 0)
		return -1;
	if (credentials_certificate(kube->credentials)) {
		target.cert_data = credentials_certificate(kube->credentials);
		target.key_data = credentials_key(kube->credentials);
	}
	return http_client_open(&target, kube->loop, &kube->http, err);
}

static int kube_open(const struct backend_settings *settings, struct loop *loop,
                     struct backend **ret, struct err *err)
{
	struct kube *kube = calloc(1, sizeof(*kube));

	if (!kube)
		return err_no_memory(err);
	kube->base.ops = &kubernetes_backend;
	kube->loop = loop;
	kube->reporter = settings->reporter;
	kube->settings = *settings;
	kube->call_timeout_ms = KUBE_CALL_TIMEOUT_MS;
	if (load_config(kube, settings, err) < 0 || connect_to(kube, err) < 0) {
		kube_close(&kube->base);
		return -1;
	}
	*ret = &kube->base;
	return 0;
}

/* The image's files are on a node; nothing reads them but the task itself. */
static int kube_read_file(struct backend *backend, const struct release *release, const char *path,
                          size_t cap, struct strbuf *ret, struct err *err)
{
	(void)backend;
	(void)release;
	(void)cap;
	(void)ret;
	return err_set(err, ERR_NOT_FOUND, "%s cannot be read from here", path);
}

static void kube_command(const struct backend *backend, enum backend_command command,
                         const char *name, struct strbuf *ret)
{
	const struct kube *kube = (const struct kube *)backend;

	bool is_pod = kube->task.name && !kube->task.is_job;

	/* On a node that is lost the pod outlives its Job. */
	if (command == BACKEND_COMMAND_LIST && kube->task.pod) {
		is_pod = true;
		name = kube->task.pod;
	}
	strbuf_addf(ret, "kubectl -n %s %s %s/%s", kube->config.name_space,
	            command == BACKEND_COMMAND_LIST ? "get" : "delete", is_pod ? "pod" : "job",
	            name);
}

const struct backend_ops kubernetes_backend = {
	.name = "kubernetes",
	.capabilities = BACKEND_SEPARATE_STREAMS | BACKEND_HALF_CLOSE | BACKEND_REMOVES_ITSELF |
                        BACKEND_KEEPS | BACKEND_BY_NAME_ONLY | BACKEND_MANIFEST |
                        BACKEND_HOLDS_OUTPUT | BACKEND_DETACHES,
	.open = kube_open,
	.find = kube_find,
	.plan = kube_plan,
	.create = kube_create,
	.attach = kube_attach,
	.arm = kube_arm,
	.start = kube_task_start,
	.exited = kube_exited,
	.recover = kube_recover,
	.reattach = kube_reattach,
	.may_have_ended = kube_may_have_ended,
	.signal = kube_signal,
	.resize = kube_resize,
	.remove = kube_remove,
	.sweep = kube_sweep,
	.read_file = kube_read_file,
	.bury = kube_bury,
	.command = kube_command,
	.list = kube_list_tasks,
	.adopt = kube_adopt,
	.output = kube_output,
	.discard = kube_discard,
	.sources = kube_sources,
	.diagnose = kube_diagnose,
	.close = kube_close,
};
