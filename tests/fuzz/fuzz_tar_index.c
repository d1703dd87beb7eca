/* SPDX-License-Identifier: Apache-2.0 */
/* A tar's headers: every member lies inside the file, names are clean, and what is found was indexed. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "oci/tar_index.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tar_index index = {.members = NULL};
	struct err err = ERR_INIT;
	int fd = memfd_create("tar", MFD_CLOEXEC);

	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (tar_index_read(fd, size, &index, &err) == 0) {
		CHECK(index.count <= TAR_MAX_MEMBERS);
		for (size_t i = 0; i < index.count; i++) {
			const struct tar_member *member = &index.members[i], *found;

			CHECK(member->name && member->offset <= size &&
			      member->size <= size - member->offset);
			found = tar_index_find(&index, member->name);
			CHECK(!found || (found >= index.members &&
			                 found < index.members + index.count && !found->link));
		}
	} else {
		CHECK(!index.members && err.kind != ERR_NONE && err.kind != ERR_INTERNAL);
	}
	tar_index_release(&index);
	close(fd);
	return 0;
}
