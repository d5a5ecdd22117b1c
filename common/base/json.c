/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <sodium.h>
#include <string.h>

#include "base/id.h"

/* Objects up to this size have their keys compared pair by pair, larger ones by a keyed hash. */
#define JSON_PAIRS_MAX 16

struct json_parser {
	struct arena *arena;
	const char *p;
	const char *end;
	size_t nodes;
	const char *reason;
	enum err err;
};

static bool parse_value(struct json_parser *parser, struct json *value, unsigned depth);

static bool fail(struct json_parser *parser, const char *reason)
{
	parser->reason = reason;
	parser->err = ERR_BAD_JSON;
	return false;
}

static bool fail_full(struct json_parser *parser)
{
	parser->reason = "the document needs too much memory";
	parser->err = ERR_TOO_LARGE;
	return false;
}

static void skip_space(struct json_parser *parser)
{
	while (parser->p < parser->end &&
		(*parser->p == ' ' || *parser->p == '\n' || *parser->p == '\r' || *parser->p == '\t'))
		parser->p++;
}

/*
 * Number of bytes from p on that need no care inside a string: neither control, quote nor backslash. Eight at a time.
 */
static size_t plain_len(const char *p, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t highs = UINT64_C(0x8080808080808080);
	size_t at = 0;

	for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
		uint64_t word, quote, slash;

		memcpy(&word, p + at, sizeof(word));
		quote = word ^ ones * '"';
		slash = word ^ ones * '\\';
		/* The usual "has a zero byte", "has a byte below 0x20"; false alarms only send us to the slow loop. */
		if ((((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * 0x20) & ~word)) & highs)
			break;
	}
	for (; at < len; at++) {
		unsigned char c = (unsigned char)p[at];

		if (c < 0x20 || c == '"' || c == '\\')
			break;
	}
	return at;
}

static int hex4(const char *p)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
			value = value << 4 | ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

static char *put_utf8(char *out, uint32_t point)
{
	if (point < 0x80) {
		*out++ = (char)point;
	} else if (point < 0x800) {
		*out++ = (char)(0xc0 | point >> 6);
		*out++ = (char)(0x80 | (point & 63));
	} else if (point < 0x10000) {
		*out++ = (char)(0xe0 | point >> 12);
		*out++ = (char)(0x80 | (point >> 6 & 63));
		*out++ = (char)(0x80 | (point & 63));
	} else {
		*out++ = (char)(0xf0 | point >> 18);
		*out++ = (char)(0x80 | (point >> 12 & 63));
		*out++ = (char)(0x80 | (point >> 6 & 63));
		*out++ = (char)(0x80 | (point & 63));
	}
	return out;
}

/* The four digits behind "\u", and a second escape when the first is a high surrogate. */
static bool parse_unicode_escape(struct json_parser *parser, uint32_t *point_out)
{
	size_t left = (size_t)(parser->end - parser->p);
	int high = left < 4 ? -1 : hex4(parser->p);
	int low;

	if (high < 0)
		return fail(parser, "a string has a malformed \\u escape");
	parser->p += 4;
	*point_out = (uint32_t)high;
	if (high < 0xd800 || high > 0xdfff)
		return true;
	low = left < 10 || parser->p[0] != '\\' || parser->p[1] != 'u' ? -1 : hex4(parser->p + 2);
	if (high > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return fail(parser, "a string has a lone surrogate");
	parser->p += 6;
	*point_out = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
	return true;
}

static bool parse_escape(struct json_parser *parser, char **out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t point;
	char c;

	parser->p++; /* the backslash */
	if (parser->p == parser->end)
		return fail(parser, "a string is not closed");
	c = *parser->p++;
	if (c == 'u') {
		if (!parse_unicode_escape(parser, &point))
			return false;
		*out = put_utf8(*out, point);
		return true;
	}
	at = c == '\0' ? NULL : strchr(from, c);
	if (at == NULL)
		return fail(parser, "a string has an unknown escape");
	*(*out)++ = to[at - from];
	return true;
}

/* The end of the string that begins at p, quote excluded; NULL when it is not closed. */
static const char *string_end(const char *p, const char *end)
{
	for (;;) {
		p += plain_len(p, (size_t)(end - p));
		if (p == end)
			return NULL;
		if (*p == '"')
			return p;
		if (*p == '\\' && ++p == end)
			return NULL;
		p++;
	}
}

/* With escapes: the text only shrinks, so its length in the document is room enough. */
static bool parse_escaped(struct json_parser *parser, const char *start, struct str *text_out)
{
	const char *close = string_end(parser->p, parser->end);
	size_t len;
	char *text, *out;

	if (close == NULL)
		return fail(parser, "a string is not closed");
	text = arena_take(parser->arena, (size_t)(close - start) + 1);
	if (text == NULL)
		return fail_full(parser);
	len = (size_t)(parser->p - start);
	memcpy(text, start, len);
	out = text + len;
	for (;;) {
		len = plain_len(parser->p, (size_t)(parser->end - parser->p));
		memcpy(out, parser->p, len);
		out += len;
		parser->p += len;
		if (parser->p == parser->end)
			return fail(parser, "a string is not closed");
		if (*parser->p == '"')
			break;
		if (*parser->p != '\\')
			return fail(parser, "a string has a control character");
		if (!parse_escape(parser, &out))
			return false;
	}
	parser->p++;
	*text_out = (struct str){text, (size_t)(out - text)};
	return true;
}

static bool parse_string(struct json_parser *parser, struct str *text_out)
{
	const char *start = ++parser->p;

	parser->p += plain_len(parser->p, (size_t)(parser->end - parser->p));
	if (parser->p == parser->end)
		return fail(parser, "a string is not closed");
	if (*parser->p == '\\')
		return parse_escaped(parser, start, text_out);
	if (*parser->p != '"')
		return fail(parser, "a string has a control character");
	*text_out = (struct str){start, (size_t)(parser->p - start)};
	parser->p++;
	return true;
}

static size_t take_digits(struct json_parser *parser)
{
	const char *start = parser->p;

	while (parser->p < parser->end && *parser->p >= '0' && *parser->p <= '9')
		parser->p++;
	return (size_t)(parser->p - start);
}

static bool take_one(struct json_parser *parser, char a, char b)
{
	if (parser->p == parser->end || (*parser->p != a && *parser->p != b))
		return false;
	parser->p++;
	return true;
}

static bool parse_number(struct json_parser *parser, struct json *value)
{
	const char *start = parser->p;
	bool zero;

	(void)take_one(parser, '-', '-');
	zero = parser->p < parser->end && *parser->p == '0';
	if (zero)
		parser->p++;
	else if (take_digits(parser) == 0)
		return fail(parser, "a number has no digits");
	if (take_one(parser, '.', '.') && take_digits(parser) == 0)
		return fail(parser, "a number has no digits behind its point");
	if (take_one(parser, 'e', 'E')) {
		(void)take_one(parser, '+', '-');
		if (take_digits(parser) == 0)
			return fail(parser, "a number has no digits in its exponent");
	}
	value->kind = JSON_NUMBER;
	value->text = (struct str){start, (size_t)(parser->p - start)};
	return true;
}

static bool parse_word(struct json_parser *parser, struct json *value, const char *word, enum json_kind kind)
{
	size_t len = strlen(word);

	if ((size_t)(parser->end - parser->p) < len || memcmp(parser->p, word, len) != 0)
		return fail(parser, "a value is neither of JSON's");
	parser->p += len;
	value->kind = kind;
	return true;
}

static struct json *node_new(struct json_parser *parser)
{
	struct json *node;

	if (parser->nodes >= JSON_NODES_MAX) {
		(void)fail(parser, "the document has too many values");
		return NULL;
	}
	parser->nodes++;
	node = arena_take(parser->arena, sizeof(*node));
	if (node == NULL)
		(void)fail_full(parser);
	return node;
}

/* The key is secret and random, so that nobody can choose names that all fall into one place. */
static uint64_t hash_key(struct str key, const unsigned char seed[crypto_shorthash_KEYBYTES])
{
	unsigned char out[crypto_shorthash_BYTES];
	uint64_t hash;

	(void)crypto_shorthash(out, (const unsigned char *)key.p, key.len, seed);
	memcpy(&hash, out, sizeof(hash));
	return hash;
}

static bool check_keys_hashed(struct json_parser *parser, const struct json *object)
{
	static _Thread_local unsigned char seed[crypto_shorthash_KEYBYTES];
	static _Thread_local bool seeded;
	size_t places = 1;
	const struct json **table;

	if (!seeded) {
		random_bytes(seed, sizeof(seed));
		seeded = true;
	}
	while (places < object->count * 2)
		places *= 2;
	table = arena_take_array(parser->arena, places, sizeof(struct json *));
	if (table == NULL)
		return fail_full(parser);
	for (const struct json *member = object->first; member != NULL; member = member->next) {
		size_t at = (size_t)hash_key(member->key, seed) & (places - 1);

		for (; table[at] != NULL; at = (at + 1) & (places - 1)) {
			if (str_eq(table[at]->key, member->key))
				return fail(parser, "an object has the same key twice");
		}
		table[at] = member;
	}
	return true;
}

static bool check_keys(struct json_parser *parser, const struct json *object)
{
	if (object->count > JSON_PAIRS_MAX)
		return check_keys_hashed(parser, object);
	for (const struct json *a = object->first; a != NULL; a = a->next) {
		for (const struct json *b = a->next; b != NULL; b = b->next) {
			if (str_eq(a->key, b->key))
				return fail(parser, "an object has the same key twice");
		}
	}
	return true;
}

static bool parse_member_key(struct json_parser *parser, struct json *member)
{
	skip_space(parser);
	if (parser->p == parser->end || *parser->p != '"')
		return fail(parser, "an object's key is not a string");
	if (!parse_string(parser, &member->key))
		return false;
	skip_space(parser);
	if (!take_one(parser, ':', ':'))
		return fail(parser, "an object's key has no value");
	return true;
}

static bool parse_children(struct json_parser *parser, struct json *value, unsigned depth)
{
	char close = value->kind == JSON_OBJECT ? '}' : ']';
	struct json **link = &value->first;

	parser->p++;
	if (depth >= JSON_DEPTH_MAX)
		return fail(parser, "the document is nested too deep");
	skip_space(parser);
	if (take_one(parser, close, close))
		return true;
	for (;;) {
		struct json *child = node_new(parser);

		if (child == NULL)
			return false;
		if (value->kind == JSON_OBJECT && !parse_member_key(parser, child))
			return false;
		if (!parse_value(parser, child, depth + 1))
			return false;
		*link = child;
		link = &child->next;
		value->count++;
		skip_space(parser);
		if (take_one(parser, close, close))
			return value->kind == JSON_ARRAY || check_keys(parser, value);
		if (!take_one(parser, ',', ','))
			return fail(parser, "an array or object is not closed");
	}
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
static bool parse_value(struct json_parser *parser, struct json *value, unsigned depth)
{
	skip_space(parser);
	if (parser->p == parser->end)
		return fail(parser, "a value is missing");
	switch (*parser->p) {
	case '{':
		value->kind = JSON_OBJECT;
		return parse_children(parser, value, depth);
	case '[':
		value->kind = JSON_ARRAY;
		return parse_children(parser, value, depth);
	case '"':
		value->kind = JSON_STRING;
		return parse_string(parser, &value->text);
	case 't':
		return parse_word(parser, value, "true", JSON_TRUE);
	case 'f':
		return parse_word(parser, value, "false", JSON_FALSE);
	case 'n':
		return parse_word(parser, value, "null", JSON_NULL);
	case '-':
	case '0' ... '9':
		return parse_number(parser, value);
	default:
		return fail(parser, "a value is neither of JSON's");
	}
}

enum err json_parse(struct arena *arena, struct str doc, const struct json **root_out, const char **reason_out)
{
	struct json_parser parser = {.arena = arena, .p = doc.p, .end = doc.p != NULL ? doc.p + doc.len : NULL};
	struct json *root = NULL;
	bool fine;

	*root_out = NULL;
	*reason_out = NULL;
	if (str_starts(doc, "\xef\xbb\xbf"))
		fine = fail(&parser, "the document begins with a byte order mark");
	else if (!str_is_utf8(doc))
		fine = fail(&parser, "the document is not UTF-8");
	else
		fine = (root = node_new(&parser)) != NULL && parse_value(&parser, root, 0);
	if (fine) {
		skip_space(&parser);
		if (parser.p != parser.end)
			fine = fail(&parser, "something follows the value");
	}
	if (!fine) {
		*reason_out = parser.reason;
		return parser.err;
	}
	*root_out = root;
	return OK;
}

const struct json *json_get(const struct json *object, const char *key)
{
	struct str name = str_from(key);

	if (object == NULL || object->kind != JSON_OBJECT)
		return NULL;
	for (const struct json *member = object->first; member != NULL; member = member->next) {
		if (str_eq(member->key, name))
			return member;
	}
	return NULL;
}

struct str json_get_str(const struct json *object, const char *key)
{
	const struct json *member = json_get(object, key);

	return member != NULL && member->kind == JSON_STRING ? member->text : STR_NONE;
}

enum err json_to_i64(const struct json *number, int64_t *value_out)
{
	bool negative;
	uint64_t value;
	struct str digits;
	enum err err;

	*value_out = 0;
	if (number == NULL || number->kind != JSON_NUMBER)
		return ERR_BAD_FIELD;
	digits = number->text;
	negative = digits.len > 0 && digits.p[0] == '-';
	if (negative) {
		digits.p++;
		digits.len--;
	}
	if ((err = str_to_u64(digits, negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, &value)) != OK)
		return err;
	*value_out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return OK;
}
