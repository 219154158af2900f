/* The kit of the aarch64 guests: registers, PSCI, exceptions, CPUs, the interrupt controller, tables. */
#pragma once

#include "common.h"

#define GICD_BASE 0x08000000ul
#define GICD_BYTES 0x10000ul
#define GICC_BASE 0x08010000ul
#define GICC_BYTES 0x2000ul
#define GICR_BASE 0x080a0000ul
#define GICR_STRIDE 0x20000ul
#define UART_BASE 0x09000000ul
#define UART_BYTES 0x1000ul
#define RTC_BASE 0x09010000ul
#define RTC_BYTES 0x1000ul
#define RAM_BASE 0x40000000ul
/* Nothing is here on the virt machines. */
#define UNMAPPED 0x0b000000ul

#define VIRTUAL_TIMER 27u
#define PHYSICAL_TIMER 30u
#define UART_IRQ 33u
#define RTC_IRQ 34u
#define SPURIOUS 1023u

#define MAX_CPUS 8u

#define sys_read(reg) ({ u64 v_ = 0; __asm__ volatile("mrs %0, " #reg : "+r"(v_) : : "memory"); v_; })
#define sys_write(reg, value) __asm__ volatile("msr " #reg ", %x0\n\tisb" : : "rZ"((u64)(value)) : "memory")
static inline void isb(void) { __asm__ volatile("isb" : : : "memory"); }
static inline void dsb(void) { __asm__ volatile("dsb sy" : : : "memory"); }
static inline void wfi(void) { __asm__ volatile("wfi" : : : "memory"); }
static inline void irq_on(void) { __asm__ volatile("msr daifclr, #2" : : : "memory"); }
static inline void irq_off(void) { __asm__ volatile("msr daifset, #2" : : : "memory"); }
static inline u64 this_cpu(void) { return sys_read(mpidr_el1) & 0xff; }

/* Instructions with a name, in the guest's text: `(u64)label` is their address. */
#define CODE(label, text) \
    extern char label[]; \
    __asm__(".pushsection .text\n\t.balign 4\n" #label ":\n\t" text "\n\t.popsection")

/* As the loader gave it. */
extern u64 device_tree;

/* PSCI and SMCCC, by HVC and by SMC. Results are as x0 says. */
#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0xc4000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_DENIED (-3)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)
i64 hvc(u64 function, u64 a, u64 b, u64 c);
i64 smc(u64 function, u64 a, u64 b, u64 c);
/* On QEMU's board SMC is undefined, as nobody is above EL1; a hypervisor takes it. */
bool is_bare_qemu(void);

/* What the vectors keep. `kind` is the vector's number: 4 to 7 are synchronous, IRQ, FIQ and SError of EL1, 8 to 11 of EL0.
   A note holds ESR_EL1, FAR_EL1 and ELR_EL1. */
struct frame {
    u64 x[31];
    u64 sp, elr, spsr, esr, far, kind;
};
#define SYNC 4u
#define IRQ 5u
#define USER_SYNC 8u

/* Parts of ESR_EL1. */
#define EC(esr) ((esr) >> 26 & 0x3f)
#define FSC(esr) ((esr) & 0x3f)
#define WNR(esr) ((esr) >> 6 & 1)
#define EC_UNKNOWN 0x00u
#define EC_FP 0x07u
#define EC_SVC 0x15u
#define EC_SYSTEM 0x18u
#define EC_FETCH_USER 0x20u
#define EC_FETCH 0x21u
#define EC_PC 0x22u
#define EC_DATA_USER 0x24u
#define EC_DATA 0x25u
#define EC_BRK 0x3cu
#define FSC_EXTERNAL 0x10u
#define FSC_ALIGNMENT 0x21u
/* Plus the level of the walk. */
#define FSC_ADDRESS_SIZE 0x00u
#define FSC_TRANSLATION 0x04u
#define FSC_ACCESS_FLAG 0x08u
#define FSC_PERMISSION 0x0cu
#define FSC_EXTERNAL_WALK 0x14u

/* EL0: runs from `entry` with x0 = argument until any synchronous exception, which user_stop then holds;
   returns EL0's x0. */
struct user_stop {
    volatile u64 esr, far, elr;
};
extern struct user_stop user_stop;
u64 run_user(u64 entry, u64 argument);
/* For a guest's own guest_trap(): ends run_user() at an exception of EL0. */
bool handle_user(struct frame *frame);

/* CPUs. secondary_main() is what a started CPU runs; the kit's own one turns the CPU off at once. */
void secondary_main(u64 cpu);
i64 start_cpu(u64 cpu);
void wait_until_off(u64 cpu);
/* How many CPUs the firmware knows; they are numbered from 0, and 0 boots. */
unsigned count_cpus(void);

/* The interrupt controller, GICv2 or GICv3 as its identification registers say. */
unsigned gic_version(void);
/* On each CPU that takes interrupts; on CPU 0 first. */
void gic_init(void);
/* The base of the register bank that holds `intid`: distributor or this CPU's redistributor. */
u64 gic_bank(unsigned intid);
void gic_enable(unsigned intid, u8 priority);
void gic_disable(unsigned intid);
void gic_configure_edge(unsigned intid, bool edge);
void gic_set_pending(unsigned intid);
bool gic_is_pending(unsigned intid);
bool gic_is_active(unsigned intid);
/* The acknowledge register's value, which gic_end() wants back; its number is gic_intid(). */
u32 gic_acknowledge(void);
static inline unsigned gic_intid(u32 acknowledged) { return acknowledged & (gic_version() == 2 ? 0x3ff : 0xffffff); }
void gic_end(u32 acknowledged);
void gic_set_mask(u8 priority);
void gic_send(unsigned intid, u64 cpus);
void gic_send_to_others(unsigned intid);

/* Stage 1 with 39-bit addresses: devices at 0 to 1 GiB and RAM at 1 to 2 GiB, where they are. */
#define PTE_VALID 1ul
#define PTE_TABLE 3ul
#define PTE_PAGE 3ul
#define PTE_NORMAL (1ul << 2)
#define PTE_USER (1ul << 6)
#define PTE_READ_ONLY (1ul << 7)
#define PTE_SHARED (3ul << 8)
#define PTE_ACCESSED (1ul << 10)
#define PTE_NOT_GLOBAL (1ul << 11)
#define PTE_PXN (1ul << 53)
#define PTE_UXN (1ul << 54)
#define PTE_RAM (PTE_NORMAL | PTE_SHARED | PTE_ACCESSED)
/* A root with the identity map. */
u64 *identity_root(void);
void mmu_on(const u64 *low_root, const u64 *high_root);
void mmu_off(void);
void flush_tlb(void);
/* Makes `bytes` of code at `address` visible to fetches. */
void flush_code(u64 address, u64 bytes);
