/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <stdio.h>
#include <string.h>

static int refuse(const char *reason)
{
	return probe_verdict(false, reason);
}

static const struct kind {
	const char *name;
	int (*run)(struct probe *probe);
	int (*refuse)(const char *reason); /* prints a refusal; NULL: only whole inputs can be judged */
	bool text;                         /* one trailing newline is no part of the input */
	int words;                         /* arguments that are no options; each must be there */
	const char *options[PROBE_OPTIONS_MAX];
	const char *help;
} kinds[] = {
	{"http1", probe_http1, NULL, false, 0, {NULL}, "the bytes of a connection"},
	{"json", probe_json, refuse, true, 0, {NULL}, "one document"},
	{"jws", probe_jws, probe_jws_refuse, true, 1, {"--alg"}, "JWKS.json [--alg A,B]: a compact JWS"},
	{"jwt", probe_jwt, probe_jws_refuse, true, 1, {"--iss", "--aud", "--now", "--env"},
		"JWKS.json --iss I --aud A --now SECONDS [--env E]: an access token"},
	{"merkle", probe_merkle, refuse, true, 1, {NULL}, "inclusion|consistency: a proof and what it is to prove"},
	{"plate", probe_plate, probe_plate_refuse, true, 0, {"--country"}, "--country C: a registration plate"},
	{"webauthn", probe_webauthn, refuse, true, 1, {NULL}, "register|authenticate: a ceremony's fields"},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

int probe_fail(const char *what, const char *about)
{
	(void)fprintf(stderr, "probe: %s%s%s\n", what, about ? ": " : "", about ? about : "");
	return PROBE_FAILED;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* The place of the option that `word` names, whole or up to "="; PROBE_OPTIONS_MAX: the kind has none such. */
static size_t option_place(const struct kind *kind, const char *word)
{
	const size_t len = strcspn(word, "=");
	size_t place = 0;

	while (place < PROBE_OPTIONS_MAX && kind->options[place] != NULL &&
		(strlen(kind->options[place]) != len || strncmp(kind->options[place], word, len) != 0))
		place++;
	return place < PROBE_OPTIONS_MAX && kind->options[place] != NULL ? place : PROBE_OPTIONS_MAX;
}

/*
 * "--name value" and "--name=value" before, between and behind the words. What is not known, missing or given twice
 * fails the probe: an option that is passed over would be a judgement by other rules than were asked for.
 */
static int read_arguments(struct probe *probe, const struct kind *kind, int argc, char **argv)
{
	int words = 0;

	for (int i = 0; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');
		size_t place;

		if (argv[i][0] != '-') {
			if (words == kind->words)
				return probe_fail("an argument too many", argv[i]);
			probe->words[words++] = argv[i];
			continue;
		}
		place = option_place(kind, argv[i]);
		if (place == PROBE_OPTIONS_MAX)
			return probe_fail("unknown option", argv[i]);
		if (probe->options[place] != NULL)
			return probe_fail("given twice", argv[i]);
		if (equals == NULL && i + 1 == argc)
			return probe_fail("needs a value", argv[i]);
		probe->options[place] = equals != NULL ? equals + 1 : argv[++i];
	}
	return words == kind->words ? PROBE_JUDGED : probe_fail("an argument is missing", kind->help);
}

static struct str read_all(struct arena *arena, FILE *file, bool *too_long_out)
{
	struct buf buf;
	struct str all = STR_NONE;

	*too_long_out = false;
	buf_init(&buf, PROBE_INPUT_MAX);
	for (;;) {
		char *at = buf_reserve(&buf, 65536);
		size_t len;

		if ((*too_long_out = at == NULL))
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
	bool too_long;

	if (file) {
		text = read_all(probe->arena, file, &too_long);
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

/* A quoted string of letters up to U+00FF, those beyond ASCII escaped. */
static void put_escaped(struct json_writer *w, struct str quoted)
{
	struct buf ascii;

	buf_init(&ascii, PROBE_ARENA_MAX);
	for (size_t i = 0; i < quoted.len; i++) {
		uint8_t byte = (uint8_t)quoted.p[i];

		if (byte < 0x80 || i + 1 == quoted.len)
			buf_put_byte(&ascii, byte);
		else
			buf_printf(&ascii, "\\u00%02x", (byte & 0x03) << 6 | ((uint8_t)quoted.p[++i] & 0x3f));
	}
	json_put_raw(w, buf_str(&ascii));
	if (!buf_ok(&ascii))
		w->buf->failed = true;
	buf_release(&ascii);
}

void probe_put_bytes(struct json_writer *w, struct str bytes)
{
	struct buf latin, escaped;
	struct json_writer quoted;

	buf_init(&latin, PROBE_INPUT_MAX);
	buf_init(&escaped, PROBE_ARENA_MAX);
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t byte = (uint8_t)bytes.p[i];

		/* Each of these begins with 0xc2 or 0xc3 and has one byte more. */
		if (byte >= 0x80)
			buf_put_byte(&latin, (uint8_t)(0xc0 | byte >> 6));
		buf_put_byte(&latin, byte >= 0x80 ? (uint8_t)(0x80 | (byte & 0x3f)) : byte);
	}
	quoted = json_writer_over(&escaped);
	json_put_str(&quoted, buf_str(&latin));
	put_escaped(w, buf_str(&escaped));
	if (!buf_ok(&latin) || !buf_ok(&escaped))
		w->buf->failed = true;
	buf_release(&escaped);
	buf_release(&latin);
}

struct json_writer probe_verdict_begin(struct buf *line, const char *reason)
{
	struct json_writer w;

	buf_init(line, PROBE_ARENA_MAX);
	w = json_writer_over(line);
	json_begin_object(&w);
	json_key(&w, "verdict");
	json_put_c(&w, reason ? "refuse" : "accept");
	json_key(&w, "reason");
	if (reason)
		json_put_c(&w, reason);
	else
		json_put_null(&w);
	return w;
}

int probe_verdict_end(struct json_writer *w)
{
	int code;

	json_end_object(w);
	code = probe_print(w->buf);
	buf_release(w->buf);
	return code;
}

int probe_verdict(bool accepted, const char *reason)
{
	struct buf line;
	struct json_writer w = probe_verdict_begin(&line, accepted ? NULL : reason);

	return probe_verdict_end(&w);
}

static int usage(FILE *to)
{
	(void)fputs("Usage: ./tests/probe KIND [ARGS] < input\n\n"
		    "Runs the production parser or verifier on standard input and prints one JSON object.\n"
		    "Exit 0: judged, either way; 2: the probe itself failed. Kinds:\n\n"
		    "  crash-points  (no input) each name for BERTH_CRASH_AT, and the processes that pass it\n",
		to);
	for (size_t i = 0; i < KIND_COUNT; i++)
		(void)fprintf(to, "  %-13s %s\n", kinds[i].name, kinds[i].help);
	return to == stdout ? PROBE_JUDGED : PROBE_FAILED;
}

static int run(const struct kind *kind, int argc, char **argv)
{
	struct probe probe = {.arena = NULL};
	bool too_long;
	int code;

	if ((code = read_arguments(&probe, kind, argc, argv)) != PROBE_JUDGED)
		return code;
	if (!(probe.arena = arena_new(PROBE_ARENA_MAX)))
		return probe_fail("no memory", NULL);
	probe.input = read_all(probe.arena, stdin, &too_long);
	if (too_long && kind->refuse) {
		code = kind->refuse("the input is over 16 MiB");
	} else if (!probe.input.p) {
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
	for (int i = 1; i < argc && i <= 2; i++) {
		if (is_help(argv[i]))
			return usage(stdout);
	}
	for (size_t i = 0; argc > 1 && i < KIND_COUNT; i++) {
		if (strcmp(argv[1], kinds[i].name) == 0)
			return run(&kinds[i], argc - 2, argv + 2);
	}
	return usage(stderr);
}
