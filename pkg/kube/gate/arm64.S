/* SPDX-License-Identifier: Apache-2.0 */
/* AArch64: where the kernel enters, and the system calls of system.h. Arguments are where C has them, too. */
	.text
	.globl _start
_start:
	mov	x29, #0
	mov	x30, #0
	ldr	x0, [sp]			/* argc */
	add	x1, sp, #8			/* argv */
	add	x2, x1, x0, lsl #3
	add	x2, x2, #8			/* environment, behind argv's NULL */
	bl	gate_main
	brk	#1

	.macro system_call name, number
	.globl	system_\name
system_\name:
	mov	x8, #\number
	svc	#0
	ret
	.endm

	system_call dup3, 24
	system_call ioctl, 29
	system_call openat, 56
	system_call close, 57
	system_call pipe2, 59
	system_call read, 63
	system_call write, 64
	system_call ppoll, 73
	system_call exit_group, 94
	system_call clock_gettime, 113
	system_call rt_sigaction, 134
	system_call rt_sigprocmask, 135
	system_call execve, 221

	.section .note.GNU-stack, "", %progbits
