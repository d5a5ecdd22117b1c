/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/crash.h"
#include "base/json.h"
#include "config.h"
#include "rules.h"
#include "store.h"

#define SERVICE_DEF "contract/auditsvc.def"
#include "service/handlers.h"

#define EXPORT_PAGE 200
/* The reply's cap is 1,000,000 bytes; one more event and the end of the document fit behind this. */
#define EXPORT_FULL 940000U
#define EXPORT_MAX 1000000U
/* And the documents of one more event. */
#define EXPORT_VALUES_FULL (JSON_NODES_MAX - 4000U)

static void put_id(struct json_writer *w, const char *key, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	json_key(w, key);
	if (uuid_is_nil(id)) {
		json_put_null(w);
		return;
	}
	uuid_format(id, text);
	json_put_c(w, text);
}

static void put_document(struct json_writer *w, const char *key, const struct content *content)
{
	json_key(w, key);
	if (content->plain.p)
		json_put_raw(w, content->plain);
	else
		json_put_null(w);
}

static void put_event(struct json_writer *w, const struct event_row *event, const struct uuid *person_id)
{
	char at[INSTANT_TEXT_MAX];

	instant_format(event->at, at);
	json_begin_object(w);
	put_id(w, "id", &event->id);
	json_key(w, "at");
	json_put_c(w, at);
	json_key(w, "service");
	json_put_str(w, event->service);
	json_key(w, "action");
	json_put_str(w, event->action);
	json_key(w, "object_type");
	json_put_str(w, event->object_type);
	put_id(w, "object_id", &event->object_id);
	json_key(w, "object_version");
	json_put_i64(w, event->object_version);
	put_id(w, "actor_id", &event->actor_id);
	put_id(w, "on_behalf_id", &event->on_behalf_id);
	if (rules_event_is_about(event, person_id)) {
		put_document(w, "before", &event->before);
		put_document(w, "after", &event->after);
	}
	json_key(w, "leaf_index");
	json_put_i64(w, event->leaf_index);
	json_end_object(w);
}

static bool has_room(const struct json_writer *w)
{
	return w->buf->len < EXPORT_FULL && w->values < EXPORT_VALUES_FULL;
}

/* Page after page until all is written or the document is full. */
static enum err put_events(struct store *store, const struct uuid *person_id, struct json_writer *w, bool *all_out)
{
	int64_t below = INT64_MAX;
	enum err err;

	*all_out = false;
	while (has_room(w)) {
		struct event_row *events = NULL;
		size_t count = 0;

		err = store_event_of_person(store, person_id, below, EXPORT_PAGE, &events, &count);
		if (err != OK || (err = store_event_open(store, events, count)) != OK)
			return err;
		for (size_t i = 0; i < count && has_room(w); i++) {
			put_event(w, &events[i], person_id);
			below = events[i].leaf_index;
		}
		if (count < EXPORT_PAGE && has_room(w)) {
			*all_out = true;
			return OK;
		}
	}
	return OK;
}

enum err handle_audit_export(struct call *call, const struct subject_request *request, struct subject_export *reply_out)
{
	struct store store = {0};
	struct json_writer w;
	bool all = false;
	struct buf buf;
	enum err err;

	buf_init(&buf, EXPORT_MAX);
	w = json_writer_over(&buf);
	json_begin_object(&w);
	json_key(&w, "events");
	json_begin_array(&w);
	err = store_begin(call->worker->db, call->worker->seal, call->arena, &request->tenant_id, &store);
	if (err != OK || (err = put_events(&store, &request->person_id, &w, &all)) != OK)
		goto done;
	json_end_array(&w);
	json_key(&w, "complete");
	json_put_bool(&w, all);
	json_end_object(&w);
	if (!buf_ok(&buf) || !(reply_out->data = arena_copy(call->arena, buf_str(&buf))).p)
		err = ERR_TOO_LARGE;
	reply_out->has_data = true;
done:
	buf_release(&buf);
	store_release(&store);
	return err;
}

/* Nothing waits here: what is still in an outbox finds the key destroyed and is stored without its documents. */
enum err handle_audit_erase(struct call *call, const struct subject_request *request, struct subject_erased *reply_out)
{
	struct store store = {0};
	int64_t events = 0;
	enum err err;

	if (uuid_is_nil(&request->person_id))
		return call_refuse(call, ERR_BAD_FIELD, "person_id", "not_a_uuid", NULL);
	err = store_begin(call->worker->db, call->worker->seal, call->arena, &request->tenant_id, &store);
	if (err != OK || (err = store_person_erase(&store, &request->person_id, &events)) != OK)
		goto done;
	CRASH_POINT("audit.erase.before_commit");
	if ((err = store_commit(&store)) != OK)
		goto done;
	CRASH_POINT("audit.erase.after_commit");
	*reply_out = (struct subject_erased){.done = true, .has_done = true, .rows = events, .has_rows = true};
done:
	store_release(&store);
	return err;
}

enum err handle_audit_retain(
	struct call *call, const struct retention_request *request, struct retention_reply *reply_out)
{
	const struct audit_config *config = context_config(call->worker->context);
	const instant_us edge = rules_retention_edge(clock_now_us(), config->content_days);
	struct db *jobs = call->worker->state;
	struct store store = {0};
	int64_t rows = 0;
	enum err err;

	db_set_deadline(jobs, call->deadline_us);
	if ((err = store_begin_jobs(jobs, call->arena, &store)) != OK)
		goto done;
	if ((err = store_content_retain(&store, edge, request->limit, &rows)) != OK)
		goto done;
	if ((err = store_commit(&store)) != OK)
		goto done;
	*reply_out = (struct retention_reply){
		.rows = rows, .has_rows = true, .more = rows == request->limit, .has_more = true};
done:
	store_release(&store);
	return err;
}
