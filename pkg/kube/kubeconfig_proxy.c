/* SPDX-License-Identifier: Apache-2.0 */
/* Go's golang.org/x/net/http/httpproxy, which kubectl goes by: what NO_PROXY may hold is its list. */
#include "pkg/kube/kubeconfig_internal.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include "pkg/base/number.h"

/* An address with IPv4 in its IPv6 form. */
struct ip {
	unsigned char bytes[16];
	bool is_v4;
};

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool parse_ip(const char *text, struct ip *ret)
{
	struct ip ip = {.is_v4 = false};

	memcpy(ip.bytes, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, ip.bytes + sizeof(mapped)) != 1 &&
	    inet_pton(AF_INET6, text, ip.bytes) != 1)
		return false;
	ip.is_v4 = memcmp(ip.bytes, mapped, sizeof(mapped)) == 0;
	*ret = ip;
	return true;
}

static bool is_loopback(const struct ip *ip)
{
	static const unsigned char one[16] = {[15] = 1};

	return ip->is_v4 ? ip->bytes[12] == 127 : memcmp(ip->bytes, one, sizeof(one)) == 0;
}

static bool same_bits(const unsigned char *left, const unsigned char *right, size_t bits)
{
	unsigned mask = 0xff00u >> bits % 8 & 0xff;

	if (memcmp(left, right, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || ((left[bits / 8] ^ right[bits / 8]) & mask) == 0;
}

/* What an item of NO_PROXY says: 1 it matches, 0 it does not, -1 it is of another form. */
static int match_network(char *item, const struct ip *ip)
{
	char *slash = strchr(item, '/');
	struct ip network;
	int64_t bits;

	if (!slash)
		return -1;
	*slash = '\0';
	if (!parse_ip(item, &network) ||
	    parse_int64(slash + 1, 0, network.is_v4 ? 32 : 128, &bits) < 0) {
		*slash = '/';
		return -1;
	}
	if (!ip || ip->is_v4 != network.is_v4)
		return 0;
	return same_bits(ip->bytes, network.bytes, (size_t)bits + (network.is_v4 ? 96 : 0));
}

/* Cuts ":port" off, and the brackets of IPv6. The port, or NULL. */
static char *split_port(char **item)
{
	char *colon = strrchr(*item, ':');
	size_t length;

	if (**item == '[') {
		char *end = strchr(*item, ']');

		if (!end || end[1] != ':')
			return NULL;
		*end = '\0';
		(*item)++;
		return end + 2;
	}
	length = colon ? (size_t)(colon - *item) : 0;
	if (!colon || memchr(*item, ':', length))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static bool match_domain(const char *item, const char *host)
{
	size_t host_length = strlen(host), length;

	if (strncmp(item, "*.", 2) == 0)
		item++;
	else if (*item != '.' && strcasecmp(item, host) == 0)
		return true;
	length = strlen(item);
	if (host_length <= length || strcasecmp(host + host_length - length, item) != 0)
		return false;
	return *item == '.' || host[host_length - length - 1] == '.';
}

static bool match_item(char *item, const struct kubeconfig_address *address, const struct ip *ip)
{
	int in_network = match_network(item, ip);
	struct ip other;
	const char *port;

	if (in_network >= 0)
		return in_network;
	port = split_port(&item);
	if (!*item || (port && *port && strcmp(port, address->port) != 0))
		return false;
	if (parse_ip(item, &other))
		return ip && memcmp(ip->bytes, other.bytes, sizeof(other.bytes)) == 0;
	return match_domain(item, address->host);
}

/* True when NO_PROXY, or being on this machine, speaks against a proxy. 1, 0, or -1 when memory ran out. */
static int goes_straight(const struct kubeconfig_address *address, const char *list)
{
	_cleanup_free_ char *copy = strdup(list ? list : "");
	struct ip ip;
	bool is_ip = parse_ip(address->host, &ip);
	char *rest = copy, *item;

	if (!copy)
		return -1;
	if (strcasecmp(address->host, "localhost") == 0 || (is_ip && is_loopback(&ip)))
		return 1;
	while ((item = strsep(&rest, ","))) {
		size_t length;

		item += strspn(item, " \t");
		length = strlen(item);
		while (length && strchr(" \t", item[length - 1]))
			item[--length] = '\0';
		if (strcmp(item, "*") == 0 ||
		    (length && match_item(item, address, is_ip ? &ip : NULL)))
			return 1;
	}
	return 0;
}

/* A scheme of `schemes`, "://", perhaps a user, a host and nothing that no URL holds. */
static bool is_proxy_url(const char *url, const char *const *schemes)
{
	const char *authority = strstr(url, "://"), *at, *end;
	bool known = false;

	if (!authority)
		return false;
	for (; *schemes; schemes++)
		known |= strlen(*schemes) == (size_t)(authority - url) &&
		         strncasecmp(url, *schemes, strlen(*schemes)) == 0;
	for (at = url; *at; at++) {
		if ((unsigned char)*at <= 0x20 || *at == 0x7f)
			return false;
	}
	authority += 3;
	end = authority + strcspn(authority, "/?#");
	at = memrchr(authority, '@', (size_t)(end - authority));
	at = at ? at + 1 : authority;
	return known && at < end && *at != ':';
}

int kubeconfig_check_proxy(const char *url, struct err *err)
{
	static const char *const schemes[] = {"http", "https", "socks5", NULL};

	if (!is_proxy_url(url, schemes))
		return err_set(err, ERR_USAGE,
		               "'proxy-url' is not a URL like http://host:3128; http, https and "
		               "socks5 are known");
	return 0;
}

/* "proxy:3128" stands for "http://proxy:3128". */
static int complete_proxy(const char *value, const char *name, char **ret, struct err *err)
{
	static const char *const schemes[] = {"http", "https", "socks5", "socks5h", NULL};
	_cleanup_(strbuf_release) struct strbuf url = STRBUF_INIT;

	if (!strstr(value, "://"))
		strbuf_adds(&url, "http://");
	strbuf_adds(&url, value);
	if (url.failed)
		return err_no_memory(err);
	if (!is_proxy_url(strbuf_str(&url), schemes))
		return err_set(err, ERR_USAGE,
		               "%s is not a URL like http://host:3128; http, https and socks5 "
		               "are known",
		               name);
	*ret = strbuf_take(&url);
	return 0;
}

static const char *environment_of(const struct kubeconfig_settings *settings, const char *upper,
                                  const char *lower)
{
	const char *value = kubeconfig_environment(settings, upper);

	return value ? value : kubeconfig_environment(settings, lower);
}

int kubeconfig_environment_proxy(const struct kubeconfig_settings *settings, const char *server,
                                 char **ret, struct err *err)
{
	struct kubeconfig_address address;
	const char *proxy, *name;
	int straight;

	if (kubeconfig_parse_server(server, &address, err) < 0)
		return -1;
	name = address.tls ? "HTTPS_PROXY" : "HTTP_PROXY";
	proxy = environment_of(settings, name, address.tls ? "https_proxy" : "http_proxy");
	/* In a CGI program HTTP_PROXY is a header that a client sent ("Proxy:"). */
	if (!address.tls && kubeconfig_environment(settings, "REQUEST_METHOD"))
		proxy = NULL;
	straight = goes_straight(&address, environment_of(settings, "NO_PROXY", "no_proxy"));
	free(address.host);
	if (straight < 0)
		return err_no_memory(err);
	return proxy && !straight ? complete_proxy(proxy, name, ret, err) : 0;
}
