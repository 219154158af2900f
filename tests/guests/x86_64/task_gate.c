/* Ends in no verdict: a software interrupt through a task gate, in protected mode without paging. Hardware tasks switch by a VM exit always,
   and the hypervisor does not emulate them: it must stop the VM and say so. */
#include "guest.h"

#define LOW 0x8000ul
#define IDT32 0x9000ul

/* Copied to LOW, where it begins in long mode and leaves it. */
__asm__(
    ".pushsection .text\n .set LOW, 0x8000\n"
    "task_begin:\n"
    "pushq $0x08\n pushq $(LOW + task_leave - task_begin)\n lretq\n"
    ".code32\ntask_leave:\n"
    "movl $0xb000, %esp\n"
    "movl %cr0, %eax\n andl $0x7fffffff, %eax\n movl %eax, %cr0\n"
    "movl $0xc0000080, %ecx\n rdmsr\n andl $~0x100, %eax\n wrmsr\n"
    "lgdt LOW + task_gdt_pointer - task_begin\n"
    "lidt LOW + task_idt_pointer - task_begin\n"
    "int $0x21\n"
    "1: jmp 1b\n"
    ".code64\n .balign 8\n"
    /* Flat code and data, and a task whose segment would be in the code. */
    "task_gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x0000890080000067\n"
    "task_gdt_pointer: .word 31\n .long LOW + task_gdt - task_begin\n"
    "task_idt_pointer: .word 0x407\n .long 0x9000\n"
    "task_end:\n .popsection");
extern char task_begin[], task_end[];
u64 task_entry = LOW;

void guest_main(void) {
    for (const char *from = task_begin; from != task_end; ++from) write8(LOW + (u64)(from - task_begin), (u8)*from);
    for (u64 at = IDT32; at < IDT32 + 0x408; at += 8) write64(at, 0);
    write64(IDT32 + 8 * 0x21, 0x18ul << 16 | 0x8500ul << 32);
    say("a task gate\n");
    irq_off();
    __asm__ volatile("call *task_entry(%%rip)" : : : "memory");
    fail("task_gate", "comes back");
}
