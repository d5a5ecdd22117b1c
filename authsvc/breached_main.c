/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "breached_build.h"

/*
 * For the build alone: LIST FILTER SOURCE makes the filter of a list of texts, and it again as a C array. What authsvc
 * does as --build-password-filter is the first half.
 */
static int put_source(FILE *filter, FILE *source)
{
	unsigned long count = 0;
	int c;

	(void)fprintf(source, "#include \"breached_own.h\"\n\nconst uint8_t breached_own_bytes[] = {");
	while ((c = getc(filter)) != EOF)
		(void)fprintf(source, "%s%d,", count++ % 24 == 0 ? "\n\t" : "", c);
	(void)fprintf(source, "\n};\nconst size_t breached_own_len = %lu;\n", count);
	return ferror(filter) || ferror(source);
}

int main(int argc, char **argv)
{
	char text[] = "text";
	FILE *filter = NULL, *source = NULL;
	int code = 2;

	if (argc != 4)
		return 2;
	if ((code = breached_build(3, (char *[]){text, argv[1], argv[2], NULL})) != 0)
		return code;
	filter = fopen(argv[2], "re");
	source = fopen(argv[3], "we");
	code = filter == NULL || source == NULL || put_source(filter, source);
	if (filter != NULL)
		(void)fclose(filter);
	if (source != NULL && fclose(source) != 0)
		code = 1;
	return code;
}
