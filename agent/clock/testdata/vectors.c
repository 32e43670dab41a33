/* Runs the fake functions of code_test.go on made-up clocks: argv[1] is the code, as assembled. For each line
     seq base offset rate strobe frozen seconds nanoseconds
   of input it puts that skew into a page, has the "real" clock show that time, calls clock_gettime, gettimeofday and
   time (0 if there is none), and prints all they returned, and what they noted in the page. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static struct timespec real;
static int failure;
static int64_t page[512];

static int gettime(int clock, struct timespec *t) {
	if (clock == 7)
		return -22;
	*t = real;
	if (clock == 1)
		t->tv_sec = 42;
	return failure;
}

static int zone(struct timeval *tv, struct timezone *tz) {
	if (tv)
		return -1; /* is only asked for the zone */
	tz->tz_minuteswest = 77;
	return 0;
}

int main(int argc, char **argv) {
	unsigned char *code = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FILE *f = fopen(argv[1], "rb");
	if (!f || fread(code, 1, 8192, f) == 0)
		return 2;
	int64_t *words = (int64_t *)code;
	words[0] = (int64_t)gettime, words[1] = (int64_t)zone, words[2] = (int64_t)page, words[3] = 3LL << 32;
	mprotect(code, 8192, PROT_READ | PROT_EXEC);
	__builtin___clear_cache((char *)code, (char *)code + 8192);
	uint32_t *table = (uint32_t *)(code + 32);
	int (*get)(int, struct timespec *) = (void *)(code + table[0]);
	int (*day)(struct timeval *, struct timezone *) = (void *)(code + table[1]);
	time_t (*sec)(time_t *) = table[2] ? (void *)(code + table[2]) : NULL;

	long long seq, v[5], s, ns;
	while (scanf("%lld %lld %lld %lld %lld %lld %lld %lld", &seq, v, v + 1, v + 2, v + 3, v + 4, &s, &ns) == 8) {
		memset(page, 0xee, sizeof page);
		int64_t *record = page + 8 + 8 * (seq & 1);
		page[1] = seq, page[2] = 0x21;
		for (int i = 0; i < 5; i++)
			record[i] = v[i];
		page[32] = 1000;
		real.tv_sec = s, real.tv_nsec = ns;

		struct timespec t, mono, bad = {5, 5};
		struct timeval tv;
		struct timezone tz = {0, 0};
		time_t stored = 0;
		int wrong = get(0, &t) != 0 || day(&tv, &tz) != 0 || day(NULL, &tz) != 0 || day(NULL, NULL) != 0;
		struct timeval once;
		struct timespec coarse;
		wrong |= day(&once, NULL) != 0 || memcmp(&once, &tv, sizeof tv) || tz.tz_minuteswest != 77;
		wrong |= get(5, &coarse) != 0 || memcmp(&coarse, &t, sizeof t);
		time_t now = sec ? sec(&stored) : 0;
		wrong |= stored != now || (sec && sec(NULL) != now);
		wrong |= get(1, &mono) != 0 || mono.tv_sec != 42 || mono.tv_nsec != ns; /* not ours: untouched */
		wrong |= get(7, &bad) != -22 || get(-6, &mono) != 0 || mono.tv_sec != s || get(37, &mono) != 0 || mono.tv_sec != s;
		failure = -1;
		wrong |= get(0, &bad) != -1 || day(&once, NULL) != -1 || (sec && sec(NULL) != -1);
		failure = 0;
		printf("%d %lld %lld %lld %lld %lld %lld %lld %lld %lld\n", wrong, (long long)t.tv_sec, (long long)t.tv_nsec,
		       (long long)tv.tv_sec, (long long)tv.tv_usec, (long long)now, (long long)page[32],
		       (long long)page[33], (long long)page[34], (long long)page[35]);
		fflush(stdout);
	}
	return 0;
}
