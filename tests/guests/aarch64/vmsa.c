/* Stage 1 in the guest's own hands: pages and blocks, rights of EL1 and EL0, UXN and PXN, the access flag, ASIDs and
   invalidation, LDTR and STTR, AT and PAR_EL1, both halves, accesses across pages, and the exact status of each fault. */
#include "guest.h"

static const char name[] = "vmsa";
#define WINDOW (4ul << 30)               /* test pages, 4 KiB each */
#define BLOCK (WINDOW + (2ul << 20))
#define HIGH 0xffffff8000000000ul

static u64 *root, *high_root, *middle, *leaves;
static u64 *data[8];

static void barrier(void) { __asm__ volatile("dsb ish\n\tisb" : : : "memory"); }

/* Maps test page `n` to `page`; break before make. */
static u64 map(unsigned n, const void *page, u64 bits) {
    const u64 address = WINDOW + n * PAGE;
    leaves[n] = 0;
    barrier();
    __asm__ volatile("tlbi vaae1is, %0" : : "r"(address >> 12) : "memory");
    barrier();
    leaves[n] = bits ? (u64)page | bits : 0;
    barrier();
    return address;
}
#define PAGE_RW (PTE_PAGE | PTE_RAM)

static void faults(const char *what, u64 class, u64 status, u64 write, u64 address) {
    const u64 esr = noted.cause;
    if (noted.count != 1) fail(name, "%s: %u traps", what, noted.count);
    if (EC(esr) != class || FSC(esr) != status || (class == EC_DATA && WNR(esr) != write)) fail(name, "%s: ESR %x, not class %x status %x", what, esr, class, status);
    if (noted.value != address) fail(name, "%s: FAR %x, not %x", what, noted.value, address);
    clear_note();
}
static void works(const char *what) {
    if (noted.count) fail(name, "%s: ESR %x FAR %x", what, noted.cause, noted.value);
}

static u64 load(u64 at) {
    u64 v = 0;
    __asm__ volatile("ldr %0, [%1]" : "+r"(v) : "r"(at) : "memory");
    return v;
}
static void store(u64 at, u64 v) { __asm__ volatile("str %0, [%1]" : : "r"(v), "r"(at) : "memory"); }
static void fetch(u64 at) { ((void (*)(void))at)(); }

static void tables(void) {
    root = identity_root();
    high_root = new_page();
    middle = new_page();
    leaves = new_page();
    for (unsigned i = 0; i < 8; ++i) {
        data[i] = new_page();
        data[i][0] = 0xda7a0000 + i;
    }
    root[4] = (u64)middle | PTE_TABLE;
    middle[0] = (u64)leaves | PTE_TABLE;
    high_root[0] = (u64)middle | PTE_TABLE;
    mmu_on(root, high_root);
}

static void levels(void) {
    load(5ul << 30);
    faults("load without a level 1 entry", EC_DATA, FSC_TRANSLATION + 1, 0, 5ul << 30);
    store(BLOCK + 8, 1);
    faults("store without a level 2 entry", EC_DATA, FSC_TRANSLATION + 2, 1, BLOCK + 8);
    fetch(WINDOW + 3 * PAGE);
    faults("fetch without a level 3 entry", EC_FETCH, FSC_TRANSLATION + 3, 0, WINDOW + 3 * PAGE);
    u64 at = map(3, data[3], PTE_VALID | PTE_RAM); /* a block at level 3 is reserved */
    load(at);
    faults("load through a reserved level 3 entry", EC_DATA, FSC_TRANSLATION + 3, 0, at);
    /* Outside of both halves, which are 39 bits wide. */
    const u64 outside[] = {1ul << 39, 1ul << 47, 0x00ff000000000000, 0x8000000000000000, HIGH - 8};
    for (unsigned i = 0; i < sizeof outside / sizeof *outside; ++i) {
        load(outside[i]);
        faults("load outside of both halves", EC_DATA, FSC_TRANSLATION + 0, 0, outside[i]);
        fetch(outside[i] & ~3ul);
        faults("fetch outside of both halves", EC_FETCH, FSC_TRANSLATION + 0, 0, outside[i] & ~3ul);
    }
    /* An output address beyond the 40 bits that TCR_EL1.IPS allows. */
    at = map(3, (void *)(1ul << 41), PAGE_RW);
    load(at);
    faults("load through an address too large", EC_DATA, FSC_ADDRESS_SIZE + 3, 0, at);
    map(3, 0, 0);
}

static void blocks(void) {
    middle[1] = RAM_BASE | PTE_VALID | PTE_RAM | PTE_READ_ONLY;
    barrier();
    if (load(BLOCK + 0x80000) != load(0x40080000)) fail(name, "a 2 MiB block reads the wrong memory");
    works("2 MiB block");
    store(BLOCK + 0x100, 1);
    faults("store to a read-only block", EC_DATA, FSC_PERMISSION + 2, 1, BLOCK + 0x100);
    root[6] = RAM_BASE | PTE_VALID | PTE_RAM | PTE_PXN;
    barrier();
    if (load((6ul << 30) + 0x80000) != load(0x40080000)) fail(name, "a 1 GiB block reads the wrong memory");
    fetch((6ul << 30) + 0x80000);
    faults("fetch from a block with PXN", EC_FETCH, FSC_PERMISSION + 1, 0, (6ul << 30) + 0x80000);
    root[6] = RAM_BASE | PTE_VALID | (PTE_RAM & ~PTE_ACCESSED);
    flush_tlb();
    load(6ul << 30);
    faults("load from a block without AF", EC_DATA, FSC_ACCESS_FLAG + 1, 0, 6ul << 30);
    root[6] = middle[1] = 0;
    flush_tlb();
}

static void permissions(void) {
    u64 at = map(1, data[1], PAGE_RW | PTE_READ_ONLY);
    if (load(at) != 0xda7a0001) fail(name, "a read-only page reads %x", load(at));
    works("load from a read-only page");
    store(at + 8, 1);
    faults("store to a read-only page", EC_DATA, FSC_PERMISSION + 3, 1, at + 8);
    __asm__ volatile("stxr w9, x10, [%0]" : : "r"(at) : "x9", "memory");
    if (noted.count) faults("stxr to a read-only page", EC_DATA, FSC_PERMISSION + 3, 1, at);
    __asm__ volatile("dc zva, %0" : : "r"(at) : "memory");
    faults("dc zva of a read-only page", EC_DATA, FSC_PERMISSION + 3, 1, at);
    at = map(1, data[1], PAGE_RW | PTE_PXN);
    fetch(at);
    faults("fetch from a page with PXN", EC_FETCH, FSC_PERMISSION + 3, 0, at);
    data[2][0] = 0xd65f03c0; /* ret */
    at = map(2, data[2], PAGE_RW | PTE_UXN);
    fetch(at);
    works("fetch from a page with UXN");
    /* What EL0 may write, EL1 does not execute. */
    at = map(2, data[2], PAGE_RW | PTE_USER);
    fetch(at);
    faults("fetch from a page that EL0 writes", EC_FETCH, FSC_PERMISSION + 3, 0, at);
    at = map(4, data[4], PTE_PAGE | PTE_NORMAL | PTE_SHARED);
    load(at + 16);
    faults("load from a page without AF", EC_DATA, FSC_ACCESS_FLAG + 3, 0, at + 16);
    fetch(at);
    faults("fetch from a page without AF", EC_FETCH, FSC_ACCESS_FLAG + 3, 0, at);
    leaves[4] |= PTE_ACCESSED; /* no invalidation: such an entry is never kept */
    barrier();
    load(at);
    works("load once AF is set");
}

/* Rights that a table takes from all below it: APTable read-only, PXNTable. */
static void table_rights(void) {
    u64 at = map(5, data[5], PAGE_RW);
    store(at, 5);
    works("store below a plain table");
    middle[0] = (u64)leaves | PTE_TABLE | 2ul << 61;
    flush_tlb();
    store(at, 6);
    faults("store below a read-only table", EC_DATA, FSC_PERMISSION + 3, 1, at);
    middle[0] = (u64)leaves | PTE_TABLE | 1ul << 59;
    flush_tlb();
    fetch(at);
    faults("fetch below a table with PXNTable", EC_FETCH, FSC_PERMISSION + 3, 0, at);
    middle[0] = (u64)leaves | PTE_TABLE;
    flush_tlb();
}

/* LDTR and STTR have EL0's rights, at EL1. */
static void unprivileged(void) {
    u64 v, at = map(5, data[5], PAGE_RW);
    __asm__ volatile("ldtr %0, [%1]" : "=r"(v) : "r"(at) : "memory");
    faults("ldtr from a page of EL1", EC_DATA, FSC_PERMISSION + 3, 0, at);
    __asm__ volatile("sttrb wzr, [%0]" : : "r"(at) : "memory");
    faults("sttrb to a page of EL1", EC_DATA, FSC_PERMISSION + 3, 1, at);
    at = map(5, data[5], PAGE_RW | PTE_USER);
    __asm__ volatile("mov x9, #55\n\tsttr x9, [%1]\n\tldtr %0, [%1]" : "=r"(v) : "r"(at) : "x9", "memory");
    works("ldtr from a page of EL0");
    if (v != 55) fail(name, "ldtr reads %u", v);
    at = map(5, data[5], PAGE_RW | PTE_USER | PTE_READ_ONLY);
    __asm__ volatile("sttr xzr, [%0]" : : "r"(at) : "memory");
    faults("sttr to a page that EL0 reads", EC_DATA, FSC_PERMISSION + 3, 1, at);
    __asm__ volatile("ldtrsw %0, [%1]" : "=r"(v) : "r"(at) : "memory");
    works("ldtrsw from a page that EL0 reads");
}

/* Arm ARM, PAR_EL1: F, and FST or the address. */
#define TRANSLATE(op, at) ({ __asm__ volatile("at " op ", %0\n\tisb" : : "r"(at) : "memory"); sys_read(par_el1); })
static void expect_par(const char *what, u64 par, u64 fault, u64 wanted) {
    const u64 got = fault ? par >> 1 & 0x3f : par & 0xfffffffff000;
    if ((par & 1) != fault || got != wanted) fail(name, "%s: PAR_EL1 %x, not %x", what, par, wanted);
    works(what);
}
static void address_translation(void) {
    u64 at = map(6, data[6], PAGE_RW) + 0x123;
    expect_par("at s1e1r", TRANSLATE("s1e1r", at), 0, (u64)data[6]);
    expect_par("at s1e1w", TRANSLATE("s1e1w", at), 0, (u64)data[6]);
    expect_par("at s1e0r of a page of EL1", TRANSLATE("s1e0r", at), 1, FSC_PERMISSION + 3);
    at = map(6, data[6], PAGE_RW | PTE_USER | PTE_READ_ONLY);
    expect_par("at s1e0r", TRANSLATE("s1e0r", at), 0, (u64)data[6]);
    expect_par("at s1e0w", TRANSLATE("s1e0w", at), 1, FSC_PERMISSION + 3);
    expect_par("at s1e1w of a read-only page", TRANSLATE("s1e1w", at), 1, FSC_PERMISSION + 3);
    expect_par("at of nothing at level 1", TRANSLATE("s1e1r", 7ul << 30), 1, FSC_TRANSLATION + 1);
    expect_par("at of nothing at level 3", TRANSLATE("s1e1r", map(6, 0, 0)), 1, FSC_TRANSLATION + 3);
    expect_par("at without AF", TRANSLATE("s1e1r", map(6, data[6], PTE_PAGE | PTE_NORMAL)), 1, FSC_ACCESS_FLAG + 3);
    expect_par("at of the identity", TRANSLATE("s1e1r", 0x40080123ul), 0, 0x40080000);
    expect_par("at of a device", TRANSLATE("s1e1w", UART_BASE), 0, UART_BASE);
    map(6, data[6], PAGE_RW);
    expect_par("at of the high half", TRANSLATE("s1e1r", HIGH + 6 * PAGE), 0, (u64)data[6]);
    expect_par("at outside of both halves", TRANSLATE("s1e1r", 1ul << 45), 1, FSC_TRANSLATION + 0);
}

CODE(user_load, "ldr x0, [x0]\n\tsvc #0");
CODE(user_store, "str xzr, [x0]\n\tsvc #0");
CODE(user_end, "nop");

static void user_stops(const char *what, u64 class, u64 status, u64 far) {
    if (EC(user_stop.esr) != class || (class != EC_SVC && (FSC(user_stop.esr) != status || user_stop.far != far)))
        fail(name, "EL0 %s: ESR %x FAR %x", what, user_stop.esr, user_stop.far);
}

static void user_mode(void) {
    u8 *code = new_page();
    for (u64 i = 0; i < (u64)user_end - (u64)user_load; ++i) code[i] = ((u8 *)user_load)[i];
    flush_code((u64)code, 64);
    const u64 at = map(8, code, PAGE_RW | PTE_USER | PTE_READ_ONLY), storing = at + ((u64)user_store - (u64)user_load);
    const u64 secret = map(9, data[1], PAGE_RW), own = map(10, data[3], PAGE_RW | PTE_USER | PTE_UXN | PTE_PXN);
    if (run_user(at, own) != 0xda7a0003) fail(name, "EL0 reads %x", run_user(at, own));
    user_stops("load", EC_SVC, 0, 0);
    run_user(at, secret);
    user_stops("load from a page of EL1", EC_DATA_USER, FSC_PERMISSION + 3, secret);
    run_user(storing, at);
    user_stops("store to its code", EC_DATA_USER, FSC_PERMISSION + 3, at);
    run_user(storing, own + 8);
    user_stops("store", EC_SVC, 0, 0);
    run_user(secret, 0);
    if (EC(user_stop.esr) == EC_FETCH_USER) user_stops("fetch from a page of EL1", EC_FETCH_USER, FSC_PERMISSION + 3, secret);
    run_user(own, 0);
    user_stops("fetch from a page with UXN", EC_FETCH_USER, FSC_PERMISSION + 3, own);
    run_user(WINDOW + 20 * PAGE, 0);
    user_stops("fetch from nowhere", EC_FETCH_USER, FSC_TRANSLATION + 3, WINDOW + 20 * PAGE);
    run_user(at, HIGH + 20 * PAGE);
    user_stops("load from the high half", EC_DATA_USER, FSC_TRANSLATION + 3, HIGH + 20 * PAGE);
}

static void halves(void) {
    const u64 at = map(11, data[3], PAGE_RW);
    store(HIGH + 11 * PAGE + 16, 77);
    if (load(at + 16) != 77) fail(name, "the halves are not one table");
    high_root[1] = RAM_BASE | PTE_VALID | PTE_RAM;
    barrier();
    if (load(HIGH + (1ul << 30) + 0x80000) != load(0x40080000)) fail(name, "the high half reads the wrong memory");
    u64 *last_middle = new_page(), *last_leaves = new_page();
    high_root[511] = (u64)last_middle | PTE_TABLE;
    last_middle[511] = (u64)last_leaves | PTE_TABLE;
    last_leaves[511] = (u64)data[7] | PAGE_RW;
    barrier();
    store(0xfffffffffffffff8, 99);
    works("the last word of the high half");
    if (data[7][511] != 99) fail(name, "the last word of the high half is another one");
    load(HIGH + (2ul << 30));
    faults("load in the high half without an entry", EC_DATA, FSC_TRANSLATION + 1, 0, HIGH + (2ul << 30));
    /* TCR_EL1.EPD1: no walks there at all. TBI1: the top byte is ignored. */
    const u64 tcr = sys_read(tcr_el1);
    sys_write(tcr_el1, tcr | 1ul << 38);
    flush_tlb();
    if (load(0x12ffff8000000000 + 11 * PAGE + 16) != 77) fail(name, "TBI1 reads the wrong memory");
    works("an address with a tag");
    sys_write(tcr_el1, tcr | 1ul << 23);
    flush_tlb();
    load(HIGH + 11 * PAGE);
    faults("load in the high half with EPD1", EC_DATA, FSC_TRANSLATION + 0, 0, HIGH + 11 * PAGE);
    sys_write(tcr_el1, tcr);
    flush_tlb();
}

static void crossing(void) {
    const u64 at = map(12, data[5], PAGE_RW);
    map(13, 0, 0);
    load(at + PAGE - 4);
    faults("load across into an invalid page", EC_DATA, FSC_TRANSLATION + 3, 0, at + PAGE);
    data[5][PAGE / 8 - 1] = 0x55;
    store(at + PAGE - 4, ~0ul);
    faults("store across into an invalid page", EC_DATA, FSC_TRANSLATION + 3, 1, at + PAGE);
    map(13, data[6], PAGE_RW | PTE_READ_ONLY);
    store(at + PAGE - 4, ~0ul);
    faults("store across into a read-only page", EC_DATA, FSC_PERMISSION + 3, 1, at + PAGE);
    if (data[5][PAGE / 8 - 1] != 0x55) say("a store that faulted left %x on the first page\n", data[5][PAGE / 8 - 1]);
    map(13, data[6], PAGE_RW);
    store(at + PAGE - 4, 0x1122334455667788);
    works("store across");
    if (data[5][PAGE / 8 - 1] >> 32 != 0x55667788 || (u32)data[6][0] != 0x11223344) fail(name, "a store across pages went wrong");
    if (load(at + PAGE - 4) != 0x1122334455667788) fail(name, "a load across pages went wrong");
}

static void address_spaces(void) {
    u64 *other_root = identity_root(), *other_middle = new_page(), *other_leaves = new_page();
    other_root[4] = (u64)other_middle | PTE_TABLE;
    other_middle[0] = (u64)other_leaves | PTE_TABLE;
    const u64 at = map(14, data[3], PAGE_RW | PTE_NOT_GLOBAL);
    other_leaves[14] = (u64)data[4] | PAGE_RW | PTE_NOT_GLOBAL;
    for (u64 i = 0; i < 100; ++i) {
        sys_write(ttbr0_el1, (u64)root | 1ul << 48);
        store(at, i);
        sys_write(ttbr0_el1, (u64)other_root | 2ul << 48);
        store(at, ~i);
        if (data[3][0] != i || data[4][0] != ~i) fail(name, "round %u: address spaces mix: %x %x", i, data[3][0], data[4][0]);
    }
    /* One address of one ASID, one ASID, and one address of all: the entry is read anew. */
    static const char *const kinds[] = {"vae1", "aside1", "vaae1", "vale1is", "vmalle1"};
    for (unsigned kind = 0; kind < 5; ++kind) {
        store(at, 1);
        other_leaves[14] = (u64)data[5 + kind % 2] | PAGE_RW | PTE_NOT_GLOBAL;
        barrier();
        const u64 one = 2ul << 48 | at >> 12;
        switch (kind) {
        case 0: __asm__ volatile("tlbi vae1, %0" : : "r"(one) : "memory"); break;
        case 1: __asm__ volatile("tlbi aside1, %0" : : "r"(2ul << 48) : "memory"); break;
        case 2: __asm__ volatile("tlbi vaae1, %0" : : "r"(at >> 12) : "memory"); break;
        case 3: __asm__ volatile("tlbi vale1is, %0" : : "r"(one) : "memory"); break;
        default: __asm__ volatile("tlbi vmalle1" : : : "memory"); break;
        }
        barrier();
        store(at, 100 + kind);
        if (data[5 + kind % 2][0] != 100 + kind) fail(name, "tlbi %s keeps the old page", kinds[kind]);
    }
    sys_write(ttbr0_el1, (u64)root);
    flush_tlb();
    works("address spaces");
}

void guest_main(void) {
    tables();
    expect_traps(true);
    levels();
    blocks();
    permissions();
    table_rights();
    unprivileged();
    address_translation();
    user_mode();
    halves();
    crossing();
    address_spaces();
    mmu_off();
    works("the end");
    pass(name);
}
