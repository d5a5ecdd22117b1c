/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expands one <callee>.def into prototypes `enum err handle_<operation>(struct call *, const struct <request> *, struct
 * <reply> *)` and, in the one file that defines SERVICE_HANDLER_TABLE, into the table of a service; a forgotten handler
 * is a link error. Deliberately without a guard. Use:
 *
 *   #define SERVICE_DEF "contract/bookingsvc.def"
 *   #include "service/handlers.h"
 */
#include "service/service.h"

#include "contract/no_shapes.h"
#define OPERATION(name, num, method, path, lane, perm, flags, cap, request, reply, status, summary) \
	enum err handle_##name(struct call *call, const struct request *request_in, struct reply *reply_out);
#define INTERNAL(name, num, callers, lane, flags, request, reply, summary) \
	enum err handle_##name(struct call *call, const struct request *request_in, struct reply *reply_out);
#include SERVICE_DEF

#ifdef SERVICE_HANDLER_TABLE
#undef OPERATION
#undef INTERNAL
#define OPERATION(name, num, method, path, lane, perm, flags, cap, request, reply, status, summary) \
	static enum err thunk_##name(struct call *call, const void *request_in, void *reply_out)    \
	{                                                                                           \
		return handle_##name(call, request_in, reply_out);                                  \
	}
#define INTERNAL(name, num, callers, lane, flags, request, reply, summary)                       \
	static enum err thunk_##name(struct call *call, const void *request_in, void *reply_out) \
	{                                                                                        \
		return handle_##name(call, request_in, reply_out);                               \
	}
#include SERVICE_DEF
#undef OPERATION
#undef INTERNAL
#define OPERATION(name, ...) {OPID_##name, thunk_##name, NULL},
#define INTERNAL(name, ...) {OPID_##name, thunk_##name, NULL},
static const struct handler SERVICE_HANDLER_TABLE[] = {
#include SERVICE_DEF
	{OPERATION_COUNT, NULL, NULL}};
#endif
#include "contract/undef.h"
