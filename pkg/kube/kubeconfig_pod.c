/* SPDX-License-Identifier: Apache-2.0 */
/* The service account of the pod we run in (client-go's rest.InClusterConfig). */
#include "pkg/kube/kubeconfig_internal.h"

#include <string.h>

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"
#define NAMESPACE_MAX   ((size_t)1024)

static int make_server(const char *host, const char *port, struct kubeconfig *config,
                       struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf url = STRBUF_INIT;
	bool is_v6 = strchr(host, ':');
	struct kubeconfig_address address;

	strbuf_addf(&url, "https://%s%s%s:%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
	if (url.failed)
		return err_no_memory(err);
	if (kubeconfig_parse_server(strbuf_str(&url), &address, err) < 0)
		return err_set(err, ERR_USAGE,
		               "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are no "
		               "address");
	free(address.host);
	config->server = strbuf_take(&url);
	return 0;
}

static int read_namespace(const char *folder, struct kubeconfig *config, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *path = kubeconfig_absolute(folder, "namespace");
	struct err ignored = ERR_INIT;
	size_t begin, length;

	if (!path)
		return err_no_memory(err);
	/* Not every account has it; "default" is then as good as for kubectl. */
	if (kubeconfig_read_file(path, NAMESPACE_MAX, &text, &ignored) < 0)
		return 0;
	begin = strspn(strbuf_str(&text), " \t\r\n");
	length = strcspn(strbuf_str(&text) + begin, " \t\r\n");
	if (!length)
		return 0;
	config->name_space = strndup(strbuf_str(&text) + begin, length);
	return config->name_space ? 0 : err_no_memory(err);
}

int kubeconfig_read_pod(const struct kubeconfig_settings *settings, struct kubeconfig *config,
                        struct err *err)
{
	const char *folder =
		settings->service_account ? settings->service_account : SERVICE_ACCOUNT;
	const char *host = kubeconfig_environment(settings, "KUBERNETES_SERVICE_HOST");
	const char *port = kubeconfig_environment(settings, "KUBERNETES_SERVICE_PORT");
	_cleanup_free_ char *token = kubeconfig_absolute(folder, "token");
	_cleanup_free_ char *authority = kubeconfig_absolute(folder, "ca.crt");

	if (!token || !authority)
		return err_no_memory(err);
	if (!host || !port || access(token, F_OK) < 0)
		return 0;
	config->context = strdup("in-cluster");
	config->origin = strdup("the pod's service account");
	if (!config->context || !config->origin)
		return err_no_memory(err);
	if (make_server(host, port, config, err) < 0 || read_namespace(folder, config, err) < 0)
		return -1;
	config->token_file = TAKE_PTR(token);
	if (access(authority, F_OK) == 0)
		config->ca_file = TAKE_PTR(authority);
	return 1;
}
