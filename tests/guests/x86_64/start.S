/* Entry of a guest by PVH and of its further CPUs by start-up IPI, the vectors, and user mode. */
#define STACK_BYTES 16384
#define TRAMPOLINE 0x8000

#define CODE32 0x08
#define DATA 0x10
#define CODE64 0x18

    /* Xen, "x86/HVM direct boot ABI": XEN_ELFNOTE_PHYS32_ENTRY. */
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long pvh_start

    .section .text.start, "ax"
    .code32
    .globl pvh_start
pvh_start:
    cld
    movl %ebx, %esi
    movl $__bss_start, %edi
    movl $__bss_end, %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    xorl %eax, %eax
    rep stosl
    movl %esi, start_info
    /* The first 4 GiB where they are, in pages of 2 MiB, for user mode too. */
    movl $boot_pdpt + 7, boot_pml4
    movl $boot_directories + 7, %eax
    movl $boot_pdpt, %edi
1:  movl %eax, (%edi)
    addl $4096, %eax
    addl $8, %edi
    cmpl $boot_pdpt + 32, %edi
    jb 1b
    movl $0x87, %eax
    movl $boot_directories, %edi
2:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    cmpl $boot_directories + 4 * 4096, %edi
    jb 2b
    xorl %ebp, %ebp

    /* EBP is 0 on the first CPU. */
enter_long:
    movl %cr4, %eax
    orl $0x20, %eax
    movl %eax, %cr4
    movl $boot_pml4, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x901, %eax
    wrmsr
    movl $0x80010033, %eax
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $CODE64, $in_long

    .code64
in_long:
    movl $DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    testl %ebp, %ebp
    jnz 3f
    movq $boot_stack + STACK_BYTES, %rsp
    call kit_start
3:  movl $0xfee00020, %eax
    movl (%rax), %edi
    shrl $24, %edi
    movl %edi, %eax
    incl %eax
    imulq $STACK_BYTES, %rax, %rax
    leaq cpu_stacks(%rax), %rsp
    call secondary_start

    /* Copied to TRAMPOLINE, where start-up IPIs enter in real mode with CS:IP there. */
    .code16
    .globl trampoline, trampoline_end
trampoline:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    lock incw TRAMPOLINE + real_mode_entries - trampoline
    lgdtl TRAMPOLINE + trampoline_gdt - trampoline
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $CODE32, $ap_protected
    .balign 4
trampoline_gdt:
    .word 31
    .long boot_gdt
real_mode_entries:
    .word 0
trampoline_end:

    .code32
ap_protected:
    movl $DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $1, %ebp
    jmp enter_long

    .code64
    .text
    /* One entry of 16 bytes for each vector: error code, real or 0, then the number. */
    .balign 16
    .globl vectors
vectors:
    .set vector, 0
    .rept 256
    .balign 16
    .if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21 && vector != 29 && vector != 30
    pushq $0
    .endif
    pushq $vector
    jmp enter
    .set vector, vector + 1
    .endr

enter:
    .irp reg, rax,rcx,rdx,rbx,rbp,rsi,rdi,r8,r9,r10,r11,r12,r13,r14,r15
    pushq %\reg
    .endr
    cld
    movq %rsp, %rdi
    movq %rsp, %rbx
    andq $-16, %rsp
    call guest_trap
    movq %rbx, %rsp
    .irp reg, r15,r14,r13,r12,r11,r10,r9,r8,rdi,rsi,rbp,rbx,rdx,rcx,rax
    popq %\reg
    .endr
    addq $16, %rsp
    iretq

    /* u64 run_user(entry, argument): ring 3 runs from entry with RDI = argument, until an exception whose handler
       sends it to user_return; the result is ring 3's RAX. */
    .globl run_user
run_user:
    .irp reg, rbx,rbp,r12,r13,r14,r15
    pushq %\reg
    .endr
    movq %rsp, kernel_rsp
    movq %rdi, %rax
    movq %rsi, %rdi
    pushq $0x23
    pushq $user_stack + STACK_BYTES
    pushq $2
    pushq $0x2b
    pushq %rax
    iretq
    .globl user_return
user_return:
    .irp reg, r15,r14,r13,r12,rbp,rbx
    popq %\reg
    .endr
    ret

    .data
    .balign 8
    /* Null, CODE32, DATA, CODE64. */
    .globl boot_gdt
boot_gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
boot_gdt_pointer:
    .word 31
    .quad boot_gdt
    .globl kernel_rsp
kernel_rsp: .quad 0

    .bss
    .balign 4096
    .globl boot_pml4
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_directories: .skip 4 * 4096
boot_stack: .skip STACK_BYTES
user_stack: .skip STACK_BYTES
cpu_stacks: .skip 8 * STACK_BYTES

    .section .note.GNU-stack, "", @progbits
