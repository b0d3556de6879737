/* Forks: 10 times 300 children, each of which touches a page and exits.
 *
 * class: forks
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 10
#define CHILDREN 300

int
main(void)
{
	static volatile char page[64 * 4096];
	unsigned good = 0;

	for (unsigned i = 0; i < sizeof page; i += 4096)
		page[i] = 1;
	for (unsigned i = 0; i < ROUNDS * CHILDREN; i++) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			page[i % 64 * 4096] = 2;
			_exit(7);
		}
		if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7)
			good++;
	}
	printf("%u of %u children\n", good, ROUNDS * CHILDREN);
	return good == ROUNDS * CHILDREN ? 0 : 1;
}
