/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_TEST_FILL_H
#define BERTH_CONTRACT_TEST_FILL_H

#include "contract/shapes.h"

/*
 * Objects of any shape for tests and fuzzers: filled at random within their bounds, and compared, by their
 * descriptors alone.
 */

typedef const struct shape *(*shape_fn)(void);
extern const shape_fn fill_shapes[]; /* every shape of the contract */
extern const size_t fill_shape_count;

struct fill {
	uint64_t seed;
	struct arena *arena;
	bool body_only;  /* leave fields of paths, queries and forms absent */
	bool everything; /* leave nothing absent and nothing null, and no list empty */
};

uint64_t fill_number(struct fill *fill);
/* Valid by shape_check. Takes from the arena. */
void fill_object(struct fill *fill, const struct shape *shape, void *object);
/* As fill_object for one member, which becomes present. */
void fill_field(struct fill *fill, const struct field *field, void *object);
struct str fill_repeat(struct fill *fill, char c, size_t len);
bool fill_same(const struct shape *shape, const void *a, const void *b);

#endif
