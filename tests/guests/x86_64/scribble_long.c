/* A million accesses; see scribble.c. */
#define ROUNDS 1000000u
#define NAME "scribble_long"
#include "scribble.c"
