/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include <string.h>

#include "http/page_style.h"

enum page_kind { PAGE_CLOSED, PAGE_BUSY, PAGE_BROKEN, PAGE_KINDS };

struct page_words {
	const char *language, *title, *help;
};

#define LANGUAGES 3

/* clang-format off */
static const struct page_words words[PAGE_KINDS][LANGUAGES] = {
	[PAGE_CLOSED] = {
		{"en", "This page cannot be opened",
			"The address or the form is incomplete or too long. Go back and try again, or start again "
			"in your application."},
		{"fr", "Cette page ne peut pas être ouverte",
			"L’adresse ou le formulaire est incomplet ou trop long. Revenez en arrière et réessayez, "
			"ou recommencez dans votre application."},
		{"nl", "Deze pagina kan niet worden geopend",
			"Het adres of het formulier is onvolledig of te lang. Ga terug en probeer het opnieuw, of "
			"begin opnieuw in uw toepassing."}},
	[PAGE_BUSY] = {
		{"en", "Too busy at the moment", "Wait a moment, then try again."},
		{"fr", "Le service est momentanément occupé", "Patientez un instant, puis réessayez."},
		{"nl", "De dienst is even te druk", "Wacht even en probeer het opnieuw."}},
	[PAGE_BROKEN] = {
		{"en", "Something went wrong",
			"Try again. If it happens again, give your administrator the number below."},
		{"fr", "Une erreur est survenue",
			"Réessayez. Si l’erreur se répète, communiquez le numéro ci-dessous à votre administrateur."},
		{"nl", "Er ging iets mis",
			"Probeer het opnieuw. Gebeurt het weer, geef dan het onderstaande nummer aan uw beheerder."}},
};
/* clang-format on */

bool page_wanted(const struct http_parser *parser)
{
	struct str accept;

	return http_find(parser, "accept", &accept) > 0 && memmem(accept.p, accept.len, "text/html", 9) != NULL;
}

static enum page_kind kind_of(enum err err)
{
	const int status = err_status(err);

	if (status == 429 || status == 503)
		return PAGE_BUSY;
	return status >= 500 ? PAGE_BROKEN : PAGE_CLOSED;
}

void page_write_error(struct buf *out, enum err err, const struct uuid *request_id)
{
	const struct page_words *said = words[kind_of(err)];
	char id[UUID_TEXT_LEN + 1];

	uuid_format(request_id, id);
	buf_printf(out,
		"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"robots\" content=\"noindex\">\n<title>%s · Berth</title>\n<style>",
		said[0].title);
	buf_put_str(out, page_style_text());
	buf_put_c(out, "</style>\n</head>\n<body>\n");
	buf_put_c(out, page_style_brand);
	buf_printf(out, "<main>\n<div class=\"card\">\n<h1>%s</h1>\n<p class=\"dim\">%s</p>\n", said[0].title,
		said[0].help);
	for (size_t i = 1; i < LANGUAGES; i++)
		buf_printf(out, "<section lang=\"%s\"><h2>%s</h2>\n<p class=\"dim\">%s</p></section>\n",
			said[i].language, said[i].title, said[i].help);
	buf_printf(out, "<p class=\"dim\"><code>%s</code></p>\n</div>\n</main>\n</body>\n</html>\n", id);
}
