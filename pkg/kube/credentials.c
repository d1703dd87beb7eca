/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/credentials.h"

#include <string.h>
#include "pkg/base/base64.h"
#include "pkg/base/clock.h"
#include "pkg/kube/credentials_internal.h"
#include "pkg/kube/kubeconfig_internal.h"

#define TOKEN_MAX     ((size_t)1 << 20)
#define TOKEN_AGE_MS  INT64_C(60000)
#define EXPIRY_LEEWAY 10 /* seconds before it */

struct credentials {
	const struct kubeconfig *config;
	const struct reporter *reporter;
	struct strv headers;
	bool ready;
	char *token; /* of the file */
	int64_t token_read_ms;
	bool token_was_read;
	struct credentials_answer answer; /* of the plugin */
	bool answered;
};

static void free_secret(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void release_headers(struct strv *headers)
{
	for (size_t i = 0; i < headers->count; i++)
		explicit_bzero(headers->items[i], strlen(headers->items[i]));
	strv_release(headers);
}

static void release_text(struct strbuf *text)
{
	if (text->data)
		explicit_bzero(text->data, text->length);
	strbuf_release(text);
}

int credentials_open(const struct kubeconfig *config, const struct reporter *reporter,
                     struct credentials **ret, struct err *err)
{
	struct credentials *credentials = calloc(1, sizeof(*credentials));

	if (!credentials)
		return err_no_memory(err);
	credentials->config = config;
	credentials->reporter = reporter;
	*ret = credentials;
	return 0;
}

void credentials_close(struct credentials *credentials)
{
	if (!credentials)
		return;
	release_headers(&credentials->headers);
	free_secret(&credentials->token);
	credentials_answer_release(&credentials->answer);
	free(credentials);
}

static int read_token(const char *path, char **ret, struct err *err)
{
	_cleanup_(release_text) struct strbuf text = STRBUF_INIT;
	const char *begin, *end;

	if (kubeconfig_read_file(path, TOKEN_MAX, &text, err) < 0) {
		err->kind = err->kind == ERR_SYSTEM ? ERR_DENIED : err->kind;
		return err_wrap(err, "the token file");
	}
	begin = strbuf_str(&text);
	end = begin + text.length;
	if (memchr(begin, '\0', text.length))
		return err_set(err, ERR_DENIED, "the token file %s holds no token", path);
	begin += strspn(begin, " \t\r\n");
	while (end > begin && strchr(" \t\r\n", end[-1]))
		end--;
	if (begin == end)
		return err_set(err, ERR_DENIED, "the token file %s is empty", path);
	*ret = strndup(begin, (size_t)(end - begin));
	if (!*ret)
		return err_no_memory(err);
	if (!kubeconfig_is_header_value(*ret)) {
		free_secret(ret);
		return err_set(err, ERR_DENIED, "the token file %s holds no token", path);
	}
	return 0;
}

/* A file that is being replaced, or has gone, is no reason to stop while there is a token to try. */
static int renew_token(struct credentials *credentials, int64_t now_ms, struct err *err)
{
	const struct kubeconfig *config = credentials->config;
	char *token = NULL;

	if (read_token(config->token_file, &token, err) < 0) {
		if (!credentials->token && !config->token)
			return -1;
		report(credentials->reporter, REPORT_NOTE, "%s; going on with the token before it",
		       err->message);
	} else {
		free_secret(&credentials->token);
		credentials->token = token;
	}
	credentials->token_was_read = true;
	credentials->token_read_ms = now_ms;
	return 0;
}

static int run_plugin(struct credentials *credentials, struct err *err)
{
	const struct kubeconfig_exec *exec = &credentials->config->exec;
	_cleanup_(release_text) struct strbuf text = STRBUF_INIT;
	struct credentials_answer answer = {.token = NULL};

	report(credentials->reporter, REPORT_DETAIL, "running the credential plugin '%s' of %s",
	       exec->command, credentials->config->origin);
	if (credentials_run_plugin(exec, credentials->reporter, 0, &text, err) < 0)
		return -1;
	if (credentials_parse_answer(strbuf_str(&text), text.length, exec->api_version, &answer,
	                             err) < 0)
		return err_wrap(err, "the credential plugin '%.200s'", exec->command);
	if (answer.token && !kubeconfig_is_header_value(answer.token)) {
		credentials_answer_release(&answer);
		return err_set(err, ERR_DENIED,
		               "the credential plugin '%.200s': its token holds control "
		               "characters",
		               exec->command);
	}
	credentials_answer_release(&credentials->answer);
	credentials->answer = answer;
	credentials->answered = true;
	return 0;
}

static int add_bearer(struct strv *headers, const char *token, struct err *err)
{
	if (!kubeconfig_is_header_value(token)) {
		err_set(err, ERR_USAGE,
		        "the token of the kubeconfig holds a line break or another "
		        "control character");
		return err_hint(err, "a token is one line; in YAML, write it behind 'token: '");
	}
	return strv_addf(headers, "Authorization: Bearer %s", token) < 0 ? err_no_memory(err) : 0;
}

static int add_basic(struct strv *headers, const struct kubeconfig *config, struct err *err)
{
	_cleanup_(release_text) struct strbuf plain = STRBUF_INIT, encoded = STRBUF_INIT;

	strbuf_addf(&plain, "%s:%s", config->username, config->password ? config->password : "");
	base64_encode(strbuf_str(&plain), plain.length, &encoded);
	if (plain.failed || encoded.failed ||
	    strv_addf(headers, "Authorization: Basic %s", strbuf_str(&encoded)) < 0)
		return err_no_memory(err);
	return 0;
}

static int make_headers(const struct credentials *credentials, struct strv *headers,
                        struct err *err)
{
	const struct kubeconfig *config = credentials->config;
	const char *token = credentials->token ? credentials->token : config->token;
	int result = 0;

	token = token ? token : credentials->answer.token;
	if (token)
		result = add_bearer(headers, token, err);
	else if (config->username)
		result = add_basic(headers, config, err);
	for (size_t i = 0; result == 0 && i < config->impersonation.count; i++) {
		if (strv_add(headers, config->impersonation.items[i]) < 0)
			result = err_no_memory(err);
	}
	return result;
}

static bool same_list(const struct strv *left, const struct strv *right)
{
	if (left->count != right->count)
		return false;
	for (size_t i = 0; i < left->count; i++) {
		if (strcmp(left->items[i], right->items[i]) != 0)
			return false;
	}
	return true;
}

/* What the header lines do not show of a plugin's answer. */
static char *copy_pair(const struct credentials_answer *answer)
{
	_cleanup_(release_text) struct strbuf text = STRBUF_INIT;

	if (answer->certificate)
		strbuf_addf(&text, "%s\n%s", answer->certificate, answer->key);
	return text.failed ? NULL : strdup(strbuf_str(&text));
}

static bool is_due(const struct credentials *credentials, bool refused, int64_t monotonic_ms,
                   int64_t unix_seconds)
{
	const struct credentials_answer *answer = &credentials->answer;

	if (credentials->config->token_file)
		return refused || !credentials->token_was_read ||
		       monotonic_ms - credentials->token_read_ms >= TOKEN_AGE_MS;
	if (!credentials->config->exec.command)
		return false;
	return refused || !credentials->answered ||
	       (answer->expires && unix_seconds >= answer->expires_at - EXPIRY_LEEWAY);
}

static int renew(struct credentials *credentials, int64_t monotonic_ms, struct err *err)
{
	if (credentials->config->token_file)
		return renew_token(credentials, monotonic_ms, err);
	return run_plugin(credentials, err);
}

int credentials_refresh_at(struct credentials *credentials, bool refused, int64_t monotonic_ms,
                           int64_t unix_seconds, struct err *err)
{
	_cleanup_(release_headers) struct strv headers = STRV_INIT;
	_cleanup_(free_secret) char *before = copy_pair(&credentials->answer);
	_cleanup_(free_secret) char *after = NULL;
	bool changed = !credentials->ready;
	bool due = is_due(credentials, refused, monotonic_ms, unix_seconds);

	if (credentials->ready && !due)
		return 0;
	if (due && renew(credentials, monotonic_ms, err) < 0)
		return -1;
	if (make_headers(credentials, &headers, err) < 0)
		return -1;
	after = copy_pair(&credentials->answer);
	if (!before || !after)
		return err_no_memory(err);
	changed |= !same_list(&headers, &credentials->headers) || strcmp(before, after) != 0;
	release_headers(&credentials->headers);
	credentials->headers = headers;
	headers = (struct strv)STRV_INIT;
	credentials->ready = true;
	return changed;
}

int credentials_refresh(struct credentials *credentials, bool refused, struct err *err)
{
	return credentials_refresh_at(credentials, refused, clock_monotonic_ms(),
	                              clock_unix_seconds(), err);
}

const struct strv *credentials_headers(const struct credentials *credentials)
{
	return &credentials->headers;
}

const char *credentials_certificate(const struct credentials *credentials)
{
	return credentials->answer.certificate;
}

const char *credentials_key(const struct credentials *credentials)
{
	return credentials->answer.key;
}
