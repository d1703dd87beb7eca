/* SPDX-License-Identifier: Apache-2.0 */
/* x86-64: where the kernel enters, and the system calls of system.h. */
	.text
	.globl _start
_start:
	xorl	%ebp, %ebp
	movq	(%rsp), %rdi			/* argc */
	leaq	8(%rsp), %rsi			/* argv */
	leaq	16(%rsp, %rdi, 8), %rdx		/* environment, behind argv's NULL */
	andq	$-16, %rsp
	call	gate_main
	hlt

/* The fourth argument is in rcx for a C function, in r10 for the kernel; the others agree. */
kernel:
	movq	%rcx, %r10
	syscall
	ret

	.macro system_call name, number
	.globl	system_\name
system_\name:
	movl	$\number, %eax
	jmp	kernel
	.endm

	system_call read, 0
	system_call write, 1
	system_call close, 3
	system_call rt_sigaction, 13
	system_call rt_sigprocmask, 14
	system_call ioctl, 16
	system_call execve, 59
	system_call clock_gettime, 228
	system_call exit_group, 231
	system_call openat, 257
	system_call ppoll, 271
	system_call dup3, 292
	system_call pipe2, 293

	.section .note.GNU-stack, "", @progbits
