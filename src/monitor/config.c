/* Configurations: options by name into a document (what a machine file holds)
 * and into the values that a machine is made of. The table of options is
 * config_options.c's; nothing here knows one of them. */
#include "isomorph/size.h"
#include "monitor/config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct isomorph_config *
isomorph_config_new(void)
{
	struct isomorph_config *config = calloc(1, sizeof *config);

	if (!config)
		return NULL;
	config->document = cJSON_CreateObject();
	config->machine.options = &config->cpu;
	config->machine.console_in = config->machine.console_out = -1;
	config->machine.shell_in = config->machine.shell_out = -1;
	return config;
}

void
isomorph_config_free(struct isomorph_config *config)
{
	if (!config)
		return;
	cJSON_Delete(config->document);
	cJSON_Delete(config->kept);
	arena_fini(&config->text);
	free(config);
}

void
config_swap(struct isomorph_config *a, struct isomorph_config *b)
{
	struct isomorph_config other = *a;

	*a = *b;
	*b = other;
	a->machine.options = &a->cpu;
	b->machine.options = &b->cpu;
}

char *
config_copy(struct isomorph_config *config, const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(arena_alloc(&config->text, size), text, size);
}

bool
config_size(const char *text, uint64_t *bytes)
{
	return isomorph_size_parse(text, "KMGT", bytes);
}

static int
take_number(struct isomorph_config *config, const struct config_option *option, const char *value, struct error *error)
{
	char *field = (char *)config + option->field;
	uint64_t number;

	if (!config_size(value, &number) || number < option->least || (option->most && number > option->most))
		return option->most ? error_set(error, 0, "--%s %s: a number from %llu to %llu is wanted", option->name,
						value, (unsigned long long)option->least,
						(unsigned long long)option->most) :
				      error_set(error, 0, "--%s %s: a size of at least %llu bytes is wanted, such as 512M",
						option->name, value, (unsigned long long)option->least);
	if (option->kind == CONFIG_SIZE)
		*(uint64_t *)field = number;
	else
		*(unsigned *)field = (unsigned)number;
	return 0;
}

static void
note(struct isomorph_config *config, const struct config_option *option, const char *value)
{
	cJSON *item = option->kind == CONFIG_FLAG ? cJSON_CreateTrue() : cJSON_CreateString(value), *list;

	if (option->kind == CONFIG_LIST) {
		list = cJSON_GetObjectItemCaseSensitive(config->document, option->name);
		if (!list)
			list = cJSON_AddArrayToObject(config->document, option->name);
		cJSON_AddItemToArray(list, item);
		return;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(config->document, option->name);
	cJSON_AddItemToObject(config->document, option->name, item);
}

/* The value with the current folder before it; its commas doubled where commas
 * mean something. */
static const char *
absolute(struct isomorph_config *config, const struct config_option *option, const char *value)
{
	char folder[PATH_MAX], *text, *to;

	if (value[0] == '/' || !getcwd(folder, sizeof folder))
		return value;
	text = to = arena_alloc(&config->text, 2 * strlen(folder) + strlen(value) + 2);
	for (const char *from = folder; *from; from++) {
		*to++ = *from;
		if (*from == ',' && option->kind == CONFIG_LIST)
			*to++ = ',';
	}
	*to++ = '/';
	memcpy(to, value, strlen(value) + 1);
	return text;
}

/* Whether the machine was kept with this value of a list: it does not get another. */
static bool
has_kept(const struct isomorph_config *config, const struct config_option *option, const char *value)
{
	const cJSON *each;

	if (option->kind == CONFIG_LIST)
		cJSON_ArrayForEach(each, cJSON_GetObjectItemCaseSensitive(config->kept, option->name))
			if (cJSON_IsString(each) && !strcmp(each->valuestring, value))
				return true;
	return false;
}

int
config_set(struct isomorph_config *config, const char *name, const char *value, struct error *error)
{
	const struct config_option *option = config_option_find(name);
	char *field;
	int failed = 0;

	if (!option)
		return error_set(error, 0, "there is no option --%s", name);
	if (option->kind != CONFIG_FLAG && (!value || !*value))
		return error_set(error, 0, "--%s needs a value", name);
	if (option->path)
		value = absolute(config, option, value);
	if (has_kept(config, option, value))
		return 0;
	field = (char *)config + option->field;
	switch (option->kind) {
	case CONFIG_FLAG:
		*(bool *)field = true;
		break;
	case CONFIG_TEXT:
		*(const char **)field = config_copy(config, value);
		break;
	case CONFIG_COUNT:
	case CONFIG_SIZE:
		failed = take_number(config, option, value, error);
		break;
	case CONFIG_CALL:
	case CONFIG_LIST:
		failed = option->take(config, config_copy(config, value), error);
		break;
	}
	if (!failed)
		note(config, option, value);
	return failed;
}

/* One member of a machine file: a text, a number, true, or an array of texts. */
static int
take_item(struct isomorph_config *config, const cJSON *item, const char *name, struct error *error)
{
	char number[32];

	if (cJSON_IsArray(item)) {
		const cJSON *each;

		cJSON_ArrayForEach(each, item)
			if (cJSON_IsArray(each) || take_item(config, each, name, error))
				return error_set(error, 0, "%s: a list of texts is wanted", name);
		return 0;
	}
	if (cJSON_IsTrue(item))
		return config_set(config, name, NULL, error);
	if (cJSON_IsFalse(item))
		return 0;
	if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e15) {
		text_format(number, sizeof number, "%llu", (unsigned long long)item->valuedouble);
		return config_set(config, name, number, error);
	}
	if (!cJSON_IsString(item))
		return error_set(error, 0, "%s: a text, a number, true, false or a list is wanted", name);
	return config_set(config, name, item->valuestring, error);
}

int
config_take(struct isomorph_config *config, const cJSON *document, const char *where, struct error *error)
{
	struct error why = { 0 };
	const cJSON *item;

	if (!cJSON_IsObject(document))
		return error_set(error, 0, "%s: is no JSON object", where);
	cJSON_ArrayForEach(item, document)
		if (take_item(config, item, item->string, &why))
			return error_set(error, 0, "%s: %s", where, why.text);
	return 0;
}

char *
config_text(const struct isomorph_config *config)
{
	cJSON *kept = cJSON_Duplicate(config->document, true), *item = kept ? kept->child : NULL, *next;
	char *text;

	for (; item; item = next) {
		const struct config_option *option = config_option_find(item->string);

		next = item->next;
		if (option && option->passing)
			cJSON_Delete(cJSON_DetachItemViaPointer(kept, item));
	}
	text = cJSON_Print(kept);
	cJSON_Delete(kept);
	return text;
}

/* ---- the public names ------------------------------------------------------ */

int
isomorph_config_set(struct isomorph_config *config, const char *option, const char *value, char *error)
{
	struct error why = { 0 };

	if (!config_set(config, option, value, &why))
		return 0;
	text_format(error, ISOMORPH_ERROR, "%s", why.text);
	return -1;
}

bool
isomorph_config_knows(const char *name, bool *value)
{
	const struct config_option *option = config_option_find(name);

	*value = option && option->kind != CONFIG_FLAG;
	return option;
}

const char *
isomorph_config_get(const struct isomorph_config *config, const char *option)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(config->document, option);

	return cJSON_IsTrue(item) ? "" : cJSON_GetStringValue(item);
}
