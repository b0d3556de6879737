/* What a machine is to be: the options, as text in a document and as values.
 * Made by config.c from the table in config_options.c. */
#ifndef MONITOR_CONFIG_H
#define MONITOR_CONFIG_H

#include <cjson/cJSON.h>

#include "isomorph/machine.h"
#include "machine/machine.h"

struct isomorph_config {
	struct machine_config machine; /* strings live in text */
	struct cpu_options cpu;
	struct arena text;
	cJSON *document; /* option → text, true, or an array of texts */
	cJSON *kept;     /* what it was when a machine file had been read, or NULL */
	const char *image, *user_data;
	const char *snapshot; /* folder of the one to go on from, or NULL */
	unsigned timeout; /* seconds; 0: none */
	bool detach, stats;
};

/* How an option's value is taken. */
enum config_kind {
	CONFIG_TEXT,  /* const char * */
	CONFIG_FLAG,  /* bool */
	CONFIG_COUNT, /* unsigned in [least, most] */
	CONFIG_SIZE,  /* uint64_t, at least `least` */
	CONFIG_CALL,  /* take() */
	CONFIG_LIST,  /* take(), and it may be given again */
};

struct config_option {
	const char *name;
	enum config_kind kind;
	size_t field; /* in struct isomorph_config */
	uint64_t least, most;
	int (*take)(struct isomorph_config *config, const char *value, struct error *error);
	bool path;    /* begins with a path, which is made absolute: a machine file is
	                 read from anywhere */
	bool passing; /* of this start only: not kept in the machine file */
};

/* NULL: there is none of that name. */
const struct config_option *config_option_find(const char *name);

int config_set(struct isomorph_config *config, const char *name, const char *value, struct error *error);
/* Takes every option of a document; where: its name in errors. */
int config_take(struct isomorph_config *config, const cJSON *document, const char *where, struct error *error);
/* Each becomes what the other was. */
void config_swap(struct isomorph_config *a, struct isomorph_config *b);
/* The document without passing options, as text to be freed. */
char *config_text(const struct isomorph_config *config);
char *config_copy(struct isomorph_config *config, const char *text);
/* "512M" to bytes; false when it is no size. */
bool config_size(const char *text, uint64_t *bytes);

/* ---- values of the form PATH,key=value,flag (config_parts.c) --------------- */

#define CONFIG_PARTS 8
struct config_parts {
	char *first;
	struct {
		char *key, *value; /* value NULL: a flag */
	} part[CONFIG_PARTS];
	unsigned count;
};
/* Cuts the value up; ",," is a comma of a part. */
int config_split(struct isomorph_config *config, const char *value, struct config_parts *parts, struct error *error);

#endif
