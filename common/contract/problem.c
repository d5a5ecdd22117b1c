/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/codec.h"

static void put_member(struct json_writer *w, const char *key, struct str value)
{
	if (value.len == 0)
		return;
	json_key(w, key);
	json_put_str(w, value);
}

/* RFC 9457 section 3.1; `type` is a reference that leads to the error's place in our own description. */
void problem_encode(const struct problem *problem, struct buf *out)
{
	struct json_writer w = json_writer_over(out);
	const char *code = err_code(problem->err);

	json_begin_object(&w);
	json_key(&w, "type");
	json_put_raw(&w, STR("\"/docs#"));
	buf_put_c(out, code);
	buf_put_byte(out, '"');
	json_key(&w, "title");
	json_put_c(&w, err_title(problem->err));
	json_key(&w, "status");
	json_put_i64(&w, err_status(problem->err));
	json_key(&w, "code");
	json_put_c(&w, code);
	put_member(&w, "detail", problem->detail);
	put_member(&w, "field", problem->field);
	put_member(&w, "reason", problem->reason);
	if (problem->err == ERR_SECOND_FACTOR || problem->err == ERR_STEP_UP)
		put_member(&w, "enrol_at", STR(SECOND_FACTOR_PATH));
	if (problem->request_id != NULL) {
		char text[UUID_TEXT_LEN + 1];

		uuid_format(problem->request_id, text);
		json_key(&w, "request_id");
		json_put_c(&w, text);
	}
	json_end_object(&w);
}
