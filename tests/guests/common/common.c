/* What common.h promises. */
#include "common.h"

struct trap_note noted;
volatile bool traps_expected;
extern char __free_start[];

static void put_number(u64 value, unsigned base) {
    char digits[24];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n) put_char(digits[--n]);
}

static void say_list(const char *format, va_list args) {
    for (; *format; ++format) {
        if (*format != '%') {
            if (*format == '\n') put_char('\r');
            put_char(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            for (const char *s = va_arg(args, const char *); *s; ++s) put_char(*s);
            break;
        case 'd': {
            i64 v = va_arg(args, i64);
            if (v < 0) put_char('-');
            put_number(v < 0 ? -(u64)v : (u64)v, 10);
            break;
        }
        case 'u': put_number(va_arg(args, u64), 10); break;
        case 'x': put_number(va_arg(args, u64), 16); break;
        case 'c': put_char((char)va_arg(args, int)); break;
        default: put_char('%'); return;
        }
    }
}

void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    say_list(format, args);
    va_end(args);
}

void pass(const char *name) {
    say("PASS %s\n", name);
    power_off();
}

void fail(const char *name, const char *format, ...) {
    va_list args;
    say("FAIL %s ", name);
    va_start(args, format);
    say_list(format, args);
    va_end(args);
    say("\n");
    power_off();
}

void expect_traps(bool on) {
    clear_note();
    traps_expected = on;
}

void clear_note(void) { noted = (struct trap_note){0}; }

void *new_page(void) {
    static u64 used;
    u8 *page = (u8 *)__free_start + PAGE * used++;
    for (u64 i = 0; i < PAGE; i += 8) *(volatile u64 *)(page + i) = 0;
    return page;
}

u64 next_random(u64 *state) {
    *state = *state * 6364136223846793005ul + 1442695040888963407ul;
    u64 x = *state ^ (*state >> 29);
    return x * 0x9e3779b97f4a7c15ul;
}

/* GCC calls these even in freestanding code. */
void *memset(void *to, int value, size_t n) {
    for (volatile u8 *p = to; n; --n) *p++ = (u8)value;
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    volatile u8 *d = to;
    for (const u8 *s = from; n; --n) *d++ = *s++;
    return to;
}
