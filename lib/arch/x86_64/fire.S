/* SPDX-License-Identifier: MIT */
/*
 * The fire path on x86-64: entries that a stub's thunk jumps to, with the probe in %r10 and the
 * fire's arguments where the System V ABI puts uint64_t parameters; and the restartable sections.
 *
 *  weir_entry_N      N fixed words, no strings: from registers into this CPU's packet, when exactly
 *                    one session wants the probe and its packet has room
 *  weir_entry_mixed  strings too, several sessions too, up to six arguments: one pass that copies
 *                    a string and finds its end at once; one clock read for all sessions
 *  weir_entry_any    all else: spills the registers and calls fire_generic() in C
 *
 * The first hands over to the second, and that to the third, which can do everything. All end at
 * the site if a USDT tracer is there, with every argument back in its place. They get there through
 * weir_entry_framed, whose frame makes stacks by frame pointers whole: a trap in a function that has
 * none of its own would hide its caller. Arguments on the stack are that frame further away, and
 * where the note says.
 *
 * A section, by the kernel's contract (rseq(2)): while rseq_cs points to a descriptor, a thread
 * that is preempted, migrated or gets a signal with its ip in [start, start + length) continues at
 * the abort handler, registers as they were. The last instruction is the commit. No call, no push
 * in there. Descriptors lie in memory that is never unmapped (-z nodelete), but rseq_cs is
 * cleared behind every section all the same: a copy of this library may be linked statically into
 * something that is.
 *
 * In the fast path %rdx, %rcx and %r8 are wanted as scratch; arguments in there wait in %xmm0-2.
 * The stack is read for arguments 7 and up, never written.
 */

#define PROBE_SITE      0
#define PROBE_MASK      8
#define PROBE_SINKS     16
#define PROBE_RECORD    40
#define PROBE_SITE_FN   48
#define PROBE_ID        60
#define PROBE_FIELDS    62
#define PROBE_STRINGS   76
#define PROBE_ROOM      80
#define PROBE_ARGS      63
#define PROBE_SINK      96	/* the first one */
#define PROBE_LIMIT     104

#define SINK_NEXT       0
#define SINK_FIRE       16

#define HOT_POOL        weir_hot+0(%rip)
#define HOT_SLOTS       weir_hot+8(%rip)
#define HOT_CPUS        weir_hot+16(%rip)
#define HOT_RSEQ        weir_hot+24(%rip)
#define HOT_ALL         weir_hot+32(%rip)
#define HOT_STRIDE      weir_hot+40(%rip)

#define SLOT_MASK       0
#define SLOT_PACKET     4
#define SLOT_DEADLINE   12
#define SLOT_LEASE      16
#define SLOT_CPU        32

#define SESSION_LIMIT   12	/* from the lease: struct weir_shm_session */

#define RSEQ_CPU        4
#define RSEQ_CS         8
#define RSEQ_SIG        0x53053053

#define SITE_OFF        0x6690
#define PACKET_SIZE     65536

	.hidden	weir_hot, weir_tid, fire_generic

/* struct rseq_cs { u32 version, flags; u64 start_ip, post_commit_offset, abort_ip; } */
	.macro	RSEQ_TABLE name
	.pushsection .data.rel.ro, "aw"
	.balign	32
\name\()_cs:
	.long	0, 0
	.quad	\name\()_start, \name\()_commit - \name\()_start, \name\()_abort
	.popsection
	.endm

	.macro	RSEQ_ABORT name, to
	.pushsection .text.unlikely, "ax"
	.byte	0x0f, 0xb9, 0x3d	/* ud1: so that a disassembler stays in step */
	.long	RSEQ_SIG
\name\()_abort:
	jmp	\to
	.popsection
	.endm

	.text

	.macro	ENTRY name
	.globl	\name
	.hidden	\name
	.type	\name, @function
	.balign	32
\name:
	.cfi_startproc
	.endm
	.macro	END name
	.cfi_endproc
	.size	\name, . - \name
	.endm

/* Nothing but the site, if somebody is there. Its arguments on the stack: see SITE_STACK in stub.c. */
	.macro	SITE
	movq	PROBE_SITE(%r10), %rax
	cmpw	$SITE_OFF, (%rax)
	jne	1f
	ret
1:
	FRAMED
	.endm

	.macro	FRAMED
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	call	*PROBE_SITE_FN(%r10)
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	ret
	.endm

/*
 * A trap leaves caches and, without PCID, TLBs cold: what a fire for a tracer in the kernel alone
 * runs through is one line, and no entry lies across a page.
 */
	.macro	FIXED n
	RSEQ_TABLE fixed_\n
	.balign	512
	ENTRY	weir_entry_site_\n
	SITE
	END	weir_entry_site_\n
	ENTRY	weir_entry_\n
	movq	PROBE_MASK(%r10), %rax
	movq	PROBE_SINKS(%r10), %r11
	cmpl	$0, (%r11)
	jne	weir_entry_any
	movl	(%rax), %eax
	testl	%eax, %eax
	jz	weir_entry_site_\n
	.if \n >= 3
	movq	%rdx, %xmm0
	.endif
	.if \n >= 4
	movq	%rcx, %xmm1
	.endif
	.if \n >= 5
	movq	%r8, %xmm2
	.endif
	movl	%eax, %r8d
	movq	HOT_RSEQ, %r11
.Lagain_\n:
	leaq	fixed_\n\()_cs(%rip), %rax
	movq	%rax, %fs:RSEQ_CS(%r11)
fixed_\n\()_start:
	movl	%fs:RSEQ_CPU(%r11), %ecx
	cmpq	HOT_CPUS, %rcx		/* also a thread without rseq: -1, -2 */
	jae	.Lslow_\n
	shlq	$6, %rcx
	addq	HOT_SLOTS, %rcx
	cmpl	%r8d, SLOT_MASK(%rcx)
	jne	.Lslow_\n
	rdtsc
	cmpl	SLOT_DEADLINE(%rcx), %edx
	ja	.Lslow_\n
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	SLOT_LEASE(%rcx), %rdx
	cmpq	(%rdx), %rax
	ja	.Lslow_\n
	movl	SLOT_PACKET(%rcx), %edx
	shlq	$16, %rdx
	addq	HOT_POOL, %rdx
	movq	(%rdx), %r8		/* commit: {offset:32, count:32} */
	movzwl	%r8w, %r11d		/* whatever was scribbled there, inside the packet */
	cmpl	$(PACKET_SIZE - 16 - 8 * \n), %r11d
	jae	.Lfull_\n
	addq	%rdx, %r11
	movq	%rax, 8(%rdx)		/* last time */
	shlq	$26, %rax
	shrq	$10, %rax
	orq	PROBE_RECORD(%r10), %rax
	movq	%rax, (%r11)
	movq	weir_tid@gottpoff(%rip), %rax
	movl	%fs:(%rax), %eax
	testl	%eax, %eax
	jz	.Lfull_\n
	orq	SLOT_CPU(%rcx), %rax
	movq	%rax, 8(%r11)
	.if \n >= 1
	movq	%rdi, 16(%r11)
	.endif
	.if \n >= 2
	movq	%rsi, 24(%r11)
	.endif
	.if \n >= 3
	movq	%xmm0, 32(%r11)
	.endif
	.if \n >= 4
	movq	%xmm1, 40(%r11)
	.endif
	.if \n >= 5
	movq	%xmm2, 48(%r11)
	.endif
	.if \n >= 6
	movq	%r9, 56(%r11)
	.endif
	.if \n > 6
	.set i, 6
	.rept	\n - 6
	movq	(8 + 8 * (i - 6))(%rsp), %rax
	movq	%rax, (16 + 8 * i)(%r11)
	.set i, i + 1
	.endr
	.endif
	movabsq	$((1 << 32) + 16 + 8 * \n), %rcx
	addq	%rcx, %r8
	movq	%r8, (%rdx)		/* commit; x86 keeps stores in order for the reader */
fixed_\n\()_commit:
	movq	HOT_RSEQ, %r11
	movq	$0, %fs:RSEQ_CS(%r11)
	movq	PROBE_SITE(%r10), %rax
	cmpw	$SITE_OFF, (%rax)
	jne	.Lsite_\n
	ret
.Lfull_\n:
	RESTORE \n
	jmp	weir_entry_any
.Lslow_\n:
	RESTORE \n
	.if \n > 6
	jmp	weir_entry_any
	.else
	jmp	weir_entry_mixed
	.endif
.Lsite_\n:
	RESTORE \n
	jmp	weir_entry_framed
	RSEQ_ABORT fixed_\n, .Lrestart_\n
.Lrestart_\n:				/* %r8 and %r11 may be anything */
	movq	PROBE_MASK(%r10), %r8
	movl	(%r8), %r8d
	movq	HOT_RSEQ, %r11
	testl	%r8d, %r8d
	jnz	.Lagain_\n
	RESTORE \n
	jmp	weir_entry_site_\n
	END	weir_entry_\n
	.endm

	.macro	RESTORE n
	.if \n >= 3
	movq	%xmm0, %rdx
	.endif
	.if \n >= 4
	movq	%xmm1, %rcx
	.endif
	.if \n >= 5
	movq	%xmm2, %r8
	.endif
	.endm

	.macro	UNSPILL
	movq	-48(%rsp), %rdi
	movq	-40(%rsp), %rsi
	movq	-32(%rsp), %rdx
	movq	-24(%rsp), %rcx
	movq	-16(%rsp), %r8
	movq	-8(%rsp), %r9
	.endm

	FIXED	0
	FIXED	1
	FIXED	2
	FIXED	3
	FIXED	4
	FIXED	5
	FIXED	6
	FIXED	7
	FIXED	8
	FIXED	9
	FIXED	10
	FIXED	11
	FIXED	12

	.balign	1024		/* this and the next two in one page */
	ENTRY	weir_entry_framed
	FRAMED
	END	weir_entry_framed

/*
 * Up to six arguments, words and strings (no bytes), any number of sessions. The arguments wait in
 * the red zone, 8 * i - 48(%rsp), with the sessions still to be written to at -56.
 *
 * In the section: %rdx packet, %r11 record, %rdi where strings go, %rsi field, %rcx and %r9 source
 * and index of a string; %xmm5 the head's time, %xmm6 the clock, %xmm7 this session's nibble.
 * A string that is long, NULL, truncated or near the end of a page is left to C.
 */
	RSEQ_TABLE mixed
	ENTRY	weir_entry_site_mixed
	SITE
	END	weir_entry_site_mixed
	ENTRY	weir_entry_mixed
	movq	PROBE_MASK(%r10), %rax
	movq	PROBE_SINKS(%r10), %r11
	cmpl	$0, (%r11)
	jne	weir_entry_any
	movl	(%rax), %eax
	testl	%eax, %eax
	jz	weir_entry_site_mixed
	cmpl	$0, PROBE_ROOM(%r10)
	je	weir_entry_any
	movq	%rdi, -48(%rsp)
	movq	%rsi, -40(%rsp)
	movq	%rdx, -32(%rsp)
	movq	%rcx, -24(%rsp)
	movq	%r8, -16(%rsp)
	movq	%r9, -8(%rsp)
	movl	%eax, -56(%rsp)
.Lmixed_clock:
	movq	HOT_RSEQ, %r11
	leaq	mixed_cs(%rip), %rax
	pxor	%xmm6, %xmm6
	movq	%rax, %fs:RSEQ_CS(%r11)
mixed_start:
	cmpq	%rax, %fs:RSEQ_CS(%r11)
	jne	.Lmixed_clock
	movl	%fs:RSEQ_CPU(%r11), %ecx
	cmpq	HOT_CPUS, %rcx
	jae	.Lmixed_slow
	movl	-56(%rsp), %r8d
	bsfl	%r8d, %eax
	shrl	$2, %eax		/* the session */
	leaq	nibbles(%rip), %r9
	movl	(%r9, %rax, 4), %r9d
	andl	%r8d, %r9d
	movd	%r9d, %xmm7
	imulq	HOT_STRIDE, %rax
	shlq	$6, %rcx
	addq	HOT_ALL, %rcx
	addq	%rax, %rcx		/* its slot */
	cmpl	SLOT_MASK(%rcx), %r9d
	jne	.Lmixed_slow
	movq	%xmm6, %rax
	testq	%rax, %rax
	jnz	1f
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, %xmm6
1:	movq	%rax, %rdx
	shrq	$32, %rdx
	cmpl	SLOT_DEADLINE(%rcx), %edx
	ja	.Lmixed_slow
	movq	SLOT_LEASE(%rcx), %r9
	cmpq	(%r9), %rax
	ja	.Lmixed_slow
	movl	SESSION_LIMIT(%r9), %r9d
	subl	$1, %r9d		/* 0, no limit, becomes the largest */
	cmpl	PROBE_LIMIT(%r10), %r9d
	jb	.Lmixed_slow
	movl	SLOT_PACKET(%rcx), %edx
	shlq	$16, %rdx
	addq	HOT_POOL, %rdx
	movzwl	(%rdx), %r11d
	movl	PROBE_ROOM(%r10), %esi
	addl	%r11d, %esi
	cmpl	$PACKET_SIZE, %esi
	jae	.Lmixed_slow
	addq	%rdx, %r11
	movq	%rax, 8(%rdx)		/* last time; early if we leave from here, which does no harm */
	shlq	$26, %rax
	shrq	$10, %rax
	movq	%rax, %xmm5
	movq	weir_tid@gottpoff(%rip), %rsi
	movl	%fs:(%rsi), %esi
	testl	%esi, %esi
	jz	.Lmixed_slow
	orq	SLOT_CPU(%rcx), %rsi
	movq	%rsi, 8(%r11)
	movzbl	PROBE_FIELDS(%r10), %edi
	leaq	16(%r11, %rdi, 8), %rdi
	movl	PROBE_STRINGS(%r10), %r8d
	xorl	%esi, %esi
.Lmixed_field:
	cmpb	%sil, PROBE_FIELDS(%r10)
	je	.Lmixed_commit
	movq	-48(%rsp, %rsi, 8), %rax
	btl	%esi, %r8d
	jc	.Lmixed_string
	movq	%rax, 16(%r11, %rsi, 8)
	addl	$1, %esi
	jmp	.Lmixed_field
.Lmixed_string:
	movq	%rax, %rcx
	testq	%rax, %rax
	jz	.Lmixed_slow
	xorl	%r9d, %r9d
.Lmixed_chunk:
	leal	(%rcx, %r9), %eax
	andl	$0xfff, %eax
	cmpl	$0xff0, %eax
	ja	.Lmixed_slow
	movdqu	(%rcx, %r9), %xmm0
	pxor	%xmm1, %xmm1
	pcmpeqb	%xmm0, %xmm1
	pmovmskb %xmm1, %eax
	testl	%eax, %eax
	jnz	.Lmixed_end
	movdqu	%xmm0, (%rdi, %r9)
	addl	$16, %r9d
	cmpl	PROBE_LIMIT(%r10), %r9d
	ja	.Lmixed_slow
	jmp	.Lmixed_chunk
.Lmixed_end:
	bsfl	%eax, %eax
	leaq	keep+16(%rip), %rcx
	subq	%rax, %rcx
	movdqu	(%rcx), %xmm1		/* as many ones as there are bytes before the NUL */
	pand	%xmm1, %xmm0
	movdqu	%xmm0, (%rdi, %r9)
	addl	%eax, %r9d
	cmpl	PROBE_LIMIT(%r10), %r9d
	ja	.Lmixed_slow
	leal	8(%r9), %eax
	andl	$-8, %eax		/* padded, with the NUL */
	addq	%rax, %rdi
	shll	$16, %r9d
	orq	%r9, %rax
	movq	%rax, 16(%r11, %rsi, 8)
	addl	$1, %esi
	jmp	.Lmixed_field
.Lmixed_commit:
	subq	%r11, %rdi		/* length */
	movzwl	PROBE_ID(%r10), %eax
	movq	%rdi, %rcx
	shlq	$51, %rcx
	orq	%rcx, %rax
	movq	%xmm5, %rcx
	orq	%rcx, %rax
	movq	%rax, (%r11)
	movabsq	$(1 << 32), %rax
	addq	%rdi, %rax
	addq	(%rdx), %rax
	movq	%rax, (%rdx)
mixed_commit:
	movd	%xmm7, %eax
	xorl	-56(%rsp), %eax
	jz	.Lmixed_done
	movl	%eax, -56(%rsp)
	movq	HOT_RSEQ, %r11
	leaq	mixed_cs(%rip), %rax
	jmp	mixed_start
.Lmixed_done:
	movq	HOT_RSEQ, %r11
	movq	$0, %fs:RSEQ_CS(%r11)
	movq	PROBE_SITE(%r10), %rax
	cmpw	$SITE_OFF, (%rax)
	jne	.Lmixed_site
	ret
.Lmixed_site:
	UNSPILL
	jmp	weir_entry_framed
.Lmixed_slow:
	UNSPILL
	movl	-56(%rsp), %r11d
	jmp	weir_entry_rest
	RSEQ_ABORT mixed, .Lmixed_clock
	END	weir_entry_mixed

	.section .rodata
	.balign	32
keep:	.fill	16, 1, 0xff
	.fill	16, 1, 0
nibbles:
	.long	0xf, 0xf0, 0xf00, 0xf000, 0xf0000, 0xf00000, 0xf000000, 0xf0000000
	.text

/*
 * fire_generic(probe, arguments in registers, arguments on the stack, sessions), then the site.
 * weir_entry_rest: the sessions are in %r11d, since the others have been written to.
 */
	ENTRY	weir_entry_any
	movq	PROBE_MASK(%r10), %r11
	movl	(%r11), %r11d
weir_entry_rest:
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	subq	$64, %rsp
	movq	%rdi, 0(%rsp)
	movq	%rsi, 8(%rsp)
	movq	%rdx, 16(%rsp)
	movq	%rcx, 24(%rsp)
	movq	%r8, 32(%rsp)
	movq	%r9, 40(%rsp)
	movq	%r10, 48(%rsp)
	testl	%r11d, %r11d		/* one sink and nobody else: call it from here */
	jnz	1f
	cmpb	$6, PROBE_ARGS(%r10)
	ja	1f
	movq	PROBE_SINK(%r10), %rdi
	testq	%rdi, %rdi
	jz	1f
	cmpq	$0, SINK_NEXT(%rdi)
	jne	1f
	movq	%rsp, %rsi
	movq	8(%rbp), %rdx
	call	*SINK_FIRE(%rdi)
	jmp	2f
1:	movq	%r10, %rdi
	movq	%rsp, %rsi
	leaq	16(%rbp), %rdx
	movl	%r11d, %ecx
	call	fire_generic
2:	movq	48(%rsp), %r10
	movq	PROBE_SITE(%r10), %rax
	cmpw	$SITE_OFF, (%rax)
	jne	1f
	leave
	.cfi_remember_state
	.cfi_def_cfa %rsp, 8
	ret
1:	.cfi_restore_state
	movq	0(%rsp), %rdi
	movq	8(%rsp), %rsi
	movq	16(%rsp), %rdx
	movq	24(%rsp), %rcx
	movq	32(%rsp), %r8
	movq	40(%rsp), %r9
	leave
	.cfi_def_cfa %rsp, 8
	jmp	weir_entry_framed
	END	weir_entry_any

/* void site_call(void (*site)(void), const uint64_t *args, size_t count) */
	ENTRY	site_call
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	movq	%rdi, %r11
	movq	%rsi, %r10
	leaq	-5(%rdx), %rcx		/* words on the stack, rounded to a pair */
	cmpq	$6, %rdx
	jbe	2f
	andq	$-2, %rcx
	shlq	$3, %rcx
	subq	%rcx, %rsp
1:	subq	$1, %rdx
	movq	(%r10, %rdx, 8), %rax
	movq	%rax, -48(%rsp, %rdx, 8)
	cmpq	$6, %rdx
	ja	1b
2:	movq	0(%r10), %rdi		/* the array has room for six: see fire.c */
	movq	8(%r10), %rsi
	movq	16(%r10), %rdx
	movq	24(%r10), %rcx
	movq	32(%r10), %r8
	movq	40(%r10), %r9
	subq	$16, %rsp		/* as far from the site as through weir_entry_framed */
	call	*%r11
	leave
	.cfi_def_cfa %rsp, 8
	ret
	END	site_call

/*
 * int rseq_append(struct slot *slots, uint32_t mask, const struct gather *g, uint64_t *time)
 *                 %rdi                %esi           %rdx                    %rcx
 *
 * Kept through the section, so that it can start again: %rdi, %esi, %r10 (g), %r11 (&time) and
 * what the prologue pushed. %r15 is the time. Pieces are moved 16 bytes at a time and end in two
 * moves that overlap; the last word is zeroed before, which is the padding.
 */
	RSEQ_TABLE append
	ENTRY	rseq_append
	.irp	reg, rbx, r12, r13, r14, r15
	pushq	%\reg
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset \reg, 0
	.endr
	movq	%rdx, %r10
	movq	%rcx, %r11
.Lappend_retry:
	movq	HOT_RSEQ, %r12
	leaq	append_cs(%rip), %r13
	movl	112(%r10), %r14d	/* words */
	cmpq	$0, (%r11)
	jne	append_start
	movq	%r13, %fs:RSEQ_CS(%r12)
append_start:
	cmpq	%r13, %fs:RSEQ_CS(%r12)
	jne	.Lappend_preempted
	movl	%fs:RSEQ_CPU(%r12), %r8d
	cmpq	HOT_CPUS, %r8
	jae	.Lappend_slow
	shlq	$6, %r8
	addq	%rdi, %r8
	cmpl	%esi, SLOT_MASK(%r8)
	jne	.Lappend_slow
	movq	(%r11), %rax
	testq	%rax, %rax
	jnz	1f
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
1:	movq	%rax, %r15
	movq	%rax, %rdx
	shrq	$32, %rdx
	cmpl	SLOT_DEADLINE(%r8), %edx
	ja	.Lappend_slow
	movq	SLOT_LEASE(%r8), %rdx
	cmpq	(%rdx), %rax
	ja	.Lappend_slow
	movl	SLOT_PACKET(%r8), %edx
	shlq	$16, %rdx
	addq	HOT_POOL, %rdx		/* packet */
	movzwl	(%rdx), %r9d		/* offset, masked */
	movl	116(%r10), %ecx
	addl	%r9d, %ecx
	cmpl	$PACKET_SIZE, %ecx
	jae	.Lappend_slow
	addq	%rdx, %r9		/* where the record goes */
	movq	%rax, 8(%rdx)		/* last time */
	shlq	$26, %rax
	shrq	$10, %rax
	orq	0(%r10), %rax
	movq	%rax, (%r9)
	movq	8(%r10), %rax
	orq	SLOT_CPU(%r8), %rax
	movq	%rax, 8(%r9)
	movl	$2, %ecx
	cmpl	%r14d, %ecx
	jae	3f
2:	movq	(%r10, %rcx, 8), %rax	/* one word per field */
	movq	%rax, (%r9, %rcx, 8)
	addl	$1, %ecx
	cmpl	%r14d, %ecx
	jb	2b
3:	leaq	(%r9, %rcx, 8), %r9
	movl	120(%r10), %ecx		/* pieces */
	testl	%ecx, %ecx
	jz	.Lappend_last
	leaq	128(%r10), %r8
4:	movq	(%r8), %rax		/* data */
	movl	12(%r8), %r12d		/* padded */
	movl	8(%r8), %r14d		/* stored */
	leaq	(%r9, %r12), %r12	/* the next piece's place */
	testl	%r14d, %r14d
	jz	.Lpiece_empty
	movq	$0, -8(%r12)
	cmpl	$16, %r14d
	jb	6f
	xorl	%r13d, %r13d
5:	movups	(%rax, %r13), %xmm0
	movups	%xmm0, (%r9, %r13)
	addl	$16, %r13d
	leal	16(%r13), %ebx
	cmpl	%r14d, %ebx
	jbe	5b
	movups	-16(%rax, %r14), %xmm0
	movups	%xmm0, -16(%r9, %r14)
	jmp	.Lpiece_next
6:	cmpl	$8, %r14d
	jb	7f
	movq	(%rax), %r13
	movq	-8(%rax, %r14), %rbx
	movq	%r13, (%r9)
	movq	%rbx, -8(%r9, %r14)
	jmp	.Lpiece_next
7:	cmpl	$4, %r14d
	jb	8f
	movl	(%rax), %r13d
	movl	-4(%rax, %r14), %ebx
	movl	%r13d, (%r9)
	movl	%ebx, -4(%r9, %r14)
	jmp	.Lpiece_next
8:	movzbl	(%rax), %r13d
	movb	%r13b, (%r9)
	cmpl	$1, %r14d
	je	.Lpiece_next
	movzwl	-2(%rax, %r14), %r13d
	movw	%r13w, -2(%r9, %r14)
	jmp	.Lpiece_next
.Lpiece_empty:
	cmpq	%r9, %r12		/* an empty string is eight zeros, empty bytes are nothing */
	je	.Lpiece_next
	movq	$0, -8(%r12)
.Lpiece_next:
	movq	%r12, %r9
	addq	$16, %r8
	subl	$1, %ecx
	jnz	4b
.Lappend_last:
	movl	116(%r10), %eax
	movabsq	$(1 << 32), %rcx
	addq	%rcx, %rax
	addq	(%rdx), %rax
	movq	%rax, (%rdx)
append_commit:
	movq	%r15, (%r11)
	xorl	%eax, %eax
	jmp	.Lappend_out
.Lappend_preempted:
	movl	$2, %eax
	jmp	.Lappend_out
.Lappend_slow:
	movl	$1, %eax
.Lappend_out:
	.cfi_remember_state
	.irp	reg, r15, r14, r13, r12, rbx
	popq	%\reg
	.cfi_adjust_cfa_offset -8
	.cfi_restore \reg
	.endr
	ret
	.cfi_restore_state
	RSEQ_ABORT append, .Lappend_aborted
.Lappend_aborted:
	cmpq	$0, (%r11)		/* the given time may be stale now */
	jne	.Lappend_preempted
	jmp	.Lappend_retry
	END	rseq_append

/* int rseq_install(struct slot *, uint32_t cpu, const struct slot_word *old, *next) */
	RSEQ_TABLE install
	ENTRY	rseq_install
	movups	(%rcx), %xmm0
	movq	(%rdx), %r8
	movq	8(%rdx), %r9
	movq	HOT_RSEQ, %r10
.Linstall_again:
	leaq	install_cs(%rip), %rax
	movq	%rax, %fs:RSEQ_CS(%r10)
install_start:
	cmpl	%esi, %fs:RSEQ_CPU(%r10)
	jne	.Linstall_failed
	cmpq	%r8, (%rdi)
	jne	.Linstall_failed
	cmpq	%r9, 8(%rdi)
	jne	.Linstall_failed
	movaps	%xmm0, (%rdi)
install_commit:
	movq	$0, %fs:RSEQ_CS(%r10)
	xorl	%eax, %eax
	ret
.Linstall_failed:
	movq	$0, %fs:RSEQ_CS(%r10)
	movl	$-1, %eax
	ret
	RSEQ_ABORT install, .Linstall_again
	END	rseq_install

/* void rseq_add(uint64_t *base, size_t stride, uint64_t value) */
	RSEQ_TABLE add
	ENTRY	rseq_add
	movq	HOT_RSEQ, %r10
.Ladd_again:
	leaq	add_cs(%rip), %rax
	movq	%rax, %fs:RSEQ_CS(%r10)
add_start:
	movl	%fs:RSEQ_CPU(%r10), %eax
	cmpq	HOT_CPUS, %rax
	jae	.Ladd_anywhere
	imulq	%rsi, %rax
	addq	%rdx, (%rdi, %rax)
add_commit:
	movq	$0, %fs:RSEQ_CS(%r10)
	ret
.Ladd_anywhere:				/* a thread that is not registered */
	movq	$0, %fs:RSEQ_CS(%r10)
	lock addq %rdx, (%rdi)
	ret
	RSEQ_ABORT add, .Ladd_again
	END	rseq_add

	ENTRY	rseq_begin
	movq	HOT_RSEQ, %r10
	leaq	append_cs(%rip), %rax
	movq	%rax, %fs:RSEQ_CS(%r10)
	ret
	END	rseq_begin

	ENTRY	rseq_end
	movq	HOT_RSEQ, %r10
	movq	$0, %fs:RSEQ_CS(%r10)
	ret
	END	rseq_end

	ENTRY	rseq_cpu
	movq	HOT_RSEQ, %r10
	movl	%fs:RSEQ_CPU(%r10), %eax
	ret
	END	rseq_cpu

	.section .note.GNU-stack, "", @progbits
