/* Entry of a guest and of its further CPUs, the exception vectors, and user mode. */
#define FRAME_BYTES 304
#define STACK_BYTES 16384

    .section .text.start, "ax"
    .globl _start
_start:
    msr spsel, #1
    adrp x1, boot_stack + STACK_BYTES
    add x1, x1, :lo12:boot_stack + STACK_BYTES
    mov sp, x1
    adr x1, vectors
    msr vbar_el1, x1
    isb
    adrp x1, __bss_start
    add x1, x1, :lo12:__bss_start
    adrp x2, __bss_end
    add x2, x2, :lo12:__bss_end
1:  cmp x1, x2
    b.hs 2f
    str xzr, [x1], #8
    b 1b
2:  adrp x1, device_tree
    str x0, [x1, :lo12:device_tree]
    bl uart_reset
    bl guest_main
    adrp x0, name_of_start
    add x0, x0, :lo12:name_of_start
    adrp x1, main_returned
    add x1, x1, :lo12:main_returned
    bl fail

    /* PSCI CPU_ON enters here: x0 the context, which is the top of the stack that the starter chose. */
    .globl secondary_start
secondary_start:
    msr spsel, #1
    mov sp, x0
    adr x1, vectors
    msr vbar_el1, x1
    isb
    mrs x0, mpidr_el1
    and x0, x0, #0xff
    bl secondary_main
3:  wfi
    b 3b

    /* Sixteen entries of 128 bytes: synchronous, IRQ, FIQ, SError; from SP_EL0, SP_ELx, EL0, AArch32 EL0. */
    .text
    .balign 2048
    .globl vectors
vectors:
    .irp kind, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    .balign 128
    sub sp, sp, #FRAME_BYTES
    stp x0, x1, [sp]
    mov x1, #\kind
    b enter
    .endr

    .balign 128
enter:
    .irp n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    str x\n, [sp, #(8 * \n)]
    .endr
    add x0, sp, #FRAME_BYTES
    mrs x2, elr_el1
    stp x0, x2, [sp, #(8 * 31)]
    mrs x3, spsr_el1
    mrs x4, esr_el1
    stp x3, x4, [sp, #(8 * 33)]
    mrs x5, far_el1
    stp x5, x1, [sp, #(8 * 35)]
    mov x0, sp
    bl guest_trap
    msr daifset, #3
    ldr x2, [sp, #(8 * 32)]
    ldr x3, [sp, #(8 * 33)]
    msr elr_el1, x2
    msr spsr_el1, x3
    .irp n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    ldr x\n, [sp, #(8 * \n)]
    .endr
    ldp x0, x1, [sp]
    add sp, sp, #FRAME_BYTES
    eret

    /* u64 run_user(entry, argument): EL0 runs from entry with x0 = argument and interrupts masked, until an
       exception whose handler sends it to user_return; the result is EL0's x0. */
    .globl run_user
run_user:
    stp x29, x30, [sp, #-96]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    mov x2, #0x3c0
    msr spsr_el1, x2
    msr elr_el1, x0
    adrp x2, user_stack + STACK_BYTES
    add x2, x2, :lo12:user_stack + STACK_BYTES
    msr sp_el0, x2
    mov x0, x1
    eret
    .globl user_return
user_return:
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp x29, x30, [sp], #96
    ret

    .section .rodata
name_of_start: .asciz "start"
main_returned: .asciz "guest_main returned"

    .bss
    .balign 16
boot_stack: .skip STACK_BYTES
user_stack: .skip STACK_BYTES
