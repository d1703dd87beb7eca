/* SPDX-License-Identifier: Apache-2.0 */
/* Small readers: files, what may stand in a header. */
#include "pkg/kube/kubeconfig_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int kubeconfig_read_file(const char *path, size_t cap, struct strbuf *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(cap);
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char block[4096];
	ssize_t count;

	if (fd < 0)
		return err_errno(err, "%s", path);
	while ((count = read(fd, block, sizeof(block))) != 0) {
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return err_errno(err, "%s", path);
		strbuf_add(&text, block, (size_t)count);
		if (text.failed)
			return err_set(err, ERR_NO_MEMORY, "%s: larger than %zu bytes", path, cap);
	}
	strbuf_release(ret);
	*ret = text;
	text = (struct strbuf)STRBUF_INIT;
	return 0;
}

bool kubeconfig_is_header_value(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}
