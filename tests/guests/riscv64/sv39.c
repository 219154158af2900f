/* Sv39 in the guest's own hands: page sizes, permissions, SUM and MXR, accessed and dirty bits, user mode,
   ASIDs, fences, accesses across pages, and the exact cause and address of each fault. */
#include "guest.h"

static const char name[] = "sv39";

enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };
#define WINDOW (4ul << 30)     /* test pages, 4 KiB each */
#define MEGA (WINDOW + (2ul << 20))
#define ALL (V | R | W | X | A | D)

static u64 *root, *middle, *leaves;
static u64 *data[8];

static u64 entry(const void *page, u64 bits) { return ((u64)page / PAGE) << 10 | bits; }

static void fence_all(void) { __asm__ volatile("sfence.vma" : : : "memory"); }

/* Maps test page `n` to `page`. */
static u64 map(unsigned n, const void *page, u64 bits) {
    leaves[n] = entry(page, bits);
    const u64 address = WINDOW + n * PAGE;
    __asm__ volatile("sfence.vma %0" : : "r"(address) : "memory");
    return address;
}

static struct { u64 cause, value; } user_stop;

/* Runs code at `entry` in U-mode with a0 = argument until it traps; returns a0 then. */
u64 run_user(u64 entry, u64 argument);
extern char user_return[];
__asm__(
    ".pushsection .data\n .balign 8\n user_kept: .skip 120\n .popsection\n"
    ".pushsection .text\n .balign 4\n"
    "run_user:\n"
    "la t0, user_kept\n"
    "sd ra, 0(t0)\n sd sp, 8(t0)\n sd gp, 16(t0)\n sd tp, 24(t0)\n"
    "sd s0, 32(t0)\n sd s1, 40(t0)\n"
    "csrw sepc, a0\n"
    "li t1, 0x100\n csrc sstatus, t1\n"
    "csrw sscratch, sp\n"
    "mv a0, a1\n"
    "sret\n"
    "user_return:\n"
    "la t0, user_kept\n"
    "ld ra, 0(t0)\n ld sp, 8(t0)\n ld gp, 16(t0)\n ld tp, 24(t0)\n"
    "ld s0, 32(t0)\n ld s1, 40(t0)\n"
    "ret\n"
    ".popsection\n");

void guest_trap(struct frame *frame) {
    if (!(frame->sstatus & SSTATUS_SPP)) {
        user_stop.cause = frame->scause;
        user_stop.value = frame->stval;
        frame->sepc = (u64)user_return;
        frame->sstatus |= SSTATUS_SPP;
        return;
    }
    if (!handle_expected(frame)) fail(name, "trap scause=%x stval=%x sepc=%x", frame->scause, frame->stval, frame->sepc);
}

static void faults(const char *what, u64 cause, u64 address) {
    if (noted.count != 1) fail(name, "%s: %u traps", what, noted.count);
    if (noted.cause != cause) fail(name, "%s: cause %u, not %u", what, noted.cause, cause);
    if (noted.value != address) fail(name, "%s: stval %x, not %x", what, noted.value, address);
    clear_note();
}
static void works(const char *what) {
    if (noted.count) fail(name, "%s: cause %u stval %x", what, noted.cause, noted.value);
}

static void tables(void) {
    root = new_page();
    middle = new_page();
    leaves = new_page();
    for (unsigned i = 0; i < 8; ++i) {
        data[i] = new_page();
        data[i][0] = 0xda7a0000 + i;
    }
    root[0] = entry((void *)0, ALL & ~X);
    root[2] = entry((void *)0x80000000, ALL);
    root[4] = entry(middle, V);
    middle[0] = entry(leaves, V);
    middle[1] = entry((void *)0x80200000, ALL);
    csr_write(satp, 8ul << 60 | (u64)root / PAGE);
    fence_all();
}

static void permissions(void) {
    u64 at = map(1, data[1], V | R | A | D);
    if (read64(at) != 0xda7a0001) fail(name, "a read-only page reads %x", read64(at));
    works("load from a read-only page");
    write64(at + 8, 1);
    faults("store to a read-only page", 15, at + 8);
    ((void (*)(void))at)();
    faults("fetch from a page without X", 12, at);

    at = map(2, data[2], V | X | A);
    (void)read64(at);
    faults("load from an execute-only page", 13, at);
    csr_set(sstatus, SSTATUS_MXR);
    if (read64(at) != 0xda7a0002) fail(name, "MXR reads the wrong page");
    works("load from an execute-only page with MXR");
    csr_clear(sstatus, SSTATUS_MXR);

    at = map(3, data[3], V | R | W | U | A | D);
    (void)read64(at);
    faults("load from a user page without SUM", 13, at);
    csr_set(sstatus, SSTATUS_SUM);
    write64(at, 33);
    works("store to a user page with SUM");
    csr_clear(sstatus, SSTATUS_SUM);
    if (data[3][0] != 33) fail(name, "SUM wrote the wrong page");
    map(3, data[3], V | R | X | U | A);
    csr_set(sstatus, SSTATUS_SUM);
    ((void (*)(void))at)();
    faults("fetch from a user page with SUM", 12, at);
    csr_clear(sstatus, SSTATUS_SUM);

    at = map(4, data[4], 0);
    (void)read8(at + 7);
    faults("load from an invalid page", 13, at + 7);
    at = map(4, data[4], V | W | A | D);
    (void)read8(at);
    faults("load from a reserved W-only page", 13, at);
    at = map(4, data[4], V);
    (void)read8(at);
    faults("load through a non-leaf at the last level", 13, at);
}

static void odd_addresses(void) {
    const u64 places[] = {1ul << 38, 0x0000008000000000 - 8 + (1ul << 39), 0x8000000000000000, WINDOW + (1ul << 40)};
    for (unsigned i = 0; i < sizeof places / sizeof *places; ++i) {
        (void)read64(places[i]);
        faults("load from a place that is not mapped or not canonical", 13, places[i]);
        write64(places[i], 0);
        faults("store to a place that is not mapped or not canonical", 15, places[i]);
        ((void (*)(void))places[i])();
        faults("fetch from a place that is not mapped or not canonical", 12, places[i]);
    }
    if (read64(MEGA) != read64(0x80200000)) fail(name, "a 2 MiB page reads the wrong memory");
    middle[2] = entry((void *)0x80201000, ALL);
    fence_all();
    (void)read64(WINDOW + (4ul << 20));
    faults("a misaligned 2 MiB page", 13, WINDOW + (4ul << 20));
    middle[2] = 0;
    works("large pages");
}

static u64 load_at(u64 address) {
    u64 v = 0;
    __asm__ volatile("ld %0, 0(%1)" : "+r"(v) : "r"(address) : "memory");
    return v;
}

static void store_at(u64 address, u64 value) { __asm__ volatile("sd %0, 0(%1)" : : "r"(value), "r"(address) : "memory"); }

static void crossing(void) {
    const u64 at = map(5, data[5], ALL);
    map(6, data[6], 0);
    (void)load_at(at + PAGE - 4);
    if (noted.cause == 13) faults("load across into an invalid page", 13, at + PAGE);
    else faults("load across pages", 4, at + PAGE - 4);
    data[5][PAGE / 8 - 1] = 0x55;
    store_at(at + PAGE - 4, ~0ul);
    if (noted.cause == 15) faults("store across into an invalid page", 15, at + PAGE);
    else faults("store across pages", 6, at + PAGE - 4);
    if (data[5][PAGE / 8 - 1] != 0x55) fail(name, "a store that faulted left %x on the first page", data[5][PAGE / 8 - 1]);
    map(6, data[0], ALL);
    store_at(at + PAGE - 4, 0x1122334455667788);
    if (noted.count == 0 && (data[5][PAGE / 8 - 1] >> 32 != 0x55667788 || (u32)data[0][0] != 0x11223344)) fail(name, "a store across pages went wrong");
    clear_note();
}

/* Either the hardware sets A and D, or it asks software to by a page fault. */
static void accessed_and_dirty(void) {
    u64 at = map(7, data[7], V | R | W);
    (void)read64(at);
    if (noted.count) {
        faults("load from a page without A", 13, at);
        map(7, data[7], V | R | W | A);
        (void)read64(at);
        works("load from a page with A");
        write64(at, 1);
        faults("store to a page without D", 15, at);
        say("A and D are set by software\n");
        return;
    }
    if (!(leaves[7] & A) || (leaves[7] & D)) fail(name, "after a load the entry is %x", leaves[7]);
    write64(at, 1);
    works("store to a page without D");
    if (!(leaves[7] & D)) fail(name, "after a store the entry is %x", leaves[7]);
    say("A and D are set by hardware\n");
}

static void user_mode(void) {
    u32 *code = new_page();
    code[0] = 0x00053503; /* ld a0, 0(a0) */
    code[1] = 0x00000073; /* ecall */
    const u64 at = map(8, code, V | R | X | U | A);
    const u64 secret = map(9, data[1], V | R | W | A | D);
    const u64 own = map(10, data[2], V | R | W | U | A | D);
    __asm__ volatile("fence.i");
    const u64 got = run_user(at, own);
    if (user_stop.cause != 8 || got != 0xda7a0002) fail(name, "user code: cause %u a0 %x", user_stop.cause, got);
    (void)run_user(at, secret);
    if (user_stop.cause != 13 || user_stop.value != secret) fail(name, "user load of a supervisor page: cause %u stval %x", user_stop.cause, user_stop.value);
    (void)run_user(secret, 0);
    if (user_stop.cause != 12 || user_stop.value != secret) fail(name, "user fetch of a supervisor page: cause %u stval %x", user_stop.cause, user_stop.value);
    code[0] = 0x10500073; /* wfi in U-mode may do nothing or be illegal */
    code[1] = 0x100027f3; /* csrr a5, sstatus */
    __asm__ volatile("fence.i");
    (void)run_user(at, 0);
    if (user_stop.cause != 2) fail(name, "a supervisor CSR in user mode: cause %u", user_stop.cause);
}

static void address_spaces(void) {
    u64 *other_root = new_page(), *other_middle = new_page(), *other_leaves = new_page();
    for (unsigned i = 0; i < 512; ++i) other_root[i] = root[i];
    other_root[4] = entry(other_middle, V);
    other_middle[0] = entry(other_leaves, V);
    const u64 at = map(11, data[3], V | R | W | A | D);
    other_leaves[11] = entry(data[4], V | R | W | A | D);
    for (u64 i = 0; i < 100; ++i) {
        csr_write(satp, 8ul << 60 | 1ul << 44 | (u64)root / PAGE);
        write64(at, i);
        csr_write(satp, 8ul << 60 | 2ul << 44 | (u64)other_root / PAGE);
        write64(at, ~i);
        if (data[3][0] != i || data[4][0] != ~i) fail(name, "round %u: address spaces mix: %x %x", i, data[3][0], data[4][0]);
    }
    csr_write(satp, 8ul << 60 | (u64)root / PAGE);
    fence_all();
}

void guest_main(void) {
    tables();
    expect_traps(true);
    permissions();
    odd_addresses();
    crossing();
    accessed_and_dirty();
    user_mode();
    address_spaces();
    csr_write(satp, 0);
    fence_all();
    works("the end");
    pass(name);
}
