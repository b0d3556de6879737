/* Corner cases of single instructions, from a table. See values.c. */
#ifndef TEST_ISA_VALUES_H
#define TEST_ISA_VALUES_H

#include <stdbool.h>

/* Writes a program that runs each line of the table at path tab. */
void values_program(const char *tab, const char *path);

/* Holds the program's output on stdin against the table. True if all agrees. */
bool values_check(const char *tab);

#endif
