/* SPDX-License-Identifier: Apache-2.0 */
#include "pages_put.h"

/* Hidden until the script has found that the browser knows passkeys. */
static void put_begin(const struct page *page, const char *action, const char *way, const struct passkey_view *view)
{
	buf_printf(page->out, "<form method=\"post\" action=\"%s\" data-passkey=\"%s\" data-options=\"", action, way);
	pages_put_escaped(page, view->options);
	buf_put_c(page->out, "\" hidden>\n");
	if (view->other_way) {
		buf_put_c(page->out, "<p class=\"or\">");
		pages_put_text(page, TEXT_OR);
		buf_put_c(page->out, "</p>\n");
	}
	pages_put_paragraph(page, str_from(texts_get(TEXT_PASSKEYS_HELP, page->locale)));
	buf_put_c(page->out, "<p class=\"alert\" role=\"alert\" hidden>");
	pages_put_text(page, TEXT_PASSKEY_FAILED);
	buf_put_c(page->out, "</p>\n");
	pages_put_language(page);
	pages_put_hidden(page, "csrf", view->csrf);
	pages_put_hidden(page, "challenge", view->challenge);
	pages_put_hidden(page, "resume", view->resume.len > 0 ? view->resume : STR_NONE);
	pages_put_hidden(page, "client_data", STR(""));
}

/* Where there is no script, or no passkeys, the page says so: a form that cannot be is not shown. */
static void put_script(const struct page *page)
{
	struct str none = str_from(texts_get(TEXT_PASSKEYS_NONE, page->locale));

	buf_put_c(page->out, "<noscript>");
	pages_put_paragraph(page, none);
	buf_put_c(page->out, "</noscript>\n<div data-passkey-none hidden>");
	pages_put_paragraph(page, none);
	buf_put_c(page->out, "</div>\n<script src=\"/passkey.js\" defer></script>\n");
}

void pages_put_passkey_use(
	const struct page *page, const char *action, enum text label, const struct passkey_view *view)
{
	if (view->options.p == NULL)
		return;
	put_begin(page, action, "get", view);
	pages_put_hidden(page, "credential", STR(""));
	pages_put_hidden(page, "authenticator_data", STR(""));
	pages_put_hidden(page, "signature", STR(""));
	pages_put_hidden(page, "user_handle", STR(""));
	pages_put_submit(page, label, view->other_way ? LOOK_QUIET : LOOK_MAIN, NULL);
	put_script(page);
}

void pages_put_passkey_new(const struct page *page, const char *action, const struct passkey_view *view)
{
	if (view->options.p == NULL)
		return;
	put_begin(page, action, "create", view);
	pages_put_hidden(page, "action", STR("passkey"));
	pages_put_hidden(page, "attestation", STR(""));
	pages_put_hidden(page, "transports", STR(""));
	pages_put_input(page, &(struct input){.name = "name",
				      .type = "text",
				      .autocomplete = "off",
				      .label = TEXT_PASSKEY_NAME,
				      .help = TEXT_COUNT});
	pages_put_submit(page, TEXT_PASSKEY_ADD, view->other_way ? LOOK_QUIET : LOOK_MAIN, NULL);
	put_script(page);
}
