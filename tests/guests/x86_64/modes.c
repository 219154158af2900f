/* 16-, 32- and 64-bit code: from long mode to compatibility mode of 32 and 16 bits, out of long mode to protected mode without and with
   32-bit and PAE paging, to 16-bit protected mode and to real mode with its vector table, and back; in each one ports, a device in
   memory, an exception and a software interrupt. */
#include "guest.h"

static const char name[] = "modes";
/* Low memory, where 16-bit code reaches all: this page holds the code, the next ones tables, stack and results. */
#define LOW 0x8000ul
#define RESULTS 0xa000ul

/* Results, in words of 4 bytes from RESULTS on. */
enum { COMPAT32, COMPAT16, PROTECTED32, PAGED32, PAE32, PROTECTED16, REAL, REAL_INT, REAL_DE, REAL_PORT, REAL_STRING, PROTECTED_INT, PROTECTED_UD, DONE, WORDS };
static const u32 wanted[WORDS] = {0x50014, 0x14, 0x50014, 0x50014, 0x50014, 0x50014, 0x1234, 0x77, 0xde, 0xffff, 0x6162, 0x80, 6, 1};

/* The code is linked where it is and copied to LOW; `at(label)` is a label's place there. All of it is reached by one far return. */
__asm__(
    ".pushsection .text\n"
    ".set LOW, 0x8000\n .set RES, 0xa000\n"
    "low_begin:\n"
    ".macro at_low reg, label\n movl $(LOW + \\label - low_begin), %\\reg\n .endm\n"
    /* 64 bits, entered by a call; RDI: where the 32-bit IDT lies. */
    "movq %rsp, LOW + saved - low_begin\n"
    "pushq $0x08\n pushq $(LOW + compat32 - low_begin)\n lretq\n"
    ".code32\ncompat32:\n"
    "movl 0xfee00030, %eax\n andl $0xff00ff, %eax\n movl %eax, RES\n"
    "ljmp $0x40, $(LOW + compat16 - low_begin)\n"
    ".code16\ncompat16:\n"
    "movl $0xfee00030, %ebx\n xorl %eax, %eax\n movb %ds:(%ebx), %al\n movl %eax, RES + 4\n"
    "ljmpl $0x08, $(LOW + leave_long - low_begin)\n"
    /* Out of long mode: paging off, then LME. */
    ".code32\nleave_long:\n"
    "movl $0xb000, %esp\n"
    "movl %cr0, %eax\n andl $0x7fffffff, %eax\n movl %eax, %cr0\n"
    "movl $0xc0000080, %ecx\n rdmsr\n andl $~0x100, %eax\n wrmsr\n"
    "lidt LOW + idt32_pointer - low_begin\n"
    "movl 0xfee00030, %eax\n andl $0xff00ff, %eax\n movl %eax, RES + 8\n"
    "int $0x80\n"
    "ud2\n"
    /* 32-bit paging: one directory of 4 MiB pages at 0xc000. */
    "movl %cr4, %eax\n andl $~0x20, %eax\n orl $0x10, %eax\n movl %eax, %cr4\n"
    "movl $0xc000, %eax\n movl %eax, %cr3\n"
    "movl %cr0, %eax\n orl $0x80000000, %eax\n movl %eax, %cr0\n"
    "movl 0xfee00030, %eax\n andl $0xff00ff, %eax\n movl %eax, RES + 12\n"
    "movl %cr0, %eax\n andl $0x7fffffff, %eax\n movl %eax, %cr0\n"
    /* PAE: the pointers at 0xd000 name the kit's own directories. */
    "movl %cr4, %eax\n orl $0x20, %eax\n movl %eax, %cr4\n"
    "movl $0xd000, %eax\n movl %eax, %cr3\n"
    "movl %cr0, %eax\n orl $0x80000000, %eax\n movl %eax, %cr0\n"
    "movl 0xfee00030, %eax\n andl $0xff00ff, %eax\n movl %eax, RES + 16\n"
    "movl %cr0, %eax\n andl $0x7fffffff, %eax\n movl %eax, %cr0\n"
    /* 16-bit protected mode, then real mode. */
    "ljmp $0x40, $(LOW + protected16 - low_begin)\n"
    ".code16\nprotected16:\n"
    "movl $0xfee00030, %ebx\n movl (%ebx), %eax\n andl $0xff00ff, %eax\n movl %eax, RES + 20\n"
    "movw $0x48, %ax\n movw %ax, %ds\n movw %ax, %es\n movw %ax, %ss\n"
    "lidtw LOW + ivt_pointer - low_begin\n"
    "movl %cr0, %eax\n andl $~1, %eax\n movl %eax, %cr0\n"
    "ljmpw $0x800, $(real - low_begin)\n"
    "real:\n"
    "xorw %ax, %ax\n movw %ax, %ds\n movw %ax, %es\n movw %ax, %ss\n movw $0xb000, %sp\n"
    "movl $0x1234, RES + 24\n"
    "int $0x60\n"
    "xorw %dx, %dx\n xorw %cx, %cx\n divw %cx\n"
    "movw $0x1234, %dx\n movl $0, %eax\n inw %dx, %ax\n movl %eax, RES + 36\n"
    "movw $RES + 40, %di\n movl $0, (%di)\n movb $0x62, %al\n stosb\n movb $0x61, %al\n stosb\n"
    /* Back: protected, then long. */
    "lgdtl LOW + gdt_pointer - low_begin\n"
    "movl %cr0, %eax\n orl $1, %eax\n movl %eax, %cr0\n"
    "ljmpl $0x08, $(LOW + back - low_begin)\n"
    "real_60: movl $0x77, RES + 28\n iretw\n"
    "real_de: movl $0xde, RES + 32\n pushw %bp\n movw %sp, %bp\n addw $2, 2(%bp)\n popw %bp\n iretw\n"
    ".code32\nback:\n"
    "movl $0x10, %eax\n movl %eax, %ds\n movl %eax, %es\n movl %eax, %ss\n"
    "movl %cr4, %eax\n orl $0x20, %eax\n movl %eax, %cr4\n"
    "movl LOW + root - low_begin, %eax\n movl %eax, %cr3\n"
    "movl $0xc0000080, %ecx\n rdmsr\n orl $0x100, %eax\n wrmsr\n"
    "movl %cr0, %eax\n orl $0x80000000, %eax\n movl %eax, %cr0\n"
    "ljmp $0x18, $(LOW + long_again - low_begin)\n"
    "pm_80: movl $0x80, RES + 44\n iretl\n"
    "pm_ud: movl $6, RES + 48\n addl $2, (%esp)\n iretl\n"
    ".code64\nlong_again:\n"
    "movq LOW + saved - low_begin, %rsp\n"
    "movl $1, RES + 52\n"
    "ret\n"
    ".balign 8\nsaved: .quad 0\nroot: .long 0\nidt32_pointer: .word 0x407\n .long 0x9000\nivt_pointer: .word 0x3ff\n .long 0\n"
    "gdt_pointer: .word 79\n gdt_base: .long 0\n"
    "low_end:\n .popsection");
extern char low_begin[], low_end[], root[], gdt_base[], real_60[], real_de[], pm_80[], pm_ud[];
u64 entry = LOW;
#define AT_LOW(label) (LOW + (u64)(label) - (u64)low_begin)

static void gate32(unsigned vector, u64 handler) { write64(0x9000 + 8 * vector, (handler & 0xffff) | CODE32 << 16 | 0x8e00ul << 32 | (handler >> 16) << 48); }

void guest_main(void) {
    static const char *const what[WORDS] = {"compatibility mode", "16-bit compatibility mode", "protected mode", "32-bit paging", "PAE paging", "16-bit protected mode",
                                            "real mode", "INT in real mode", "#DE in real mode", "a port in real mode", "a string in real mode", "INT in protected mode", "#UD in protected mode", "back in long mode"};
    const u32 version = lapic(LAPIC_VERSION) & 0xff00ff;
    for (const char *from = low_begin; from != low_end; ++from) write8(LOW + (u64)(from - low_begin), (u8)*from);
    for (u64 at = RESULTS; at < RESULTS + 4 * WORDS; at += 4) write32(at, 0);
    for (u64 at = 0x9000; at < 0x9408; at += 8) write64(at, 0);
    gate32(0x80, AT_LOW(pm_80));
    gate32(UD, AT_LOW(pm_ud));
    volatile u64 table = 0; /* which GCC must not see */
    write32(table + 4 * 0x60, (u32)AT_LOW(real_60));
    write32(table, (u32)AT_LOW(real_de));
    for (u64 i = 0; i < 1024; ++i) write32(0xc000 + 4 * i, (u32)(i << 22 | 0x87));
    const u64 *pointers = table_below(&boot_pml4[0]);
    for (u64 i = 0; i < 4; ++i) write64(0xd000 + 8 * i, (pointers[i] & ~0xffful) | 1);
    write32(AT_LOW(root), (u32)(u64)boot_pml4);
    write32(AT_LOW(gdt_base), (u32)(u64)cpus[0].gdt);
    irq_off();
    for (unsigned round = 0; round < 3; ++round) {
        __asm__ volatile("call *entry(%%rip)" : : : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory");
        load_idt((u64)idt, sizeof idt - 1);
        for (unsigned i = 0; i < WORDS; ++i) {
            const u32 expected = wanted[i] == 0x50014 ? version : wanted[i] == 0x14 ? version & 0xff : wanted[i], got = read32(RESULTS + 4 * i);
            if (got != expected) fail(name, "%s: %x, not %x", what[i], (u64)got, (u64)expected);
            write32(RESULTS + 4 * i, 0);
        }
        cpus[0].gdt[6] &= ~(2ul << 40);
        __asm__ volatile("ltr %w0" : : "r"(TASK) : "memory");
    }
    pass(name);
}
