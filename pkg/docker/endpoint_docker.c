/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/endpoint_internal.h"

#include <string.h>
#include "pkg/base/sha256.h"
#include "pkg/json/json.h"

#define DEFAULT_CONTEXT "default"

/* Takes ca.pem, cert.pem and key.pem of the folder, those that exist. */
static int find_tls_files(const char *folder, struct endpoint *endpoint, struct err *err)
{
	const struct {
		const char *name;
		char **file;
	} files[] = {
		{"ca.pem", &endpoint->ca_file},
		{"cert.pem", &endpoint->cert_file},
		{"key.pem", &endpoint->key_file},
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *path = endpoint_format("%s/%s", folder, files[i].name);

		if (!path)
			return err_no_memory(err);
		if (access(path, F_OK) == 0)
			*files[i].file = TAKE_PTR(path);
	}
	if (!endpoint->cert_file != !endpoint->key_file)
		return err_set(err, ERR_USAGE, "%s: cert.pem and key.pem only work together",
		               folder);
	return 0;
}

static enum endpoint_tls tls_of_environment(const struct endpoint_settings *settings)
{
	if (endpoint_setting(settings, "DOCKER_TLS_VERIFY"))
		return ENDPOINT_TLS_VERIFY;
	return endpoint_setting(settings, "DOCKER_TLS") ? ENDPOINT_TLS : ENDPOINT_PLAIN;
}

/* What docker calls the default context: -H, DOCKER_HOST, the default socket, and the variables for
 * TLS. */
static int read_environment(const struct endpoint_settings *settings, const char *folder,
                            struct endpoint *endpoint, struct err *err)
{
	enum endpoint_tls tls = tls_of_environment(settings);
	const char *certificates = endpoint_setting(settings, "DOCKER_CERT_PATH");
	const char *url = endpoint_setting(settings, "DOCKER_HOST");
	const char *origin = "DOCKER_HOST";

	if (settings->host_option && *settings->host_option) {
		url = settings->host_option;
		origin = "-H";
	} else if (!url) {
		url = tls == ENDPOINT_PLAIN ? "unix://" : "tcp://";
		origin = "default";
	}
	if (endpoint_from_setting(origin, url, false, tls, endpoint, err) < 0)
		return -1;
	if (!endpoint->tls)
		return 0;
	if (!certificates)
		certificates = folder;
	if (certificates && find_tls_files(certificates, endpoint, err) < 0)
		return -1;
	if (tls != ENDPOINT_TLS_VERIFY || endpoint->ca_file)
		return 0;
	err_set(err, ERR_NOT_FOUND, "DOCKER_TLS_VERIFY is set, but there is no '%s/ca.pem'",
	        certificates ? certificates : "~/.docker");
	return err_hint(err, "DOCKER_CERT_PATH names the folder of ca.pem, cert.pem and key.pem");
}

/* Reads the context's document; *ret is never NULL afterwards. */
static int load_context(const char *name, const char *path, cJSON **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	const cJSON *docker;

	if (path && docker_config_load(path, &document, err) < 0)
		return -1;
	if (!document) {
		err_set(err, ERR_NOT_FOUND, "there is no docker context '%s'", name);
		return err_hint(err, "`docker context ls` lists them");
	}
	docker = json_at(document, "Endpoints.docker");
	if (!cJSON_IsObject(docker))
		return err_set(err, ERR_USAGE, "%s: it has no docker endpoint", path);
	if (!json_is_unset(json_member(docker, "Host")) && !json_string(docker, "Host"))
		return err_set(err, ERR_USAGE, "%s: 'Host' is no string", path);
	*ret = TAKE_PTR(document);
	return 0;
}

/* `folder` is that of config.json, and holds the contexts under the hash of their name. */
static int read_context(const char *name, const char *folder, struct endpoint *endpoint,
                        struct err *err)
{
	_cleanup_(endpoint_release) struct endpoint files = ENDPOINT_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *origin = endpoint_format("context '%s'", name);
	_cleanup_free_ char *meta = NULL, *secrets = NULL;
	enum endpoint_tls tls = ENDPOINT_PLAIN;
	char hash[SHA256_HEX_SIZE];
	const char *url;

	if (!folder)
		return load_context(name, NULL, &document, err);
	if (sha256_hex(name, strlen(name), hash, err) < 0)
		return -1;
	meta = endpoint_format("%s/contexts/meta/%s/meta.json", folder, hash);
	secrets = endpoint_format("%s/contexts/tls/%s/docker", folder, hash);
	if (!origin || !meta || !secrets)
		return err_no_memory(err);
	if (load_context(name, meta, &document, err) < 0 ||
	    find_tls_files(secrets, &files, err) < 0)
		return err_wrap(err, "context '%s'", name);
	if (json_true(document, "Endpoints.docker.SkipTLSVerify"))
		tls = ENDPOINT_TLS;
	else if (files.ca_file || files.cert_file)
		tls = ENDPOINT_TLS_VERIFY;
	url = json_string(document, "Endpoints.docker.Host");
	if (endpoint_from_setting(origin, url && *url ? url : "unix://", false, tls, endpoint,
	                          err) < 0)
		return -1;
	if (endpoint->tls) {
		endpoint->ca_file = TAKE_PTR(files.ca_file);
		endpoint->cert_file = TAKE_PTR(files.cert_file);
		endpoint->key_file = TAKE_PTR(files.key_file);
	}
	return 0;
}

/* The context's name; an address that is given makes it the default one. */
static const char *choose_context(const struct endpoint_settings *settings,
                                  const struct docker_config *config)
{
	const char *name = endpoint_setting(settings, "DOCKER_CONTEXT");

	if (settings->context_option && *settings->context_option)
		return settings->context_option;
	if ((settings->host_option && *settings->host_option) ||
	    endpoint_setting(settings, "DOCKER_HOST"))
		return DEFAULT_CONTEXT;
	if (!name)
		name = config->current_context;
	return name ? name : DEFAULT_CONTEXT;
}

int endpoint_docker(const struct endpoint_settings *settings, struct endpoint *ret, struct err *err)
{
	_cleanup_(docker_config_release) struct docker_config config = DOCKER_CONFIG_INIT;
	_cleanup_(endpoint_release) struct endpoint endpoint = ENDPOINT_INIT;
	const char *context;
	int result;

	if (settings->host_option && *settings->host_option && settings->context_option &&
	    *settings->context_option)
		return err_set(err, ERR_USAGE, "--host and --context exclude each other");
	if (docker_config_read(settings, &config, err) < 0)
		return -1;
	context = choose_context(settings, &config);
	if (strcmp(context, DEFAULT_CONTEXT) == 0)
		result = read_environment(settings, config.folder, &endpoint, err);
	else
		result = read_context(context, config.folder, &endpoint, err);
	if (result < 0)
		return -1;
	endpoint.headers = config.headers;
	endpoint.detach_keys = TAKE_PTR(config.detach_keys);
	memset(&config.headers, 0, sizeof(config.headers));
	*ret = endpoint;
	memset(&endpoint, 0, sizeof(endpoint));
	return 0;
}
