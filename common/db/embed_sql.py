#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turns folders of .sql files into C: statements (sql/<name>.sql) and migrations (schema/NNN_<name>.sql).

embed_sql.py --name bookingsvc [--sql DIR] [--schema DIR] --out DIR writes bookingsvc_sql.h and bookingsvc_sql.c, only when
their text changes, so that builds stay small.
"""
import argparse
import hashlib
import pathlib
import re
import sys

STATEMENT = re.compile(r"[a-z][a-z0-9_]{0,47}")
MIGRATION = re.compile(r"([0-9]{3})_([a-z][a-z0-9_]{0,59})")


def fail(path, why):
	sys.exit(f"{path}: {why}")


def literal(text):
	"""A C string literal, one source line a line; octal escapes cannot swallow what follows them."""
	lines = []
	for line in text.splitlines(keepends=True):
		out = ""
		for byte in line.encode():
			char = chr(byte)
			if char == "\n":
				out += "\\n"
			elif char in '"\\':
				out += "\\" + char
			elif char == "?":
				out += "\\?"
			elif 32 <= byte < 127:
				out += char
			else:
				out += f"\\{byte:03o}"
		lines.append(f'\t"{out}"')
	return "\n".join(lines)


def read(path):
	data = path.read_bytes()
	try:
		text = data.decode()
	except UnicodeDecodeError:
		fail(path, "is not UTF-8")
	if "\0" in text:
		fail(path, "holds U+0000")
	if not re.sub(r"--[^\n]*", "", text).strip():
		fail(path, "is empty")
	return text


def strip_comments(text):
	"""Whole-line comments stay out of what is sent with each Parse."""
	kept = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
	return "\n".join(kept).strip().rstrip(";") + "\n"


def statements(folder):
	for path in sorted(folder.glob("*.sql")):
		if not STATEMENT.fullmatch(path.stem):
			fail(path, "a statement's name is [a-z][a-z0-9_]*, at most 48 characters")
		yield path.stem, strip_comments(read(path))


def migrations(folder):
	numbers = {}
	for path in sorted(folder.glob("*.sql")):
		match = MIGRATION.fullmatch(path.stem)
		if not match:
			fail(path, "a migration's name is NNN_name.sql")
		number = int(match[1])
		if number in numbers:
			fail(path, f"has the number of {numbers[number]}")
		numbers[number] = path.name
		yield number, match[2], read(path)


def write(path, text):
	if not path.exists() or path.read_text() != text:
		path.write_text(text)


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("--name", required=True)
	parser.add_argument("--sql", type=pathlib.Path)
	parser.add_argument("--schema", type=pathlib.Path)
	parser.add_argument("--out", type=pathlib.Path, required=True)
	args = parser.parse_args()
	if not STATEMENT.fullmatch(args.name):
		parser.error("--name is [a-z][a-z0-9_]*")

	guard = f"BERTH_GENERATED_{args.name.upper()}_SQL_H"
	spdx = "/* SPDX-License-Identifier: Apache-2.0 */\n"
	header = f'{spdx}#ifndef {guard}\n#define {guard}\n\n#include "db/db.h"\n\n'
	source = f'{spdx}#include "{args.name}_sql.h"\n'
	for name, text in statements(args.sql) if args.sql else ():
		header += f"extern const struct db_statement sql_{name};\n"
		source += f"\nstatic const char text_of_{name}[] =\n{literal(text)};\n"
		source += f"const struct db_statement sql_{name} = {{\"{name}\", text_of_{name}, sizeof(text_of_{name}) - 1}};\n"
	if args.schema:
		header += f"\nextern const struct db_migration {args.name}_migrations[];\n"
		header += f"extern const size_t {args.name}_migrations_count;\n"
		rows = ""
		count = 0
		for number, name, text in migrations(args.schema):
			digest = ", ".join(f"0x{byte:02x}" for byte in hashlib.sha256(text.encode()).digest())
			source += f"\nstatic const char migration_{number:03}[] =\n{literal(text)};\n"
			rows += f'\t{{{number}, "{name}", migration_{number:03}, sizeof(migration_{number:03}) - 1,\n\t\t{{{digest}}}}},\n'
			count += 1
		source += f"\nconst struct db_migration {args.name}_migrations[] = {{\n{rows}"
		source += "\t{0, NULL, NULL, 0, {0}},\n};\n"
		source += f"const size_t {args.name}_migrations_count = {count};\n"
	header += "\n#endif\n"
	args.out.mkdir(parents=True, exist_ok=True)
	write(args.out / f"{args.name}_sql.h", header)
	write(args.out / f"{args.name}_sql.c", source)


main()
