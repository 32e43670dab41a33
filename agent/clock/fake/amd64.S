# The functions that a process with a clock of its own finds in its vDSO (amd64, System V calling convention).
#
# build.sh assembles this to amd64.bin: position-independent bytes, no relocations, no data segment. The Go side
# copies them into the image and fills in the four words at the top. The offsets below 0x100 mirror page.go.
#
# Rules that keep this safe on any stack and under any signal: no locks, no writes to the image, at most 64 bytes of
# stack (the caller may be Go's g0 or a signal stack), and each field of the page that others read is stored at once.

        .intel_syntax noprefix
        .text

        .set SEQ,       0x08            # page: number of the skew in force; its low bit chooses the record
        .set MASK,      0x10            # page: bit n set: clock id n is skewed
        .set RECORDS,   0x40            # page: two records of 64 bytes
        .set BASE,      0x00            # record: the machine's clock when the skew was set, ns
        .set AHEAD,    0x08            # record: ns to add
        .set RATE,      0x10            # record: gain per ns, in units of 2^-40
        .set STROBE,    0x18            # record: length of a turn in ns, or 0
        .set FROZEN,    0x20            # record: not 0: the clock stands still
        .set READS,     0x100           # page: readings so far
        .set DELTA,     0x108           # page: what the last reading was off by, ns
        .set REAL,      0x110           # page: the machine's clock at the last reading, ns
        .set TAG,       0x118           # page: low half: SEQ the last reading went by; high half: which start of a process

real_gettime:   .quad 0                 # the real __vdso_clock_gettime
real_gettimeofday: .quad 0
page:           .quad 0                 # where the shared page is in this process
start_tag:      .quad 0                 # number of this start << 32
        .long   clock_gettime - real_gettime, gettimeofday - real_gettime, time - real_gettime, end - real_gettime

# int clock_gettime(clockid_t edi, struct timespec *rsi)
        .balign 16
clock_gettime:
        mov     rdx, [rip+page]
        cmp     edi, 31
        ja      1f                      # dynamic and CPU clocks are not ours
        mov     ecx, [rdx+MASK]
        bt      ecx, edi
        jc      2f
1:      jmp     [rip+real_gettime]      # the monotonic clock among them: two loads and a jump slower than before
2:      push    rbx
        mov     rbx, rsi
        call    [rip+real_gettime]
        test    eax, eax
        jnz     3f
        mov     rdi, [rbx]
        mov     rsi, [rbx+8]
        call    skewed
        mov     [rbx], rdx
        mov     [rbx+8], rax
        xor     eax, eax
3:      pop     rbx
        ret

# int gettimeofday(struct timeval *rdi, struct timezone *rsi): by clock_gettime, so that it is never behind that one by
# what was cut off twice. The real one only tells the time zone.
        .balign 16
gettimeofday:
        push    rbx
        sub     rsp, 16
        mov     rbx, rdi
        test    rsi, rsi
        jz      1f
        xor     edi, edi
        call    [rip+real_gettimeofday]
        test    eax, eax
        jnz     2f
1:      xor     eax, eax
        test    rbx, rbx                # only the time zone was wanted
        jz      2f
        call    now
        test    eax, eax
        jnz     2f
        mov     [rbx], rdx
        mov     rax, rcx
        xor     edx, edx
        mov     ecx, 1000
        div     rcx
        mov     [rbx+8], rax
        xor     eax, eax
2:      add     rsp, 16
        pop     rbx
        ret

# time_t time(time_t *rdi): by clock_gettime, so that the second turns for both at once
        .balign 16
time:
        push    rbx
        sub     rsp, 16
        mov     rbx, rdi
        call    now
        movsxd  rax, eax
        test    eax, eax
        jnz     1f
        mov     rax, rdx
        test    rbx, rbx
        jz      1f
        mov     [rbx], rax
1:      add     rsp, 16
        pop     rbx
        ret

# now: CLOCK_REALTIME as this process shall see it: rdx s + rcx ns, eax 0 or an error. Uses the 16 bytes on top of its
# caller's stack.
        .balign 16
now:
        sub     rsp, 8
        xor     edi, edi
        lea     rsi, [rsp+16]
        call    [rip+real_gettime]
        test    eax, eax
        jnz     1f
        mov     rdi, [rsp+16]
        mov     rsi, [rsp+24]
        call    skewed
        mov     rcx, rax
        xor     eax, eax
1:      add     rsp, 8
        ret

# skewed: the machine's time rdi s + rsi ns, as this process shall see it: rdx s + rax ns, 0 <= rax < 1e9.
# Notes the reading in the page. Touches only registers that a callee may.
        .balign 16
skewed:
        imul    r9, rdi, 1000000000
        add     r9, rsi                 # r9: the machine's time
        mov     r8, [rip+page]
1:      mov     r10, [r8+SEQ]
        mov     eax, r10d
        and     eax, 1
        shl     eax, 6
        lea     r11, [r8+rax+RECORDS]   # r11: the record in force; the next one is written into the other
        mov     rcx, r9
        sub     rcx, [r11+BASE]         # rcx: time since the skew was set
        mov     rdi, [r11+AHEAD]
        cmp     qword ptr [r11+FROZEN], 0
        jne     5f
        mov     rsi, [r11+STROBE]
        test    rsi, rsi
        jle     3f
        mov     rax, rcx
        xor     edx, edx
        test    rax, rax
        js      3f                      # the machine's clock went back behind the first turn
        div     rsi
        test    al, 1
        jz      3f
        xor     edi, edi                # a turn without the offset
3:      mov     rax, rcx
        imul    qword ptr [r11+RATE]
        shrd    rax, rdx, 40
        add     rax, rdi
        jmp     6f
5:      mov     rax, rdi
        sub     rax, rcx
6:      cmp     r10, [r8+SEQ]
        jne     1b                      # a new skew was set meanwhile: go by that
        lock inc qword ptr [r8+READS]
        mov     [r8+DELTA], rax
        mov     [r8+REAL], r9
        mov     r10d, r10d
        or      r10, [rip+start_tag]
        mov     [r8+TAG], r10           # last: who sees the tag sees a reading that is no older
        add     rax, r9
        # Divide by 1e9 towards minus infinity, by multiplication: idiv takes longer than all of the above.
        mov     rcx, rax
        movabs  rdx, 0x112e0be826d694b3
        imul    rdx
        sar     rdx, 26
        imul    rax, rdx, 1000000000
        sub     rcx, rax
        cmp     rcx, 1000000000
        jl      7f
        sub     rcx, 1000000000         # a whole number of seconds before 1970
        inc     rdx
7:      mov     rax, rcx
        ret
        .balign 16
end:
        .section .note.GNU-stack,"",@progbits
