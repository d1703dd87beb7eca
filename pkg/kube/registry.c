/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/registry_internal.h"

#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/base/sha256.h"

#define DEFAULT_TIMEOUT_MS 5000

/* One image that is read. */
struct reading {
	const struct registry_settings *settings;
	int64_t deadline;
	char *server, *repository, *digest;
	struct registry_url url; /* of the server */
	struct registry_logins logins;
	size_t next_login;
	bool authorized;                        /* a login, or nobody in particular, was let in */
	struct registry_connection *connection; /* with what authorizes us by now */
};

static void reading_release(struct reading *reading)
{
	registry_connection_close(reading->connection);
	registry_logins_release(&reading->logins);
	registry_url_release(&reading->url);
	free(reading->server);
	free(reading->repository);
	free(reading->digest);
}

static int reading_open(struct reading *reading, const char *reference, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct registry_settings *settings = reading->settings;

	reading->deadline = clock_monotonic_ms() +
	                    (settings->timeout_ms > 0 ? settings->timeout_ms : DEFAULT_TIMEOUT_MS);
	if (registry_split(reference, &reading->server, &reading->repository, &reading->digest,
	                   err) < 0)
		return -1;
	strbuf_addf(&text, "%s://%s", settings->plain_http ? "http" : "https", reading->server);
	if (text.failed)
		return err_no_memory(err);
	if (registry_url_parse(strbuf_str(&text), &reading->url, err) < 0 ||
	    registry_logins_find(settings->pull_secrets, reading->server, reading->repository,
	                         &reading->logins, err) < 0)
		return -1;
	report(&settings->reporter, REPORT_DETAIL, "registry %s: %zu pull secrets fit %s",
	       reading->server, reading->logins.count, reading->repository);
	return registry_connection_open(settings, reading->deadline, &reading->url, NULL,
	                                &reading->connection, err);
}

/* Reconnects as somebody. */
static int reconnect(struct reading *reading, const struct registry_challenge *challenge,
                     const struct registry_login *login, struct err *err)
{
	_cleanup_(registry_wipe) char *authorization = NULL;
	struct registry_connection *connection;

	if (registry_authorize(reading->settings, reading->deadline, challenge, login,
	                       reading->repository, &authorization, err) < 0)
		return -1;
	if (registry_connection_open(reading->settings, reading->deadline, &reading->url,
	                             authorization, &connection, err) < 0)
		return -1;
	registry_connection_close(reading->connection);
	reading->connection = connection;
	return 0;
}

static int denied(const struct reading *reading, long status, struct err *err)
{
	err_set(err, ERR_DENIED, "registry %s lets nobody of us read %s (HTTP %ld)",
	        reading->server, reading->repository, status);
	err->http_status = (int)status;
	return reading->logins.count
	               ? err_hint(err, "look whether the pull secret's password still holds")
	               : err_hint(err, "name a pull secret for it in the pod's imagePullSecrets");
}

/* After a refusal: becomes the next one who may be let in. A login that the token server refuses is passed over. -1
 * when there is nobody left. */
static int become_next(struct reading *reading, const struct http_reply *refusal, struct err *err)
{
	_cleanup_(registry_challenge_release) struct registry_challenge challenge = {.basic =
	                                                                                     false};
	long status = refusal->status;

	if (registry_challenge_read(&challenge, strbuf_str(&refusal->head), err) < 0)
		return -1;
	if (!challenge.basic && !challenge.bearer)
		return denied(reading, status, err);
	if (reading->logins.count == 0 && reading->next_login++ == 0 && challenge.bearer)
		return reconnect(reading, &challenge, NULL, err);
	while (reading->next_login < reading->logins.count) {
		const struct registry_login *login = &reading->logins.items[reading->next_login++];

		report(&reading->settings->reporter, REPORT_DETAIL,
		       "registry %s: with the pull secret for %s", reading->server, login->key);
		if (reconnect(reading, &challenge, login, err) == 0)
			return 0;
		if (err->kind != ERR_DENIED)
			return -1;
	}
	return denied(reading, status, err);
}

static int check_status(const struct reading *reading, long status, const char *digest,
                        struct err *err)
{
	if (status == 200)
		return 0;
	if (status == 401 || status == 403)
		return denied(reading, status, err);
	err_set(err, status == 404 ? ERR_NOT_FOUND : ERR_UNREACHABLE,
	        status == 404 ? "registry %s has no %s@%s (HTTP %ld)"
	                      : "registry %s does not give %s@%s (HTTP %ld)",
	        reading->server, reading->repository, digest, status);
	err->http_status = (int)status;
	return -1;
}

static int check_digest(const struct http_reply *reply, const char *digest, struct err *err)
{
	char hex[SHA256_HEX_SIZE];

	if (sha256_hex(strbuf_str(&reply->body), reply->body.length, hex, err) < 0)
		return -1;
	if (strcmp(digest + strlen("sha256:"), hex) != 0)
		return err_set(err, ERR_PROTOCOL,
		               "the registry sent something else than %s (it is sha256:%s)", digest,
		               hex);
	return 0;
}

/* Reads and checks one document; `kind` is "manifests" or "blobs". */
static int read_document(struct reading *reading, const char *kind, const char *digest, cJSON **ret,
                         struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "/v2/%s/%s/%s", reading->repository, kind, digest);
	if (path.failed)
		return err_no_memory(err);
	for (;;) {
		if (registry_connection_follow(reading->connection, strbuf_str(&path), &reply,
		                               err) < 0)
			return -1;
		if (reply.status != 401 && (reply.status != 403 || reading->authorized))
			break;
		if (reading->authorized)
			return denied(reading, reply.status, err);
		if (become_next(reading, &reply, err) < 0)
			return -1;
	}
	if (check_status(reading, reply.status, digest, err) < 0)
		return -1;
	reading->authorized = true;
	if (check_digest(&reply, digest, err) < 0)
		return -1;
	if (json_parse(strbuf_str(&reply.body), reply.body.length, REGISTRY_MAX_BYTES, ret, err) <
	    0)
		return err_wrap(err, "registry %s, %s", reading->server, digest);
	return 0;
}

/* The manifest of the reference, or that of the architecture when it names an index. */
static int read_manifest(struct reading *reading, cJSON **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL, *manifest = NULL;
	enum registry_document kind;
	const char *digest;

	if (read_document(reading, "manifests", reading->digest, &document, err) < 0 ||
	    registry_document_kind(document, &kind, err) < 0)
		return -1;
	if (kind == REGISTRY_MANIFEST) {
		*ret = TAKE_PTR(document);
		return 0;
	}
	if (registry_choose_manifest(document, reading->settings->architecture, &digest, err) < 0 ||
	    read_document(reading, "manifests", digest, &manifest, err) < 0 ||
	    registry_document_kind(manifest, &kind, err) < 0)
		return -1;
	if (kind != REGISTRY_MANIFEST)
		return err_set(err, ERR_PROTOCOL, "the image's index leads to another index");
	*ret = TAKE_PTR(manifest);
	return 0;
}

int registry_image_config(const struct registry_settings *settings, const char *reference,
                          cJSON **ret_config, struct err *err)
{
	_cleanup_(reading_release) struct reading reading = {.settings = settings};
	_cleanup_(json_free) cJSON *manifest = NULL, *config = NULL;
	const char *digest;

	if (reading_open(&reading, reference, err) < 0 ||
	    read_manifest(&reading, &manifest, err) < 0 ||
	    registry_config_digest(manifest, &digest, err) < 0 ||
	    read_document(&reading, "blobs", digest, &config, err) < 0)
		return -1;
	if (!cJSON_IsObject(config))
		return err_set(err, ERR_PROTOCOL, "the image's config is no JSON object");
	*ret_config = TAKE_PTR(config);
	return 0;
}
