/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/registry_internal.h"

#include <string.h>
#include "pkg/base/base64.h"

#define MAX_SECRET ((size_t)64 << 10)

void registry_wipe(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

static void wipe_buffer(struct strbuf *buffer)
{
	if (buffer->data)
		explicit_bzero(buffer->data, buffer->length);
	strbuf_release(buffer);
}

static void login_release(struct registry_login *login)
{
	free(login->key);
	registry_wipe(&login->username);
	registry_wipe(&login->password);
	registry_wipe(&login->identity_token);
	registry_wipe(&login->registry_token);
}

void registry_logins_release(struct registry_logins *logins)
{
	for (size_t i = 0; i < logins->count; i++)
		login_release(&logins->items[i]);
	free(logins->items);
	*logins = (struct registry_logins){.items = NULL};
}

/* "https://HOST/v1/" is HOST, as the kubelet has it: the scheme goes, and a path that only says the version. */
static char *schemeless(const char *key)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const char *path;

	if (!strncmp(key, "https://", 8))
		key += 8;
	else if (!strncmp(key, "http://", 7))
		key += 7;
	path = key + strcspn(key, "/");
	strbuf_add(&text, key, (size_t)(path - key));
	if (!strncmp(path, "/v1/", 4) || !strncmp(path, "/v2/", 4))
		path += 3;
	if (strcmp(path, "/") != 0)
		strbuf_adds(&text, path);
	return text.failed ? NULL : strbuf_take(&text);
}

/* A non-empty member of an entry, copied; *ret stays NULL without one. */
static int copy_member(const cJSON *entry, const char *name, char **ret, struct err *err)
{
	const cJSON *member = json_member(entry, name);

	if (!cJSON_IsString(member) || !*member->valuestring)
		return 0;
	*ret = strdup(member->valuestring);
	return *ret ? 0 : err_no_memory(err);
}

/* "auth" is base64 of "USER:PASSWORD" and wins over the two. One that is malformed makes no login. */
static int read_auth(const cJSON *entry, struct registry_login *login, struct err *err)
{
	_cleanup_(wipe_buffer) struct strbuf text = STRBUF_INIT_CAP(MAX_SECRET);
	const cJSON *auth = json_member(entry, "auth");
	const char *colon;

	if (!cJSON_IsString(auth) || !*auth->valuestring)
		return 0;
	registry_wipe(&login->username);
	registry_wipe(&login->password);
	if (base64_decode(auth->valuestring, false, &text) < 0)
		return 0;
	/* Docker has been seen to write a NUL at the end */
	colon = memchr(strbuf_str(&text), ':', text.length);
	if (!colon || strlen(strbuf_str(&text)) < (size_t)(colon - strbuf_str(&text)))
		return 0;
	login->username = strndup(strbuf_str(&text), (size_t)(colon - strbuf_str(&text)));
	login->password = strdup(colon + 1);
	return login->username && login->password ? 0 : err_no_memory(err);
}

static int read_login(const cJSON *entry, struct registry_login *login, struct err *err)
{
	if (copy_member(entry, "username", &login->username, err) < 0 ||
	    copy_member(entry, "password", &login->password, err) < 0 ||
	    copy_member(entry, "identitytoken", &login->identity_token, err) < 0 ||
	    copy_member(entry, "registrytoken", &login->registry_token, err) < 0)
		return -1;
	return read_auth(entry, login, err);
}

/* Behind those of equal keys, before those of lesser ones. */
static int insert(struct registry_logins *logins, size_t from, struct registry_login *login,
                  struct err *err)
{
	struct registry_login *grown =
		reallocarray(logins->items, logins->count + 1, sizeof(*grown));
	size_t at;

	if (!grown)
		return err_no_memory(err);
	logins->items = grown;
	for (at = from; at < logins->count && strcmp(grown[at].key, login->key) >= 0; at++)
		;
	memmove(&grown[at + 1], &grown[at], (logins->count - at) * sizeof(*grown));
	grown[at] = *login;
	logins->count++;
	*login = (struct registry_login){.key = NULL};
	return 0;
}

static int consider(const cJSON *entry, const char *image, size_t from,
                    struct registry_logins *logins, struct err *err)
{
	_cleanup_(login_release) struct registry_login login = {.key = NULL};

	login.key = schemeless(entry->string);
	if (!login.key)
		return err_no_memory(err);
	if (!cJSON_IsObject(entry) || !registry_match(login.key, image))
		return 0;
	if (read_login(entry, &login, err) < 0)
		return -1;
	if (!(login.username && login.password) && !login.identity_token && !login.registry_token)
		return 0;
	return insert(logins, from, &login, err);
}

/* Adds what fits one name of the image. */
static int add_matches(const cJSON *pull_secrets, const char *host, const char *repository,
                       struct registry_logins *logins, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf image = STRBUF_INIT;
	const cJSON *secret, *entry;
	size_t from = logins->count;

	strbuf_addf(&image, "%s/%s", host, repository);
	if (image.failed)
		return err_no_memory(err);
	cJSON_ArrayForEach (secret, pull_secrets) {
		const cJSON *entries = json_member(secret, "auths");

		if (!cJSON_IsObject(entries))
			entries = secret;
		if (!cJSON_IsObject(entries))
			continue;
		cJSON_ArrayForEach (entry, entries) {
			if (consider(entry, strbuf_str(&image), from, logins, err) < 0)
				return -1;
		}
	}
	return 0;
}

int registry_logins_find(const cJSON *pull_secrets, const char *server, const char *repository,
                         struct registry_logins *ret, struct err *err)
{
	static const char *const hub_names[] = {REGISTRY_HUB, "index.docker.io",
	                                        REGISTRY_HUB_SERVER};
	_cleanup_(registry_logins_release) struct registry_logins logins = {.items = NULL};
	bool hub = !strcmp(server, REGISTRY_HUB_SERVER);

	for (size_t i = 0; i < (hub ? ARRAY_SIZE(hub_names) : 1); i++)
		if (add_matches(pull_secrets, hub ? hub_names[i] : server, repository, &logins,
		                err) < 0)
			return -1;
	*ret = logins;
	logins = (struct registry_logins){.items = NULL};
	return 0;
}
