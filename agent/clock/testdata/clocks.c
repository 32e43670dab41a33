/* A target for libc_test.go: for each line of input, reads the wall clock in every way that C has, in the process and
   in a fork of it, and prints the readings in nanoseconds, with the machine's clock by a system call around them. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef long long ns;

static ns of(struct timespec t) {
	if (t.tv_nsec < 0 || t.tv_nsec >= 1000000000)
		exit(4); /* not normalised */
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static ns raw(int clock) {
	struct timespec t;
	syscall(SYS_clock_gettime, clock, &t);
	return of(t);
}

static ns get(int clock) {
	struct timespec t;
	if (clock_gettime(clock, &t) != 0)
		exit(5);
	return of(t);
}

static void print(void) {
	struct timeval tv;
	struct timezone tz;
	struct timespec resolution;
	time_t stored;
	ns before = raw(CLOCK_REALTIME);
	ns fine = get(CLOCK_REALTIME);
	gettimeofday(&tv, &tz);
	time_t seconds = time(&stored);
	ns after = raw(CLOCK_REALTIME);
	ns coarse = get(CLOCK_REALTIME_COARSE);
	ns monoBefore = raw(CLOCK_MONOTONIC), mono = get(CLOCK_MONOTONIC), monoAfter = raw(CLOCK_MONOTONIC);
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000 || stored != seconds)
		exit(6);
	if (monoBefore > mono || mono > monoAfter)
		exit(7);
	if (clock_getres(CLOCK_REALTIME, &resolution) != 0 || resolution.tv_sec != 0 || sched_getcpu() < 0)
		exit(8); /* those are forwarded */
	if (clock_gettime(4711, &resolution) == 0 || gettimeofday(NULL, &tz) != 0)
		exit(9);
	printf("%lld %lld %lld %lld %lld %lld\n", before, after, fine, coarse,
	       tv.tv_sec * 1000000000LL + tv.tv_usec * 1000LL, (ns)seconds);
	fflush(stdout);
}

int main(void) {
	char line[64];
	while (fgets(line, sizeof line, stdin)) {
		print();
		pid_t child = fork();
		if (child == 0) {
			print();
			_exit(0);
		}
		int status;
		if (waitpid(child, &status, 0) != child || status != 0)
			exit(10);
	}
	return 0;
}
