// The functions that a process with a clock of its own finds in its vDSO (arm64, AAPCS64).
//
// build.sh assembles this to arm64.bin; see amd64.S, which is the same program, for the layout and the rules. There
// is no time(): C libraries on arm64 make it from clock_gettime.

        .text

        .set SEQ,       0x08
        .set MASK,      0x10
        .set RECORDS,   0x40
        .set BASE,      0x00
        .set AHEAD,    0x08
        .set RATE,      0x10
        .set STROBE,    0x18
        .set FROZEN,    0x20
        .set READS,     0x100
        .set DELTA,     0x108
        .set REAL,      0x110
        .set TAG,       0x118

real_gettime:   .quad 0
real_gettimeofday: .quad 0
page:           .quad 0
start_tag:      .quad 0
        .word clock_gettime - real_gettime, gettimeofday - real_gettime, 0, end - real_gettime

// int clock_gettime(clockid_t w0, struct timespec *x1)
        .balign 16
clock_gettime:
        hint    34                      // bti c
        ldr     x9, page
        cmp     w0, #31
        b.hi    1f
        ldr     w10, [x9, #MASK]
        lsr     w10, w10, w0
        tbnz    w10, #0, 2f
1:      ldr     x16, real_gettime
        br      x16
2:      stp     x29, x30, [sp, #-32]!
        mov     x29, sp
        str     x19, [sp, #16]
        mov     x19, x1
        ldr     x16, real_gettime
        blr     x16
        cbnz    w0, 3f
        ldp     x0, x1, [x19]
        bl      skewed
        stp     x0, x1, [x19]
        mov     w0, #0
3:      ldr     x19, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// int gettimeofday(struct timeval *x0, struct timezone *x1): by clock_gettime; the real one only tells the time zone
        .balign 16
gettimeofday:
        hint    34
        stp     x29, x30, [sp, #-48]!
        mov     x29, sp
        str     x19, [sp, #16]
        mov     x19, x0
        cbz     x1, 1f
        mov     x0, #0
        ldr     x16, real_gettimeofday
        blr     x16
        cbnz    w0, 2f
1:      mov     w0, #0
        cbz     x19, 2f
        add     x1, sp, #32             // w0 is CLOCK_REALTIME
        ldr     x16, real_gettime
        blr     x16
        cbnz    w0, 2f
        ldp     x0, x1, [sp, #32]
        bl      skewed
        mov     x2, #1000
        udiv    x1, x1, x2
        stp     x0, x1, [x19]
        mov     w0, #0
2:      ldr     x19, [sp, #16]
        ldp     x29, x30, [sp], #48
        ret

// skewed: the machine's time x0 s + x1 ns, as this process shall see it, in x0 and x1, 0 <= x1 < 1e9.
// Notes the reading in the page. Touches x0 to x15 only.
        .balign 16
skewed:
        ldr     w2, billion
        madd    x1, x0, x2, x1          // x1: the machine's time, ns
        ldr     x3, page
        add     x4, x3, #SEQ
1:      ldar    x5, [x4]
        and     x6, x5, #1
        add     x6, x3, x6, lsl #6      // x6 + RECORDS: the record in force
        ldr     x7, [x6, #RECORDS+BASE]
        sub     x7, x1, x7              // x7: time since the skew was set
        ldr     x8, [x6, #RECORDS+AHEAD]
        ldr     x9, [x6, #RECORDS+FROZEN]
        cbnz    x9, 5f
        ldr     x9, [x6, #RECORDS+STROBE]
        cmp     x9, #0
        b.le    3f
        tbnz    x7, #63, 3f
        udiv    x10, x7, x9
        tst     x10, #1
        csel    x8, x8, xzr, eq         // a turn without the offset
3:      ldr     x10, [x6, #RECORDS+RATE]
        mul     x11, x7, x10
        smulh   x12, x7, x10
        extr    x11, x12, x11, #40
        add     x8, x8, x11
        b       6f
5:      sub     x8, x8, x7
6:      dmb     ishld                   // the record was read before SEQ is read again
        ldr     x9, [x4]
        cmp     x9, x5
        b.ne    1b
        add     x9, x3, #READS
7:      ldxr    x10, [x9]
        add     x10, x10, #1
        stxr    w11, x10, [x9]
        cbnz    w11, 7b
        str     x8, [x3, #DELTA]
        str     x1, [x3, #REAL]
        ldr     x9, start_tag
        orr     x9, x9, x5              // SEQ stays below 2^32
        add     x10, x3, #TAG
        stlr    x9, [x10]
        add     x1, x1, x8
        sdiv    x0, x1, x2              // towards zero
        msub    x1, x0, x2, x1
        tbz     x1, #63, 8f
        add     x1, x1, x2
        sub     x0, x0, #1
8:      ret
        .balign 8
billion: .word 1000000000
        .balign 16
end:
        .section .note.GNU-stack,"",%progbits
