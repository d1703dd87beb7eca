/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's token authentication (distribution.github.io/distribution/spec/auth/token and …/oauth). */
#include "pkg/kube/registry_internal.h"

#include <string.h>
#include "pkg/base/base64.h"

static void close_connection(struct registry_connection **connection)
{
	registry_connection_close(*connection);
}

static void wipe_buffer(struct strbuf *buffer)
{
	if (buffer->data)
		explicit_bzero(buffer->data, buffer->length);
	strbuf_release(buffer);
}

static void wipe_reply(struct http_reply *reply)
{
	wipe_buffer(&reply->body);
	http_reply_release(reply);
}

/* What may stand in a header: a token that holds a line end would be another header. */
static bool is_token(const char *text)
{
	size_t length = strlen(text);

	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return length > 0 && length < 60000;
}

static int bearer_value(const char *token, char **ret, struct err *err)
{
	_cleanup_(wipe_buffer) struct strbuf text = STRBUF_INIT;

	if (!is_token(token))
		return err_set(err, ERR_PROTOCOL, "the token cannot stand in a request");
	strbuf_addf(&text, "Bearer %s", token);
	if (text.failed)
		return err_no_memory(err);
	*ret = strbuf_take(&text);
	return 0;
}

static int basic_value(const struct registry_login *login, char **ret, struct err *err)
{
	_cleanup_(wipe_buffer) struct strbuf pair = STRBUF_INIT, text = STRBUF_INIT;

	strbuf_addf(&pair, "%s:%s", login->username, login->password);
	strbuf_adds(&text, "Basic ");
	base64_encode(strbuf_str(&pair), pair.length, &text);
	if (pair.failed || text.failed)
		return err_no_memory(err);
	*ret = strbuf_take(&text);
	return 0;
}

static void add_parameter(struct strbuf *query, const char *name, const char *value)
{
	if (!value)
		return;
	strbuf_addf(query, "%s%s=", query->length ? "&" : "", name);
	strbuf_add_url(query, value);
}

static bool has_basic(const struct registry_login *login)
{
	return login && login->username && login->password;
}

/* GET REALM?service=…&scope=…, with the password as Basic, or anonymous. */
static int ask_by_get(const struct registry_settings *settings, int64_t deadline,
                      const struct registry_url *realm, const char *parameters,
                      const struct registry_login *login, struct http_reply *reply, struct err *err)
{
	_cleanup_(close_connection) struct registry_connection *connection = NULL;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	_cleanup_(registry_wipe) char *authorization = NULL;

	if (has_basic(login) && basic_value(login, &authorization, err) < 0)
		return -1;
	strbuf_addf(&path, "%s%c%s", realm->path, strchr(realm->path, '?') ? '&' : '?', parameters);
	if (path.failed)
		return err_no_memory(err);
	if (registry_connection_open(settings, deadline, realm, authorization, &connection, err) <
	    0)
		return -1;
	return registry_connection_get(connection, strbuf_str(&path), reply, err);
}

/* POST REALM with the identity token as an OAuth 2 refresh token (RFC 6749 section 6). */
static int ask_by_post(const struct registry_settings *settings, int64_t deadline,
                       const struct registry_url *realm, const char *parameters,
                       const struct registry_login *login, struct http_reply *reply,
                       struct err *err)
{
	_cleanup_(close_connection) struct registry_connection *connection = NULL;
	_cleanup_(wipe_buffer) struct strbuf form = STRBUF_INIT;

	strbuf_adds(&form, parameters);
	add_parameter(&form, "grant_type", "refresh_token");
	add_parameter(&form, "client_id", "oneoff");
	add_parameter(&form, "refresh_token", login->identity_token);
	if (form.failed)
		return err_no_memory(err);
	if (registry_connection_open(settings, deadline, realm, NULL, &connection, err) < 0)
		return -1;
	return registry_connection_post(connection, realm->path, strbuf_str(&form), reply, err);
}

static int read_token(const struct http_reply *reply, const char *host, char **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	const char *token;

	if (reply->status >= 400 && reply->status < 500 && reply->status != 429) {
		err_set(err, ERR_DENIED, "token server %s refuses (HTTP %ld)", host, reply->status);
		err->http_status = (int)reply->status;
		return -1;
	}
	if (reply->status != 200)
		return err_set(err, ERR_UNREACHABLE, "token server %s answers HTTP %ld", host,
		               reply->status);
	if (json_parse(strbuf_str(&reply->body), reply->body.length, REGISTRY_MAX_BYTES, &document,
	               err) < 0)
		return err_set(err, ERR_PROTOCOL, "token server %s answers no JSON", host);
	token = json_string(document, "token");
	if (!token || !*token)
		token = json_string(document, "access_token");
	if (!token)
		return err_set(err, ERR_PROTOCOL, "token server %s gives no token", host);
	return bearer_value(token, ret, err);
}

static int fetch_token(const struct registry_settings *settings, int64_t deadline,
                       const struct registry_challenge *challenge,
                       const struct registry_login *login, const char *repository, char **ret,
                       struct err *err)
{
	_cleanup_(registry_url_release) struct registry_url realm = {.origin = NULL};
	_cleanup_(wipe_reply) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_(strbuf_release) struct strbuf parameters = STRBUF_INIT, scope = STRBUF_INIT;
	int result;

	if (!challenge->realm)
		return err_set(err, ERR_PROTOCOL, "the registry wants a token but not from whom");
	if (registry_url_parse(challenge->realm, &realm, err) < 0)
		return -1;
	strbuf_addf(&scope, "repository:%s:pull", repository);
	add_parameter(&parameters, "service", challenge->service);
	add_parameter(&parameters, "scope",
	              challenge->scope ? challenge->scope : strbuf_str(&scope));
	if (parameters.failed || scope.failed)
		return err_no_memory(err);
	if (login && login->identity_token)
		result = ask_by_post(settings, deadline, &realm, strbuf_str(&parameters), login,
		                     &reply, err);
	else
		result = ask_by_get(settings, deadline, &realm, strbuf_str(&parameters), login,
		                    &reply, err);
	return result < 0 ? -1 : read_token(&reply, realm.host, ret, err);
}

int registry_authorize(const struct registry_settings *settings, int64_t deadline,
                       const struct registry_challenge *challenge,
                       const struct registry_login *login, const char *repository, char **ret,
                       struct err *err)
{
	if (login && login->registry_token && challenge->bearer)
		return bearer_value(login->registry_token, ret, err);
	if (challenge->bearer)
		return fetch_token(settings, deadline, challenge, login, repository, ret, err);
	if (challenge->basic && has_basic(login))
		return basic_value(login, ret, err);
	return err_set(err, ERR_DENIED, "the registry wants a login, and no pull secret has one");
}
