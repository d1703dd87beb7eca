/* SPDX-License-Identifier: Apache-2.0 */
/* The macros of curl.h that check option types call the functions by name; we call through pointers. */
#define CURL_DISABLE_TYPECHECK
#include "pkg/kube/registry_internal.h"

#include <string.h>
#include "pkg/base/clock.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo

#define MAX_REDIRECTS 5
#define MAX_LOCATION  8192

static const char accept_line[] = "Accept: application/vnd.oci.image.manifest.v1+json, "
				  "application/vnd.oci.image.index.v1+json, "
				  "application/vnd.docker.distribution.manifest.v2+json, "
				  "application/vnd.docker.distribution.manifest.list.v2+json, "
				  "application/json, */*";

int64_t registry_time_left(int64_t deadline, const char *host, struct err *err)
{
	int64_t left = deadline - clock_monotonic_ms();

	if (left > 0)
		return left;
	return err_set(err, ERR_START_TIMEOUT, "registry %s did not answer in time", host);
}

void registry_connection_close(struct registry_connection *connection)
{
	if (!connection)
		return;
	http_client_close(connection->client);
	for (size_t i = 0; i < connection->headers.count; i++)
		explicit_bzero(connection->headers.items[i], strlen(connection->headers.items[i]));
	strv_release(&connection->headers);
	free(connection->origin);
	free(connection->host);
	free(connection);
}

static void cleanup_connection(struct registry_connection **connection)
{
	registry_connection_close(*connection);
}

int registry_connection_open(const struct registry_settings *settings, int64_t deadline,
                             const struct registry_url *url, const char *authorization,
                             struct registry_connection **ret, struct err *err)
{
	_cleanup_(cleanup_connection) struct registry_connection *connection =
		calloc(1, sizeof(*connection));

	if (!connection)
		return err_no_memory(err);
	if (strncmp(url->origin, "https://", 8) != 0 && !settings->plain_http)
		return err_set(err, ERR_PROTOCOL, "%s would have to be asked without encryption",
		               url->host);
	connection->settings = settings;
	connection->deadline = deadline;
	connection->loop = (struct loop)LOOP_INIT;
	connection->origin = strdup(url->origin);
	connection->host = strdup(url->host);
	if (!connection->origin || !connection->host ||
	    strv_add(&connection->headers, accept_line) < 0 ||
	    strv_add(&connection->headers, "User-Agent: oneoff") < 0)
		return err_no_memory(err);
	if (authorization &&
	    strv_addf(&connection->headers, "Authorization: %s", authorization) < 0)
		return err_no_memory(err);
	connection->target = (struct http_target){.base_url = connection->origin,
	                                          .tls_verify = true,
	                                          .ca_file = settings->ca_file,
	                                          .headers = &connection->headers,
	                                          .name = connection->host};
	if (http_client_open(&connection->target, &connection->loop, &connection->client, err) < 0)
		return -1;
	*ret = TAKE_PTR(connection);
	return 0;
}

/* The kinds that registry.h promises: a broken connection is as good as none, and the only memory that runs out here
 * is the reply's cap. */
static int transport_failed(struct err *err)
{
	if (err->kind == ERR_LOST)
		err->kind = ERR_UNREACHABLE;
	else if (err->kind == ERR_NO_MEMORY)
		err->kind = ERR_PROTOCOL;
	return err_wrap(err, "registry");
}

int registry_connection_get(struct registry_connection *connection, const char *path,
                            struct http_reply *reply, struct err *err)
{
	struct http_message message = {
		.method = "GET", .path = path, .max_bytes = REGISTRY_MAX_BYTES};

	message.timeout_ms = registry_time_left(connection->deadline, connection->host, err);
	if (message.timeout_ms < 0)
		return -1;
	report(&connection->settings->reporter, REPORT_DETAIL, "registry %s: GET %.*s",
	       connection->host, (int)strcspn(path, "?"), path);
	if (http_call(connection->client, &message, reply, err) < 0)
		return transport_failed(err);
	return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct strbuf *body = context;

	strbuf_add(body, bytes, size * count);
	return body->failed ? 0 : size * count;
}

int registry_connection_post(struct registry_connection *connection, const char *path,
                             const char *form, struct http_reply *reply, struct err *err)
{
	const struct curl_library *curl = http_client_library(connection->client);
	int64_t left = registry_time_left(connection->deadline, connection->host, err);
	CURL *easy = left < 0 ? NULL : http_client_handle(connection->client, path, err);
	CURLcode code;

	if (!easy)
		return -1;
	report(&connection->settings->reporter, REPORT_DETAIL, "registry %s: POST %.*s",
	       connection->host, (int)strcspn(path, "?"), path);
	http_reply_release(reply);
	reply->body.cap = REGISTRY_MAX_BYTES;
	curl->curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left);
	curl->curl_easy_setopt(easy, CURLOPT_POSTFIELDS, form);
	curl->curl_easy_setopt(easy, CURLOPT_USERAGENT, "oneoff");
	curl->curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl->curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply->body);
	code = curl->curl_easy_perform(easy);
	curl->curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply->status);
	curl->curl_easy_cleanup(easy);
	if (code == CURLE_OK)
		return 0;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(err, ERR_START_TIMEOUT, "registry %s did not answer in time",
		               connection->host);
	return err_set(err, reply->body.failed ? ERR_PROTOCOL : ERR_UNREACHABLE, "registry %s: %s",
	               connection->host, curl->curl_easy_strerror(code));
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where the reply sends us. */
static int next_url(const struct registry_url *from, const struct http_reply *reply,
                    struct registry_url *ret, struct err *err)
{
	char location[MAX_LOCATION];

	if (!http_header(reply, "Location", location, sizeof(location)) ||
	    strlen(location) + 1 == sizeof(location))
		return err_set(err, ERR_PROTOCOL, "registry %s redirects to nowhere", from->host);
	return registry_url_resolve(from, location, ret, err);
}

/* Asks the registry itself as long as it stays there, any other server without what we know. */
static int hop(struct registry_connection *connection, const struct registry_url *url,
               struct http_reply *reply, struct err *err)
{
	_cleanup_(cleanup_connection) struct registry_connection *other = NULL;

	if (!strcmp(url->origin, connection->origin))
		return registry_connection_get(connection, url->path, reply, err);
	if (registry_connection_open(connection->settings, connection->deadline, url, NULL, &other,
	                             err) < 0)
		return -1;
	return registry_connection_get(other, url->path, reply, err);
}

/* Nobody but the registry may ask for a login: what another server's 401 says would lead our credentials astray. */
static int check_stranger(const struct registry_connection *connection,
                          const struct registry_url *url, long status, struct err *err)
{
	if ((status != 401 && status != 403) || !strcmp(url->origin, connection->origin))
		return 0;
	err_set(err, ERR_DENIED, "%s, where registry %s keeps it, refuses (HTTP %ld)", url->host,
	        connection->host, status);
	err->http_status = (int)status;
	return -1;
}

int registry_connection_follow(struct registry_connection *connection, const char *path,
                               struct http_reply *reply, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(registry_url_release) struct registry_url url = {.origin = NULL};

	strbuf_addf(&text, "%s%s", connection->origin, path);
	if (text.failed)
		return err_no_memory(err);
	if (registry_url_parse(strbuf_str(&text), &url, err) < 0)
		return -1;
	for (int count = 0;; count++) {
		struct registry_url next;

		if (hop(connection, &url, reply, err) < 0)
			return -1;
		if (!is_redirect(reply->status))
			return check_stranger(connection, &url, reply->status, err);
		if (count == MAX_REDIRECTS)
			return err_set(err, ERR_PROTOCOL, "registry %s redirects too often",
			               connection->host);
		if (next_url(&url, reply, &next, err) < 0)
			return -1;
		registry_url_release(&url);
		url = next;
	}
}
