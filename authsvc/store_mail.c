/* SPDX-License-Identifier: Apache-2.0 */
#include "store_mail.h"

#include "authsvc_sql.h"
#include "base/json.h"

#define CONTENT_MAX (16U * 1024U)

static const struct {
	const char *name;
	int64_t life_us;
	bool one_at_a_time;
} kinds[] = {
	[LINK_INVITATION] = {"invitation", INVITATION_LIFE_US, true},
	[LINK_VERIFICATION] = {"verification", VERIFICATION_LIFE_US, true},
	[LINK_RESET] = {"reset", RESET_LIFE_US, false},
};

enum err store_link_void(struct store *store, enum link_kind kind, int64_t person_row_id, instant_us now)
{
	return tx_queue_quiet(store->tx, &sql_mail_link_void,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_c(kinds[kind].name), db_time(now)));
}

enum err store_link_insert(
	struct store *store, enum link_kind kind, int64_t person_row_id, struct str token_hash, instant_us now)
{
	enum err err;

	if (kinds[kind].one_at_a_time && (err = store_link_void(store, kind, person_row_id, now)) != OK)
		return err;
	return tx_exec(store->tx, &sql_mail_link_insert,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_c(kinds[kind].name), db_bytes(token_hash),
			db_time(now), db_time(now + kinds[kind].life_us)),
		NULL);
}

enum err store_link_find(struct store *store, enum link_kind kind, struct str token_hash, bool take, instant_us now,
	int64_t *person_row_id_out)
{
	struct rows *rows = NULL;
	enum err err;

	*person_row_id_out = 0;
	err = store_one(store->tx, take ? &sql_mail_link_take : &sql_mail_link_read,
		PARAMS(db_uuid(&store->tenant_id), db_bytes(token_hash), db_c(kinds[kind].name), db_time(now)), &rows);
	if (err == OK)
		*person_row_id_out = rows_i64(rows, 0);
	rows_free(&rows);
	return err;
}

static struct str content_of(struct arena *arena, struct str subject, struct str text)
{
	struct json_writer w;
	struct str content;
	struct buf buf;

	buf_init(&buf, CONTENT_MAX);
	w = json_writer_over(&buf);
	json_begin_object(&w);
	json_key(&w, "subject");
	json_put_str(&w, subject);
	json_key(&w, "text");
	json_put_str(&w, text);
	json_end_object(&w);
	content = buf_ok(&buf) ? arena_copy(arena, buf_str(&buf)) : STR_NONE;
	buf_release(&buf);
	return content;
}

enum err store_mail_insert(struct store *store, const struct uuid *person_id, struct str recipient, struct str subject,
	struct str text, instant_us expires_at, instant_us now)
{
	struct uuid id = uuid_new();
	struct seal_place to = store_place(store, "mail", "recipient", &id);
	struct seal_place what = store_place(store, "mail", "content", &id);
	struct str content = content_of(store->arena, subject, text);
	struct str sealed_to, sealed_content;
	struct seal_key *key = NULL;
	enum err err;

	if (content.p == NULL)
		return ERR_TOO_LARGE;
	store->wakes = true;
	if ((err = seal_subject_load(store->tx, store->seal, &store->tenant_id, person_id, false, &key)) != OK)
		goto done;
	if ((err = seal_field(key, &to, recipient, store->arena, &sealed_to)) != OK)
		goto done;
	if ((err = seal_field(key, &what, content, store->arena, &sealed_content)) != OK)
		goto done;
	err = tx_exec(store->tx, &sql_mail_insert,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(&id), db_uuid(person_id), db_bytes(sealed_to),
			db_bytes(sealed_content), db_time(now), db_time(expires_at)),
		NULL);
done:
	seal_key_free(&key);
	return err;
}

struct claimed {
	struct uuid tenant_id, id, subject_id;
	struct str recipient, content;
};

static enum err open_mail(
	const struct seal_key *key, const struct claimed *claimed, struct arena *arena, struct mail_record *mail_out)
{
	struct seal_place to = {&claimed->tenant_id, "mail", "recipient", &claimed->id};
	struct seal_place what = {&claimed->tenant_id, "mail", "content", &claimed->id};
	const struct json *root;
	const char *reason;
	struct str content;
	enum err err;

	if ((err = seal_open(key, &to, claimed->recipient, arena, &mail_out->recipient)) != OK)
		return err;
	if ((err = seal_open(key, &what, claimed->content, arena, &content)) != OK)
		return err;
	if ((err = json_parse(arena, content, &root, &reason)) != OK)
		return err;
	mail_out->subject = json_get_str(root, "subject");
	mail_out->text = json_get_str(root, "text");
	return OK;
}

enum err store_mail_claim(struct db *jobs, struct seal *seal, struct arena *arena, instant_us now, int64_t lease_us,
	struct mail_record *mail_out)
{
	struct seal_key *key = NULL;
	struct tx *tx = NULL;
	struct rows *rows = NULL;
	struct claimed claimed;
	enum err err;

	*mail_out = (struct mail_record){0};
	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	if ((err = store_one(tx, &sql_mail_claim, PARAMS(db_time(now), db_time(now + lease_us)), &rows)) != OK)
		goto done;
	*mail_out = (struct mail_record){
		.row_id = rows_i64(rows, 0), .attempts = rows_i64(rows, 6), .expires_at = rows_time(rows, 7)};
	claimed = (struct claimed){.tenant_id = rows_uuid(rows, 1),
		.id = rows_uuid(rows, 2),
		.subject_id = rows_uuid(rows, 3),
		.recipient = rows_bytes(rows, 4),
		.content = rows_bytes(rows, 5)};
	if ((err = seal_jobs_load(tx, seal, &claimed.tenant_id, &claimed.subject_id, 1, &key)) != OK)
		goto done;
	if (key != NULL && (err = open_mail(key, &claimed, arena, mail_out)) != OK)
		goto done;
	err = tx_commit(&tx);
done:
	seal_key_free(&key);
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

enum err store_mail_defer(struct db *jobs, int64_t row_id, instant_us next_at)
{
	return tx_jobs_run(jobs, &sql_mail_defer, PARAMS(db_i64(row_id), db_time(next_at)));
}

enum err store_mail_delete(struct db *jobs, int64_t row_id)
{
	return tx_jobs_run(jobs, &sql_mail_delete, PARAMS(db_i64(row_id)));
}
