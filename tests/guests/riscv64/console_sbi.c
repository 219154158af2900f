/* Console through firmware: legacy putchar and getchar, and DBCN where there is one, with buffers that
   end at a page, cross one, or are not memory. */
#include "guest.h"

static const char name[] = "console_sbi";

static void put_text(const char *text) {
    for (; *text; ++text) sbi(1, 0, (u64)*text, 0, 0, 0, 0);
}

static void debug_console(void) {
    char *page = new_page();
    char *second = new_page();
    if (second != page + PAGE) fail(name, "pages are apart");
    static const char text[] = "written across two pages\r\n";
    char *at = page + PAGE - 10;
    for (unsigned i = 0; i < sizeof text; ++i) at[i] = text[i];
    for (u64 left = sizeof text - 1; left;) {
        struct sbi_result r = sbi(SBI_DBCN, 0, left, (u64)at, 0, 0, 0);
        if (r.error || r.value < 0 || (u64)r.value > left) fail(name, "DBCN write: %d %d", r.error, r.value);
        at += r.value;
        left -= (u64)r.value;
    }
    struct sbi_result r = sbi(SBI_DBCN, 2, '!', 0, 0, 0, 0);
    if (r.error) fail(name, "DBCN write byte: %d", r.error);
    put_text("\r\n");
    r = sbi(SBI_DBCN, 0, 0, (u64)page, 0, 0, 0);
    if (r.error || r.value) fail(name, "DBCN write of nothing: %d %d", r.error, r.value);
    r = sbi(SBI_DBCN, 0, 16, UNMAPPED, 0, 0, 0);
    if (!r.error) fail(name, "DBCN writes from %x", UNMAPPED);
    r = sbi(SBI_DBCN, 0, ~0ul, (u64)page, 0, 0, 0);
    if (!r.error && r.value == -1) fail(name, "DBCN writes more than there is");
    r = sbi(SBI_DBCN, 0, 16, (u64)page, 1, 0, 0);
    if (!r.error) fail(name, "DBCN writes from above 2^64");
    r = sbi(SBI_DBCN, 1, 16, UNMAPPED, 0, 0, 0);
    if (!r.error && r.value) fail(name, "DBCN reads to %x", UNMAPPED);
    r = sbi(SBI_DBCN, 1, 16, (u64)page, 0, 0, 0);
    if (r.error || r.value > 16) fail(name, "DBCN read: %d %d", r.error, r.value);
}

void guest_main(void) {
    put_text("legacy console\r\n");
    const i64 byte = sbi(2, 0, 0, 0, 0, 0, 0).error;
    if (byte != -1) say("a byte was waiting: %d\n", byte);
    if (sbi(SBI_BASE, 3, SBI_DBCN, 0, 0, 0, 0).value) debug_console();
    else say("no debug console\n");
    pass(name);
}
