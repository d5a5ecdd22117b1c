/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <stdio.h>
#include <string.h>

static const struct kind {
	const char *name;
	int (*run)(struct probe *probe);
	bool text; /* one trailing newline is no part of the input */
	const char *help;
} kinds[] = {
	{"http1", probe_http1, false, "the bytes of a connection"},
	{"json", probe_json, true, "one document"},
	{"jws", probe_jws, true, "JWKS.json [--alg A,B]: a compact JWS"},
	{"jwt", probe_jwt, true, "JWKS.json --iss I --aud A --now SECONDS [--env E]: an access token"},
	{"merkle", probe_merkle, true, "inclusion|consistency: a proof and what it is to prove"},
	{"plate", probe_plate, true, "--country C: a registration plate"},
	{"webauthn", probe_webauthn, true, "register|authenticate: a ceremony's fields"},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

int probe_fail(const char *what, const char *about)
{
	(void)fprintf(stderr, "probe: %s%s%s\n", what, about ? ": " : "", about ? about : "");
	return PROBE_FAILED;
}

const char *probe_option(const struct probe *probe, const char *name)
{
	for (int i = 0; i + 1 < probe->argc; i++) {
		if (strcmp(probe->argv[i], name) == 0)
			return probe->argv[i + 1];
	}
	return NULL;
}

static struct str read_all(struct arena *arena, FILE *file)
{
	struct buf buf;
	struct str all = STR_NONE;

	buf_init(&buf, PROBE_INPUT_MAX);
	for (;;) {
		char *at = buf_reserve(&buf, 65536);
		size_t len;

		if (!at)
			break;
		len = fread(at, 1, 65536, file);
		buf_commit(&buf, len);
		if (len == 0) {
			all = ferror(file) ? STR_NONE : arena_copy(arena, buf_str(&buf));
			break;
		}
	}
	buf_release(&buf);
	return all;
}

struct str probe_file(struct probe *probe, const char *path)
{
	struct str text = STR_NONE;
	FILE *file = fopen(path, "rbe");

	if (file) {
		text = read_all(probe->arena, file);
		(void)fclose(file);
	}
	if (!text.p)
		(void)probe_fail("cannot read", path);
	return text;
}

int probe_print(struct buf *line)
{
	buf_put_byte(line, '\n');
	if (!buf_ok(line))
		return probe_fail("the result is too large", NULL);
	return fwrite(line->p, 1, line->len, stdout) == line->len ? PROBE_JUDGED : PROBE_FAILED;
}

void probe_put_bytes(struct json_writer *w, struct str bytes)
{
	struct buf text;

	buf_init(&text, PROBE_INPUT_MAX);
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t byte = (uint8_t)bytes.p[i];

		if (byte >= 0x80)
			buf_put_byte(&text, (uint8_t)(0xc0 | byte >> 6));
		buf_put_byte(&text, byte >= 0x80 ? (uint8_t)(0x80 | (byte & 0x3f)) : byte);
	}
	json_put_str(w, buf_str(&text));
	buf_release(&text);
}

int probe_verdict(bool accepted, const char *reason)
{
	struct buf line;
	struct json_writer w;
	int code;

	buf_init(&line, PROBE_INPUT_MAX);
	w = json_writer_over(&line);
	json_begin_object(&w);
	json_key(&w, "verdict");
	json_put_c(&w, accepted ? "accept" : "refuse");
	json_key(&w, "reason");
	if (accepted)
		json_put_null(&w);
	else
		json_put_c(&w, reason);
	json_end_object(&w);
	code = probe_print(&line);
	buf_release(&line);
	return code;
}

static int usage(void)
{
	(void)fputs("Usage: ./tests/probe KIND [ARGS] < input\n\n"
		    "Runs the production parser or verifier on standard input and prints one JSON object.\n"
		    "Exit 0: judged, either way; 2: the probe itself failed. Kinds:\n\n"
		    "  crash-points  (no input) each name for BERTH_CRASH_AT, and the processes that pass it\n",
		stderr);
	for (size_t i = 0; i < KIND_COUNT; i++)
		(void)fprintf(stderr, "  %-13s %s\n", kinds[i].name, kinds[i].help);
	return PROBE_FAILED;
}

static int run(const struct kind *kind, int argc, char **argv)
{
	struct probe probe = {.arena = arena_new(PROBE_ARENA_MAX), .argc = argc, .argv = argv};
	int code;

	if (!probe.arena)
		return probe_fail("no memory", NULL);
	probe.input = read_all(probe.arena, stdin);
	if (!probe.input.p) {
		code = probe_fail("cannot read standard input, or it is over 16 MiB", NULL);
	} else {
		if (kind->text && probe.input.len > 0 && probe.input.p[probe.input.len - 1] == '\n')
			probe.input.len--;
		code = kind->run(&probe);
	}
	arena_free(&probe.arena);
	return code;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < KIND_COUNT; i++) {
		if (strcmp(argv[1], kinds[i].name) == 0)
			return run(&kinds[i], argc - 2, argv + 2);
	}
	return usage();
}
