/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/encode.h"
#include "pages_put.h"
#include "qr.h"

#define PATH "/account/factors"

static struct str title_of(const struct page *page, enum text text)
{
	return str_from(texts_get(text, page->locale));
}

static void put_code(const struct page *page)
{
	pages_put_input(page, &(struct input){.name = "code",
				      .type = "text",
				      .autocomplete = "one-time-code",
				      .label = TEXT_FACTOR_CODE,
				      .help = TEXT_COUNT,
				      .focus = true,
				      .verbatim = true});
}

static void put_code_form(const struct page *page, const struct factor_form *form)
{
	pages_put_form(page, "/login/factor");
	pages_put_hidden(page, "resume", form->resume);
	pages_put_hidden(page, "csrf", form->csrf);
	put_code(page);
	pages_put_button(page, TEXT_CONTINUE);
}

void pages_factor(const struct page *page, const struct factor_form *form)
{
	struct passkey_view passkey = form->passkey;

	pages_put_begin(page, title_of(page, TEXT_FACTOR));
	if (form->code)
		pages_put_paragraph(page, title_of(page, TEXT_FACTOR_HELP));
	pages_put_alert(page);
	if (form->code)
		put_code_form(page, form);
	passkey.other_way = form->code;
	pages_put_passkey_use(page, "/login/factor", TEXT_PASSKEY_USE, &passkey);
	pages_put_end(page);
}

/* As typed by nobody: a handle of ours, or whatever stood in the query. */
static void put_resume(const struct page *page)
{
	if (page->resume.len > 0)
		pages_put_hidden(page, "resume", page->resume);
}

/* Goes on to where the browser was on its way to. */
static void put_onward(const struct page *page, const char *path, enum text text)
{
	struct str resume = percent_encode(page->arena, page->resume);
	struct str href = page->resume.len > 0 ? arena_printf(page->arena, "%s?resume=%.*s", path, STR_ARG(resume))
	                                       : str_from(path);

	if (href.p == NULL || (page->resume.len > 0 && resume.p == NULL))
		page->out->failed = true;
	else
		pages_put_link(page, href.p, text, LOOK_MAIN);
}

/* A form of one button. */
static void put_action(const struct page *page, const struct factors_view *view, const char *action,
	const struct uuid *id, enum text label, enum look look, const char *about)
{
	char text[UUID_TEXT_LEN + 1];

	pages_put_form(page, PATH);
	pages_put_hidden(page, "csrf", view->csrf);
	pages_put_hidden(page, "action", str_from(action));
	put_resume(page);
	if (id != NULL) {
		uuid_format(id, text);
		pages_put_hidden(page, "factor", str_from(text));
	}
	pages_put_submit(page, label, look, about);
}

/* What is missing before anything may be changed. */
static void put_stale(const struct page *page, const struct factors_view *view)
{
	if (view->count > 0) {
		pages_put_paragraph(page, title_of(page, TEXT_FACTOR_STALE));
		put_onward(page, "/login/factor", TEXT_CONTINUE);
		return;
	}
	pages_put_paragraph(page, title_of(page, TEXT_FACTOR_AGAIN));
	pages_put_form(page, "/logout");
	pages_put_hidden(page, "csrf", view->sign_out);
	pages_put_button(page, TEXT_SIGN_OUT);
}

static void put_factor(const struct page *page, const struct factors_view *view, size_t i)
{
	const struct factor_record *factor = &view->factors[i];
	char heading[48];

	(void)snprintf(heading, sizeof(heading), "factor-%zu", i);
	pages_put_item(page,
		view->names[i].len > 0
			? view->names[i]
			: title_of(page, factor->kind == FACTOR_TOTP ? TEXT_FACTOR_TOTP : TEXT_FACTOR_PASSKEY),
		heading);
	buf_put_c(page->out, "<p class=\"dim\">");
	if (view->names[i].len > 0) {
		pages_put_text(page, factor->kind == FACTOR_TOTP ? TEXT_FACTOR_TOTP : TEXT_FACTOR_PASSKEY);
		if (factor->backed_up) {
			buf_put_c(page->out, ", ");
			pages_put_text(page, TEXT_PASSKEY_SYNCED);
		}
		buf_put_c(page->out, "<br>");
	}
	pages_put_escaped(page, texts_fill(page->arena, TEXT_FACTOR_ADDED_FMT, page->locale,
					texts_when(page->arena, page->locale, factor->confirmed_at)));
	buf_put_c(page->out, "</p>\n");
	if (view->may_change)
		put_action(page, view, "remove", &factor->id, TEXT_FACTOR_REMOVE, LOOK_DANGER, heading);
	buf_put_c(page->out, "</li>\n");
}

static void put_list(const struct page *page, const struct factors_view *view)
{
	if (view->count == 0) {
		pages_put_paragraph(page, title_of(page, TEXT_FACTORS_NONE));
		return;
	}
	buf_put_c(page->out, "<ul class=\"items\">\n");
	for (size_t i = 0; i < view->count; i++)
		put_factor(page, view, i);
	buf_put_c(page->out, "</ul>\n");
	pages_put_paragraph(page, texts_fill(page->arena, TEXT_CODES_LEFT_FMT, page->locale,
					  arena_printf(page->arena, "%lld", (long long)view->codes_left)));
}

void pages_factors(const struct page *page, const struct factors_view *view)
{
	struct passkey_view passkey = view->passkey;
	bool has_totp = false;

	pages_put_begin(page, title_of(page, TEXT_FACTORS));
	pages_put_alert(page);
	put_list(page, view);
	for (size_t i = 0; i < view->count; i++)
		has_totp = has_totp || view->factors[i].kind == FACTOR_TOTP;
	if (!view->may_change)
		put_stale(page, view);
	if (view->may_change && view->count > 0)
		put_action(page, view, "codes", NULL, TEXT_CODES_MAKE, LOOK_QUIET, NULL);
	if (view->may_change && view->full)
		pages_put_paragraph(page, title_of(page, TEXT_FACTORS_FULL));
	passkey.other_way = view->may_change && !view->full && !has_totp;
	if (passkey.other_way)
		put_action(page, view, "start", NULL, TEXT_FACTOR_START, LOOK_MAIN, NULL);
	if (view->may_change)
		pages_put_passkey_new(page, PATH, &passkey);
	if (page->resume.len == 0)
		pages_put_back(page);
	pages_put_end(page);
}

void pages_enrol(const struct page *page, const struct enrol_view *view)
{
	char id[UUID_TEXT_LEN + 1];

	uuid_format(&view->id, id);
	pages_put_begin(page, title_of(page, TEXT_FACTOR_START));
	pages_put_paragraph(page, title_of(page, TEXT_FACTOR_SCAN));
	pages_put_alert(page);
	buf_put_c(page->out, "<div class=\"picture\" role=\"img\" aria-label=\"");
	pages_put_text(page, TEXT_FACTOR_QR);
	buf_put_c(page->out, "\">\n");
	qr_put_svg(page->out, view->uri.p);
	buf_put_c(page->out, "</div>\n<p>");
	pages_put_text(page, TEXT_FACTOR_KEY);
	buf_put_c(page->out, "<br><code>");
	pages_put_escaped(page, view->secret);
	buf_put_c(page->out, "</code></p>\n<p class=\"more\"><a href=\"");
	pages_put_escaped(page, view->uri);
	buf_put_c(page->out, "\">");
	pages_put_text(page, TEXT_FACTOR_OPEN);
	buf_put_c(page->out, "</a></p>\n");
	pages_put_form(page, PATH);
	pages_put_hidden(page, "csrf", view->csrf);
	pages_put_hidden(page, "action", STR("confirm"));
	put_resume(page);
	pages_put_hidden(page, "factor", str_from(id));
	put_code(page);
	pages_put_button(page, TEXT_CONFIRM);
	pages_put_end(page);
}

void pages_codes(const struct page *page, const struct str *codes, size_t count)
{
	pages_put_begin(page, title_of(page, TEXT_CODES));
	pages_put_paragraph(page, title_of(page, TEXT_CODES_HELP));
	buf_put_c(page->out, "<ul class=\"codes\">\n");
	for (size_t i = 0; i < count; i++) {
		buf_put_c(page->out, "<li><code>");
		pages_put_escaped(page, codes[i]);
		buf_put_c(page->out, "</code></li>\n");
	}
	buf_put_c(page->out, "</ul>\n");
	put_onward(page, page->resume.len > 0 ? "/login/factor" : PATH, TEXT_CONTINUE);
	pages_put_end(page);
}
