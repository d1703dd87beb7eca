/* SPDX-License-Identifier: Apache-2.0 */
/* The exec section of a user (client.authentication.k8s.io). */
#include "pkg/kube/kubeconfig_internal.h"

#include <string.h>
#include "pkg/base/base64.h"

#define GROUP "client.authentication.k8s.io/"

void kubeconfig_release_exec(struct kubeconfig_exec *exec)
{
	free(exec->command);
	strv_release(&exec->args);
	strv_release(&exec->env);
	free(exec->api_version);
	free(exec->install_hint);
	json_free(&exec->cluster);
	memset(exec, 0, sizeof(*exec));
}

static int read_command(const struct kubeconfig_entry *entry, struct kubeconfig_exec *exec,
                        struct err *err)
{
	const char *command;

	if (kubeconfig_text(entry, "command", &command, err) < 0)
		return -1;
	if (!command)
		return err_set(err, ERR_USAGE, "it has no command");
	exec->command = strchr(command, '/') ? kubeconfig_absolute(entry->file->folder, command)
	                                     : strdup(command);
	return exec->command ? 0 : err_no_memory(err);
}

static int read_version(const struct kubeconfig_entry *entry, struct kubeconfig_exec *exec,
                        struct err *err)
{
	if (kubeconfig_copy(entry, "apiVersion", &exec->api_version, err) < 0)
		return -1;
	if (!exec->api_version)
		return err_set(err, ERR_USAGE, "it has no apiVersion");
	if (strcmp(exec->api_version, GROUP "v1") != 0 &&
	    strcmp(exec->api_version, GROUP "v1beta1") != 0) {
		err_set(err, ERR_USAGE, "its apiVersion '%.100s' is not supported",
		        exec->api_version);
		return err_hint(err, GROUP "v1 and " GROUP "v1beta1 are; a newer version of the "
		                           "plugin may write them");
	}
	return 0;
}

static int read_mode(const struct kubeconfig_entry *entry, struct kubeconfig_exec *exec,
                     struct err *err)
{
	static const struct {
		const char *word;
		enum kubeconfig_interactive mode;
	} modes[] = {
		{"IfAvailable", KUBECONFIG_INTERACTIVE_IF_AVAILABLE},
		{"Always", KUBECONFIG_INTERACTIVE_ALWAYS},
		{"Never", KUBECONFIG_INTERACTIVE_NEVER},
	};
	const char *word;

	if (kubeconfig_text(entry, "interactiveMode", &word, err) < 0)
		return -1;
	if (!word && strcmp(exec->api_version, GROUP "v1beta1") == 0)
		return 0;
	for (size_t i = 0; word && i < ARRAY_SIZE(modes); i++) {
		if (strcmp(word, modes[i].word) == 0) {
			exec->interactive = modes[i].mode;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE,
	               "its interactiveMode has to be Never, IfAvailable or Always");
}

static int read_args(const struct kubeconfig_entry *entry, struct kubeconfig_exec *exec,
                     struct err *err)
{
	const cJSON *item, *list = json_member(entry->body, "args");

	if (list && !cJSON_IsNull(list) && !cJSON_IsArray(list))
		return err_set(err, ERR_PROTOCOL, "'args' is not a list");
	cJSON_ArrayForEach (item, list) {
		if (!cJSON_IsString(item))
			return err_set(err, ERR_PROTOCOL, "an item of 'args' is not a string");
		if (strv_add(&exec->args, item->valuestring) < 0)
			return err_no_memory(err);
	}
	return 0;
}

static int read_variable(const cJSON *item, struct strv *env, struct err *err)
{
	const cJSON *name = json_member(item, "name"), *value = json_member(item, "value");

	if (!cJSON_IsString(name) || !*name->valuestring || strchr(name->valuestring, '='))
		return err_set(err, ERR_USAGE, "a variable of 'env' has no proper name");
	if (value && !cJSON_IsNull(value) && !cJSON_IsString(value))
		return err_set(err, ERR_PROTOCOL, "the value of '%.100s' in 'env' is not a string",
		               name->valuestring);
	return strv_addf(env, "%s=%s", name->valuestring,
	                 cJSON_IsString(value) ? value->valuestring : "") < 0
	               ? err_no_memory(err)
	               : 0;
}

static int read_env(const struct kubeconfig_entry *entry, struct kubeconfig_exec *exec,
                    struct err *err)
{
	const cJSON *item, *list = json_member(entry->body, "env");

	if (list && !cJSON_IsNull(list) && !cJSON_IsArray(list))
		return err_set(err, ERR_PROTOCOL, "'env' is not a list");
	cJSON_ArrayForEach (item, list)
		if (read_variable(item, &exec->env, err) < 0)
			return -1;
	return 0;
}

/* The cluster's certificate authority in base64, wherever it is. *ret stays NULL when there is none. */
static int encode_authority(const struct kubeconfig *config, char **ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf file = STRBUF_INIT, text = STRBUF_INIT;

	if (config->ca_file &&
	    kubeconfig_read_file(config->ca_file, KUBECONFIG_MAX_BYTES, &file, err) < 0)
		return -1;
	if (config->ca_data)
		strbuf_adds(&file, config->ca_data);
	base64_encode(strbuf_str(&file), file.length, &text);
	if (file.failed || text.failed)
		return err_no_memory(err);
	*ret = text.length ? strbuf_take(&text) : NULL;
	return 0;
}

/* The extension that a cluster keeps for plugins. Borrowed, or NULL. */
static const cJSON *find_extension(const struct kubeconfig_entry *cluster)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, json_member(cluster->body, "extensions")) {
		const cJSON *name = json_member(item, "name");

		if (cJSON_IsString(name) && strcmp(name->valuestring, GROUP "exec") == 0)
			return json_member(item, "extension");
	}
	return NULL;
}

static int set_text(cJSON *object, const char *key, const char *value)
{
	return value ? json_set_string(object, key, value) : 0;
}

static int describe_cluster(const struct kubeconfig_entry *cluster, const struct kubeconfig *config,
                            cJSON **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *object = cJSON_CreateObject();
	_cleanup_free_ char *authority = NULL;
	const cJSON *extension = find_extension(cluster);

	if (encode_authority(config, &authority, err) < 0)
		return -1;
	if (!object || set_text(object, "server", config->server) < 0 ||
	    set_text(object, "tls-server-name", config->tls_server_name) < 0 ||
	    (config->insecure && json_set_bool(object, "insecure-skip-tls-verify", true) < 0) ||
	    set_text(object, "certificate-authority-data", authority) < 0 ||
	    set_text(object, "proxy-url", config->proxy_url) < 0 ||
	    (extension && json_set_node(object, "config", cJSON_Duplicate(extension, true)) < 0))
		return err_no_memory(err);
	*ret = TAKE_PTR(object);
	return 0;
}

static int read_exec(const struct kubeconfig_entry *entry, const struct kubeconfig_entry *cluster,
                     struct kubeconfig *config, struct err *err)
{
	struct kubeconfig_exec *exec = &config->exec;
	bool wants_cluster;

	if (read_command(entry, exec, err) < 0 || read_version(entry, exec, err) < 0 ||
	    read_mode(entry, exec, err) < 0 || read_args(entry, exec, err) < 0 ||
	    read_env(entry, exec, err) < 0 ||
	    kubeconfig_copy(entry, "installHint", &exec->install_hint, err) < 0 ||
	    kubeconfig_true(entry, "provideClusterInfo", &wants_cluster, err) < 0)
		return -1;
	return wants_cluster ? describe_cluster(cluster, config, &exec->cluster, err) : 0;
}

int kubeconfig_read_exec(const struct kubeconfig_entry *user,
                         const struct kubeconfig_entry *cluster, struct kubeconfig *config,
                         struct err *err)
{
	struct kubeconfig_entry entry = *user;

	entry.body = json_member(user->body, "exec");
	if (!entry.body || cJSON_IsNull(entry.body))
		return 0;
	if (!cJSON_IsObject(entry.body))
		return err_set(err, ERR_PROTOCOL, "'exec' is not a mapping");
	if (read_exec(&entry, cluster, config, err) < 0)
		return err_wrap(err, "the exec plugin");
	/* kubectl, too, checks a plugin that it then passes over. */
	if (config->token || config->token_file || config->username || config->cert_file ||
	    config->cert_data)
		kubeconfig_release_exec(&config->exec);
	return 0;
}
