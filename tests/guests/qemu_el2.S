/* The least hypervisor for run_qemu.sh: runs the aarch64 guest at 0x40080000 on one CPU at EL1 behind a second stage.
   Devices and RAM are where they are; 2 MiB at 0x48000000 are read-only, at 0x49000000 not executable, at 0x4a000000
   both, as s2_perm wants them. HVC goes on to QEMU's firmware as SMC; every stage-2 fault becomes an external abort of
   the guest. */
#define BLOCK_DEVICE 0x4c1
#define BLOCK_RAM 0x7fd
#define BLOCK_READ_ONLY 0x77d
#define EXECUTE_NEVER (1 << 54)

    .text
    .globl _start
_start:
    ldr x0, =stack_top
    mov sp, x0
    ldr x0, =vectors
    msr vbar_el2, x0
    /* Arm ARM, VMSAv8-64 stage 2: a level 1 table with the devices' block, and level 2 for RAM. */
    ldr x1, =level1
    ldr x2, =level2
    mov x3, #BLOCK_DEVICE
    str x3, [x1]
    orr x3, x2, #3
    str x3, [x1, #8]
    mov x4, #512
    ldr x5, =0x40000000 + BLOCK_RAM
1:  str x5, [x2], #8
    add x5, x5, #0x200000
    subs x4, x4, #1
    b.ne 1b
    ldr x2, =level2
    ldr x3, =0x48000000 + BLOCK_READ_ONLY
    str x3, [x2, #(8 * 64)]
    ldr x3, =0x49000000 + BLOCK_RAM + EXECUTE_NEVER
    str x3, [x2, #(8 * 72)]
    ldr x3, =0x4a000000 + BLOCK_READ_ONLY + EXECUTE_NEVER
    str x3, [x2, #(8 * 80)]
    msr vttbr_el2, x1
    ldr x0, =0x80023559         /* T0SZ 25, SL0 1, write-back, 4 KiB, 40 bits */
    msr vtcr_el2, x0
    ldr x0, =0x80000001         /* RW, VM */
    msr hcr_el2, x0
    mov x0, #3                  /* EL1PCTEN, EL1PCEN */
    msr cnthctl_el2, x0
    msr cntvoff_el2, xzr
    mov x0, #0x33ff
    msr cptr_el2, x0
    mrs x0, id_aa64pfr0_el1
    tst x0, #0xf000000          /* GIC: system registers */
    b.eq 4f
    mov x0, #0xf                /* SRE, DFB, DIB, Enable */
    msr icc_sre_el2, x0
4:  mrs x0, midr_el1
    msr vpidr_el2, x0
    mrs x0, mpidr_el1
    msr vmpidr_el2, x0
    ldr x0, =0x00c50838
    msr sctlr_el1, x0
    tlbi alle1
    dsb sy
    isb
    mov x0, #0x3c5
    msr spsr_el2, x0
    ldr x0, =0x40080000
    msr elr_el2, x0
    mov x0, #0
    eret

    /* Only synchronous exceptions of the guest come here. */
    .balign 2048
vectors:
    .skip 0x400
    stp x0, x1, [sp, #-16]!
    mrs x0, esr_el2
    lsr x1, x0, #26
    cmp x1, #0x16
    b.eq call
    cmp x1, #0x20
    b.eq inject
    cmp x1, #0x24
    b.eq inject
2:  b 2b

    .balign 2048
call:
    ldp x0, x1, [sp], #16
    smc #0
    eret

    /* ESR_EL1: the class of the guest's own level, IL, WnR, and a synchronous external abort. */
inject:
    stp x2, x3, [sp, #-16]!
    mrs x2, spsr_el2
    msr spsr_el1, x2
    and x3, x2, #0xc
    and x0, x0, #0x40
    cmp x1, #0x24
    csel x0, x0, xzr, eq
    cbz x3, 3f
    add x1, x1, #1
3:  lsl x1, x1, #26
    orr x1, x1, x0
    mov x0, #0x10
    orr x0, x0, #(1 << 25)
    orr x1, x1, x0
    msr esr_el1, x1
    mrs x0, far_el2
    msr far_el1, x0
    mrs x0, elr_el2
    msr elr_el1, x0
    mov x0, #0x200
    mov x1, #0x400
    cmp x3, #0
    csel x1, x0, x1, ne
    mrs x0, vbar_el1
    add x0, x0, x1
    msr elr_el2, x0
    mov x0, #0x3c5
    msr spsr_el2, x0
    ldp x2, x3, [sp], #16
    ldp x0, x1, [sp], #16
    eret

    .bss
    .balign 4096
level1: .skip 4096
level2: .skip 4096
    .skip 4096
stack_top:
