/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/endpoint_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

/* One form of address. Messages quote only parts of a URL, never what may be a password. */
struct form {
	const char *scheme;
	int (*parse)(const struct form *form, const char *rest, bool podman,
	             struct endpoint *endpoint, struct err *err);
	int default_port;
	int local_tls_port; /* the default with TLS when the address names no host either */
	bool docker_ports;  /* the defaults are docker's; podman knows none */
	bool always_tls;
};

void endpoint_release(struct endpoint *endpoint)
{
	free(endpoint->origin);
	free(endpoint->text);
	free(endpoint->socket_path);
	free(endpoint->host);
	free(endpoint->ca_file);
	free(endpoint->cert_file);
	free(endpoint->key_file);
	strv_release(&endpoint->command);
	strv_release(&endpoint->headers);
	free(endpoint->detach_keys);
	memset(endpoint, 0, sizeof(*endpoint));
}

char *endpoint_format(const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return length < 0 ? NULL : text;
}

const char *endpoint_setting(const struct endpoint_settings *settings, const char *name)
{
	const char *value = settings->get(settings->context, name);

	return value && *value ? value : NULL;
}

static int parse_unix(const struct form *form, const char *rest, bool podman,
                      struct endpoint *endpoint, struct err *err)
{
	/* The docker command line takes "unix://" for its default socket. */
	const char *path = *rest || podman ? rest : DOCKER_SOCKET;

	if (*path != '/') {
		err_set(err, ERR_USAGE, "the path of a unix socket has to begin with '/'");
		return err_hint(err, "write unix:///path/of/the.sock, with three slashes");
	}
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(err, ERR_USAGE, "the path is too long for a unix socket");
	endpoint->kind = ENDPOINT_UNIX;
	endpoint->socket_path = strdup(path);
	endpoint->text = endpoint_format("%s://%s", form->scheme, path);
	if (!endpoint->socket_path || !endpoint->text)
		return err_no_memory(err);
	return 0;
}

static int parse_tcp(const struct form *form, const char *rest, bool podman,
                     struct endpoint *endpoint, struct err *err)
{
	_cleanup_(authority_release) struct authority authority = AUTHORITY_INIT;
	const char *path;

	if (authority_parse(rest, &authority, &path, err) < 0)
		return -1;
	if (authority.user)
		return err_set(err, ERR_USAGE, "a user name has no place in %s://", form->scheme);
	if (*path && strcmp(path, "/") != 0)
		return err_set(err, ERR_USAGE, "a path has no place in %s://", form->scheme);
	if (!authority.port && podman && form->docker_ports)
		return err_set(err, ERR_USAGE, "the address names no port");
	endpoint->kind = ENDPOINT_TCP;
	/* Docker 28.2 calls 2375 with TLS as without; only for "tcp://" it thinks of 2376. */
	endpoint->port = form->default_port;
	if (endpoint->tls && !*authority.host && form->local_tls_port)
		endpoint->port = form->local_tls_port;
	if (authority.port)
		endpoint->port = authority.port;
	endpoint->host = *authority.host ? TAKE_PTR(authority.host) : strdup("localhost");
	if (endpoint->host)
		endpoint->text = endpoint_format(authority.v6 ? "%s://[%s]:%d" : "%s://%s:%d",
		                                 form->scheme, endpoint->host, endpoint->port);
	return endpoint->text ? 0 : err_no_memory(err);
}

static int parse_http(const struct form *form, const char *rest, bool podman,
                      struct endpoint *endpoint, struct err *err)
{
	if (form->always_tls && !endpoint->tls)
		endpoint->tls = endpoint->tls_verify = true;
	if (!form->always_tls && endpoint->tls)
		return err_set(err, ERR_USAGE, "http:// excludes the TLS that is asked for");
	return parse_tcp(form, rest, podman, endpoint, err);
}

static int parse_ssh(const struct form *form _unused_, const char *rest, bool podman,
                     struct endpoint *endpoint, struct err *err)
{
	endpoint->tls = endpoint->tls_verify = false;
	return endpoint_parse_ssh(rest, podman, endpoint, err);
}

/* The first one is that of an address without a scheme. */
/* clang-format off */
static const struct form forms[] = {
	{"tcp", parse_tcp, 2375, 2376, true, false},
	{"unix", parse_unix, 0, 0, false, false},
	{"ssh", parse_ssh, 0, 0, false, false},
	{"http", parse_http, 80, 0, false, false},
	{"https", parse_http, 443, 0, false, true},
};
/* clang-format on */

/* Finds the form and what follows its "://". */
static const struct form *find_form(const char *url, const char **ret_rest, struct err *err)
{
	const char *end = strstr(url, "://");
	size_t length = end ? (size_t)(end - url) : 0;

	if (!end) {
		*ret_rest = url;
		return &forms[0];
	}
	*ret_rest = end + 3;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (strlen(forms[i].scheme) == length &&
		    strncasecmp(url, forms[i].scheme, length) == 0)
			return &forms[i];
	}
	err_set(err, ERR_USAGE, "'%.*s://' is no form that oneoff knows",
	        length < 20 ? (int)length : 20, url);
	err_hint(err, "unix://, tcp://, https:// and ssh:// are known");
	return NULL;
}

int endpoint_parse_tls(const char *url, bool podman, enum endpoint_tls tls, struct endpoint *ret,
                       struct err *err)
{
	_cleanup_(endpoint_release) struct endpoint endpoint = {
		.tls = tls != ENDPOINT_PLAIN,
		.tls_verify = tls == ENDPOINT_TLS_VERIFY,
	};
	const struct form *form;
	const char *rest;

	if (!*url)
		return err_set(err, ERR_USAGE, "the address is empty");
	if (!endpoint_is_printable(url))
		return err_set(err, ERR_USAGE, "it holds characters that cannot be printed");
	if (strpbrk(url, "?#"))
		return err_set(err, ERR_USAGE, "a query or fragment has no place in the address");
	form = find_form(url, &rest, err);
	if (!form || form->parse(form, rest, podman, &endpoint, err) < 0)
		return -1;
	if (endpoint.kind == ENDPOINT_UNIX)
		endpoint.tls = endpoint.tls_verify = false;
	endpoint.origin = strdup("-H");
	if (!endpoint.origin)
		return err_no_memory(err);
	*ret = endpoint;
	memset(&endpoint, 0, sizeof(endpoint));
	return 0;
}

int endpoint_parse(const char *url, bool podman, struct endpoint *ret, struct err *err)
{
	return endpoint_parse_tls(url, podman, ENDPOINT_PLAIN, ret, err);
}

int endpoint_from_setting(const char *origin, const char *url, bool podman, enum endpoint_tls tls,
                          struct endpoint *ret, struct err *err)
{
	_cleanup_(endpoint_release) struct endpoint endpoint = ENDPOINT_INIT;

	if (endpoint_parse_tls(url, podman, tls, &endpoint, err) < 0)
		return err_wrap(err, "%s", origin);
	free(endpoint.origin);
	endpoint.origin = strdup(origin);
	if (!endpoint.origin)
		return err_no_memory(err);
	*ret = endpoint;
	memset(&endpoint, 0, sizeof(endpoint));
	return 0;
}
