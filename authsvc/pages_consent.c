/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "pages_put.h"
#include "texts_scope.h"

static struct str title_of(const struct page *page, enum text text)
{
	return str_from(texts_get(text, page->locale));
}

static void put_item(const struct page *page, struct str text)
{
	buf_put_c(page->out, "<li>");
	pages_put_escaped(page, text);
	buf_put_c(page->out, "</li>\n");
}

/* What the words of a scope mean to the person. */
static void put_scope(const struct page *page, struct str scope, bool lasts)
{
	struct str word;
	bool more = scope.len > 0;

	buf_put_c(page->out, "<ul class=\"rights\">\n");
	while (more) {
		more = str_cut(&scope, ' ', &word);
		if (!str_eq_c(word, "offline_access"))
			put_item(page, texts_scope(word, page->locale));
	}
	if (lasts)
		put_item(page, title_of(page, TEXT_CONSENT_LASTS));
	buf_put_c(page->out, "</ul>\n");
}

/* Whoever did not begin this on a device of their own is to stop here (RFC 8628 section 5.4). */
static void put_device(const struct page *page, struct str user_code)
{
	pages_put_paragraph(page, title_of(page, TEXT_DEVICE_COMPARE));
	buf_put_c(page->out, "<p class=\"shown\"><code>");
	pages_put_escaped(page, user_code);
	buf_put_c(page->out, "</code></p>\n");
}

static void put_choice(const struct page *page, const char *decision, const char *look, enum text label)
{
	buf_printf(page->out, "<button type=\"submit\" class=\"%s\" name=\"decision\" value=\"%s\">", look, decision);
	pages_put_text(page, label);
	buf_put_c(page->out, "</button>\n");
}

void pages_consent(const struct page *page, const struct consent_page *view)
{
	pages_put_begin(page, texts_fill(page->arena, TEXT_CONSENT_FMT, page->locale, view->client_name));
	pages_put_alert(page);
	pages_put_paragraph(page, texts_fill(page->arena, TEXT_CONSENT_WHO_FMT, page->locale, view->email));
	if (view->third_party)
		pages_put_paragraph(
			page, texts_fill(page->arena, TEXT_CONSENT_FOREIGN_FMT, page->locale, view->tenant_name));
	if (view->user_code.p != NULL)
		put_device(page, view->user_code);
	pages_put_paragraph(page, title_of(page, TEXT_CONSENT_WHAT));
	put_scope(page, view->scope, view->lasts);
	pages_put_paragraph(page, title_of(page, TEXT_CONSENT_WITHDRAW_HELP));
	pages_put_form(page, "/consent");
	pages_put_hidden(page, "resume", view->resume);
	pages_put_hidden(page, "csrf", view->csrf);
	put_choice(page, "allow", "button", TEXT_CONSENT_ALLOW);
	put_choice(page, "deny", "button quiet", TEXT_CONSENT_DENY);
	buf_put_c(page->out, "</form>\n");
	pages_put_end(page);
}

void pages_device(const struct page *page, struct str user_code, struct str csrf)
{
	pages_put_begin(page, title_of(page, TEXT_DEVICE));
	pages_put_paragraph(page, title_of(page, TEXT_DEVICE_HELP));
	pages_put_alert(page);
	pages_put_form(page, "/device");
	pages_put_hidden(page, "csrf", csrf);
	pages_put_input(page, &(struct input){.name = "user_code",
				      .type = "text",
				      .autocomplete = "off",
				      .label = TEXT_DEVICE_CODE,
				      .help = TEXT_COUNT,
				      .value = user_code,
				      .focus = user_code.len == 0,
				      .verbatim = true});
	pages_put_button(page, TEXT_CONTINUE);
	pages_put_end(page);
}

void pages_consents(const struct page *page, const struct consents_page *view)
{
	char id[UUID_TEXT_LEN + 1], heading[48];

	pages_put_begin(page, title_of(page, TEXT_CONSENTS));
	pages_put_alert(page);
	pages_put_paragraph(page, title_of(page, view->count > 0 ? TEXT_CONSENTS_HELP : TEXT_CONSENTS_NONE));
	if (view->count > 0)
		buf_put_c(page->out, "<ul class=\"items\">\n");
	for (size_t i = 0; i < view->count; i++) {
		const struct consent_record *consent = &view->consents[i];

		(void)snprintf(heading, sizeof(heading), "application-%zu", i);
		pages_put_item(page, consent->client_name, heading);
		put_scope(page, consent->scope, false);
		uuid_format(&consent->id, id);
		pages_put_form(page, "/account/consents");
		pages_put_hidden(page, "csrf", view->csrf);
		pages_put_hidden(page, "consent", str_from(id));
		pages_put_submit(page, TEXT_CONSENT_WITHDRAW, LOOK_DANGER, heading);
		buf_put_c(page->out, "</li>\n");
	}
	if (view->count > 0)
		buf_put_c(page->out, "</ul>\n");
	pages_put_back(page);
	pages_put_end(page);
}

void pages_end_session(const struct page *page, const struct end_page *view)
{
	pages_put_begin(page, title_of(page, TEXT_SIGN_OUT_ASK));
	pages_put_paragraph(page, texts_fill(page->arena, TEXT_SIGN_OUT_ASK_FMT, page->locale, view->tenant_name));
	pages_put_alert(page);
	pages_put_form(page, "/oauth2/logout");
	pages_put_hidden(page, "csrf", view->csrf);
	pages_put_hidden(page, "client_id", view->client_id);
	pages_put_hidden(page, "post_logout_redirect_uri", view->post_logout_redirect_uri);
	pages_put_hidden(page, "state", view->state);
	pages_put_button(page, TEXT_SIGN_OUT);
	pages_put_link(page, "/login", TEXT_STAY_SIGNED_IN, LOOK_QUIET);
	pages_put_end(page);
}
