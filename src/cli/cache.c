/* isomorph cache: the translations that are kept on disk. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "isomorph/cache.h"

static const char cache_help[] =
	"usage: isomorph cache status|verify|clear [--json] [DIRECTORY]\n\n"
	"Translations that `isomorph run` keeps, so that programs start quicker the next\n"
	"time: in DIRECTORY, by default isomorph/translations in XDG_CACHE_HOME or ~/.cache.\n\n"
	"  status      how much there is\n"
	"  verify      reads all of it; damaged parts are told, and never used anyway\n"
	"  clear       removes it\n"
	"  --json      for programs: an object\n\n"
	"The exit code is 1 if the directory cannot be used, or verify finds damage.\n\n"
	"example: isomorph cache status\n";

/* A path as JSON has it: bytes that are not printable are escaped. */
static void
put_text(const char *text)
{
	putchar('"');
	for (; *text; text++)
		if ((unsigned char)*text < 32 || *text == 127)
			printf("\\u%04x", (unsigned char)*text);
		else if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else
			putchar(*text);
	putchar('"');
}

static void
put_json(const struct isomorph_cache_status *s, bool verified)
{
	fputs("{\"path\": ", stdout);
	put_text(s->path);
	printf(", \"usable\": %s, \"files\": %llu, \"bytes\": %llu, \"limit\": %llu, \"translations\": %llu, "
	       "\"foreign\": %llu",
	       s->unusable ? "false" : "true", (unsigned long long)s->files, (unsigned long long)s->bytes,
	       (unsigned long long)s->limit, (unsigned long long)s->translations, (unsigned long long)s->foreign);
	if (verified)
		printf(", \"damaged\": %llu", (unsigned long long)s->damaged);
	puts("}");
}

static void
put_lines(const struct isomorph_cache_status *s, const char *action, bool verified)
{
	const char *said = !strcmp(action, "clear") ? "removed " : "";

	if (s->unusable) {
		printf("%s: not used: it must be a directory of this user's own that nobody else may write to\n", s->path);
		return;
	}
	printf("%s: %s%llu translations in %llu files, %.1f MiB of at most %.0f\n", s->path, said,
	       (unsigned long long)s->translations, (unsigned long long)s->files, (double)s->bytes / (1 << 20),
	       (double)s->limit / (1 << 20));
	if (s->foreign)
		printf("%llu files are not usable: damaged, of another format, or others may write to them\n",
		       (unsigned long long)s->foreign);
	if (verified)
		printf("%llu translations are damaged\n", (unsigned long long)s->damaged);
}

int
cli_cache(int argc, char **argv)
{
	static const char *const actions[] = { "status", "verify", "clear" };
	static const enum isomorph_cache_action action[] = { ISOMORPH_CACHE_LOOK, ISOMORPH_CACHE_VERIFY,
							     ISOMORPH_CACHE_CLEAR };
	struct isomorph_cache_status status;
	const char *word[2] = { NULL, NULL };
	unsigned words = 0, which = 0;
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return fputs(cache_help, stdout), 0;
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (argv[i][0] == '-')
			return cli_usage(argv[0], "there is no option %s", argv[i]);
		else if (words == 2)
			return cli_usage(argv[0], "one DIRECTORY only");
		else
			word[words++] = argv[i];
	}
	while (which < 3 && (!words || strcmp(word[0], actions[which]) != 0))
		which++;
	if (which == 3)
		return cli_usage(argv[0], "status, verify or clear?");
	if (!isomorph_cache(word[1], action[which], &status)) {
		fputs("isomorph cache: no directory: neither XDG_CACHE_HOME nor HOME says where\n", stderr);
		return 1;
	}
	if (json)
		put_json(&status, which == 1);
	else
		put_lines(&status, actions[which], which == 1);
	return status.unusable || (which == 1 && (status.damaged || status.foreign));
}
