/* Entry of a guest and of its further harts, and the trap entry that keeps every register. */
#define FRAME_BYTES (36 * 8)
#define STACK_BYTES 16384

    .section .text.start, "ax"
    .globl _start
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, boot_stack + STACK_BYTES
    csrw sscratch, zero
    la t0, trap_entry
    csrw stvec, t0
    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:  la t0, boot_hart
    sd a0, 0(t0)
    la t0, device_tree
    sd a1, 0(t0)
    call guest_main
    la a0, name_of_start
    la a1, main_returned
    call fail

    /* SBI HSM enters here: a0 hart id, a1 top of the stack that the starter chose. */
    .globl secondary_start
secondary_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    mv sp, a1
    csrw sscratch, zero
    la t0, trap_entry
    csrw stvec, t0
    call secondary_main
3:  wfi
    j 3b

    .text
    /* sscratch is 0 while in S-mode, and the stack to use while in U-mode. */
    .balign 4
    .globl trap_entry
trap_entry:
    csrrw sp, sscratch, sp
    bnez sp, 1f
    csrr sp, sscratch
1:  addi sp, sp, -FRAME_BYTES
    .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, (\n * 8)(sp)
    .endr
    csrrw t0, sscratch, zero
    sd t0, (2 * 8)(sp)
    csrr t0, sepc
    sd t0, (32 * 8)(sp)
    csrr t0, scause
    sd t0, (33 * 8)(sp)
    csrr t0, stval
    sd t0, (34 * 8)(sp)
    csrr t0, sstatus
    sd t0, (35 * 8)(sp)
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    mv a0, sp
    call guest_trap
    ld t0, (35 * 8)(sp)
    csrw sstatus, t0
    andi t1, t0, 0x100
    bnez t1, 2f
    addi t1, sp, FRAME_BYTES
    csrw sscratch, t1
2:  ld t0, (32 * 8)(sp)
    csrw sepc, t0
    .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, (\n * 8)(sp)
    .endr
    ld sp, (2 * 8)(sp)
    sret

    .section .rodata
name_of_start: .asciz "start"
main_returned: .asciz "guest_main returned"

    .bss
    .balign 16
boot_stack: .skip STACK_BYTES
