/* `isomorph boot`: from a configuration to a running machine and its exit code. */
#include <stdio.h>
#include <stdlib.h>

#include "monitor/config.h"
#include "monitor/places.h"

int
isomorph_config_load(struct isomorph_config *config, const char *name, char *error)
{
	struct error why = { 0 };
	char path[PATH_MAX], *text;
	cJSON *document;
	int failed = -1;

	if (places_file(PLACE_MACHINE, name, "machine.json", false, path, &why))
		goto out;
	text = places_read(path, 1 << 20, &why);
	if (!text) {
		why = (struct error){ 0 };
		error_set(&why, 0, "there is no machine %s (%s); `isomorph list --all` shows those that are", name, path);
		goto out;
	}
	document = cJSON_Parse(text);
	failed = config_take(config, document, path, &why);
	cJSON_Delete(document);
	free(text);
out:
	if (failed)
		text_format(error, ISOMORPH_ERROR, "%s", why.text);
	return failed;
}

int
isomorph_boot(struct isomorph_config *config)
{
	(void)config;
	fputs("isomorph boot: machines are not built yet\n", stderr);
	return ISOMORPH_EXIT_FAILED;
}
