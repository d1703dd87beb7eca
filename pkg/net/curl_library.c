/* SPDX-License-Identifier: Apache-2.0 */
/* The macros of curl.h that check option types call the functions by name; we call through
 * pointers. */
#define CURL_DISABLE_TYPECHECK
#include "pkg/net/curl_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

struct symbol {
	const char *name;
	size_t offset;
};

static const struct symbol symbols[] = {
#define CURL_LIBRARY_SYMBOL(name) {#name, offsetof(struct curl_library, name)},
	CURL_LIBRARY_FUNCTIONS(CURL_LIBRARY_SYMBOL)
#undef CURL_LIBRARY_SYMBOL
};

int curl_library_load(struct curl_library *ret, struct err *err)
{
	struct curl_library library = {.handle = NULL};

	/* RTLD_NODELETE: OpenSSL registers exit handlers that must still be there at the end. */
	library.handle = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (!library.handle) {
		err_set(err, ERR_SYSTEM, "cannot load libcurl: %s", dlerror());
		return err_hint(err, "install libcurl (Debian: apt-get install libcurl4)");
	}
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *address = dlsym(library.handle, symbols[i].name);

		if (!address)
			return err_set(err, ERR_SYSTEM, "libcurl is too old: it has no %s",
			               symbols[i].name);
		memcpy((char *)&library + symbols[i].offset, &address, sizeof(address));
	}
	if (library.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_SYSTEM, "libcurl could not be initialised");
	*ret = library;
	return 0;
}
