/* The kit of the x86_64 guests: ports, registers, exceptions, CPUs, the APICs, tables. */
#pragma once

#include "common.h"

#define LAPIC_BASE 0xfee00000ul
#define LAPIC_BYTES 0x1000ul
#define IOAPIC_BASE 0xfec00000ul
#define IOAPIC_BYTES 0x1000ul
#define RAM_BYTES 0x4000000ul
/* Nothing is here on a PC of this size. */
#define UNMAPPED 0xd0000000ul

#define UART_PORT 0x3f8u
#define UART_IRQ 4u
#define PIT_PORT 0x40u
#define CMOS_PORT 0x70u
#define PM_PORT 0x600u
/* No device answers at this one or its neighbours. */
#define NO_PORT 0x1234u

#define MAX_CPUS 8u

static inline u8 in8(u16 port) { u8 v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory"); return v; }
static inline u16 in16(u16 port) { u16 v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory"); return v; }
static inline u32 in32(u16 port) { u32 v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory"); return v; }
static inline void out8(u16 port, u8 v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory"); }
static inline void out16(u16 port, u16 v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory"); }
static inline void out32(u16 port, u32 v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory"); }

#define cr_read(n) ({ u64 v_; __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v_) : : "memory"); v_; })
#define cr_write(n, value) ({ __asm__ volatile("mov %0, %%cr" #n : : "r"((u64)(value)) : "memory"); })
static inline u64 rdmsr(u32 number) {
    u32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number) : "memory");
    return (u64)high << 32 | low;
}
static inline void wrmsr(u32 number, u64 value) {
    __asm__ volatile("wrmsr" : : "c"(number), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
static inline u64 rdtsc(void) {
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (u64)high << 32 | low;
}
struct cpuid {
    u32 eax, ebx, ecx, edx;
};
static inline struct cpuid cpuid(u32 leaf, u32 subleaf) {
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf) : "memory");
    return r;
}
static inline u64 rflags(void) { u64 v; __asm__ volatile("pushfq\n\tpopq %0" : "=r"(v) : : "memory"); return v; }
static inline void hlt(void) { __asm__ volatile("hlt" : : : "memory"); }
static inline void pause(void) { __asm__ volatile("pause" : : : "memory"); }
static inline void irq_on(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void irq_off(void) { __asm__ volatile("cli" : : : "memory"); }
/* Waits for an interrupt that may come already between the two, and masks interrupts again. */
static inline void wait_for_irq(void) { __asm__ volatile("sti\n\thlt\n\tcli" : : : "memory"); }
static inline u32 this_cpu(void) { return read32(LAPIC_BASE + 0x20) >> 24; }

/* Instructions with a name, in the guest's text: `(u64)label` is their address. */
#define CODE(label, text) \
    extern char label[]; \
    __asm__(".pushsection .text\n\t.balign 16\n" #label ":\n\t" text "\n\t.popsection")

/* In a template: an exception of one of the instructions is noted, when it is expected, and the rest of them skipped. */
#define TRY(text) "771: " text "\n772:\n\t.pushsection .fixup, \"a\"\n\t.quad 771b, 772b\n\t.popsection\n\t"

/* Xen's start information, as the loader gave it. */
extern u64 start_info;

/* What the vectors keep. A note holds the vector and the error code in `cause`, CR2 of a page fault in `value`, RIP in `pc`. */
struct frame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    u64 vector, error, rip, cs, rflags, rsp, ss;
};
#define VECTOR(cause) ((cause) & 0xff)
#define ERROR(cause) ((cause) >> 8)
#define DE 0u
#define DB 1u
#define NMI 2u
#define BP 3u
#define OF 4u
#define UD 6u
#define NM 7u
#define DF 8u
#define TS 10u
#define NP 11u
#define SS 12u
#define GP 13u
#define PF 14u
#define MF 16u
#define XM 19u
/* Bits of a page fault's error code. */
#define PF_PRESENT 1u
#define PF_WRITE 2u
#define PF_USER 4u
#define PF_RESERVED 8u
#define PF_FETCH 16u

/* Fails unless exactly one exception with this vector and error code was noted; forgets it. */
void expect_exception(const char *name, const char *what, u64 vector, u64 error);
void expect_none(const char *name, const char *what);

/* Ring 3: runs from `entry` with RDI = argument until any exception, which user_stop then holds; returns ring 3's RAX. INT 0x80
   may be called from there. */
struct user_stop {
    volatile u64 cause, value, rip;
};
extern struct user_stop user_stop;
u64 run_user(u64 entry, u64 argument);
/* For a guest's own guest_trap(): ends run_user() at an exception of ring 3. */
bool handle_user(struct frame *frame);

/* Of each CPU: its descriptors and its task state, with three stacks of the interrupt stack table. */
#define CODE32 0x08u
#define DATA 0x10u
#define CODE64 0x18u
#define USER_DATA 0x23u
#define USER_CODE 0x2bu
#define TASK 0x30u
#define CODE16 0x40u
#define DATA16 0x48u
struct __attribute__((packed)) tss {
    u32 reserved0;
    u64 rsp[3];
    u64 reserved1;
    u64 ist[7];
    u64 reserved2;
    u16 reserved3;
    u16 io_bitmap;
};
struct cpu {
    u64 gdt[10];
    struct tss tss __attribute__((aligned(16)));
    u8 ist_stacks[3][4096] __attribute__((aligned(16)));
    u8 trap_stack[8192] __attribute__((aligned(16)));
};
extern struct cpu cpus[MAX_CPUS];
struct gate {
    u16 offset_low, selector;
    u8 ist, type;
    u16 offset_middle;
    u32 offset_high, reserved;
};
extern struct gate idt[256];
#define GATE_INTERRUPT 0x8eu
#define GATE_TRAP 0x8fu
void set_gate(unsigned vector, u64 handler, u8 ist, u8 type);
void load_idt(u64 base, u16 limit);

/* CPUs. secondary_main() is what a started CPU runs; the kit's own one stops the CPU at once. A CPU that returns, or calls
   cpu_off(), is off: it halts with interrupts masked, until it is started again. */
void secondary_main(u64 cpu);
void start_cpu(u64 cpu);
__attribute__((noreturn)) void cpu_off(void);
bool is_off(u64 cpu);
void wait_until_off(u64 cpu);
/* How many CPUs the firmware's tables name; their APIC IDs are 0, 1 and so on, and 0 boots. */
unsigned count_cpus(void);
/* How often a CPU began in real mode. */
u16 count_real_mode_entries(void);

/* The local APIC: registers by their offset. On each CPU that takes interrupts. */
#define LAPIC_ID 0x20u
#define LAPIC_VERSION 0x30u
#define LAPIC_TPR 0x80u
#define LAPIC_PPR 0xa0u
#define LAPIC_EOI 0xb0u
#define LAPIC_LDR 0xd0u
#define LAPIC_DFR 0xe0u
#define LAPIC_SVR 0xf0u
#define LAPIC_ISR 0x100u
#define LAPIC_IRR 0x200u
#define LAPIC_ESR 0x280u
#define LAPIC_ICR 0x300u
#define LAPIC_ICR_HIGH 0x310u
#define LAPIC_LVT_TIMER 0x320u
#define LAPIC_LVT_LINT0 0x350u
#define LAPIC_LVT_ERROR 0x370u
#define LAPIC_INITIAL 0x380u
#define LAPIC_CURRENT 0x390u
#define LAPIC_DIVIDE 0x3e0u
#define LVT_MASKED 0x10000u
#define SPURIOUS 0xffu
static inline u32 lapic(u32 reg) { return read32(LAPIC_BASE + reg); }
static inline void lapic_set(u32 reg, u32 value) { write32(LAPIC_BASE + reg, value); }
void lapic_init(void);
static inline void lapic_end(void) { lapic_set(LAPIC_EOI, 0); }
bool lapic_is_pending(u8 vector);
/* `command` is ICR's low half. */
void ipi(u64 cpu, u32 command);
#define IPI_NMI 0x400u
#define IPI_INIT 0x4500u
#define IPI_STARTUP 0x4600u
#define IPI_SELF 0x40000u
#define IPI_ALL 0x80000u
#define IPI_OTHERS 0xc0000u

/* Both 8259s masked, the 8254 left alone. */
void pic_off(void);
u32 ioapic(u8 reg);
void ioapic_set(u8 reg, u32 value);
/* Pin to vector at a CPU, edge-triggered, active high. */
void ioapic_route(unsigned pin, u8 vector, u64 cpu);
void ioapic_mask(unsigned pin);

/* Page tables. A root with the kit's identity map of the first 4 GiB in its first entry. */
#define PTE_PRESENT 1ul
#define PTE_WRITE 2ul
#define PTE_USER 4ul
#define PTE_ACCESSED 0x20ul
#define PTE_DIRTY 0x40ul
#define PTE_LARGE 0x80ul
#define PTE_GLOBAL 0x100ul
#define PTE_NO_EXECUTE (1ul << 63)
#define PTE_ALL (PTE_PRESENT | PTE_WRITE | PTE_USER)
extern u64 boot_pml4[512];
u64 *identity_root(void);
/* The table below an entry, made when there is none. */
u64 *table_below(u64 *entry);
/* Maps one page of 4 KiB with these bits of its leaf. */
void map_page(u64 *root, u64 linear, u64 physical, u64 bits);
static inline void load_root(const u64 *root) { cr_write(3, (u64)root); }
static inline void invlpg(u64 linear) { __asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory"); }
