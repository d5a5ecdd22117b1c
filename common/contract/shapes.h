/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_SHAPES_H
#define BERTH_CONTRACT_SHAPES_H

#include "contract/shape.h"

/* The structs of every shape, and `shape_<name>()` that describes each. */
#define SHAPE(name)                             \
	const struct shape *shape_##name(void); \
	struct name {
#define END_SHAPE \
	}         \
	;
#define BOOL(f, flags, in, help) \
	bool f;                  \
	bool has_##f;
#define I64(f, flags, in, lo, hi, help) \
	int64_t f;                      \
	bool has_##f;
#define TEXT(f, flags, in, lo, hi, help) \
	struct str f;                    \
	bool has_##f;
#define CHOICE(f, flags, in, set, help) \
	struct str f;                   \
	bool has_##f;
#define BYTES(f, flags, in, hi, help) \
	struct str f;                 \
	bool has_##f;
#define UUID(f, flags, in, help) \
	struct uuid f;           \
	bool has_##f;
#define TIME(f, flags, in, help) \
	instant_us f;            \
	bool has_##f;
#define JSON(f, flags, in, hi, help) \
	struct str f;                \
	bool has_##f;
#define OBJECT(f, type, flags, help) \
	struct type f;               \
	bool has_##f;
#define LIST(f, type, flags, hi, help) \
	struct {                       \
		struct type *items;    \
		size_t count;          \
	} f;                           \
	bool has_##f;
#define TEXTS(f, flags, in, hi, item_hi, help) \
	struct texts f;                        \
	bool has_##f;
#define UUIDS(f, flags, in, hi, help) \
	struct uuids f;               \
	bool has_##f;
#define OPERATION(...)
#define INTERNAL(...)
#include "contract/all.def"
#include "contract/undef.h"

#endif
