/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before an expansion of all.def that is about operations alone: shapes become nothing. Deliberately without a guard.
 */
#define SHAPE(name)
#define END_SHAPE
#define BOOL(...)
#define I64(...)
#define TEXT(...)
#define CHOICE(...)
#define BYTES(...)
#define UUID(...)
#define TIME(...)
#define JSON(...)
#define OBJECT(...)
#define LIST(...)
#define TEXTS(...)
#define UUIDS(...)
