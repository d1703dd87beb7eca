/* SPDX-License-Identifier: Apache-2.0 */
/* An engine behind TLS with client certificates (research/docker-oci.md 7): the streams are the same, and
 * whoever is not who he should be, on either side, gets nothing started. Only where the engine has a TLS
 * port: ONEOFF_TEST_TLS_PORT. The certificates are made by tests/integration/engines. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/expect.h"

TestSuite(tls, .fini = expect_clean, .timeout = 60);

/* The server's certificate is for the address 127.0.0.1 alone, so this name is a wrong one. */
#define RIGHT_HOST "127.0.0.1"
#define WRONG_HOST "localhost"

/* What a user of TLS has in the environment. */
struct tls_environment {
	char host[64], certificates[300];
	const char *entries[6];
};

/* `identity`: a folder of certificates that engines made. */
static void be(struct tls_environment *environment, const char *identity, const char *host)
{
	snprintf(environment->host, sizeof(environment->host), "DOCKER_HOST=tcp://%s:%s", host,
	         getenv("ONEOFF_TEST_TLS_PORT"));
	snprintf(environment->certificates, sizeof(environment->certificates),
	         "DOCKER_CERT_PATH=%s/tls/%s", getenv("ONEOFF_TEST_DIR"), identity);
	environment->entries[0] = environment->host;
	environment->entries[1] = environment->certificates;
	environment->entries[2] = "DOCKER_TLS_VERIFY=1";
	environment->entries[3] = "DOCKER_CONTEXT";
	environment->entries[4] = NULL;
}

static void require_tls(void)
{
	if (!getenv("ONEOFF_TEST_TLS_PORT"))
		cr_skip_test("the engine has no TLS port");
}

Test(tls, streams_and_code_are_exact)
{
	const uint64_t length = 3000000;
	struct tls_environment environment;
	char expected[64];
	struct run run;

	require_tls();
	be(&environment, "client", RIGHT_HOST);
	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", "bulk", "--", "sh", "-c",
	                                      "helper sum >&2; helper pattern 3000000 3; exit 6"),
	                                 .env = environment.entries, .stdin_mode = STDIN_PATTERN,
	                                 .input_length = length, .seed = 7});
	cr_assert_eq(run.code, 6, RUN_FORMAT, RUN_ARGS(&run));
	snprintf(expected, sizeof(expected), "%016" PRIx64 " %" PRIu64 "\n",
	         pattern_hash(7, length), length);
	cr_assert(capture_is(&run.err, expected), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.count, length, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.hash, pattern_hash(3, length));
	run_release(&run);
}

/* One TLS record may hold more than a read takes; what stays in the library makes no descriptor ready. */
Test(tls, both_ways_at_once)
{
	const uint64_t length = 16 << 20;
	struct tls_environment environment;
	struct run run;

	require_tls();
	be(&environment, "client", RIGHT_HOST);
	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", "bulk", "--", "cat"),
	                                 .env = environment.entries, .stdin_mode = STDIN_PATTERN,
	                                 .input_length = length, .seed = 9});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.count, length, "%" PRIu64 " bytes", run.out.count);
	cr_assert_eq(run.out.hash, pattern_hash(9, length));
	run_release(&run);
}

Test(tls, a_terminal_works)
{
	struct tls_environment environment;
	struct run run;

	require_tls();
	be(&environment, "client", RIGHT_HOST);
	run_start(&run, &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "winsize"),
	                                   .env = environment.entries, .pty = true, .rows = 31,
	                                   .columns = 97, .deadline_ms = 30000});
	cr_assert(run_until(&run, &run.out, 0, "size 31 97"), RUN_FORMAT, RUN_ARGS(&run));
	run_resize(&run, 40, 120);
	cr_assert(run_until(&run, &run.out, 0, "size 40 120"), RUN_FORMAT, RUN_ARGS(&run));
	run_send(&run, "\x03");
	run_finish(&run);
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* The task would leave a file in the volume; a hurried engine may have removed the container by then. */
static void expect_nothing_started(const char *const *env, const char *word)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "-u", "0", "--like", "web", "--", "sh", "-c",
	                                      "echo started; >/data/tls-started"),
	                                 .env = env, .deadline_ms = 15000});
	cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, ""), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err) && run.err.count > 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strcasestr(run.err.text, word), "no '%s': " RUN_FORMAT, word, RUN_ARGS(&run));
	run_release(&run);
	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", "web", "--", "test", "-e",
	                                      "/data/tls-started")});
	cr_assert_eq(run.code, 1, "something was started: " RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

static void expect_distrust(const char *identity, const char *host, const char *word)
{
	struct tls_environment environment;

	require_tls();
	be(&environment, identity, host);
	expect_nothing_started(environment.entries, word);
}

Test(tls, a_client_without_a_certificate_is_refused)
{
	expect_distrust("nobody", RIGHT_HOST, "certificate");
}

Test(tls, a_client_of_another_authority_is_refused)
{
	expect_distrust("stranger", RIGHT_HOST, "certificate");
}

Test(tls, a_server_of_another_authority_is_not_trusted)
{
	expect_distrust("doubter", RIGHT_HOST, "certificate");
}

Test(tls, a_server_of_another_name_is_not_trusted)
{
	expect_distrust("client", WRONG_HOST, "certificate");
}

Test(tls, a_folder_without_an_authority_is_told)
{
	expect_distrust("nowhere", RIGHT_HOST, "ca.pem");
}

/* The port speaks TLS only; a client that does not know is told so by the server, in plain text. */
Test(tls, plain_text_to_a_tls_port_is_told)
{
	struct tls_environment environment;

	require_tls();
	be(&environment, "client", RIGHT_HOST);
	environment.entries[2] = "DOCKER_TLS_VERIFY";
	expect_nothing_started(environment.entries, "https");
}

/* A context whose certificates are those of `identity`. */
static void make_context(const char *name, const char *identity)
{
	const char *folder = getenv("ONEOFF_TEST_DIR");
	char docker[1400];

	snprintf(docker, sizeof(docker),
	         "host=tcp://" RIGHT_HOST
	         ":%s,ca=%s/tls/%s/ca.pem,cert=%s/tls/%s/cert.pem,key=%s/tls/%s/key.pem",
	         getenv("ONEOFF_TEST_TLS_PORT"), folder, identity, folder, identity, folder,
	         identity);
	CLI("context", "create", name, "--docker", docker);
}

Test(tls, a_context_brings_its_certificates)
{
	const char *const without_host[] = {"DOCKER_HOST", NULL};
	struct run run;

	require_tls();
	make_context("tls-test", "client");
	run_all(&run, &(struct run_spec){ARGV("run", "--context", "tls-test", "--like", "web", "--",
	                                      "sh", "-c", "cat; exit 5"),
	                                 .env = without_host, .stdin_mode = STDIN_TEXT,
	                                 .input = "by context"});
	cr_assert_eq(run.code, 5, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "by context"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	CLI("context", "rm", "-f", "tls-test");
}

Test(tls, a_context_with_a_stranger_s_certificates_is_refused)
{
	const char *const env[] = {"DOCKER_HOST", "DOCKER_CONTEXT=tls-stranger", NULL};

	require_tls();
	make_context("tls-stranger", "stranger");
	expect_nothing_started(env, "certificate");
	CLI("context", "rm", "-f", "tls-stranger");
}
