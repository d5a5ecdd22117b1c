/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_bootstrap.h"

#include <stdio.h>

#include "clients.h"
#include "issue.h"
#include "people.h"
#include "rules_oauth.h"

#define FILE_MAX (256U * 1024U)
#define OUTPUT_MAX (1U << 20)
#define ARENA_BYTES (8U << 20)
#define TENANT_SECONDS 60

/* What a client of the whole tenant may do for itself: places, bookings and figures, but nothing of people. */
#define CLIENT_PERMISSIONS                                                                                   \
	"site.read site.manage availability.read booking.create booking.read booking.change booking.manage " \
	"booking.read_all vehicle.read_all audit.read statistics.read tenant.read"
#define CLIENT_GRANTS "authorization_code refresh_token client_credentials"

struct bootstrap {
	struct call call; /* as handlers have one: what they share works here too */
	struct worker worker;
	struct desk desk;
	struct json_writer w;
};

/* Reads one tenant of the file. */
struct wanted {
	struct tenant_record tenant;
	struct person_record admin;
	struct str normal_email, password;
	bool operator; /* also runs the deployment: the only way to become one that is there from the start */
	struct client_record client;
};

/* Web origins, if the file names any. */
static enum err read_origins(struct arena *arena, const struct json *json, struct str *origins_out)
{
	const struct json *list = json_get(json, "allowed_origins");
	struct texts texts = {NULL, 0};

	if (list == NULL)
		return OK;
	if (list->kind != JSON_ARRAY || list->count > 10 ||
		(texts.items = arena_take_array(arena, list->count + 1, sizeof(*texts.items))) == NULL)
		return ERR_BAD_FIELD;
	for (const struct json *origin = list->first; origin != NULL; origin = origin->next) {
		if (origin->kind != JSON_STRING || !rules_origin_ok(origin->text))
			return ERR_BAD_FIELD;
		texts.items[texts.count++] = origin->text;
	}
	*origins_out = desk_join(arena, &texts);
	return origins_out->p != NULL ? OK : ERR_OVERLOADED;
}

static enum err read_client(struct arena *arena, const struct json *json, struct client_record *client_out)
{
	const struct rights all = issue_rights_of_roles(STR(ROLE_OWNER " " ROLE_OPERATOR));
	const struct json *uris = json_get(json, "redirect_uris");
	struct texts texts = {NULL, 0};
	const char *reason;
	enum err err;

	if (uris == NULL || uris->kind != JSON_ARRAY || uris->count == 0 || uris->count > 10 ||
		(texts.items = arena_take_array(arena, uris->count, sizeof(*texts.items))) == NULL)
		return ERR_BAD_FIELD;
	for (const struct json *uri = uris->first; uri != NULL; uri = uri->next) {
		if (uri->kind != JSON_STRING || !rules_redirect_ok(uri->text, &reason))
			return ERR_BAD_FIELD;
		texts.items[texts.count++] = uri->text;
	}
	*client_out = (struct client_record){
		.vouched = clients_vouch(arena, &all),
		.id = uuid_new(),
		.name = json_get_str(json, "name"),
		.confidential = true,
		.redirect_uris = desk_join(arena, &texts),
		.grants = STR(CLIENT_GRANTS),
		.permissions = STR(CLIENT_PERMISSIONS),
		.id_token_alg = STR("ES256"),
		.created_at = clock_now_us(),
	};
	if ((err = read_origins(arena, json, &client_out->allowed_origins)) != OK)
		return err;
	return client_out->name.len > 0 && client_out->name.len <= 100 ? OK : ERR_BAD_FIELD;
}

static enum err read_locale(const struct json *json, enum locale *locale)
{
	struct str name = json_get_str(json, "locale");

	return name.p == NULL || rules_locale_parse(name, locale) ? OK : ERR_BAD_FIELD;
}

/* Of staff, unless the file says otherwise. */
static enum err read_demand(const struct json *json, enum demand *demand)
{
	struct str name = json_get_str(json, "second_factor");

	return name.p == NULL || demand_parse(name, demand) ? OK : ERR_BAD_FIELD;
}

static enum err read_operator(const struct json *admin, bool *operator_out)
{
	const struct json *said = json_get(admin, "operator");

	*operator_out = said != NULL && said->kind == JSON_TRUE;
	return said == NULL || said->kind == JSON_TRUE || said->kind == JSON_FALSE ? OK : ERR_BAD_FIELD;
}

static enum err read_wanted(struct bootstrap *bootstrap, const struct json *json, struct wanted *wanted_out)
{
	struct call *call = &bootstrap->call;
	const struct json *admin = json_get(json, "admin");
	enum err err;

	*wanted_out = (struct wanted){
		.tenant = {.id = uuid_new(),
			.slug = json_get_str(json, "slug"),
			.name = json_get_str(json, "name"),
			.locale = LOCALE_EN},
		.admin = {.id = uuid_new(),
			.email = json_get_str(admin, "email"),
			.given_name = json_get_str(admin, "given_name"),
			.family_name = json_get_str(admin, "family_name"),
			.status = PERSON_ACTIVE,
			.email_verified_at = clock_now_us()},
		.password = json_get_str(admin, "password"),
	};
	if (!rules_slug_ok(wanted_out->tenant.slug) || wanted_out->tenant.name.len == 0 ||
		wanted_out->tenant.name.len > 200)
		return ERR_BAD_FIELD;
	if ((err = read_locale(json, &wanted_out->tenant.locale)) != OK)
		return err;
	if ((err = read_demand(json, &wanted_out->tenant.second_factor)) != OK)
		return err;
	wanted_out->admin.locale = wanted_out->tenant.locale;
	if ((err = read_locale(admin, &wanted_out->admin.locale)) != OK)
		return err;
	if ((err = read_operator(admin, &wanted_out->operator)) != OK)
		return err;
	if ((err = people_check_email(call, wanted_out->admin.email, &wanted_out->normal_email)) != OK)
		return err;
	if ((err = people_check_password(call, wanted_out->password, wanted_out->normal_email)) != OK)
		return err;
	return read_client(call->arena, json_get(json, "client"), &wanted_out->client);
}

static void put_id(struct json_writer *w, const char *key, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	json_key(w, key);
	uuid_format(id, text);
	if (uuid_is_nil(id))
		json_put_null(w);
	else
		json_put_c(w, text);
}

static void print_tenant(struct bootstrap *bootstrap, struct str slug, const struct uuid *tenant_id,
	const struct uuid *admin_id, const struct uuid *client_id, struct str secret)
{
	struct json_writer *w = &bootstrap->w;

	json_begin_object(w);
	json_key(w, "slug");
	json_put_str(w, slug);
	put_id(w, "id", tenant_id);
	put_id(w, "admin_id", admin_id);
	json_key(w, "client");
	json_begin_object(w);
	put_id(w, "id", client_id);
	if (secret.p != NULL) {
		json_key(w, "secret");
		json_put_str(w, secret);
	}
	json_end_object(w);
	json_end_object(w);
}

static enum err put_event(struct bootstrap *bootstrap, struct store *store, const char *action, const char *type,
	const struct uuid *object_id, const struct uuid *subject_id, struct str after)
{
	struct trail trail = {.action = action,
		.object_type = type,
		.object_id = *object_id,
		.subject_id = *subject_id,
		.version = 1,
		.after = after};

	return after.p != NULL ? desk_put_event(&bootstrap->call, store, &trail) : ERR_OVERLOADED;
}

static enum err write_admin(
	struct bootstrap *bootstrap, struct store *store, struct wanted *wanted, const struct hash *hash)
{
	struct str roles[] = {STR(ROLE_ADMIN), STR(ROLE_OPERATOR)};
	instant_us now = clock_now_us();
	enum err err;

	if ((err = store_person_insert(store, &wanted->admin, wanted->normal_email, now)) != OK)
		return err;
	wanted->admin.roles = wanted->operator? STR(ROLE_ADMIN " " ROLE_OPERATOR) : roles[0];
	if ((err = store_person_set_roles(store, &wanted->admin, roles, wanted->operator? 2 : 1, &UUID_NIL, now)) != OK)
		return err;
	if ((err = store_credential_put(store, wanted->admin.row_id, str_from(hash->text), hash->pepper_epoch, now)) !=
		OK)
		return err;
	return put_event(bootstrap, store, "person.create", "person", &wanted->admin.id, &wanted->admin.id,
		people_json(&bootstrap->call, &wanted->admin));
}

static enum err create(struct bootstrap *bootstrap, struct wanted *wanted)
{
	struct client_view view;
	struct store store = {0};
	struct hash hash;
	struct str secret;
	enum err err;

	err = hasher_make(desk_state(&bootstrap->call)->hasher, wanted->password, bootstrap->call.deadline_us, &hash);
	if (err != OK || (err = desk_begin_in(&bootstrap->call, &wanted->tenant.id, &store)) != OK)
		goto done;
	if ((err = store_tenant_insert(&store, &wanted->tenant, clock_now_us())) != OK)
		goto done;
	if ((err = put_event(bootstrap, &store, "tenant.create", "tenant", &wanted->tenant.id, &UUID_NIL,
		     arena_printf(store.arena, "{\"slug\":\"%.*s\",\"second_factor\":\"%s\"}",
			     STR_ARG(wanted->tenant.slug), demand_name(wanted->tenant.second_factor)))) != OK)
		goto done;
	if ((err = write_admin(bootstrap, &store, wanted, &hash)) != OK)
		goto done;
	if ((err = clients_secret(&bootstrap->call, &wanted->client, &secret)) != OK)
		goto done;
	if ((err = store_client_insert(&store, &wanted->client)) != OK)
		goto done;
	clients_view(&bootstrap->call, &wanted->client, &view);
	if ((err = put_event(bootstrap, &store, "client.create", "client", &wanted->client.id, &UUID_NIL,
		     desk_json(&bootstrap->call, shape_client_view(), &view))) != OK)
		goto done;
	if ((err = desk_commit(&bootstrap->call, &store)) == OK)
		print_tenant(bootstrap, wanted->tenant.slug, &wanted->tenant.id, &wanted->admin.id, &wanted->client.id,
			secret);
done:
	store_release(&store);
	return err;
}

/* What stands there already: the Admin by address, the oldest client. */
static enum err show(struct bootstrap *bootstrap, const struct wanted *wanted, const struct tenant_record *tenant)
{
	struct person_record admin = {0};
	struct client_record client = {0};
	struct store store = {0};
	size_t count;
	enum err err;

	if ((err = desk_begin_in(&bootstrap->call, &tenant->id, &store)) != OK)
		goto done;
	if ((err = store_person_by_email(&store, wanted->normal_email, &admin)) != OK && err != ERR_NOT_FOUND)
		goto done;
	if ((err = store_client_list(&store, &UUID_NIL, 1, &client, &count)) != OK)
		goto done;
	print_tenant(bootstrap, tenant->slug, &tenant->id, &admin.id, &client.id, STR_NONE);
done:
	store_release(&store);
	return err;
}

static enum err one_tenant(struct bootstrap *bootstrap, const struct json *json)
{
	struct tenant_record tenant;
	struct wanted wanted;
	enum err err;

	bootstrap->call.request_id = uuid_new();
	bootstrap->call.deadline_us = clock_monotonic_us() + TENANT_SECONDS * 1000000ULL;
	if ((err = read_wanted(bootstrap, json, &wanted)) != OK)
		return err;
	err = store_tenant_by_slug(bootstrap->desk.jobs, bootstrap->call.arena, wanted.tenant.slug, &tenant);
	if (err == ERR_NOT_FOUND)
		return create(bootstrap, &wanted);
	return err == OK ? show(bootstrap, &wanted, &tenant) : err;
}

static enum err all_tenants(struct bootstrap *bootstrap, struct str document)
{
	const struct json *root, *tenants;
	const char *reason = "";
	enum err err;

	if ((err = json_parse(bootstrap->call.arena, document, &root, &reason)) != OK) {
		(void)fprintf(stderr, "--bootstrap: the file is no JSON: %s\n", reason);
		return err;
	}
	tenants = json_get(root, "tenants");
	if (tenants == NULL || tenants->kind != JSON_ARRAY) {
		(void)fprintf(stderr, "--bootstrap: the file has no list \"tenants\"\n");
		return ERR_BAD_FIELD;
	}
	json_begin_object(&bootstrap->w);
	json_key(&bootstrap->w, "tenants");
	json_begin_array(&bootstrap->w);
	for (const struct json *tenant = tenants->first; tenant != NULL && err == OK; tenant = tenant->next) {
		err = one_tenant(bootstrap, tenant);
		if (err != OK)
			(void)fprintf(stderr, "--bootstrap: tenant '%.*s' failed: %s%s%.*s\n",
				STR_ARG(json_get_str(tenant, "slug")), err_code(err),
				bootstrap->call.detail.len > 0 ? ": " : "", STR_ARG(bootstrap->call.detail));
	}
	json_end_array(&bootstrap->w);
	json_end_object(&bootstrap->w);
	return err;
}

static enum err open_bench(struct context *context, struct bootstrap *bootstrap)
{
	struct worker *worker = &bootstrap->worker;
	enum err err;

	if ((err = state_open(context)) != OK)
		return err;
	worker->context = context;
	worker->state = &bootstrap->desk;
	if ((worker->arena = arena_new(ARENA_BYTES)) == NULL)
		return ERR_OVERLOADED;
	bootstrap->call = (struct call){.worker = worker, .arena = worker->arena};
	if ((err = context_seal(context, &worker->seal)) != OK)
		return err;
	if ((err = context_db_app(context, &worker->db)) != OK)
		return err;
	return context_db_jobs(context, &bootstrap->desk.jobs);
}

static void close_bench(struct context *context, struct bootstrap *bootstrap)
{
	db_free(&bootstrap->desk.jobs);
	db_free(&bootstrap->worker.db);
	seal_free(&bootstrap->worker.seal);
	arena_free(&bootstrap->worker.arena);
	state_close(context);
}

int handle_bootstrap(struct context *context, int argc, char **argv)
{
	static struct bootstrap bootstrap;
	struct secret *document = NULL;
	struct buf out;
	enum err err;

	if (argc != 1) {
		(void)fprintf(stderr, "--bootstrap takes one file\n");
		return 2;
	}
	buf_init(&out, OUTPUT_MAX);
	bootstrap.w = json_writer_over(&out);
	if ((err = secret_read_file(argv[0], FILE_MAX, &document)) != OK)
		(void)fprintf(stderr, "--bootstrap: the file cannot be read: %s\n", err_code(err));
	if (err == OK && (err = open_bench(context, &bootstrap)) == OK)
		err = all_tenants(&bootstrap, secret_str(document));
	if (err == OK && buf_ok(&out))
		(void)printf("%.*s\n", STR_ARG(buf_str(&out)));
	close_bench(context, &bootstrap);
	secret_free(&document);
	buf_release(&out);
	return err == OK ? 0 : 1;
}
