/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "contract/describe.h"
#include "contract/router.h"

/* The one style element: its hash is all that the page's content security policy lets in, so it stays one constant. */
static const char style[] =
	":root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#ccd3da;"
	"--soft:#e9f1fa;--mark:#0b5cad;--warn:#8a3b0b}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--line:#3a434c;--soft:#1b2836;"
	"--mark:#79b8ff;--warn:#f0a878}}"
	"@media(prefers-contrast:more){:root{--line:var(--ink)}}"
	"@media(prefers-contrast:more)and (prefers-color-scheme:light){:root{--mark:#084482;--warn:#6b2c06}}"
	"*{box-sizing:border-box}html{text-size-adjust:100%;scroll-padding-top:1rem}"
	"body{font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,Ubuntu,sans-serif;max-width:60rem;"
	"margin:0 auto;padding:1.5rem 1rem 4rem;overflow-wrap:anywhere;background:var(--paper);color:var(--ink)}"
	"header svg{display:block;width:2.5rem;height:2.5rem;fill:none;stroke:var(--paper);stroke-width:3;"
	"stroke-linecap:round;stroke-linejoin:round}header rect{fill:var(--mark);stroke:none}h1{margin:.75rem 0 .25rem}"
	".skip{position:absolute;left:-100rem}.skip:focus{position:static}"
	":focus-visible{outline:3px solid var(--mark);outline-offset:2px}"
	"a{color:var(--mark);text-underline-offset:.15em}code{font:.92em ui-monospace,monospace}"
	"h2{margin-top:3rem;border-bottom:2px solid var(--line)}h3{margin:2.5rem 0 .25rem}h4{margin:1rem 0 .25rem}"
	"p{margin:.4rem 0}nav ul{list-style:none;padding-left:0;columns:18rem}"
	"summary{cursor:pointer;font-weight:600}"
	".method{color:var(--mark);font-weight:700}.required{color:var(--warn);font-size:.85em}"
	"table{border-collapse:collapse;width:100%}"
	"th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-top:1px solid var(--line)}"
	"thead th{border-top:0;font-size:.85em}tbody th{font-weight:400}"
	":target{background:var(--soft);outline:.5rem solid var(--soft)}"
	"@media(max-width:40rem){table,tbody,tr,td,tbody th{display:block}thead{display:none}"
	"tr{border-top:1px solid var(--line);padding:.3rem 0}th,td{border:0;padding:0}}";

static const char brand[] =
	"<svg viewBox=\"0 0 32 32\" aria-hidden=\"true\"><rect width=\"32\" height=\"32\" rx=\"8\"/>"
	"<path d=\"M8 7v14a4 4 0 0 0 4 4h8a4 4 0 0 0 4-4V7\"/><path d=\"M16 8v9\"/></svg>\n";

static void put_html(struct buf *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		switch (*p) {
		case '&':
			buf_put_c(out, "&amp;");
			break;
		case '<':
			buf_put_c(out, "&lt;");
			break;
		case '>':
			buf_put_c(out, "&gt;");
			break;
		case '"':
			buf_put_c(out, "&quot;");
			break;
		case '\'':
			buf_put_c(out, "&#39;");
			break;
		default:
			buf_put_byte(out, (uint8_t)*p);
		}
	}
}

static void put_choices(struct buf *out, const char *choices)
{
	struct str rest = str_from(choices);
	struct str one;
	bool more;

	do {
		more = str_cut(&rest, '|', &one);
		buf_printf(out, " <code>%.*s</code>%s", STR_ARG(one), more ? "," : "");
	} while (more);
}

static void put_bounds(struct buf *out, const struct field *field)
{
	switch (field->type) {
	case FIELD_I64:
		if (field->max == INT64_MAX)
			buf_printf(out, ", %lld or more", (long long)field->min);
		else
			buf_printf(out, ", %lld to %lld", (long long)field->min, (long long)field->max);
		break;
	case FIELD_TEXT:
		buf_printf(out, ", %lld to %lld bytes", (long long)field->min, (long long)field->max);
		break;
	case FIELD_BYTES:
	case FIELD_JSON:
		buf_printf(out, ", at most %lld bytes", (long long)field->max);
		break;
	case FIELD_CHOICE:
		put_choices(out, field->choices);
		break;
	case FIELD_OBJECT:
	case FIELD_LIST:
		buf_printf(out, " <a href=\"#shape-%s\">%s</a>", field->shape()->name, field->shape()->name);
		if (field->type == FIELD_LIST)
			buf_printf(out, ", at most %lld", (long long)field->max);
		break;
	case FIELD_TEXTS:
		buf_printf(out, ", at most %lld of %lld bytes", (long long)field->max, (long long)field->item_max);
		break;
	case FIELD_UUIDS:
		buf_printf(out, ", at most %lld", (long long)field->max);
		break;
	default:
		break;
	}
	if ((field->flags & NULLABLE) != 0)
		buf_put_c(out, ", or null");
}

static void put_fields(struct buf *out, const struct shape *shape, enum field_in in, const char *title)
{
	if (!describe_has_fields(shape, in))
		return;
	if (title != NULL)
		buf_printf(out, "<h4>%s</h4>\n", title);
	buf_put_c(out, "<table><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Type</th><th scope=\"col\">"
		       "Meaning</th>"
		       "</tr></thead><tbody>\n");
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->in != in)
			continue;
		buf_printf(out, "<tr><th scope=\"row\"><code>%s</code>%s</th><td>%s", field->name,
			describe_is_required(field) ? " <span class=\"required\">required</span>" : "",
			describe_type(field));
		put_bounds(out, field);
		buf_put_c(out, "</td><td>");
		put_html(out, field->help);
		if ((field->flags & PERSONAL) != 0)
			buf_put_c(out, " <small>(personal)</small>");
		if ((field->flags & SECRET) != 0)
			buf_put_c(out, " <small>(secret)</small>");
		buf_put_c(out, "</td></tr>\n");
	}
	buf_put_c(out, "</tbody></table>\n");
}

static void put_right(struct buf *out, const struct operation *operation)
{
	if (operation->permission == PERM_PUBLIC)
		buf_put_c(out, "<p>Needs no token.");
	else if (operation->permission == PERM_SELF)
		buf_put_c(out, "<p>Needs a token.");
	else
		buf_printf(out, "<p>Needs <code>%s</code>.", permission_name(operation->permission));
	if ((operation->flags & OP_KEYED) != 0)
		buf_put_c(out, " Takes <a href=\"#retries\"><code>Idempotency-Key</code></a>.");
	if ((operation->flags & OP_VERSIONED) != 0)
		buf_put_c(out, " Needs <a href=\"#versions\"><code>If-Match</code></a>.");
	if ((operation->flags & OP_CRITICAL) != 0)
		buf_put_c(out, " Audited.");
	if (operation->body_cap > 0)
		buf_printf(out, " Takes at most %zu bytes.", operation->body_cap);
	buf_put_c(out, "</p>\n");
}

static void put_operation(struct buf *out, const struct operation *operation)
{
	const struct shape *reply = operation->reply();

	buf_printf(out, "<article id=\"op-%s\"><h3><span class=\"method\">%s</span> <code>%s</code></h3>\n<p>",
		operation->name, operation->method, operation->path);
	put_html(out, operation->summary);
	buf_put_c(out, "</p>\n");
	put_right(out, operation);
	put_fields(out, operation->request(), IN_PATH, "In the path");
	put_fields(out, operation->request(), IN_QUERY, "In the query");
	put_fields(out, operation->request(), IN_FORM, "In the form");
	put_fields(out, operation->request(), IN_BODY, "In the body");
	buf_printf(out, "<h4>Answer %d</h4>\n", operation->success_status);
	if (reply->count == 0)
		buf_put_c(out, "<p>No body.</p>\n");
	else if ((operation->flags & OP_WEB) != 0)
		buf_put_c(out, "<p>A document or a page, as the summary says, or a redirect.</p>\n");
	else
		buf_printf(out, "<p><a href=\"#shape-%s\">%s</a></p>\n", reply->name, reply->name);
	buf_put_c(out, "<details><summary>Errors</summary><p>");
	for (size_t i = 0; i < describe_error_count; i++) {
		enum err err = describe_errors[i];

		if (describe_may_fail(operation, err))
			buf_printf(out, "<a href=\"#%s\">%d %s</a> ", err_code(err), err_status(err), err_code(err));
	}
	buf_put_c(out, "</p></details></article>\n");
}

static void put_contents(struct buf *out)
{
	buf_put_c(out, "<nav aria-label=\"Contents\"><p><a href=\"#calling\">Calling the API</a></p>\n");
	for (size_t peer = PEER_NONE + 1; peer < PEER_COUNT; peer++) {
		buf_printf(out, "<details><summary>%s</summary><ul>\n", describe_part((enum peer)peer));
		for (size_t i = 0; i < OPERATION_COUNT; i++) {
			const struct operation *operation = &operation_table[i];

			if (operation->method == NULL || (size_t)operation->callee != peer)
				continue;
			buf_printf(out, "<li><a href=\"#op-%s\">%s %s</a></li>\n", operation->name, operation->method,
				operation->path);
		}
		buf_put_c(out, "</ul></details>\n");
	}
	buf_put_c(out, "<p><a href=\"#shapes\">Objects</a></p><p><a href=\"#permissions\">Permissions</a></p>"
		       "<p><a href=\"#errors\">Errors</a></p></nav>\n");
}

static void put_calling(struct buf *out)
{
	buf_put_c(out,
		"<section id=\"calling\"><h2>Calling the API</h2>\n"
		"<p>Send <code>Authorization: Bearer</code> with an access token: by the authorization code "
		"flow with PKCE "
		"(<a href=\"#op-authorize\"><code>/oauth2/authorize</code></a>) for a person, or by client credentials "
		"(<a href=\"#op-token_issue\"><code>/oauth2/token</code></a>) for a program.</p>\n"
		"<p>Bodies are JSON in UTF-8. A member that is unknown, repeated, of another type or out of "
		"bounds is refused, "
		"and the answer names it. Lengths of text are bytes. Instants are RFC 3339, as "
		"<code>2030-01-31T08:00:00Z</code>. Answers may gain members: skip those that you do not know.</p>\n"
		"<h3 id=\"retries\">Retries</h3><p>A change that takes <code>Idempotency-Key</code> is made "
		"once for each value "
		"of it: sent again, it gets the first answer; with another body, 422.</p>\n"
		"<h3 id=\"versions\">Versions</h3><p>An object that changes has a <code>version</code>, "
		"which is also its "
		"<code>ETag</code>. Send it back as <code>If-Match</code>: left out, 428; changed meanwhile, 412.</p>\n"
		"<h3 id=\"pages\">Pages</h3><p>Lists give <code>items</code> and <code>next_cursor</code>. Pass it as "
		"<code>cursor</code> until it is null.</p></section>\n");
}

static void put_shapes(struct buf *out)
{
	struct described_shapes shapes;

	describe_shapes(&shapes);
	buf_put_c(out, "<section id=\"shapes\"><h2>Objects</h2>\n");
	for (size_t i = 0; i < shapes.count; i++) {
		if (shapes.items[i].request)
			continue;
		buf_printf(out, "<article id=\"shape-%s\"><h3>%s</h3>\n", shapes.items[i].shape->name,
			shapes.items[i].shape->name);
		put_fields(out, shapes.items[i].shape, IN_BODY, NULL);
		buf_put_c(out, "</article>\n");
	}
	buf_put_c(out, "</section>\n");
}

static void put_permission(struct buf *out, const char *name, const char *help)
{
	buf_printf(out, "<tr><th scope=\"row\"><code>%s</code></th><td>", name);
	put_html(out, help);
	buf_put_c(out, "</td></tr>\n");
}

static void put_permissions(struct buf *out)
{
	buf_put_c(out, "<section id=\"permissions\"><h2>Permissions</h2>\n<table><tbody>\n");
#define PERMISSION(NAME, bit, text, whose, help) put_permission(out, (text), (help));
#include "contract/permissions.def"
#undef PERMISSION
	buf_put_c(out, "</tbody></table></section>\n");
}

static void put_errors(struct buf *out)
{
	buf_put_c(out,
		"<section id=\"errors\"><h2>Errors</h2>\n<p>An error is an RFC 9457 problem document, "
		"<code>application/problem+json</code>: <code>code</code> is stable, <code>field</code> and "
		"<code>reason</code> say what is at fault, <code>request_id</code> finds the request in the log.</p>\n"
		"<table><thead><tr><th scope=\"col\">Code</th><th scope=\"col\">Status</th><th scope=\"col\">"
		"Meaning</th></tr>"
		"</thead><tbody>\n");
	for (size_t i = 0; i < describe_error_count; i++) {
		enum err err = describe_errors[i];

		buf_printf(out, "<tr id=\"%s\"><th scope=\"row\"><code>%s</code></th><td>%d</td><td>", err_code(err),
			err_code(err), err_status(err));
		put_html(out, err_title(err));
		buf_put_c(out, "</td></tr>\n");
	}
	buf_put_c(out, "</tbody></table></section>\n");
}

void docs_write(const char *public_url, struct buf *out)
{
	buf_put_c(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		       "<title>Berth API</title><style>");
	buf_put_c(out, style);
	buf_put_c(out, "</style></head>\n<body><a class=\"skip\" href=\"#main\">Skip the contents</a>\n<header>");
	buf_put_c(out, brand);
	buf_put_c(out, "<h1>Berth API</h1>\n<p>Version " BERTH_VERSION " at <code>");
	put_html(out, public_url);
	buf_put_c(out, "</code>, also as <a href=\"/openapi.json\">OpenAPI 3.1</a>.</p></header>\n");
	put_contents(out);
	buf_put_c(out, "<main id=\"main\" tabindex=\"-1\">\n");
	put_calling(out);
	for (size_t peer = PEER_NONE + 1; peer < PEER_COUNT; peer++) {
		buf_printf(out, "<section id=\"%s\"><h2>%s</h2>\n", peer_name((enum peer)peer),
			describe_part((enum peer)peer));
		for (size_t i = 0; i < OPERATION_COUNT; i++) {
			if (operation_table[i].method != NULL && (size_t)operation_table[i].callee == peer)
				put_operation(out, &operation_table[i]);
		}
		buf_put_c(out, "</section>\n");
	}
	put_shapes(out);
	put_permissions(out);
	put_errors(out);
	buf_put_c(out, "</main></body></html>\n");
}

void docs_style_hash(char hash_out[DOCS_STYLE_HASH_MAX])
{
	char text[sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL)];
	uint8_t digest[32];

	sha256(str_from(style), digest);
	(void)sodium_bin2base64(text, sizeof(text), digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(hash_out, DOCS_STYLE_HASH_MAX, "sha256-%s", text);
}
