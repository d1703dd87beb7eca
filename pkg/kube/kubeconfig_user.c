/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/kubeconfig_internal.h"

#include <stdio.h>
#include <string.h>

/* The ways that kubectl had before exec plugins. */
static int refuse_auth_provider(const cJSON *provider, struct err *err)
{
	const char *name = json_string(provider, "name");

	name = name ? name : "";
	err_set(err, ERR_USAGE, "the auth-provider '%.100s' is not supported", name);
	if (strcmp(name, "gcp") == 0)
		return err_hint(err, "install gke-gcloud-auth-plugin and run 'gcloud container "
		                     "clusters get-credentials' again");
	if (strcmp(name, "azure") == 0)
		return err_hint(err, "install kubelogin and run 'kubelogin convert-kubeconfig'");
	if (strcmp(name, "oidc") == 0)
		return err_hint(err, "use an exec plugin in its place, such as kubelogin "
		                     "('kubectl oidc-login')");
	return err_hint(err, "use a credential plugin (exec) in its place");
}

static int read_certificate(const struct kubeconfig_entry *entry, struct kubeconfig *config,
                            struct err *err)
{
	bool has_certificate, has_key;

	if (kubeconfig_file_or_data(entry, "client-certificate", &config->cert_file,
	                            &config->cert_data, err) < 0 ||
	    kubeconfig_file_or_data(entry, "client-key", &config->key_file, &config->key_data,
	                            err) < 0)
		return -1;
	has_certificate = config->cert_file || config->cert_data;
	has_key = config->key_file || config->key_data;
	if (has_certificate != has_key)
		return err_set(err, ERR_USAGE, "a client-%s is set, but no client-%s",
		               has_key ? "key" : "certificate", has_key ? "certificate" : "key");
	return 0;
}

static int read_token_file(const struct kubeconfig_entry *entry, struct kubeconfig *config,
                           struct err *err)
{
	const char *path;

	if (kubeconfig_text(entry, "tokenFile", &path, err) < 0)
		return -1;
	if (!path)
		return 0;
	config->token_file = kubeconfig_absolute(entry->file->folder, path);
	return config->token_file ? 0 : err_no_memory(err);
}

static int check_methods(const struct kubeconfig *config, struct err *err)
{
	bool has_token = config->token || config->token_file;

	if (has_token && (config->username || config->password))
		return err_set(err, ERR_USAGE,
		               "more than one authentication method: a token and a username or "
		               "password");
	if (config->password && !config->username)
		return err_set(err, ERR_USAGE, "a password is set, but no username");
	if (config->username && strchr(config->username, ':'))
		return err_set(err, ERR_USAGE, "the username holds a ':'");
	return 0;
}

int kubeconfig_read_user(const struct kubeconfig_entry *entry, struct kubeconfig *config,
                         struct err *err)
{
	const cJSON *provider = json_member(entry->body, "auth-provider");

	if (provider && !cJSON_IsNull(provider))
		return refuse_auth_provider(provider, err);
	if (read_certificate(entry, config, err) < 0 ||
	    kubeconfig_copy(entry, "token", &config->token, err) < 0 ||
	    read_token_file(entry, config, err) < 0 ||
	    kubeconfig_copy(entry, "username", &config->username, err) < 0 ||
	    kubeconfig_copy(entry, "password", &config->password, err) < 0)
		return -1;
	return check_methods(config, err);
}

static int add_header(struct strv *headers, const char *name, const char *value, struct err *err)
{
	if (!kubeconfig_is_header_value(value))
		return err_set(err, ERR_USAGE, "%s: control characters in the value", name);
	return strv_addf(headers, "%s: %s", name, value) < 0 ? err_no_memory(err) : 0;
}

/* A list of strings: the settings' one if there is one, else the entry's. */
static int add_groups(const cJSON *list, const struct strv *said, struct strv *headers,
                      struct err *err)
{
	const cJSON *item;

	for (size_t i = 0; said && i < said->count; i++) {
		if (add_header(headers, "Impersonate-Group", said->items[i], err) < 0)
			return -1;
	}
	if ((said && said->count) || !list || cJSON_IsNull(list))
		return 0;
	if (!cJSON_IsArray(list))
		return err_set(err, ERR_PROTOCOL, "'as-groups' is not a list");
	cJSON_ArrayForEach (item, list) {
		if (!cJSON_IsString(item))
			return err_set(err, ERR_PROTOCOL, "a group in 'as-groups' is not a string");
		if (add_header(headers, "Impersonate-Group", item->valuestring, err) < 0)
			return -1;
	}
	return 0;
}

/* The key as part of a header's name: what may not stand there, and '%', becomes %XX. */
static void add_escaped_key(struct strbuf *name, const char *key)
{
	static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789!#$&'*+-.^_`|~";

	for (; *key; key++) {
		if (strchr(kept, *key))
			strbuf_addc(name, *key);
		else
			strbuf_addf(name, "%%%02X", (unsigned)(unsigned char)*key);
	}
}

static int add_extra(const cJSON *values, struct strv *headers, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf name = STRBUF_INIT;
	const cJSON *value;

	if (cJSON_IsNull(values))
		return 0;
	if (!cJSON_IsArray(values))
		return err_set(err, ERR_PROTOCOL, "a value in 'as-user-extra' is not a list");
	strbuf_adds(&name, "Impersonate-Extra-");
	add_escaped_key(&name, values->string);
	if (name.failed)
		return err_no_memory(err);
	cJSON_ArrayForEach (value, values) {
		if (!cJSON_IsString(value))
			return err_set(err, ERR_PROTOCOL,
			               "a value in 'as-user-extra' is not a string");
		if (add_header(headers, name.data, value->valuestring, err) < 0)
			return -1;
	}
	return 0;
}

static int add_extras(const cJSON *extras, struct strv *headers, struct err *err)
{
	const cJSON *values;

	if (!extras || cJSON_IsNull(extras))
		return 0;
	if (!cJSON_IsObject(extras))
		return err_set(err, ERR_PROTOCOL, "'as-user-extra' is not a mapping");
	cJSON_ArrayForEach (values, extras)
		if (add_extra(values, headers, err) < 0)
			return -1;
	return 0;
}

int kubeconfig_read_impersonation(const struct kubeconfig_entry *user,
                                  const struct kubeconfig_settings *settings,
                                  struct kubeconfig *config, struct err *err)
{
	_cleanup_(strv_release) struct strv headers = STRV_INIT;
	const cJSON *body = user ? user->body : NULL;
	const char *name = NULL, *uid = NULL;

	if (user && (kubeconfig_text(user, "as", &name, err) < 0 ||
	             kubeconfig_text(user, "as-uid", &uid, err) < 0))
		return -1;
	name = settings->as && *settings->as ? settings->as : name;
	uid = settings->as_uid && *settings->as_uid ? settings->as_uid : uid;
	if ((name && add_header(&headers, "Impersonate-User", name, err) < 0) ||
	    (uid && add_header(&headers, "Impersonate-Uid", uid, err) < 0) ||
	    add_groups(json_member(body, "as-groups"), settings->as_groups, &headers, err) < 0 ||
	    add_extras(json_member(body, "as-user-extra"), &headers, err) < 0)
		return -1;
	if (headers.count && !name)
		return err_set(err, ERR_USAGE,
		               "a uid, groups or extras are to be impersonated, but no user");
	config->impersonation = headers;
	headers = (struct strv)STRV_INIT;
	return 0;
}
