/* The kit of the riscv64 guests: registers, SBI, traps, harts. */
#pragma once

#include "common.h"

#define UART_BASE 0x10000000ul
#define UART_BYTES 0x100ul
#define RTC_BASE 0x101000ul
#define RTC_BYTES 0x1000ul
#define PLIC_BASE 0xc000000ul
#define PLIC_BYTES 0x600000ul
#define UART_IRQ 10u
/* Nothing is here on the virt machines. */
#define UNMAPPED 0x8000000ul

#define MAX_HARTS 8u

#define SSTATUS_SIE (1ul << 1)
#define SSTATUS_SPIE (1ul << 5)
#define SSTATUS_SPP (1ul << 8)
#define SSTATUS_FS (3ul << 13)
#define SSTATUS_SUM (1ul << 18)
#define SSTATUS_MXR (1ul << 19)
#define SIE_SSIE (1ul << 1)
#define SIE_STIE (1ul << 5)
#define SIE_SEIE (1ul << 9)
#define INTERRUPT (1ul << 63)

#define csr_read(csr) ({ u64 v_; __asm__ volatile("csrr %0, " #csr : "=r"(v_) : : "memory"); v_; })
#define csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" : : "rK"((u64)(value)) : "memory")
#define csr_set(csr, bits) __asm__ volatile("csrs " #csr ", %0" : : "rK"((u64)(bits)) : "memory")
#define csr_clear(csr, bits) __asm__ volatile("csrc " #csr ", %0" : : "rK"((u64)(bits)) : "memory")

/* As the firmware gave them. */
extern u64 boot_hart;
extern u64 device_tree;

/* SBI. */
#define SBI_BASE 0x10ul
#define SBI_TIME 0x54494d45ul
#define SBI_IPI 0x735049ul
#define SBI_RFENCE 0x52464e43ul
#define SBI_HSM 0x48534dul
#define SBI_SRST 0x53525354ul
#define SBI_DBCN 0x4442434eul
#define SBI_NOT_SUPPORTED (-2)
#define SBI_INVALID_PARAM (-3)
#define SBI_ALREADY_AVAILABLE (-6)
struct sbi_result {
    i64 error;
    i64 value;
};
struct sbi_result sbi(u64 extension, u64 function, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);
static inline void set_timer(u64 deadline) { sbi(SBI_TIME, 0, deadline, 0, 0, 0, 0); }

/* What the trap entry keeps. A note holds scause, stval and sepc. */
struct frame {
    u64 x[32];
    u64 sepc, scause, stval, sstatus;
};

/* Harts. secondary_main() is what a started hart runs; the kit's own one stops the hart at once. */
void secondary_main(u64 hart);
i64 start_hart(u64 hart);
/* Numbers of all harts that the firmware knows, the boot hart first; returns how many. */
unsigned find_harts(u64 harts[MAX_HARTS]);
