/* Loads and stores of every width, register and addressing form on device registers: the register gets exactly the value,
   extended as the instruction says, no other register changes, and a base moves as written. */
#include "guest.h"

static const char name[] = "mmio_widths";

/* A 32-bit register that keeps all that is written, while the timer is masked; and one of 8 bits that takes every width. */
#define WORD (LAPIC_BASE + LAPIC_INITIAL)
#define SELECT IOAPIC_BASE
/* The local APIC's page once more, near the guest's code: 0x40000380 is WORD. */
#define NEAR 0x40000000ul

static void expect(const char *what, u64 got, u64 wanted) {
    if (got != wanted) fail(name, "%s: %x, not %x", what, got, wanted);
}

#define LOADED(text, address) \
    ({ u64 v_ = 0x5a5a5a5a5a5a5a5a; __asm__ volatile(text : "+r"(v_) : "r"(address) : "memory"); v_; })
#define STORED(text, value, address) __asm__ volatile(text : : "r"((u64)(value)), "r"(address) : "memory")

static void sign_and_size(void) {
    STORED("movl %k0, (%1)", 0xdead0000d0c0b0a0, WORD);
    expect("movl", LOADED("movl (%1), %k0", WORD), 0xd0c0b0a0);
    expect("movslq", LOADED("movslq (%1), %0", WORD), 0xffffffffd0c0b0a0);
    expect("movb", LOADED("movb 1(%1), %b0", WORD), 0x5a5a5a5a5a5a5ab0);
    expect("movw", LOADED("movw 2(%1), %w0", WORD), 0x5a5a5a5a5a5ad0c0);
    expect("movzbl", LOADED("movzbl 3(%1), %k0", WORD), 0xd0);
    expect("movzbw", LOADED("movzbw 3(%1), %w0", WORD), 0x5a5a5a5a5a5a00d0);
    expect("movzwl", LOADED("movzwl (%1), %k0", WORD), 0xb0a0);
    expect("movzbq", LOADED("movzbq (%1), %0", WORD), 0xa0);
    expect("movsbw", LOADED("movsbw (%1), %w0", WORD), 0x5a5a5a5a5a5affa0);
    expect("movsbl", LOADED("movsbl 1(%1), %k0", WORD), 0xffffffb0);
    expect("movsbq", LOADED("movsbq 2(%1), %0", WORD), 0xffffffffffffffc0);
    expect("movswl", LOADED("movswl (%1), %k0", WORD), 0xffffb0a0);
    expect("movswq", LOADED("movswq 2(%1), %0", WORD), 0xffffffffffffd0c0);
    __asm__ volatile("movl $0x12345678, (%0)" : : "r"(WORD) : "memory");
    expect("movl $", LOADED("movl (%1), %k0", WORD), 0x12345678);
    /* Other widths than 4 are no writes to a local APIC. */
    STORED("movb %b0, (%1)", 0x11, WORD);
    STORED("movw %w0, (%1)", 0x1111, WORD);
    STORED("movq %0, (%1)", 0x1111, WORD);
    __asm__ volatile("movb $1, (%0)\n\tmovw $1, (%0)\n\tmovq $-1, (%0)" : : "r"(WORD) : "memory");
    expect("after other widths", LOADED("movl (%1), %k0", WORD), 0x12345678);
    expect("movq", LOADED("movq (%1), %0", WORD), 0);
    /* The I/O APIC's selector takes all. */
    STORED("movb %b0, (%1)", 0x1121, SELECT);
    expect("movb to the selector", LOADED("movl (%1), %k0", SELECT), 0x21);
    STORED("movw %w0, (%1)", 0x3322, SELECT);
    expect("movw to the selector", LOADED("movzwl (%1), %k0", SELECT), 0x22);
    STORED("movl %k0, (%1)", 0x55443323, SELECT);
    expect("movl to the selector", LOADED("movzbl (%1), %k0", SELECT), 0x23);
    __asm__ volatile("movb $0x3f, (%0)" : : "r"(SELECT) : "memory");
    expect("movb $ to the selector", LOADED("movl (%1), %k0", SELECT), 0x3f);
    u64 high = 0x4433;
    __asm__ volatile("movb %%ah, (%1)\n\tmovl (%1), %%edx" : "+a"(high) : "r"(SELECT) : "rdx", "memory");
    expect("movb ah", LOADED("movl (%1), %k0", SELECT), 0x44);
    high = 0x5a5a5a5a5a5a5a5a;
    __asm__ volatile("movb (%1), %%bh" : "+b"(high) : "r"(SELECT) : "memory");
    expect("movb to bh", high, 0x5a5a5a5a5a5a445a);
}

static void addressing(void) {
    const u64 minus_two = (u64)-2, four = 4, base = LAPIC_BASE;
    u64 v;
    write32(WORD, 0x40302010);
#define AT(text, ...) \
    v = 0x5a5a5a5a5a5a5a5a; \
    __asm__ volatile(text : "+a"(v) : __VA_ARGS__ : "memory"); \
    expect(text, v, 0x40302010)
    AT("movl 0x380(%1), %k0", "r"(base));
    AT("movl -8(%1), %k0", "r"(WORD + 8));
    AT("movl (%1,%2,4), %k0", "r"(WORD - 16), "r"(four));
    AT("movl 8(%1,%2,4), %k0", "r"(WORD), "r"(minus_two));
    AT("movl -0x80000000(,%1,8), %k0", "r"((WORD + 0x80000000) / 8));
    AT("movl (%1,%1), %k0", "r"(WORD / 2));
    AT("addr32 movl (%k1), %k0", "r"(WORD | 0xabcdul << 32));
    AT("addr32 movl 4(%k1,%k2,2), %k0", "r"(WORD), "r"(minus_two));
    AT("movabsl 0xfee00380, %%eax", "r"(0ul));
    AT("movl near_initial_count(%%rip), %k0", "r"(0ul));
    wrmsr(0xc0000101, LAPIC_BASE - 0x1000);
    AT("movl %%gs:0x1380, %k0", "r"(0ul));
    AT("movl %%gs:0x1000(%1), %k0", "r"(0x380ul));
    wrmsr(0xc0000101, 0);
    wrmsr(0xc0000100, LAPIC_BASE + 0x10);
    AT("movl %%fs:-16(%1), %k0", "r"(0x380ul));
    wrmsr(0xc0000100, 0);
    /* By RSP and RBP, whose encodings differ. */
    v = 0;
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %1, %%rsp\n\tmovl 0x80(%%rsp), %k0\n\tmovq %%rbx, %%rsp" : "+a"(v) : "r"(WORD - 0x80) : "rbx", "memory");
    expect("by rsp", v, 0x40302010);
    v = 0;
    __asm__ volatile("movq %%rbp, %%rbx\n\tmovq %1, %%rbp\n\tmovl (%%rbp), %k0\n\tmovq %%rbx, %%rbp" : "+a"(v) : "r"(WORD) : "rbx", "memory");
    expect("by rbp", v, 0x40302010);
    v = 0;
    __asm__ volatile("movq %1, %%r12\n\tmovq %1, %%r13\n\tmovl (%%r12), %k0\n\taddl (%%r13), %k0" : "+a"(v) : "r"(WORD) : "r12", "r13", "memory");
    expect("by r12 and r13", v, 0x80604020);
}

/* For N: load_into_N(address) returns what a load delivers into a register of ones, store_from_N(address, value) stores it. */
__asm__(".pushsection .text\n"
        ".macro with_register n\n"
        "load_into_\\n: pushq %rbx\n pushq %rbp\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
        ".ifc \\n,rdi\n movq %rdi, %rsi\n movq $-1, %rdi\n movslq (%rsi), %rdi\n .else\n movq $-1, %\\n\n movslq (%rdi), %\\n\n .endif\n"
        " movq %\\n, %rax\n popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbp\n popq %rbx\n ret\n"
        "store_from_\\n: pushq %rbx\n pushq %rbp\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
        ".ifc \\n,rdi\n movq %rdi, %rax\n movq %rsi, %rdi\n .set store_base, 0\n movl %edi, (%rax)\n"
        ".else\n movq %rsi, %\\n\n push %\\n\n popq %\\n\n store_\\n %rdi\n .endif\n"
        " popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbp\n popq %rbx\n ret\n"
        ".endm\n"
        ".macro store_rax b\n movl %eax, (\\b)\n .endm\n .macro store_rcx b\n movl %ecx, (\\b)\n .endm\n"
        ".macro store_rdx b\n movl %edx, (\\b)\n .endm\n .macro store_rbx b\n movl %ebx, (\\b)\n .endm\n"
        ".macro store_rbp b\n movl %ebp, (\\b)\n .endm\n .macro store_rsi b\n movl %esi, (\\b)\n .endm\n"
        ".irp k, 8,9,10,11,12,13,14,15\n .macro store_r\\k b\n movl %r\\k\\()d, (\\b)\n .endm\n .endr\n"
        ".irp k, rax,rcx,rdx,rbx,rbp,rsi,rdi,r8,r9,r10,r11,r12,r13,r14,r15\n with_register \\k\n .endr\n"
        ".balign 8\nloaders:\n .irp k, rax,rcx,rdx,rbx,rbp,rsi,rdi,r8,r9,r10,r11,r12,r13,r14,r15\n .quad load_into_\\k\n .endr\n"
        "storers:\n .irp k, rax,rcx,rdx,rbx,rbp,rsi,rdi,r8,r9,r10,r11,r12,r13,r14,r15\n .quad store_from_\\k\n .endr\n"
        ".popsection\n");
extern u64 (*const loaders[15])(u64);
extern void (*const storers[15])(u64, u64);

static void each_register(void) {
    for (u64 n = 0; n < 15; ++n) {
        storers[n](WORD, 0xffffffff80000000 + n);
        expect("a store from a register", read32(WORD), 0x80000000 + n);
        expect("a load into a register", loaders[n](WORD), 0xffffffff80000000 + n);
    }
    u64 v, sp_value;
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovl (%2), %%esp\n\tmovq %%rsp, %0\n\tmovl $0x1234, %%esp\n\tmovl %%esp, (%2)\n\tmovq %%rbx, %%rsp\n\tmovl (%2), %k1"
                     : "=&r"(sp_value), "=&r"(v) : "r"(WORD) : "rbx", "memory");
    expect("a load into rsp", sp_value, 0x8000000e);
    expect("a store from rsp", v, 0x1234);
}

static void strings(void) {
    u32 words[4] = {1, 2, 3, 4};
    u64 from, to, left;
    write32(WORD, 77);
    /* Into memory from 16 bytes of the device: the register, and what lies behind it. */
    from = WORD, to = (u64)words, left = 2;
    __asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(left) : : "memory");
    if (words[0] != 77 || words[1] != 0 || words[2] != 3 || from != WORD + 8 || to != (u64)&words[2] || left) fail(name, "rep movsl from the device: %x %x", (u64)words[0], (u64)words[1]);
    words[0] = 99;
    from = (u64)words, to = WORD;
    __asm__ volatile("movsl" : "+S"(from), "+D"(to) : : "memory");
    if (read32(WORD) != 99 || from != (u64)&words[1] || to != WORD + 4) fail(name, "movsl to the device");
    from = WORD, to = SELECT;
    __asm__ volatile("std\n\tmovsl\n\tcld" : "+S"(from), "+D"(to) : : "memory");
    if (read32(SELECT) != 99 || from != WORD - 4 || to != SELECT - 4) fail(name, "movsl from device to device, downwards");
    from = WORD;
    u64 accumulator = 0x5a5a5a5a5a5a5a5a;
    __asm__ volatile("lodsl" : "+S"(from), "+a"(accumulator) : : "memory");
    if (accumulator != 99 || from != WORD + 4) fail(name, "lodsl: %x at %x", accumulator, from);
    to = WORD, left = 3;
    __asm__ volatile("std\n\trep stosl\n\tcld" : "+D"(to), "+c"(left) : "a"(0xabcd) : "memory");
    if (read32(WORD) != 0xabcd || to != WORD - 12 || left) fail(name, "rep stosl: %x at %x", (u64)read32(WORD), to);
    to = WORD, left = 0;
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(left) : "a"(1) : "memory");
    if (read32(WORD) != 0xabcd || to != WORD) fail(name, "rep stosl of nothing stores");
}

/* Whether a device takes a width or a place across two registers is its own affair; it is never a fault. */
static void odd_widths(void) {
    const u64 places[] = {WORD, WORD + 1, WORD + 2, WORD + 3, WORD + 4, SELECT + 0xd, SELECT + 0xfff, LAPIC_BASE + 0xfff, LAPIC_BASE - 1, IOAPIC_BASE - 3};
    expect_traps(true);
    for (unsigned i = 0; i < sizeof places / sizeof *places; ++i) {
        const u64 at = places[i];
        (void)read8(at), (void)*(volatile u16 *)at, (void)read32(at), (void)read64(at);
        write8(at, 1), *(volatile u16 *)at = 1, write32(at, 1), write64(at, 1);
        expect_none(name, "an odd width");
    }
    expect_traps(false);
}

void guest_main(void) {
    lapic_init();
    lapic_set(LAPIC_LVT_TIMER, LVT_MASKED);
    u64 *pointers = table_below(&boot_pml4[0]), *directory = table_below(&pointers[NEAR >> 30]);
    directory[NEAR >> 21 & 511] = LAPIC_BASE | PTE_ALL | PTE_LARGE;
    load_root(boot_pml4);
    sign_and_size();
    addressing();
    each_register();
    strings();
    odd_widths();
    pass(name);
}
