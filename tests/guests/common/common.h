/* What every guest's kit has on every instruction set: types, memory, console, verdicts, noted traps.
   A guest defines guest_main and ends with pass() or fail(); the last line it prints is the verdict. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

#define PAGE 4096ul

static inline u8 read8(u64 a) { return *(volatile u8 *)a; }
static inline u32 read32(u64 a) { return *(volatile u32 *)a; }
static inline u64 read64(u64 a) { return *(volatile u64 *)a; }
static inline void write8(u64 a, u8 v) { *(volatile u8 *)a = v; }
static inline void write32(u64 a, u32 v) { *(volatile u32 *)a = v; }
static inline void write64(u64 a, u64 v) { *(volatile u64 *)a = v; }

/* Console. say() knows %s, %d (i64), %u (u64), %x (u64) and %c. The kit gives put_char() and uart_reset(). */
void put_char(char c);
void say(const char *format, ...);
void uart_reset(void);

/* Ends: prints the verdict line and powers off. The kit gives power_off(). */
__attribute__((noreturn)) void pass(const char *name);
__attribute__((noreturn)) void fail(const char *name, const char *format, ...);
__attribute__((noreturn)) void power_off(void);

/* Traps. The kit's guest_trap() ends the guest with FAIL unless the trap is expected: between
   expect_traps() and the check, an exception is noted and its instruction skipped. A guest may define
   its own guest_trap() and call handle_expected() from it. */
struct frame;
struct trap_note {
    volatile u64 count, cause, value, pc;
};
extern struct trap_note noted;
extern volatile bool traps_expected;
void guest_trap(struct frame *frame);
bool handle_expected(struct frame *frame);
void expect_traps(bool on);
/* Forgets what was noted. */
void clear_note(void);

/* Zeroed pages behind the guest's image, never given back. */
void *new_page(void);

/* Pseudo-random numbers, the same in every run. */
u64 next_random(u64 *state);

void guest_main(void);
