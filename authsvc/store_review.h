/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_REVIEW_H
#define BERTH_AUTHSVC_STORE_REVIEW_H

#include "store.h"

/* Reviews of who may what. */
#define REVIEW_ITEMS_MAX 500

struct review_record {
	int64_t row_id;
	struct uuid id, opened_by, closed_by;
	instant_us opened_at, closed_at; /* closed_at 0: open */
	int64_t version;
};

struct review_item {
	int64_t row_id;
	struct uuid id;
	struct uuid person_id; /* nil: a group's grant */
	struct str role;
	struct uuid grant_id; /* nil: a role of the person's own */
	struct uuid certified_by;
	instant_us certified_at; /* 0: nobody has */
	struct str outcome;      /* p == NULL: not closed yet */
};

MUST_USE enum err store_review_insert(struct store *store, struct review_record *review);
/* Everybody's roles and grants of these names; *count_out: how many items that makes. */
MUST_USE enum err store_review_fill(struct store *store, const struct review_record *review, const struct str *roles,
	size_t count, uint64_t *count_out);
MUST_USE enum err store_review_list(struct store *store, const struct uuid *after, size_t limit,
	struct review_record *reviews_out, size_t *count_out);
MUST_USE enum err store_review_read(struct store *store, const struct uuid *id, struct review_record *review_out);
MUST_USE enum err store_review_lock(struct store *store, const struct uuid *id, struct review_record *review_out);
/* Into items_out, which has room for REVIEW_ITEMS_MAX. */
MUST_USE enum err store_review_items(
	struct store *store, const struct review_record *review, struct review_item *items_out, size_t *count_out);
/*
 * ERR_NOT_FOUND: not all of them are items of the review. *own_out: `by` has one of them, by themselves or by a group.
 */
MUST_USE enum err store_review_certify(struct store *store, const struct review_record *review,
	const struct uuid *items, size_t count, const struct uuid *by, instant_us now, bool *own_out);
MUST_USE enum err store_review_decide(struct store *store, const struct review_item *item, const char *outcome);
MUST_USE enum err store_review_close(struct store *store, struct review_record *review);

/* What was reviewed of a person, for their export: at most `limit`, oldest first. */
struct review_line {
	struct uuid review_id;
	instant_us opened_at, certified_at; /* certified_at 0: by nobody */
	struct str role, outcome;           /* outcome.p == NULL: the review is open */
};
MUST_USE enum err store_review_of_person(
	struct store *store, int64_t person_row_id, size_t limit, struct review_line *lines_out, size_t *count_out);

#endif
