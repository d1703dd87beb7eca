/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/kube.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/base/number.h"

#define PAGE_SIZE        500
#define MAX_PAGES        200
#define FIRST_PAUSE_MS   INT64_C(200)
#define LONGEST_PAUSE_MS INT64_C(10000)
#define SIDE_TIMEOUT_MS  INT64_C(10000)

char *kube_path(const char *group_version, const char *name_space, const char *resource,
                const char *name, const char *suffix)
{
	struct strbuf path = STRBUF_INIT;
	char *text;

	strbuf_addf(&path, "/%s%s", *group_version ? "apis/" : "api/",
	            *group_version ? group_version : "v1");
	if (name_space) {
		strbuf_adds(&path, "/namespaces/");
		strbuf_add_url(&path, name_space);
	}
	strbuf_addf(&path, "/%s", resource);
	if (name) {
		strbuf_addc(&path, '/');
		strbuf_add_url(&path, name);
	}
	strbuf_adds(&path, suffix ? suffix : "");
	text = strbuf_take(&path);
	strbuf_release(&path);
	return text;
}

static enum err_kind kind_of_status(long status)
{
	switch (status) {
	case 401:
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOT_FOUND;
	case 409:
		return ERR_CONFLICT;
	default:
		return status >= 500 ? ERR_UNREACHABLE : ERR_REFUSED;
	}
}

int kube_refusal(long status, const char *text, size_t length, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	struct err ignored = ERR_INIT;
	const char *message = NULL;
	int line = (int)strcspn(text, "\r\n");

	if (*text == '{' && json_parse(text, length, JSON_MAX_BYTES, &document, &ignored) == 0)
		message = json_string(document, "message");
	if (message && *message)
		err_set(err, kind_of_status(status), "%s", message);
	else if (line && *text != '{' && *text != '<')
		err_set(err, kind_of_status(status), "%.*s", line, text);
	else
		err_set(err, kind_of_status(status), "the server answers %ld", status);
	err->http_status = (int)status;
	if (status == 401)
		err_hint(err, "the server does not accept these credentials; renew them, or choose "
		              "another --context");
	/* Quota, Pod Security and webhooks answer 403, too. */
	else if (status == 403 && message && strstr(message, " cannot ") &&
	         strstr(message, " resource \""))
		err_hint(err,
		         "which rights are missing: oneoff doctor; the least Role: oneoff doctor "
		         "--role");
	return -1;
}

/* ---- credentials ---- */

/* The client sends our copy: theirs may change at any renewal. */
static int take_headers(struct kube *kube, struct err *err)
{
	const struct strv *from = credentials_headers(kube->credentials);

	strv_release(&kube->headers);
	for (size_t i = 0; from && i < from->count; i++)
		if (strv_add(&kube->headers, from->items[i]) < 0)
			return err_no_memory(err);
	return 0;
}

int kube_renew(struct kube *kube, bool refused, struct err *err)
{
	int changed = credentials_refresh(kube->credentials, refused, err);

	if (changed < 0 || (changed && take_headers(kube, err) < 0))
		return -1;
	return changed;
}

/* ---- one call ---- */

/* Milliseconds until a refused request may be made again; -1: never. */
static int64_t pause_for(const struct http_reply *reply, bool is_get, int attempt)
{
	int64_t pause = FIRST_PAUSE_MS << (attempt < 6 ? attempt : 6), seconds;
	char value[32];

	if (reply->status != 429 && !(is_get && reply->status >= 500 && reply->status != 501))
		return -1;
	if (http_header(reply, "Retry-After", value, sizeof(value)) &&
	    parse_int64(value, 0, 3600, &seconds) == 0)
		pause = seconds * 1000 + 10;
	return pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
}

static int wait_until(struct kube *kube, int64_t until, struct err *err)
{
	int64_t now;

	while ((now = clock_monotonic_ms()) < until)
		if (loop_wait_answer(kube->loop, (int)(until - now), err) < 0)
			return -1;
	return 0;
}

/* One request, tried again where that can help. A refusal is left in *reply. */
static int perform(struct kube *kube, const struct http_message *message, struct http_reply *reply,
                   struct err *err)
{
	int64_t limit = clock_monotonic_ms() + kube->call_timeout_ms;
	bool is_get = !strcmp(message->method, "GET"), renewed = false;

	if (kube_renew(kube, false, err) < 0)
		return -1;
	for (int attempt = 0;; attempt++) {
		int64_t pause, now;

		if (http_call(kube->http, message, reply, err) < 0)
			return -1;
		if (reply->status == 401 && !renewed) {
			int changed = kube_renew(kube, true, err);

			if (changed < 0)
				return -1;
			renewed = true;
			if (changed)
				continue;
		}
		pause = pause_for(reply, is_get, attempt);
		now = clock_monotonic_ms();
		if (pause < 0 || now + pause >= limit)
			return 0;
		report(&kube->reporter, REPORT_DETAIL, "the server answers %ld; trying again",
		       reply->status);
		if (wait_until(kube, now + pause, err) < 0)
			return -1;
	}
}

static int call(struct kube *kube, struct http_message *message, const cJSON *body, cJSON **ret,
                struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (body) {
		json_print(body, false, &text);
		if (text.failed)
			return err_no_memory(err);
		message->body = strbuf_str(&text);
	}
	message->timeout_ms = kube->call_timeout_ms;
	if (perform(kube, message, &reply, err) < 0)
		return -1;
	/* A redirect is no answer of an API server's. */
	if (reply.status < 200 || reply.status >= 300)
		return kube_refusal(reply.status, strbuf_str(&reply.body), reply.body.length, err);
	if (!ret)
		return 0;
	json_mask_nul(reply.body.data, reply.body.length);
	return json_parse(strbuf_str(&reply.body), reply.body.length, JSON_MAX_BYTES, ret, err);
}

int kube_call(struct kube *kube, const char *method, const char *path, const cJSON *body,
              cJSON **ret, struct err *err)
{
	struct http_message message = {.method = method, .path = path};

	return call(kube, &message, body, ret, err);
}

int kube_get_text(struct kube *kube, const char *path, struct strbuf *ret, struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	const struct http_message message = {
		.method = "GET", .path = path, .timeout_ms = kube->call_timeout_ms};

	if (perform(kube, &message, &reply, err) < 0)
		return -1;
	strbuf_release(ret);
	*ret = reply.body;
	reply.body = (struct strbuf)STRBUF_INIT;
	if (reply.status != 200)
		return kube_refusal(reply.status, strbuf_str(ret), ret->length, err);
	json_mask_nul(ret->data, ret->length);
	return 0;
}

int kube_call_as(struct kube *kube, const char *path, const char *header, cJSON **ret,
                 struct err *err)
{
	struct http_message message = {.method = "GET", .path = path, .header = header};

	return call(kube, &message, NULL, ret, err);
}

int kube_patch(struct kube *kube, const char *path, const char *type, const cJSON *body,
               cJSON **ret, struct err *err)
{
	struct http_message message = {.method = "PATCH", .path = path, .type = type};

	return call(kube, &message, body, ret, err);
}

int kube_start(struct kube *kube, const char *path, struct http_request **ret, struct err *err)
{
	struct http_message message = {.method = "GET", .path = path};

	if (kube_renew(kube, false, err) < 0)
		return -1;
	return http_start(kube->http, &message, ret, err);
}

void kube_reap(struct kube *kube)
{
	for (size_t i = 0; i < KUBE_MAX_SIDE; i++) {
		if (kube->side[i] && http_is_done(kube->side[i])) {
			http_cancel(kube->side[i]);
			kube->side[i] = NULL;
		}
	}
}

void kube_send(struct kube *kube, const char *method, const char *path, const cJSON *body)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct http_message message = {
		.method = method, .path = path, .timeout_ms = SIDE_TIMEOUT_MS};
	struct err ignored = ERR_INIT;
	size_t slot = 0;

	kube_reap(kube);
	while (slot < KUBE_MAX_SIDE && kube->side[slot])
		slot++;
	if (body)
		json_print(body, false, &text);
	if (slot == KUBE_MAX_SIDE || text.failed)
		return;
	message.body = body ? strbuf_str(&text) : NULL;
	if (http_start(kube->http, &message, &kube->side[slot], &ignored) < 0)
		kube->side[slot] = NULL;
}

/* ---- lists ---- */

static int add_page(struct kube *kube, const char *path, const char *token, cJSON *items,
                    char **ret_token, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf full = STRBUF_INIT;
	_cleanup_(json_free) cJSON *page = NULL;
	const char *next;
	cJSON *list, *item;

	strbuf_addf(&full, "%s%climit=%d", path, strchr(path, '?') ? '&' : '?', PAGE_SIZE);
	if (token) {
		strbuf_adds(&full, "&continue=");
		strbuf_add_url(&full, token);
	}
	if (full.failed)
		return err_no_memory(err);
	if (kube_call(kube, "GET", strbuf_str(&full), NULL, &page, err) < 0)
		return -1;
	list = json_member(page, "items");
	if (!cJSON_IsArray(list) && !cJSON_IsNull(list))
		return err_set(err, ERR_PROTOCOL, "the server's list has no items");
	while ((item = cJSON_DetachItemFromArray(list, 0)))
		if (json_add_node(items, item) < 0)
			return err_no_memory(err);
	next = json_string(page, "metadata.continue");
	*ret_token = next && *next ? strdup(next) : NULL;
	return next && *next && !*ret_token ? err_no_memory(err) : 0;
}

int kube_list(struct kube *kube, const char *path, cJSON **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *items = cJSON_CreateArray();
	_cleanup_free_ char *token = NULL;

	if (!items)
		return err_no_memory(err);
	for (int page = 0; page < MAX_PAGES; page++) {
		char *next = NULL;

		if (add_page(kube, path, token, items, &next, err) < 0)
			return -1;
		free(token);
		token = next;
		if (!token) {
			*ret = TAKE_PTR(items);
			return 0;
		}
	}
	return err_set(err, ERR_PROTOCOL, "the server's list does not end");
}

static void answer(struct kube_question *question, struct http_request *request)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;

	if (http_finish(request, &reply, &question->err) < 0)
		return;
	if (reply.status != 200) {
		kube_refusal(reply.status, strbuf_str(&reply.body), reply.body.length,
		             &question->err);
		return;
	}
	json_mask_nul(reply.body.data, reply.body.length);
	if (json_parse(strbuf_str(&reply.body), reply.body.length, JSON_MAX_BYTES,
	               &question->answer, &question->err) < 0)
		question->answer = NULL;
}

/* Refusals that may pass, credentials that ran out and lists of several pages go the patient way. */
static void ask_again(struct kube *kube, struct kube_question *question)
{
	const char *more =
		question->answer ? json_string(question->answer, "metadata.continue") : NULL;
	int64_t status = question->err.http_status;
	cJSON *document = NULL;

	if (question->answer && question->list && !(more && *more)) {
		document = cJSON_DetachItemFromObjectCaseSensitive(question->answer, "items");
		json_free(&question->answer);
		question->answer = cJSON_IsArray(document) ? document : cJSON_CreateArray();
		if (question->answer != document)
			json_free(&document);
		return;
	}
	if (question->answer && !question->list)
		return;
	if (!question->answer && status && status != 401 && status != 429 && status < 500)
		return;
	json_free(&question->answer);
	question->err = (struct err)ERR_INIT;
	if ((question->list ? kube_list(kube, question->path, &document, &question->err)
	                    : kube_call(kube, "GET", question->path, NULL, &document,
	                                &question->err)) == 0)
		question->answer = document;
}

void kube_ask(struct kube *kube, struct kube_question *questions, size_t count)
{
	struct http_request *requests[KUBE_MAX_QUESTIONS] = {NULL};
	int64_t limit = clock_monotonic_ms() + kube->call_timeout_ms;
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < count && i < KUBE_MAX_QUESTIONS; i++)
		if (questions[i].path &&
		    kube_start(kube, questions[i].path, &requests[i], &questions[i].err) < 0)
			requests[i] = NULL;
	for (size_t i = 0; i < count && i < KUBE_MAX_QUESTIONS; i++) {
		if (!requests[i])
			continue;
		while (!http_is_done(requests[i]) && clock_monotonic_ms() < limit)
			if (loop_wait_answer(kube->loop, 1000, &ignored) < 0)
				break;
		if (http_is_done(requests[i])) {
			answer(&questions[i], requests[i]);
		} else {
			http_cancel(requests[i]);
			err_set(&questions[i].err, ERR_START_TIMEOUT, "the server does not answer");
		}
	}
	for (size_t i = 0; i < count && i < KUBE_MAX_QUESTIONS; i++)
		if (requests[i])
			ask_again(kube, &questions[i]);
}

void kube_questions_release(struct kube_question *questions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(questions[i].path);
		json_free(&questions[i].answer);
	}
}
