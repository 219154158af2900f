/* The kit of guest.h: console, exceptions, descriptors, tables. */
#include "guest.h"

u64 start_info __attribute__((section(".data")));
struct user_stop user_stop;
struct cpu cpus[MAX_CPUS] __attribute__((aligned(16)));
struct gate idt[256] __attribute__((aligned(16)));

/* Bounded, so that a UART in a strange state does not hang a guest. */
void put_char(char c) {
    for (unsigned i = 0; i < 100000 && !(in8(UART_PORT + 5) & 0x20); ++i) {}
    out8(UART_PORT, (u8)c);
}

void uart_reset(void) {
    out8(UART_PORT + 3, 3);
    out8(UART_PORT + 1, 0);
    out8(UART_PORT + 2, 1);
    out8(UART_PORT + 4, 0xb);
}

/* PM1a control: SLP_EN with S5's type, and with the type that QEMU's PC has. */
void power_off(void) {
    irq_off();
    out16(PM_PORT + 4, 5 << 10 | 1 << 13);
    out16(PM_PORT + 4, 1 << 13);
    for (volatile u64 i = 0; i < 100000000; ++i) {} /* QEMU ends when it comes to it */
    say("FAIL kit the machine does not power off\n");
    for (;;) hlt();
}

struct fixup {
    u64 begin, end;
};
extern const struct fixup __fixup_start[], __fixup_end[];

static bool skip(struct frame *frame) {
    for (const struct fixup *f = __fixup_start; f != __fixup_end; ++f)
        if (frame->rip >= f->begin && frame->rip < f->end) {
            frame->rip = f->end;
            return true;
        }
    return false;
}

extern char pvh_start[], __free_start[];

bool handle_expected(struct frame *frame) {
    if (!traps_expected || frame->vector >= 32 || frame->vector == NMI) return false;
    const bool is_fetch = frame->rip < (u64)pvh_start || frame->rip >= (u64)__free_start;
    const struct frame before = *frame;
    if (!skip(frame) && !is_fetch) return false;
    noted.count++;
    noted.cause = frame->vector | frame->error << 8;
    noted.value = frame->vector == PF ? cr_read(2) : 0;
    noted.pc = before.rip;
    if (frame->rip != before.rip) return true;
    /* A fetch that failed can only be left to where the call came from. */
    frame->rip = *(u64 *)frame->rsp;
    frame->rsp += 8;
    return true;
}

extern char user_return[];
extern u64 kernel_rsp;

bool handle_user(struct frame *frame) {
    if ((frame->cs & 3) != 3) return false;
    user_stop.cause = frame->vector | frame->error << 8;
    user_stop.value = frame->vector == PF ? cr_read(2) : 0;
    user_stop.rip = frame->rip;
    frame->rip = (u64)user_return;
    frame->cs = CODE64;
    frame->ss = DATA;
    frame->rsp = kernel_rsp;
    frame->rflags = 2;
    return true;
}

__attribute__((weak)) void guest_trap(struct frame *frame) {
    if (handle_user(frame) || handle_expected(frame)) return;
    fail("kit", "trap vector=%u error=%x rip=%x cr2=%x rsp=%x", frame->vector, frame->error, frame->rip, cr_read(2), frame->rsp);
}

void expect_exception(const char *name, const char *what, u64 vector, u64 error) {
    if (noted.count != 1) fail(name, "%s: %u exceptions, last %u with error %x", what, noted.count, VECTOR(noted.cause), ERROR(noted.cause));
    if (VECTOR(noted.cause) != vector || ERROR(noted.cause) != error)
        fail(name, "%s: exception %u with error %x, not %u with %x", what, VECTOR(noted.cause), ERROR(noted.cause), vector, error);
    clear_note();
}

void expect_none(const char *name, const char *what) {
    if (noted.count) fail(name, "%s: exception %u with error %x at %x", what, VECTOR(noted.cause), ERROR(noted.cause), noted.pc);
}

void set_gate(unsigned vector, u64 handler, u8 ist, u8 type) {
    idt[vector] = (struct gate){(u16)handler, CODE64, ist, type, (u16)(handler >> 16), (u32)(handler >> 32), 0};
}

struct __attribute__((packed)) pointer {
    u16 limit;
    u64 base;
};

void load_idt(u64 base, u16 limit) {
    const struct pointer p = {limit, base};
    __asm__ volatile("lidt %0" : : "m"(p) : "memory");
}

extern char vectors[];

/* Descriptors, task state and vectors of the CPU that runs this. */
static void cpu_init(u64 number) {
    struct cpu *cpu = &cpus[number % MAX_CPUS];
    const u64 task = (u64)&cpu->tss;
    const u64 gdt[10] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff,
                         0x0000890000000067 | (task & 0xffffff) << 16 | (task >> 24 & 0xff) << 56, task >> 32,
                         0x00009b000000ffff, 0x000093000000ffff};
    for (unsigned i = 0; i < 10; ++i) cpu->gdt[i] = gdt[i];
    cpu->tss = (struct tss){0};
    cpu->tss.rsp[0] = (u64)cpu->trap_stack + sizeof cpu->trap_stack;
    for (unsigned i = 0; i < 3; ++i) cpu->tss.ist[i] = (u64)cpu->ist_stacks[i] + sizeof cpu->ist_stacks[i];
    cpu->tss.io_bitmap = sizeof cpu->tss;
    const struct pointer p = {sizeof cpu->gdt - 1, (u64)cpu->gdt};
    __asm__ volatile("lgdt %0\n\tltr %w1" : : "m"(p), "r"(TASK) : "memory");
    load_idt((u64)idt, sizeof idt - 1);
}

static volatile u8 off[MAX_CPUS];

__attribute__((noreturn)) void kit_start(void) {
    /* Double faults and NMIs have stacks of their own; INT 0x80 is for ring 3 too. */
    for (unsigned v = 0; v < 256; ++v) set_gate(v, (u64)vectors + 16 * v, v == DF ? 1 : v == NMI ? 2 : 0, v == 0x80 ? 0xee : GATE_INTERRUPT);
    for (unsigned n = 1; n < MAX_CPUS; ++n) off[n] = 1;
    cpu_init(0);
    uart_reset();
    guest_main();
    fail("start", "guest_main returned");
}

__attribute__((weak)) void secondary_main(u64 cpu) { (void)cpu; }

__attribute__((noreturn)) void secondary_start(u64 cpu) {
    cpu_init(cpu);
    secondary_main(cpu);
    cpu_off();
}

__attribute__((noreturn)) void cpu_off(void) {
    irq_off();
    off[this_cpu()] = 1;
    for (;;) hlt();
}

extern char trampoline[], trampoline_end[];
#define TRAMPOLINE 0x8000ul

void start_cpu(u64 cpu) {
    static bool copied;
    for (char *from = trampoline; !copied && from != trampoline_end; ++from) write8(TRAMPOLINE + (u64)(from - trampoline), (u8)*from);
    copied = true;
    off[cpu] = 0;
    ipi(cpu, IPI_INIT);
    for (volatile unsigned i = 0; i < 1000; ++i) {}
    ipi(cpu, IPI_STARTUP | TRAMPOLINE >> 12);
}

u16 count_real_mode_entries(void) { return *(volatile u16 *)(TRAMPOLINE + (u64)(trampoline_end - trampoline) - 2); }

bool is_off(u64 cpu) { return off[cpu]; }

void wait_until_off(u64 cpu) {
    for (u64 i = 0; !off[cpu]; ++i) {
        if (i > 100000000) fail("kit", "CPU %u never stops", cpu);
        pause();
    }
}

u64 *identity_root(void) {
    u64 *root = new_page();
    root[0] = boot_pml4[0];
    return root;
}

u64 *table_below(u64 *entry) {
    if (!(*entry & PTE_PRESENT)) *entry = (u64)new_page() | PTE_ALL;
    return (u64 *)(*entry & 0xffffffffff000);
}

void map_page(u64 *root, u64 linear, u64 physical, u64 bits) {
    u64 *pointers = table_below(&root[linear >> 39 & 511]);
    u64 *directory = table_below(&pointers[linear >> 30 & 511]);
    u64 *table = table_below(&directory[linear >> 21 & 511]);
    table[linear >> 12 & 511] = physical | bits;
}
