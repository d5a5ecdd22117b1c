/* SPDX-License-Identifier: Apache-2.0 */
#include "web.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

/* The file passkey.js. */
static const char script[] = {
#include "passkey_js.inc"
};

enum err handle_passkey_script(struct call *call, const struct empty *request_in, struct web_reply *reply_out)
{
	(void)call;
	(void)request_in;
	*reply_out = (struct web_reply){.status = 200,
		.has_status = true,
		.content_type = STR("text/javascript; charset=utf-8"),
		.has_content_type = true,
		.body = {script, sizeof(script)},
		.has_body = true,
		.cacheable = true,
		.has_cacheable = true};
	return OK;
}
