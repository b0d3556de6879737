/* The demo's C program: Conway's game of life from an R pentomino, 1,103
 * generations on a torus. */
#include <stdio.h>
#include <string.h>

#define SIZE 256

static unsigned char now[SIZE][SIZE], next[SIZE][SIZE];

static int
neighbours(int y, int x)
{
	int count = 0;

	for (int dy = -1; dy <= 1; dy++)
		for (int dx = -1; dx <= 1; dx++)
			count += now[(y + dy) & (SIZE - 1)][(x + dx) & (SIZE - 1)];
	return count - now[y][x];
}

int
main(void)
{
	int alive = 0;

	now[127][128] = now[127][129] = now[128][127] = now[128][128] = now[129][128] = 1;
	for (int generation = 0; generation < 1103; generation++) {
		for (int y = 0; y < SIZE; y++)
			for (int x = 0; x < SIZE; x++) {
				int n = neighbours(y, x);

				next[y][x] = n == 3 || (n == 2 && now[y][x]);
			}
		memcpy(now, next, sizeof now);
	}
	for (int y = 0; y < SIZE; y++)
		for (int x = 0; x < SIZE; x++)
			alive += now[y][x];
	printf("%d cells live\n", alive);
	return 0;
}
