/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/registry_internal.h"

#include <string.h>
#include <strings.h>
#include "pkg/base/number.h"

#define MAX_URL 8192

void registry_url_release(struct registry_url *url)
{
	free(url->origin);
	free(url->host);
	free(url->path);
	*url = (struct registry_url){.origin = NULL};
}

/* Printable ASCII without what no URL holds. */
static bool is_clean(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f || strchr("\"<>\\^`{|}", *text))
			return false;
	return true;
}

static bool is_authority(const char *host)
{
	const char *port = strrchr(host, ':'), *bracket = strrchr(host, ']');
	int64_t number;

	if (bracket && port && port < bracket)
		port = NULL;
	if (port && (parse_int64(port + 1, 1, 65535, &number) < 0 || port == host))
		return false;
	if (*host == '[')
		return bracket &&
		       strspn(host + 1, "0123456789abcdef:.") == (size_t)(bracket - host - 1) &&
		       (port ? bracket + 1 == port : !bracket[1]);
	return !bracket && (port ? strchr(host, ':') == port : true) &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_:") == strlen(host);
}

static int bad_url(struct err *err)
{
	return err_set(err, ERR_PROTOCOL, "the registry named a URL that cannot be meant");
}

int registry_url_parse(const char *text, struct registry_url *ret, struct err *err)
{
	_cleanup_(registry_url_release) struct registry_url url = {.origin = NULL};
	_cleanup_(strbuf_release) struct strbuf origin = STRBUF_INIT, path = STRBUF_INIT;
	bool secure = !strncasecmp(text, "https://", 8);
	const char *host = text + (secure ? 8 : 7), *rest, *port = secure ? ":443" : ":80";
	size_t length;

	if ((!secure && strncasecmp(text, "http://", 7) != 0) || strlen(text) > MAX_URL ||
	    !is_clean(text))
		return bad_url(err);
	rest = host + strcspn(host, "/?#");
	length = (size_t)(rest - host);
	if (length > strlen(port) && !strncmp(rest - strlen(port), port, strlen(port)))
		length -= strlen(port);
	url.host = strndup(host, length);
	if (!url.host)
		return err_no_memory(err);
	for (char *at = url.host; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	if (!*url.host || !is_authority(url.host))
		return bad_url(err);
	strbuf_addf(&origin, "%s://%s", secure ? "https" : "http", url.host);
	if (*rest != '/')
		strbuf_addc(&path, '/');
	strbuf_add(&path, rest, strcspn(rest, "#"));
	url.origin = strbuf_take(&origin);
	url.path = strbuf_take(&path);
	if (!url.origin || !url.path)
		return err_no_memory(err);
	*ret = url;
	url = (struct registry_url){.origin = NULL};
	return 0;
}

int registry_url_resolve(const struct registry_url *base, const char *location,
                         struct registry_url *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (!strncmp(location, "//", 2))
		strbuf_addf(&text, "%.*s%s", (int)strcspn(base->origin, "/"), base->origin,
		            location);
	else if (*location == '/')
		strbuf_addf(&text, "%s%s", base->origin, location);
	else
		strbuf_adds(&text, location);
	if (text.failed)
		return err_no_memory(err);
	return registry_url_parse(strbuf_str(&text), ret, err);
}
