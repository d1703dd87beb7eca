/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/endpoint_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include "pkg/base/strbuf.h"
#include "pkg/json/json.h"

#define MAX_BYTES ((size_t)4 << 20)

/* Those that the docker command line never takes from its settings either. */
static const char *const own_headers[] = {
	"Connection", "Content-Length",    "Host",    "TE",
	"Trailer",    "Transfer-Encoding", "Upgrade", "User-Agent",
};

void docker_config_release(struct docker_config *config)
{
	free(config->folder);
	free(config->current_context);
	free(config->detach_keys);
	strv_release(&config->headers);
	memset(config, 0, sizeof(*config));
}

/* Reads a whole file; *ret_exists is false when there is none. */
static int read_whole(const char *path, struct strbuf *text, bool *ret_exists, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char block[4096];
	ssize_t count;

	*ret_exists = fd >= 0;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, "%s", path);
	while ((count = read(fd, block, sizeof(block))) != 0) {
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return err_errno(err, "%s", path);
		strbuf_add(text, block, (size_t)count);
		if (text->failed)
			return err_set(err, ERR_NO_MEMORY, "%s: larger than %zu bytes", path,
			               MAX_BYTES);
	}
	return 0;
}

int docker_config_load(const char *path, struct cJSON **ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(MAX_BYTES);
	_cleanup_(json_free) cJSON *document = NULL;
	const char *content;
	bool exists;

	if (read_whole(path, &text, &exists, err) < 0)
		return -1;
	content = strbuf_str(&text);
	if (strspn(content, " \t\r\n") == text.length) {
		*ret = NULL;
		return 0;
	}
	if (json_parse(content, text.length, MAX_BYTES, &document, err) < 0) {
		if (err->kind == ERR_PROTOCOL)
			err->kind = ERR_USAGE;
		return err_wrap(err, "%s", path);
	}
	if (!cJSON_IsObject(document))
		return err_set(err, ERR_USAGE, "%s: it holds no JSON object", path);
	*ret = TAKE_PTR(document);
	return 0;
}

/* Copies a string member; *ret stays NULL when it is missing, null or empty. */
static int copy_string(const cJSON *document, const char *key, char **ret, struct err *err)
{
	const cJSON *node = json_member(document, key);

	if (!node || cJSON_IsNull(node))
		return 0;
	if (!cJSON_IsString(node))
		return err_set(err, ERR_USAGE, "'%s' is no string", key);
	if (!*node->valuestring)
		return 0;
	*ret = strdup(node->valuestring);
	return *ret ? 0 : err_no_memory(err);
}

/* RFC 9110: a name is a token, a value has no control characters but the tab. */
static bool is_header(const char *name, const char *value)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789!#$%&'*+-.^_`|~";

	if (!*name || name[strspn(name, token)])
		return false;
	for (; *value; value++) {
		if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7f)
			return false;
	}
	return true;
}

/* Adds a header, or replaces the one that is there under the same name. */
static int add_header(struct strv *headers, const char *name, const char *value, struct err *err)
{
	size_t length = strlen(name);
	char *line;

	if (!is_header(name, value))
		return err_set(err, ERR_USAGE, "'%s' is no proper HTTP header", name);
	for (size_t i = 0; i < ARRAY_SIZE(own_headers); i++) {
		if (strcasecmp(name, own_headers[i]) == 0)
			return 0;
	}
	line = endpoint_format("%s: %s", name, value);
	if (!line)
		return err_no_memory(err);
	for (size_t i = 0; i < headers->count; i++) {
		if (strncasecmp(headers->items[i], name, length) == 0 &&
		    headers->items[i][length] == ':') {
			free(headers->items[i]);
			headers->items[i] = line;
			return 0;
		}
	}
	return strv_take(headers, line) < 0 ? err_no_memory(err) : 0;
}

static int add_json_headers(const cJSON *document, struct strv *headers, struct err *err)
{
	const cJSON *object = json_member(document, "HttpHeaders");
	const cJSON *member;

	if (!object || cJSON_IsNull(object))
		return 0;
	if (!cJSON_IsObject(object))
		return err_set(err, ERR_USAGE, "'HttpHeaders' is no object");
	cJSON_ArrayForEach (member, object) {
		if (!cJSON_IsString(member))
			return err_set(err, ERR_USAGE, "'HttpHeaders' holds more than strings");
		if (add_header(headers, member->string, member->valuestring, err) < 0)
			return -1;
	}
	return 0;
}

/* Reads one field of a CSV line (RFC 4180); returns what follows it, or NULL when it is malformed.
 */
static const char *read_field(const char *text, struct strbuf *field)
{
	size_t length = strcspn(text, ",");

	strbuf_reset(field);
	if (*text != '"') {
		strbuf_add(field, text, length);
		return memchr(text, '"', length) ? NULL : text + length;
	}
	for (text++; *text; text++) {
		if (*text == '"' && *++text != '"')
			return *text && *text != ',' ? NULL : text;
		strbuf_addc(field, *text);
	}
	return NULL;
}

/* "name=value" as DOCKER_CUSTOM_HEADERS has it; blanks around the name do not count. */
static int add_pair(struct strv *headers, char *pair, struct err *err)
{
	char *equals = strchr(pair, '=');
	char *end = equals;

	if (!equals)
		return err_set(err, ERR_USAGE, "an entry has no '='");
	while (end > pair && strchr(" \t", end[-1]))
		end--;
	*end = '\0';
	return add_header(headers, pair + strspn(pair, " \t"), equals + 1, err);
}

static int add_custom_headers(const char *list, struct strv *headers, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf field = STRBUF_INIT;
	const char *rest = list;

	do {
		rest = read_field(rest, &field);
		if (field.failed)
			return err_no_memory(err);
		if (!rest)
			return err_set(err, ERR_USAGE, "a quote is not where CSV has it");
		if (!field.data)
			strbuf_adds(&field, "");
		if (!field.data || add_pair(headers, field.data, err) < 0)
			return field.data ? -1 : err_no_memory(err);
	} while (*rest++ == ',');
	return 0;
}

static int read_document(const char *path, bool want_headers, struct docker_config *config,
                         struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;

	if (docker_config_load(path, &document, err) < 0)
		return -1;
	if (copy_string(document, "currentContext", &config->current_context, err) < 0 ||
	    copy_string(document, "detachKeys", &config->detach_keys, err) < 0 ||
	    (want_headers && add_json_headers(document, &config->headers, err) < 0))
		return err_wrap(err, "%s", path);
	return 0;
}

int docker_config_read(const struct endpoint_settings *settings, struct docker_config *ret,
                       struct err *err)
{
	_cleanup_(docker_config_release) struct docker_config config = DOCKER_CONFIG_INIT;
	_cleanup_free_ char *path = NULL;
	const char *folder = endpoint_setting(settings, "DOCKER_CONFIG");
	const char *home = endpoint_setting(settings, "HOME");
	const char *custom = endpoint_setting(settings, "DOCKER_CUSTOM_HEADERS");

	if (custom && add_custom_headers(custom, &config.headers, err) < 0)
		return err_wrap(err, "DOCKER_CUSTOM_HEADERS");
	if (folder || home) {
		config.folder =
			endpoint_format("%s%s", folder ? folder : home, folder ? "" : "/.docker");
		if (config.folder)
			path = endpoint_format("%s/config.json", config.folder);
		if (!path)
			return err_no_memory(err);
		if (read_document(path, !custom, &config, err) < 0)
			return -1;
	}
	*ret = config;
	memset(&config, 0, sizeof(config));
	return 0;
}
