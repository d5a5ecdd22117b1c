/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_PROBES_PROBE_H
#define BERTH_PROBES_PROBE_H

#include "base/arena.h"
#include "base/json.h"

/*
 * Production code behind a command: each kind judges standard input and prints one JSON object. A kind returns
 * PROBE_JUDGED whichever way it judged, and PROBE_FAILED when it could not judge (bad arguments, no memory).
 */
#define PROBE_INPUT_MAX (16U << 20)
#define PROBE_ARENA_MAX (64U << 20)

#define PROBE_WORDS_MAX 1
#define PROBE_OPTIONS_MAX 4

enum probe_exit { PROBE_JUDGED = 0, PROBE_FAILED = 2 };

struct probe {
	struct arena *arena;
	struct str input;                       /* of text kinds one trailing newline is gone already */
	const char *words[PROBE_WORDS_MAX];     /* behind the kind, as many as it takes */
	const char *options[PROBE_OPTIONS_MAX]; /* values, in the order of the kind's names; NULL: not given */
};

int probe_http1(struct probe *probe);
int probe_json(struct probe *probe);
int probe_jws(struct probe *probe);
int probe_jwt(struct probe *probe);
int probe_merkle(struct probe *probe);
int probe_plate(struct probe *probe);
int probe_webauthn(struct probe *probe);

/* Prints the refusal of a kind whose objects have more members than verdict and reason. */
int probe_jws_refuse(const char *reason);
int probe_plate_refuse(const char *reason);

/* Says on standard error what is wrong with the call; always PROBE_FAILED. */
int probe_fail(const char *what, const char *about);
/* The whole file in the arena; p is NULL when it cannot be read (said on standard error). */
struct str probe_file(struct probe *probe, const char *path);
/* Prints the line; always PROBE_JUDGED, or PROBE_FAILED when the buffer failed. */
int probe_print(struct buf *line);
/* Bytes from 0x80 on as the escapes \u0080 to \u00ff, so that any header can be shown. */
void probe_put_bytes(struct json_writer *w, struct str bytes);
/* A line that begins with "verdict" and "reason", a refusal where there is one; its end prints as probe_print does. */
struct json_writer probe_verdict_begin(struct buf *line, const char *reason);
int probe_verdict_end(struct json_writer *w);
/* Prints {"verdict","reason"}. */
int probe_verdict(bool accepted, const char *reason);

#endif
