/* SPDX-License-Identifier: Apache-2.0 */
/* Words of runc 1.1 and 1.2, crun 1.8 and youki, through Docker 20.10, Podman 4.3 and containerd. */
#include <criterion/criterion.h>
#include "pkg/backend/start_failure.h"

static const struct {
	const char *words;
	enum err_kind kind;
} cases[] = {
	{"failed to create shim task: OCI runtime create failed: runc create failed: unable to start container "
         "process: exec: \"nosuch\": executable file not found in $PATH: unknown",
         ERR_COMMAND_NOT_FOUND},
	{"runc create failed: unable to start container process: error during container init: exec: \"nosuch\": "
         "executable file not found in $PATH",
         ERR_COMMAND_NOT_FOUND},
	{"crun: executable file `nosuch` not found in $PATH: No such file or directory: OCI runtime attempted to "
         "invoke a command that was not found",
         ERR_COMMAND_NOT_FOUND},
	{"unable to start container process: exec: \"/x\": stat /x: no such file or directory: unknown",
         ERR_COMMAND_NOT_FOUND},
	{"exec: \"/etc/passwd\": permission denied: unknown", ERR_CANNOT_EXECUTE},
	{"exec: \"/bin/sh/x\": stat /bin/sh/x: not a directory: unknown: Are you trying to mount a directory onto a "
         "file (or vice-versa)?",
         ERR_CANNOT_EXECUTE},
	{"open executable: Operation not permitted", ERR_CANNOT_EXECUTE},
	{"exec /x: exec format error", ERR_CANNOT_EXECUTE},
	{"exec container process `/x`: Exec format error", ERR_CANNOT_EXECUTE},

	/* Not the command's fault. */
	{"error gathering device information while adding custom device \"/dev/x\": no such file or directory",
         ERR_NONE},
	{"runc: runc create failed: unable to start container process: error during container init: error setting "
         "rlimits for ready process: error setting rlimit type 6: operation not permitted: OCI permission denied",
         ERR_NONE},
	{"unable to start container process: error during container init: error mounting \"/a\" to rootfs at \"/b\": "
         "stat /a: no such file or directory: unknown",
         ERR_NONE},
	{"error running hook #0: fork/exec /hook: no such file or directory", ERR_NONE},
	{"unable to start container process: unable to apply caps: operation not permitted: unknown",
         ERR_NONE},
	{"error during container init: chdir to cwd (\"/x\") set in config.json failed: permission denied",
         ERR_NONE},
	{"", ERR_NONE},
};

Test(start_failure, the_command_s_fault_is_told_from_everything_else)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(start_failure_kind(cases[i].words), cases[i].kind, "%s",
		             cases[i].words);
}
