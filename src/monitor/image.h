/* Base images and overlays (image.c), seeds for cloud-init (seed.c). */
#ifndef MONITOR_IMAGE_H
#define MONITOR_IMAGE_H

#include "monitor/config.h"

/* Whether two values of --image are the same image. */
bool image_is_same(const char *a, const char *b);
/* --image: gives the machine a name when it has none, by that of the image. */
int image_name(struct isomorph_config *config, struct error *error);
/* Makes what is missing; adds disk, kernel, initrd and command line. The machine
 * has a name, an arch and its lock. */
int image_prepare(struct isomorph_config *config, struct error *error);
/* --user-data: adds a read-only disk with the NoCloud volume. */
int seed_prepare(struct isomorph_config *config, struct error *error);

#endif
