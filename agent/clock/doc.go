// Package clock gives a process a wall clock of its own, which can be wrong in all the ways that clocks are: off, too
// fast or too slow, jumping back and forth, or standing still. The machine's clock and every other process are left
// alone, and neither privileges nor anything installed are needed.
//
// # How it works
//
// Programs do not ask the kernel what time it is: they call a function in the vDSO, a small shared library that the
// kernel maps into every process, and tells about in the process's auxiliary vector (AT_SYSINFO_EHDR). [Clock.Start]
// starts a process as its tracer, which is allowed to everybody for children of their own. The process stops after
// exec, before the first instruction of its program or of the dynamic loader. It is then made to map two things with
// system calls that are put in its way: a page of a file that it shares with this program, and an image that looks like
// the kernel's vDSO. The auxiliary vector is changed to point to the image, code and registers are restored, and the
// process runs on, traced no longer.
//
// The image exports whatever the real vDSO of that process exports, with the same names and versions. All of it leads
// to the real functions, but clock_gettime, gettimeofday and time: these call the real clock_gettime, and for
// CLOCK_REALTIME and CLOCK_REALTIME_COARSE add what follows from the skew in the page. They are assembled beforehand
// (fake/*.S, fake/*.bin); the image around them is built for each process, so that no C compiler is ever needed.
//
// A skew is changed by a store to the page, and computed, drift and strobe and all, by who reads the clock. So it is in
// force for all threads and forks at once, even while they read, and lasts when this program dies; [Open] gets hold of
// it again. A reading costs some nanoseconds more than with the machine's clock (58 instead of 55 for time.Now, where
// it was measured), one of the monotonic clock about two.
//
// The functions note each reading in the page: that there was one, and by how much it was off. This is how
// [Clock.Verify] and [Clock.Read] know what the process itself has seen, without tracing it.
//
// # Processes that run already
//
// A program that is executed later, in the process's place or in a child, begins with the kernel's vDSO again: a shell
// script that ends in exec is such a beginning. [Clock.Set], [Clock.Verify] and [Clock.Follow] look for those among the
// process and its descendants and adopt them ([Clock.Adopt]), which any process can be that this program may trace. One
// thread is stopped for some milliseconds (PTRACE_SEIZE), and made to map the page and an image as above, by a system
// call instruction that the vDSO has anyway: no code is changed. Then every pointer to one of the three functions in the
// data of programs and libraries (Go's runtime, glibc's tables, procedure linkage) is changed to the new one, a word at
// a time, and the vDSO's symbol table, so that who looks later finds the same (musl, lazily bound programs, libraries
// loaded later). [Disown] does the reverse, by whichever program, and whoever had given the clock.
//
// # Limits
//
//   - Only Linux on amd64 and arm64, and only 64-bit programs; [Supported] finds out. It needs ptrace of child
//     processes, which some seccomp profiles and kernel.yama.ptrace_scope=3 (2 for ordinary users) forbid.
//   - A program that the process executes while a skew is in force has the machine's clock until it is noticed, up to
//     [Clock.Follow]'s quarter of a second. It is adopted on amd64 only: the swap cannot be run under an emulator of
//     processes, and has run on no arm64 machine. It must be able to open the page, and this program to trace it, which
//     takes CAP_SYS_PTRACE if it became another user; [Clock.Verify] says so where that is not given.
//   - A pointer to one of the functions that an adopted program keeps on its heap (as from dlsym) goes on leading to the
//     machine's clock. A program that forbids itself mmap or openat by seccomp is ended by its own rules when adopted.
//   - Not skewed, and not noted: who asks the kernel by a system call of their own or reads the processor's counter; Go
//     programs on arm64 built with a Go that did not find its vDSO (golang/go#62309); libraries that look for the vDSO
//     in /proc/self/auxv, which still tells of the real one, as Go does when built as a C library.
//   - Deadlines that the kernel keeps by its real-time clock (pthread_cond_timedwait, timerfd and clock_nanosleep with
//     absolute times) are kept by the machine's, so that a C++ program may wait an hour too long when its clock is an
//     hour behind. Timers of Go go by the monotonic clock. File times are the machine's.
//   - Drift and strobe go by the machine's wall clock: if that is set meanwhile, they jump with it.
//   - Programs with set-user-ID bits or file capabilities run without them, unless the tracer may trace anybody.
//   - Debuggers and sampling profilers may not know the functions' frames: the image has no unwind tables.
//
// # What was run
//
// On amd64 (Linux 6.18, as superuser, as an ordinary user, and in a container without capabilities under Docker's
// default seccomp profile) all tests, with Go, glibc and musl programs, static and dynamic. Adopted were those, Python, a
// JVM (17), etcd (3.4) and Redis (7.0), and Go with 8 threads at their clocks, some hundred times over. On arm64 an emulated
// machine with a stock Linux 6.12 and pages of 4 KiB ran them with Go, glibc and busybox programs; the emulator was at
// times too slow for TestHotThreads. Nothing ran on arm64 hardware, with musl there, or with pages of 16 or 64 KiB. The
// arithmetic of the assembled code is compared with that of the Go side on random skews, on both architectures.
package clock
