/* SPDX-License-Identifier: Apache-2.0 */
/* How the target is reached: address, certificates, proxy. */
#define CURL_DISABLE_TYPECHECK
#include "pkg/net/http_internal.h"

#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

static void set_blob(const struct curl_library *curl, CURL *easy, CURLoption option,
                     const char *text)
{
	struct curl_blob blob = {
		.data = (void *)text, .len = strlen(text), .flags = CURL_BLOB_COPY};

	curl->curl_easy_setopt(easy, option, &blob);
}

static void set_certificates(const struct curl_library *curl, CURL *easy,
                             const struct http_target *target)
{
	if (target->ca_file)
		curl->curl_easy_setopt(easy, CURLOPT_CAINFO, target->ca_file);
	if (target->ca_data)
		set_blob(curl, easy, CURLOPT_CAINFO_BLOB, target->ca_data);
	if (target->cert_file)
		curl->curl_easy_setopt(easy, CURLOPT_SSLCERT, target->cert_file);
	if (target->cert_data)
		set_blob(curl, easy, CURLOPT_SSLCERT_BLOB, target->cert_data);
	if (target->key_file)
		curl->curl_easy_setopt(easy, CURLOPT_SSLKEY, target->key_file);
	if (target->key_data)
		set_blob(curl, easy, CURLOPT_SSLKEY_BLOB, target->key_data);
}

/* The URL names the server as its certificate does, and the connection goes to the true address. */
static bool use_server_name(struct http_client *client, CURL *easy)
{
	const struct curl_library *curl = &client->curl;

	if (!client->connect_to) {
		_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
		const char *host = strstr(client->target.base_url, "://");

		if (!host)
			return false;
		host += 3;
		strbuf_addf(&text, "::%.*s", (int)strcspn(host, "/"), host);
		if (!strchr(host[0] == '[' ? host + strcspn(host, "]") : host, ':'))
			strbuf_adds(&text, ":443");
		client->connect_to =
			text.failed ? NULL : curl->curl_slist_append(NULL, strbuf_str(&text));
	}
	if (!client->connect_to)
		return false;
	curl->curl_easy_setopt(easy, CURLOPT_CONNECT_TO, client->connect_to);
	return true;
}

/* scheme://HOST[:PORT] with another host. */
static void add_base_url(const struct http_target *target, struct strbuf *url)
{
	const char *host = strstr(target->base_url, "://");
	const char *rest;

	if (!target->tls_server_name || !host) {
		strbuf_adds(url, target->base_url);
		return;
	}
	host += 3;
	rest = host[0] == '[' ? host + strcspn(host, "]") + 1 : host + strcspn(host, ":/");
	strbuf_addf(url, "%.*s%s%s", (int)(host - target->base_url), target->base_url,
	            target->tls_server_name, rest);
}

CURL *http_client_handle(struct http_client *client, const char *path, struct err *err)
{
	const struct curl_library *curl = &client->curl;
	const struct http_target *target = &client->target;
	_cleanup_(strbuf_release) struct strbuf url = STRBUF_INIT;
	CURL *easy = curl->curl_easy_init();

	add_base_url(target, &url);
	strbuf_adds(&url, path);
	if (!easy || url.failed) {
		if (easy)
			curl->curl_easy_cleanup(easy);
		err_no_memory(err);
		return NULL;
	}
	curl->curl_easy_setopt(easy, CURLOPT_URL, strbuf_str(&url));
	curl->curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl->curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl->curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl->curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl->curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
	curl->curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl->curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl->curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
	if (target->socket_path) {
		curl->curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, target->socket_path);
		curl->curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	}
	curl->curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, target->tls_verify ? 1L : 0L);
	curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, target->tls_verify ? 2L : 0L);
	if (target->proxy)
		curl->curl_easy_setopt(easy, CURLOPT_PROXY, target->proxy);
	set_certificates(curl, easy, target);
	if (target->tls_server_name && !use_server_name(client, easy)) {
		curl->curl_easy_cleanup(easy);
		err_no_memory(err);
		return NULL;
	}
	return easy;
}
