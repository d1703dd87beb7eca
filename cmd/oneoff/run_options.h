/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that run, console and plan share, and how they become a request. One table, from
 * which each command shows what concerns it.
 */
#ifndef ONEOFF_CMD_RUN_OPTIONS_H
#define ONEOFF_CMD_RUN_OPTIONS_H

#include "cmd/oneoff/message.h"
#include "pkg/base/options.h"
#include "pkg/run/choose.h"
#include "pkg/spec/request.h"

enum disconnect_choice {
	DISCONNECT_DEFAULT, /* continue without a terminal, stop with one */
	DISCONNECT_CONTINUE,
	DISCONNECT_STOP,
};

enum output_format {
	FORMAT_TABLE,
	FORMAT_JSON,
	FORMAT_YAML,
};

struct run_options {
	char *like;
	bool any_source; /* set before parsing: --like may be missing */
	char *runtime, *host, *context;
	char *oci_runtime, *oci_root, *store;
	char *kubeconfig, *name_space, *as, *container;
	struct strv as_groups;
	int revision; /* enum revision_choice */
	int sidecars; /* enum sidecar_mode */
	int carrier;  /* enum carrier_mode */
	int gate;     /* enum gate_mode */
	bool no_init, network_identity;
	bool tty, no_tty, no_stdin;
	struct strv env, env_files, labels;
	char *user, *workdir, *entrypoint, *image, *name, *reason, *detach_keys, *result;
	char *lock;
	int64_t cpu, memory, timeout, start_timeout, grace, keep_for, lock_wait;
	int keep;          /* enum keep_mode */
	int network;       /* enum network_mode */
	int on_disconnect; /* enum disconnect_choice */
	bool no_log, fresh_volumes, detach;
	struct verbosity verbosity;
	bool help;
	bool show_secrets, all; /* plan */
	bool role;              /* doctor */
	int format;             /* enum output_format */

	char *const *operands; /* borrowed from argv */
	int operand_count;
};

extern const struct option run_option_table[];
extern const size_t run_option_count;
extern const struct option plan_option_table[];
extern const size_t plan_option_count;
extern const struct option tasks_option_table[];
extern const size_t tasks_option_count;
extern const struct option doctor_option_table[];
extern const size_t doctor_option_count;

void run_options_release(struct run_options *options);

/* Defaults, then config files, environment and argv (defaults.h). */
int run_options_parse(const struct option *table, size_t count, int argc, char **argv,
                      struct run_options *ret, struct err *err) _must_check_;

/* Fills the request; the terminal is asked for its size. `console` needs a terminal. */
int run_options_request(const struct run_options *options, bool console, struct request *ret,
                        struct err *err) _must_check_;

/* Gives the request a terminal or takes it away, with all that goes with it. */
int run_options_terminal(const struct run_options *options, bool tty, struct request *request,
                         struct err *err) _must_check_;

/* How platforms are reached. Borrows from options. */
void run_options_settings(struct run_options *options, struct backend_settings *ret);
/* --like parsed, and the runtime that its prefix or --runtime names (borrowed), or NULL. */
int run_options_source(const struct run_options *options, struct source *ret,
                       const char **ret_runtime, struct err *err) _must_check_;

/* Looks the source up and says what differs from what one may expect. settings is filled too. */
int run_options_choose(struct run_options *options, struct backend_settings *ret_settings,
                       struct chosen *ret, struct err *err) _must_check_;

#endif
