/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include <string.h>

#include "base/encode.h"
#include "http/page_style.h"
#include "pages_put.h"

void pages_put_escaped(const struct page *page, struct str s)
{
	struct str escaped = html_escape(page->arena, s);

	if (escaped.p == NULL && s.len > 0)
		page->out->failed = true;
	buf_put_str(page->out, escaped);
}

void pages_put_text(const struct page *page, enum text text)
{
	pages_put_escaped(page, str_from(texts_get(text, page->locale)));
}

void pages_put_begin(const struct page *page, struct str title)
{
	struct str head = title;

	if (page->alert.len > 0)
		head = texts_fill(page->arena, TEXT_ERROR_TITLE_FMT, page->locale, title);
	buf_printf(page->out, "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
		rules_locale_name(page->locale));
	buf_put_c(page->out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			     "<meta name=\"color-scheme\" content=\"light dark\">\n"
			     "<meta name=\"robots\" content=\"noindex\">\n<title>");
	pages_put_escaped(page, head);
	buf_put_c(page->out, " · Berth</title>\n<style>");
	buf_put_str(page->out, page_style_text());
	buf_put_c(page->out, "</style>\n</head>\n<body>\n");
	buf_put_c(page->out, page_style_brand);
	buf_put_c(page->out, "<main>\n<div class=\"card\">\n<h1>");
	pages_put_escaped(page, title);
	buf_put_c(page->out, "</h1>\n");
}

void pages_put_end(const struct page *page)
{
	buf_put_c(page->out, "</div>\n</main>\n</body>\n</html>\n");
}

void pages_put_paragraph(const struct page *page, struct str text)
{
	buf_put_c(page->out, "<p class=\"dim\">");
	pages_put_escaped(page, text);
	buf_put_c(page->out, "</p>\n");
}

void pages_alert(struct page *page, enum text alert, int64_t wait_s)
{
	static const struct {
		enum text alert;
		const char *field;
	} faults[] = {{TEXT_WRONG_CREDENTIALS, "password"}, {TEXT_PASSWORDS_DIFFER, "password_again"},
		{TEXT_PASSWORD_SHORT, "password"}, {TEXT_PASSWORD_LONG, "password"},
		{TEXT_PASSWORD_TRIVIAL, "password"}, {TEXT_PASSWORD_BREACHED, "password"},
		{TEXT_PASSWORD_CURRENT_WRONG, "current"}, {TEXT_VERIFICATION_PASSWORD_WRONG, "password"},
		{TEXT_EMAIL_BAD, "email"}, {TEXT_DEVICE_CODE_WRONG, "user_code"}, {TEXT_FACTOR_WRONG, "code"}};

	page->fault = NULL;
	page->alert = STR_NONE;
	if (alert == TEXT_COUNT)
		return;
	page->alert =
		texts_fill(page->arena, alert, page->locale, arena_printf(page->arena, "%lld", (long long)wait_s));
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (faults[i].alert == alert)
			page->fault = faults[i].field;
	}
}

/* What is wrong with one field stands there. */
void pages_put_alert(const struct page *page)
{
	if (page->alert.len == 0 || page->fault != NULL)
		return;
	buf_put_c(page->out, "<p class=\"alert\" role=\"alert\">");
	pages_put_escaped(page, page->alert);
	buf_put_c(page->out, "</p>\n");
}

void pages_put_hidden(const struct page *page, const char *name, struct str value)
{
	if (value.p == NULL)
		return;
	buf_printf(page->out, "<input type=\"hidden\" name=\"%s\" value=\"", name);
	pages_put_escaped(page, value);
	buf_put_c(page->out, "\">\n");
}

static void put_fault(const struct page *page, const struct input *input)
{
	buf_printf(page->out, "<p class=\"fault\" role=\"alert\" id=\"%s-fault\">", input->name);
	pages_put_escaped(page, page->alert);
	buf_put_c(page->out, "</p>\n");
}

/* The focus is where something is wrong, else where the page wants it. */
static void put_attributes(const struct page *page, const struct input *input, bool faulty)
{
	const bool helped = input->help != TEXT_COUNT;

	if (helped || faulty)
		buf_put_c(page->out, " aria-describedby=\"");
	if (helped)
		buf_printf(page->out, "%s-help%s", input->name, faulty ? " " : "\"");
	if (faulty)
		buf_printf(page->out, "%s-fault\" aria-invalid=\"true\"", input->name);
	if (input->verbatim)
		buf_put_c(page->out, " autocapitalize=\"none\" spellcheck=\"false\"");
	if (faulty || (input->focus && page->fault == NULL))
		buf_put_c(page->out, " autofocus");
}

void pages_put_input(const struct page *page, const struct input *input)
{
	const bool faulty = page->alert.len > 0 && page->fault != NULL && strcmp(page->fault, input->name) == 0;

	buf_printf(page->out, "<label for=\"%s\">", input->name);
	pages_put_text(page, input->label);
	buf_put_c(page->out, "</label>\n");
	if (input->help != TEXT_COUNT) {
		buf_printf(page->out, "<p class=\"dim\" id=\"%s-help\">", input->name);
		pages_put_text(page, input->help);
		buf_put_c(page->out, "</p>\n");
	}
	if (faulty)
		put_fault(page, input);
	buf_printf(page->out, "<input id=\"%s\" name=\"%s\" type=\"%s\" autocomplete=\"%s\" required", input->name,
		input->name, input->type, input->autocomplete);
	put_attributes(page, input, faulty);
	if (input->value.len > 0) {
		buf_put_c(page->out, " value=\"");
		pages_put_escaped(page, input->value);
		buf_put_byte(page->out, '"');
	}
	buf_put_c(page->out, ">\n");
}

static const char *look_class(enum look look)
{
	static const char *const classes[] = {[LOOK_MAIN] = "", [LOOK_QUIET] = " quiet", [LOOK_DANGER] = " danger"};

	return classes[look];
}

void pages_put_submit(const struct page *page, enum text label, enum look look, const char *about)
{
	buf_printf(page->out, "<button type=\"submit\" class=\"button%s\"", look_class(look));
	if (about != NULL)
		buf_printf(page->out, " aria-describedby=\"%s\"", about);
	buf_put_byte(page->out, '>');
	pages_put_text(page, label);
	buf_put_c(page->out, "</button>\n</form>\n");
}

void pages_put_button(const struct page *page, enum text label)
{
	pages_put_submit(page, label, LOOK_MAIN, NULL);
}

void pages_put_language(const struct page *page)
{
	pages_put_hidden(page, "ui_locales", str_from(rules_locale_name(page->locale)));
}

void pages_put_form(const struct page *page, const char *action)
{
	buf_printf(page->out, "<form method=\"post\" action=\"%s\">\n", action);
	pages_put_language(page);
}

/* Not sent: it has no name. */
void pages_put_username(const struct page *page, struct str email)
{
	if (email.len == 0)
		return;
	buf_put_c(page->out, "<input type=\"text\" autocomplete=\"username\" value=\"");
	pages_put_escaped(page, email);
	buf_put_c(page->out, "\" hidden>\n");
}

void pages_put_new_password(const struct page *page, struct str email, bool focus)
{
	pages_put_username(page, email);
	pages_put_input(page, &(struct input){.name = "password",
				      .type = "password",
				      .autocomplete = "new-password",
				      .label = TEXT_NEW_PASSWORD,
				      .help = TEXT_NEW_PASSWORD_HELP,
				      .focus = focus});
	pages_put_input(page, &(struct input){.name = "password_again",
				      .type = "password",
				      .autocomplete = "new-password",
				      .label = TEXT_PASSWORD_AGAIN,
				      .help = TEXT_COUNT});
}

void pages_put_link(const struct page *page, const char *href, enum text text, enum look look)
{
	buf_printf(page->out, "<a class=\"button%s\" href=\"%s\">", look_class(look), href);
	pages_put_text(page, text);
	buf_put_c(page->out, "</a>\n");
}

void pages_put_plain_link(const struct page *page, struct str href, enum text text)
{
	buf_put_c(page->out, "<p class=\"more\"><a href=\"");
	pages_put_escaped(page, href);
	buf_put_c(page->out, "\">");
	pages_put_text(page, text);
	buf_put_c(page->out, "</a></p>\n");
}

void pages_put_back(const struct page *page)
{
	pages_put_plain_link(page, STR("/login"), TEXT_ACCOUNT_BACK);
}

void pages_put_item(const struct page *page, struct str heading, const char *id)
{
	buf_printf(page->out, "<li><h2 id=\"%s\">", id);
	pages_put_escaped(page, heading);
	buf_put_c(page->out, "</h2>\n");
}

void pages_sign_in(const struct page *page, const struct sign_in_form *form)
{
	struct passkey_view passkey = form->passkey;
	bool tenant_known = form->tenant_name.p != NULL;
	bool email_known = form->email.len > 0;

	pages_put_begin(page, tenant_known
				      ? texts_fill(page->arena, TEXT_SIGN_IN_TO_FMT, page->locale, form->tenant_name)
				      : str_from(texts_get(TEXT_SIGN_IN, page->locale)));
	if (form->client_name.p != NULL)
		pages_put_paragraph(
			page, texts_fill(page->arena, TEXT_CONTINUE_TO_FMT, page->locale, form->client_name));
	pages_put_alert(page);
	pages_put_form(page, "/login");
	pages_put_hidden(page, "resume", form->resume);
	pages_put_hidden(page, "csrf", form->csrf);
	if (!tenant_known)
		pages_put_input(page, &(struct input){.name = "tenant",
					      .type = "text",
					      .autocomplete = "organization",
					      .label = TEXT_TENANT,
					      .help = TEXT_COUNT,
					      .value = form->tenant_slug,
					      .focus = form->tenant_slug.len == 0,
					      .verbatim = true});
	pages_put_input(page, &(struct input){.name = "email",
				      .type = "email",
				      .autocomplete = "username",
				      .label = TEXT_EMAIL,
				      .help = TEXT_COUNT,
				      .value = form->email,
				      .focus = tenant_known && !email_known});
	pages_put_input(page, &(struct input){.name = "password",
				      .type = "password",
				      .autocomplete = "current-password",
				      .label = TEXT_PASSWORD,
				      .help = TEXT_COUNT,
				      .focus = tenant_known && email_known});
	pages_put_button(page, TEXT_SIGN_IN_NOW);
	pages_put_plain_link(page,
		form->resume.len > 0
			? arena_printf(page->arena, "/password/forgotten?resume=%.*s", STR_ARG(form->resume))
			: STR("/password/forgotten"),
		TEXT_FORGOTTEN);
	passkey.other_way = true;
	pages_put_passkey_use(page, "/login/passkey", TEXT_PASSKEY_SIGN_IN, &passkey);
	pages_put_end(page);
}

void pages_signed_in(const struct page *page, struct str csrf)
{
	static const struct {
		const char *href;
		enum text text;
	} ways[] = {{"/account/password", TEXT_PASSWORD_CHANGE}, {"/account/email", TEXT_EMAIL_CHANGE},
		{"/account/factors", TEXT_FACTORS}, {"/account/sessions", TEXT_SESSIONS},
		{"/account/consents", TEXT_CONSENTS}};

	pages_put_begin(page, str_from(texts_get(TEXT_SIGNED_IN, page->locale)));
	pages_put_paragraph(page, str_from(texts_get(TEXT_SIGNED_IN_HELP, page->locale)));
	pages_put_alert(page);
	buf_put_c(page->out, "<nav aria-label=\"");
	pages_put_text(page, TEXT_ACCOUNT);
	buf_put_c(page->out, "\"><ul class=\"ways\">\n");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		buf_printf(page->out, "<li><a href=\"%s\">", ways[i].href);
		pages_put_text(page, ways[i].text);
		buf_put_c(page->out, "</a></li>\n");
	}
	buf_put_c(page->out, "</ul></nav>\n");
	pages_put_form(page, "/logout");
	pages_put_hidden(page, "csrf", csrf);
	pages_put_submit(page, TEXT_SIGN_OUT, LOOK_QUIET, NULL);
	pages_put_end(page);
}

void pages_invitation(const struct page *page, const struct link_form *form)
{
	pages_put_begin(page, str_from(texts_get(TEXT_INVITATION, page->locale)));
	pages_put_paragraph(page, texts_fill(page->arena, TEXT_INVITATION_HELP_FMT, page->locale, form->tenant_name));
	pages_put_alert(page);
	pages_put_form(page, "/invitation");
	pages_put_hidden(page, "token", form->token);
	pages_put_hidden(page, "csrf", form->csrf);
	pages_put_new_password(page, form->email, true);
	pages_put_button(page, TEXT_ACCEPT);
	pages_put_end(page);
}

void pages_verification(const struct page *page, const struct link_form *form)
{
	pages_put_begin(page, str_from(texts_get(TEXT_VERIFICATION, page->locale)));
	pages_put_paragraph(page, str_from(texts_get(TEXT_VERIFICATION_HELP, page->locale)));
	pages_put_alert(page);
	pages_put_form(page, "/verification");
	pages_put_hidden(page, "token", form->token);
	pages_put_hidden(page, "csrf", form->csrf);
	pages_put_username(page, form->email);
	pages_put_input(page, &(struct input){.name = "password",
				      .type = "password",
				      .autocomplete = "current-password",
				      .label = TEXT_PASSWORD,
				      .help = TEXT_COUNT,
				      .focus = true});
	pages_put_button(page, TEXT_CONFIRM);
	pages_put_end(page);
}

/* What to do next, after what the sentence says. */
static void put_next(const struct page *page, enum text help)
{
	static const struct {
		enum text help;
		const char *href;
		enum text label;
	} next[] = {{TEXT_VERIFIED_HELP, "/login", TEXT_SIGN_IN_NOW},
		{TEXT_PASSWORD_CHANGED_HELP, "/login", TEXT_ACCOUNT_BACK},
		{TEXT_EMAIL_ASKED_HELP, "/login", TEXT_ACCOUNT_BACK},
		{TEXT_EMAIL_CHANGED_HELP, "/login", TEXT_CONTINUE},
		{TEXT_EMAIL_CANCELLED_HELP, "/account/password", TEXT_PASSWORD_CHANGE},
		{TEXT_EMAIL_GONE_HELP, "/account/email", TEXT_EMAIL_CHANGE},
		{TEXT_DEVICE_ALLOWED_HELP, "/account/consents", TEXT_CONSENTS},
		{TEXT_DEVICE_DENIED_HELP, "/login", TEXT_ACCOUNT}, {TEXT_SIGNED_OUT_HELP, "/login", TEXT_SIGN_IN_AGAIN},
		{TEXT_RESET_GONE_HELP, "/password/forgotten", TEXT_RESET_GONE_AGAIN},
		{TEXT_INVITATION_GONE_HELP, "/login", TEXT_SIGN_IN_NOW},
		{TEXT_VERIFICATION_GONE_HELP, "/login", TEXT_SIGN_IN_NOW}};

	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
		if (next[i].help == help)
			pages_put_link(page, next[i].href, next[i].label, LOOK_QUIET);
	}
}

void pages_notice(const struct page *page, enum text title, enum text help)
{
	pages_put_begin(page, str_from(texts_get(title, page->locale)));
	pages_put_alert(page);
	pages_put_paragraph(page, str_from(texts_get(help, page->locale)));
	put_next(page, help);
	pages_put_end(page);
}
