/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/kubeconfig_internal.h"

#include <string.h>
#include "pkg/base/number.h"

/* The port behind the host, or the scheme's own. */
static int read_port(const char *text, size_t length, struct kubeconfig_address *address)
{
	int64_t port;

	if (!length)
		return 0;
	if (*text != ':' || length < 2 || length > 6)
		return -1;
	memcpy(address->port, text + 1, length - 1);
	address->port[length - 1] = '\0';
	return parse_int64(address->port, 1, 65535, &port);
}

static int read_authority(const char *text, size_t length, struct kubeconfig_address *address)
{
	const char *host = text, *end = text + length, *host_end;

	if (length && *text == '[') {
		host++;
		host_end = memchr(host, ']', length - 1);
		if (!host_end || read_port(host_end + 1, (size_t)(end - host_end - 1), address) < 0)
			return -1;
	} else {
		host_end = memchr(host, ':', length);
		host_end = host_end ? host_end : end;
		if (read_port(host_end, (size_t)(end - host_end), address) < 0)
			return -1;
	}
	if (host == host_end || memchr(host, '@', (size_t)(host_end - host)))
		return -1;
	address->host = strndup(host, (size_t)(host_end - host));
	return 0;
}

/* What neither a request line nor a host may hold. */
static bool is_url_text(const char *url)
{
	for (const char *at = url; *at; at++) {
		if ((unsigned char)*at <= 0x20 || *at == 0x7f || strchr("\"<>\\^`{|}", *at))
			return false;
	}
	return true;
}

int kubeconfig_parse_server(const char *url, struct kubeconfig_address *ret, struct err *err)
{
	struct kubeconfig_address address = {.tls = strncmp(url, "https://", 8) == 0};
	const char *authority = url + (address.tls ? 8 : 7);

	if (!address.tls && strncmp(url, "http://", 7) != 0)
		return err_set(err, ERR_USAGE, "'server' begins with neither https:// nor http://");
	memcpy(address.port, address.tls ? "443" : "80", address.tls ? 4 : 3);
	if (!is_url_text(url) || strpbrk(url, "?#@") ||
	    read_authority(authority, strcspn(authority, "/"), &address) < 0)
		return err_set(err, ERR_USAGE, "'server' is not a URL like https://host:6443");
	if (!address.host)
		return err_no_memory(err);
	*ret = address;
	return 0;
}

/* "host:port" alone is https where TLS is set up, as kubectl has it. Without that, kubectl would go on in the clear;
 * we ask. */
static int complete_server(const char *text, bool has_tls, char **ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf url = STRBUF_INIT;
	struct kubeconfig_address address;
	size_t length = strlen(text);

	while (length && text[length - 1] == '/')
		length--;
	if (!strstr(text, "://") && has_tls)
		strbuf_adds(&url, "https://");
	strbuf_add(&url, text, length);
	if (url.failed)
		return err_no_memory(err);
	if (kubeconfig_parse_server(strbuf_str(&url), &address, err) < 0)
		return -1;
	free(address.host);
	*ret = strbuf_take(&url);
	return 0;
}

int kubeconfig_read_cluster(const struct kubeconfig_entry *entry, struct kubeconfig *config,
                            struct err *err)
{
	const char *server;

	if (kubeconfig_text(entry, "server", &server, err) < 0 ||
	    kubeconfig_file_or_data(entry, "certificate-authority", &config->ca_file,
	                            &config->ca_data, err) < 0 ||
	    kubeconfig_copy(entry, "tls-server-name", &config->tls_server_name, err) < 0 ||
	    kubeconfig_true(entry, "insecure-skip-tls-verify", &config->insecure, err) < 0 ||
	    kubeconfig_copy(entry, "proxy-url", &config->proxy_url, err) < 0)
		return -1;
	if (!server)
		return err_set(err, ERR_USAGE, "it has no server");
	if (config->insecure && (config->ca_file || config->ca_data))
		return err_set(err, ERR_USAGE,
		               "a certificate-authority and insecure-skip-tls-verify exclude each "
		               "other");
	if (config->proxy_url && kubeconfig_check_proxy(config->proxy_url, err) < 0)
		return -1;
	return complete_server(server, config->ca_file || config->ca_data || config->insecure,
	                       &config->server, err);
}
