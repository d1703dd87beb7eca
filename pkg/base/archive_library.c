/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/archive_library.h"

#include <dlfcn.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
#define ARCHIVE_SYMBOL(name) {#name, offsetof(struct archive_library, name)},
	ARCHIVE_LIBRARY_FUNCTIONS(ARCHIVE_SYMBOL)
#undef ARCHIVE_SYMBOL
};

int archive_library_load(struct archive_library *ret, struct err *err)
{
	void *handle = dlopen("libarchive.so.13", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);

	if (!handle) {
		err_set(err, ERR_SYSTEM, "cannot load libarchive: %s", dlerror());
		return err_hint(err, "install libarchive (Debian: apt-get install libarchive13)");
	}
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *address = dlsym(handle, symbols[i].name);

		if (!address)
			return err_set(err, ERR_SYSTEM, "libarchive is too old: it has no %s",
			               symbols[i].name);
		memcpy((char *)ret + symbols[i].offset, &address, sizeof(address));
	}
	return 0;
}
