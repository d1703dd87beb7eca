/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/kubeconfig.h"

#include <string.h>
#include "pkg/kube/kubeconfig_internal.h"

/* Secrets do not stay behind in freed memory. */
static void free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void release_user(struct kubeconfig *config)
{
	free(config->cert_file);
	free(config->cert_data);
	free(config->key_file);
	free_secret(config->key_data);
	free_secret(config->token);
	free(config->token_file);
	free(config->username);
	free_secret(config->password);
	config->cert_file = config->cert_data = config->key_file = config->key_data = NULL;
	config->token = config->token_file = config->username = config->password = NULL;
	kubeconfig_release_exec(&config->exec);
}

void kubeconfig_release(struct kubeconfig *config)
{
	free(config->context);
	free(config->origin);
	free(config->server);
	free(config->name_space);
	free(config->ca_file);
	free(config->ca_data);
	free(config->tls_server_name);
	free_secret(config->proxy_url);
	release_user(config);
	strv_release(&config->impersonation);
	*config = (struct kubeconfig)KUBECONFIG_INIT;
}

/* The context to use: *ret is NULL when no file says anything at all. */
static int choose_context(const struct kubeconfig_settings *settings,
                          const struct kubeconfig_files *files, const char **ret, struct err *err)
{
	const char *name = settings->context && *settings->context
	                           ? settings->context
	                           : kubeconfig_current_context(files);

	*ret = name;
	if (name ||
	    (!kubeconfig_has_any(files, "context") && !kubeconfig_has_any(files, "cluster")))
		return 0;
	err_set(err, ERR_USAGE, "%s: no current-context is set", files->origin);
	if (kubeconfig_has_any(files, "context"))
		kubeconfig_hint_names(files, "context", NULL, err);
	else
		err_hint(err, "it has clusters, but no context: see 'kubectl config set-context'");
	return -1;
}

static int read_user_of(const struct kubeconfig_files *files, const char *name,
                        const struct kubeconfig_entry *cluster,
                        const struct kubeconfig_settings *settings, struct kubeconfig *config,
                        struct err *err)
{
	struct kubeconfig_entry user;

	if (!name)
		return kubeconfig_read_impersonation(NULL, settings, config, err);
	if (kubeconfig_find(files, "user", name, &user, err) < 0)
		return -1;
	if (kubeconfig_read_user(&user, config, err) < 0 ||
	    kubeconfig_read_exec(&user, cluster, config, err) < 0 ||
	    kubeconfig_read_impersonation(&user, settings, config, err) < 0)
		return kubeconfig_wrap(&user, err);
	/* As in kubectl, nothing secret goes over a connection without TLS. */
	if (strncmp(config->server, "https://", 8) != 0)
		release_user(config);
	return 0;
}

static int read_context(const struct kubeconfig_files *files, const char *name,
                        const struct kubeconfig_settings *settings, struct kubeconfig *config,
                        struct err *err)
{
	struct kubeconfig_entry context, cluster;
	const char *cluster_name, *user_name;

	if (kubeconfig_find(files, "context", name, &context, err) < 0)
		return -1;
	if (kubeconfig_text(&context, "cluster", &cluster_name, err) < 0 ||
	    kubeconfig_text(&context, "user", &user_name, err) < 0 ||
	    kubeconfig_copy(&context, "namespace", &config->name_space, err) < 0)
		return kubeconfig_wrap(&context, err);
	if (!cluster_name) {
		err_set(err, ERR_USAGE, "it names no cluster");
		return kubeconfig_wrap(&context, err);
	}
	if (kubeconfig_find(files, "cluster", cluster_name, &cluster, err) < 0)
		return kubeconfig_wrap(&context, err);
	if (kubeconfig_read_cluster(&cluster, config, err) < 0)
		return kubeconfig_wrap(&cluster, err);
	if (read_user_of(files, user_name, &cluster, settings, config, err) < 0)
		return -1;
	config->context = strdup(name);
	config->origin = strdup(files->origin);
	return config->context && config->origin ? 0 : err_no_memory(err);
}

static int refuse_nothing(const struct kubeconfig_settings *settings, struct err *err)
{
	const char *list = kubeconfig_environment(settings, "KUBECONFIG");

	if (settings->kubeconfig && *settings->kubeconfig)
		err_set(err, ERR_UNREACHABLE, "%s names no cluster", settings->kubeconfig);
	else if (list)
		err_set(err, ERR_UNREACHABLE,
		        "no Kubernetes cluster is configured: KUBECONFIG "
		        "(%.300s) names no file with a cluster",
		        list);
	else
		err_set(err, ERR_UNREACHABLE,
		        "no Kubernetes cluster is configured: there is no ~/.kube/config with a "
		        "cluster, and this is no pod with a service account");
	return err_hint(err, "name a file with --kubeconfig or KUBECONFIG, or have your cloud's "
	                     "command write ~/.kube/config");
}

/* The account of our pod, where no file says anything. */
static int read_pod(const struct kubeconfig_settings *settings, struct kubeconfig *config,
                    struct err *err)
{
	bool is_asked = settings->kubeconfig && *settings->kubeconfig;
	int found = is_asked ? 0 : kubeconfig_read_pod(settings, config, err);

	if (found < 0)
		return -1;
	if (!found)
		return refuse_nothing(settings, err);
	return kubeconfig_read_impersonation(NULL, settings, config, err);
}

static int settle_namespace(const struct kubeconfig_settings *settings, struct kubeconfig *config,
                            struct err *err)
{
	const char *name = settings->name_space && *settings->name_space ? settings->name_space
	                                                                 : config->name_space;
	char *copy = strdup(name ? name : "default");

	if (!copy)
		return err_no_memory(err);
	free(config->name_space);
	config->name_space = copy;
	return 0;
}

int kubeconfig_load(const struct kubeconfig_settings *settings, struct kubeconfig *ret,
                    struct err *err)
{
	_cleanup_(kubeconfig_files_release) struct kubeconfig_files files = {.items = NULL};
	_cleanup_(kubeconfig_release) struct kubeconfig config = KUBECONFIG_INIT;
	const char *context;
	int result;

	if (kubeconfig_files_read(settings, &files, err) < 0 ||
	    choose_context(settings, &files, &context, err) < 0)
		return -1;
	result = context ? read_context(&files, context, settings, &config, err)
	                 : read_pod(settings, &config, err);
	if (result < 0 || settle_namespace(settings, &config, err) < 0)
		return -1;
	if (!config.proxy_url &&
	    kubeconfig_environment_proxy(settings, config.server, &config.proxy_url, err) < 0)
		return -1;
	*ret = config;
	config = (struct kubeconfig)KUBECONFIG_INIT;
	return 0;
}
