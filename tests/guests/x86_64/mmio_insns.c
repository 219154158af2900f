/* Every operation of the hypervisor's instruction decoder, on device registers and on memory that holds the same: registers,
   flags and what is left in memory agree. Bytes and words go to the I/O APIC's selector, which keeps 8 bits of each; double words
   to the timer's initial count; quad words to a register that reads as 0. */
#include "guest.h"

static const char name[] = "mmio_insns";
#define WORD (LAPIC_BASE + LAPIC_INITIAL)
#define SELECT IOAPIC_BASE
/* CF, PF, AF, ZF, SF, OF. */
#define STATUS 0x8d5ul

struct result {
    u64 reg, accumulator, flags;
};
static u64 tried;

static u64 place_of(unsigned size) { return size <= 2 ? SELECT : size == 4 ? WORD : LAPIC_BASE + LAPIC_CURRENT; }
static void put(u64 at, unsigned size, u64 value) {
    if (size <= 4) write32(at, (u32)value);
    else write64(at, value);
}
static u64 kept_mask(unsigned size) { return size <= 2 ? 0xff : size == 4 ? 0xffffffff : 0; }

#define RUN(text, at, reg_, acc_, in_, result_) \
    do { \
        u64 r_ = (reg_), a_ = (acc_), f_; \
        __asm__ volatile("pushq %4\n\tpopfq\n\t" text "\n\tpushfq\n\tpopq %2" \
                         : "+b"(r_), "+a"(a_), "=&r"(f_) : "D"(at), "r"((u64)(in_)) : "cc", "memory"); \
        (result_) = (struct result){r_, a_, f_ & STATUS}; \
    } while (0)

static const u64 values[] = {0, 1, 0x0f, 0x7f, 0x80, 0xff, 0x7fff, 0x80000000, 0x7fffffff, 0xffffffff, 0x8badf00d};
static const u64 operands[] = {0, 1, 0x7f, 0x80, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffffffffff0, 0x123456785a5a5a5a};
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* `undefined` are flags that the manual leaves open. */
#define OP(size, undefined, text) \
    do { \
        static u64 memory_[4]; \
        const u64 device_ = place_of(size), mask_ = kept_mask(size); \
        for (unsigned v_ = 0; v_ < COUNT(values); ++v_) \
            for (unsigned o_ = 0; o_ < COUNT(operands); o_ += 1 + v_ % 2) { \
                const u64 start_ = values[v_] & mask_, in_ = o_ & 1 ? 0x2 : 0x8d7, acc_ = v_ % 3 ? start_ : ~operands[o_] & 0xffffffff; \
                struct result memory_result_, device_result_; \
                memory_[1] = start_; \
                put(device_, size, start_); \
                RUN(text, &memory_[1], operands[o_], acc_, in_, memory_result_); \
                RUN(text, device_, operands[o_], acc_, in_, device_result_); \
                tried++; \
                if (memory_result_.reg != device_result_.reg) fail(name, "%s of %x, %x: %x on the device, %x in memory", text, start_, operands[o_], device_result_.reg, memory_result_.reg); \
                if (memory_result_.accumulator != device_result_.accumulator) fail(name, "%s of %x, %x: rax %x on the device, %x in memory", text, start_, operands[o_], device_result_.accumulator, memory_result_.accumulator); \
                if ((memory_result_.flags ^ device_result_.flags) & ~(u64)(undefined)) fail(name, "%s of %x, %x: flags %x on the device, %x in memory", text, start_, operands[o_], device_result_.flags, memory_result_.flags); \
                if (mask_ && (read32(device_) & mask_) != (memory_[1] & mask_)) fail(name, "%s of %x, %x leaves %x on the device, %x in memory", text, start_, operands[o_], (u64)read32(device_), memory_[1]); \
            } \
    } while (0)
#define AF 0x10

/* r/m with a register, all widths. */
#define ALL_MR(op, undefined) \
    OP(1, undefined, op "b %%bl, (%3)"); OP(2, undefined, op "w %%bx, (%3)"); OP(4, undefined, op "l %%ebx, (%3)"); OP(8, undefined, op "q %%rbx, (%3)")
#define ALL_RM(op, undefined) \
    OP(1, undefined, op "b (%3), %%bl"); OP(2, undefined, op "w (%3), %%bx"); OP(4, undefined, op "l (%3), %%ebx"); OP(8, undefined, op "q (%3), %%rbx")
#define ALL_MI(op, undefined) \
    OP(1, undefined, op "b $0x81, (%3)"); OP(2, undefined, op "w $0x1281, (%3)"); OP(4, undefined, op "l $0x81234567, (%3)"); OP(8, undefined, op "q $-0x12345678, (%3)")
#define WIDE_MI8(op, undefined) \
    OP(2, undefined, op "w $-3, (%3)"); OP(4, undefined, op "l $-3, (%3)"); OP(8, undefined, op "q $5, (%3)")
#define ALL_M(op, undefined) \
    OP(1, undefined, op "b (%3)"); OP(2, undefined, op "w (%3)"); OP(4, undefined, op "l (%3)"); OP(8, undefined, op "q (%3)")
#define ARITHMETIC(op, undefined) ALL_MR(op, undefined); ALL_RM(op, undefined); ALL_MI(op, undefined); WIDE_MI8(op, undefined)
#define LOCKED(op, undefined) ALL_MR("lock " op, undefined); ALL_MI("lock " op, undefined); WIDE_MI8("lock " op, undefined)

static void arithmetic(void) {
    ARITHMETIC("add", 0); ARITHMETIC("or", AF); ARITHMETIC("adc", 0); ARITHMETIC("sbb", 0);
    ARITHMETIC("and", AF); ARITHMETIC("sub", 0); ARITHMETIC("xor", AF); ARITHMETIC("cmp", 0);
    LOCKED("add", 0); LOCKED("or", AF); LOCKED("adc", 0); LOCKED("sbb", 0); LOCKED("and", AF); LOCKED("sub", 0); LOCKED("xor", AF);
}

static void moves(void) {
    ALL_MR("mov", 0); ALL_RM("mov", 0); ALL_MI("mov", 0);
    OP(1, 0, "movzbw (%3), %%bx"); OP(1, 0, "movzbl (%3), %%ebx"); OP(1, 0, "movzbq (%3), %%rbx");
    OP(2, 0, "movzwl (%3), %%ebx"); OP(2, 0, "movzwq (%3), %%rbx");
    OP(1, 0, "movsbw (%3), %%bx"); OP(1, 0, "movsbl (%3), %%ebx"); OP(1, 0, "movsbq (%3), %%rbx");
    OP(2, 0, "movswl (%3), %%ebx"); OP(2, 0, "movswq (%3), %%rbx"); OP(4, 0, "movslq (%3), %%rbx");
    OP(1, 0, "movb %%bh, (%3)"); OP(1, 0, "movb (%3), %%bh"); OP(1, 0, "addb (%3), %%ah"); OP(1, 0, "movb (%3), %%dil\n\tmovb %%dil, %%bl");
    ALL_MR("xchg", 0); ALL_MR("lock xchg", 0);
}

/* TCG's LOCK NEG leaves wrong flags but CF, in memory; the device's are those of NEG. */
static void others(void) {
    ALL_MR("test", AF); ALL_MI("test", AF);
    ALL_M("not", 0); ALL_M("neg", 0); ALL_M("inc", 0); ALL_M("dec", 0);
    ALL_M("lock not", 0); ALL_M("lock neg", 0xd4); ALL_M("lock inc", 0); ALL_M("lock dec", 0);
    /* An accumulator that agrees has no upper half here: whether a double word clears it is not said. */
    ALL_MR("cmpxchg", 0); ALL_MR("lock cmpxchg", 0); ALL_MR("xadd", 0); ALL_MR("lock xadd", 0);
}

/* BT and its kin leave all flags but CF open, and ZF as it was. */
#define OPEN 0x894
#define BITS(op) \
    OP(2, OPEN, op "w $3, (%3)"); OP(4, OPEN, op "l $31, (%3)"); OP(8, OPEN, op "q $40, (%3)"); OP(4, OPEN, op "l $0x45, (%3)"); \
    OP(2, OPEN, "andl $7, %%ebx\n\t" op "w %%bx, (%3)"); OP(4, OPEN, "andl $31, %%ebx\n\t" op "l %%ebx, (%3)"); \
    OP(8, OPEN, "andl $63, %%ebx\n\t" op "q %%rbx, (%3)")

static void bits(void) {
    BITS("bt"); BITS("bts"); BITS("btr"); BITS("btc");
    BITS("lock bts"); BITS("lock btr"); BITS("lock btc");
    /* A register as the bit's number reaches beyond the operand, in both directions: 32 bits on, and back. */
    write32(WORD, 0);
    __asm__ volatile("btsl %%ebx, (%%rdi)" : : "b"(35 + 96), "D"(WORD - 16) : "cc", "memory");
    if (read32(WORD) != 8) fail(name, "btsl of bit 131: %x", (u64)read32(WORD));
    __asm__ volatile("lock btcq %%rbx, (%%rdi)\n\tbtrl %%ecx, (%%rdi)" : : "b"(-124l), "c"(-125), "D"(WORD + 16) : "cc", "memory");
    if (read32(WORD) != 0) fail(name, "btrl of bit -125: %x", (u64)read32(WORD));
}

/* The forms with an absolute address, below 4 GiB by a prefix as well. */
static void absolute(void) {
    u64 v = 0x5a5a5a5a5a5a5a5a;
    write32(WORD, 0xa1b2c3d4);
    __asm__ volatile("movabsb 0xfee00381, %%al" : "+a"(v) : : "memory");
    if (v != 0x5a5a5a5a5a5a5ac3) fail(name, "movabs al: %x", v);
    __asm__ volatile("movabsw 0xfee00382, %%ax" : "+a"(v) : : "memory");
    if (v != 0x5a5a5a5a5a5aa1b2) fail(name, "movabs ax: %x", v);
    __asm__ volatile("movabsl 0xfee00380, %%eax" : "+a"(v) : : "memory");
    if (v != 0xa1b2c3d4) fail(name, "movabs eax: %x", v);
    __asm__ volatile("movabsq 0xfee00380, %%rax" : "+a"(v) : : "memory");
    if (v != 0) fail(name, "movabs rax: %x", v);
    __asm__ volatile("movabsl %%eax, 0xfee00380" : : "a"(0x11223344) : "memory");
    if (read32(WORD) != 0x11223344) fail(name, "movabs from eax: %x", (u64)read32(WORD));
    __asm__ volatile("movabsb %%al, 0xfec00000" : : "a"(0x1234) : "memory");
    if (read32(SELECT) != 0x34) fail(name, "movabs from al: %x", (u64)read32(SELECT));
    __asm__ volatile(".byte 0x67, 0xa3\n\t.long 0xfee00380" : : "a"(0x55667788) : "memory");
    if (read32(WORD) != 0x55667788) fail(name, "movabs with a short address: %x", (u64)read32(WORD));
    __asm__ volatile(".byte 0x67, 0xa1\n\t.long 0xfee00380" : "+a"(v) : : "memory");
    if (v != 0x55667788) fail(name, "movabs with a short address: %x", v);
}

/* Each width of the string operations, with and without REP, forwards and backwards. */
#define STRINGS(size, suffix, accumulator) \
    do { \
        const u64 device_ = place_of(size), mask_ = kept_mask(size); \
        u64 buffer_[4] = {0x1122334455667788, 0x99aabbccddeeff00, 0x0123456789abcdef, 0}, from_, to_, left_; \
        from_ = (u64)buffer_, to_ = device_; \
        __asm__ volatile("movs" suffix : "+S"(from_), "+D"(to_) : : "memory"); \
        if (from_ != (u64)buffer_ + size || to_ != device_ + size) fail(name, "movs" suffix " moves to %x and %x", from_, to_); \
        if ((read32(device_) & mask_) != (buffer_[0] & mask_)) fail(name, "movs" suffix " stores %x", (u64)read32(device_)); \
        from_ = device_, to_ = (u64)&buffer_[2], left_ = 1; \
        __asm__ volatile("std\n\trep movs" suffix "\n\tcld" : "+S"(from_), "+D"(to_), "+c"(left_) : : "memory"); \
        if (from_ != device_ - size || to_ != (u64)&buffer_[2] - size || left_) fail(name, "rep movs" suffix " moves to %x and %x", from_, to_); \
        if ((buffer_[2] & mask_) != (buffer_[0] & mask_)) fail(name, "rep movs" suffix " loads %x", buffer_[2]); \
        to_ = device_, left_ = 3; \
        __asm__ volatile("rep stos" suffix : "+D"(to_), "+c"(left_) : "a"(0x5500000000001131) : "memory"); \
        if (to_ != device_ + 3 * size || left_) fail(name, "rep stos" suffix " moves to %x", to_); \
        if ((read32(device_) & mask_) != (0x1131 & mask_)) fail(name, "rep stos" suffix " stores %x", (u64)read32(device_)); \
        u64 a_ = 0x5a5a5a5a5a5a5a5a; \
        from_ = device_; \
        __asm__ volatile("lods" suffix : "+S"(from_), "+a"(a_) : : "memory"); \
        if (from_ != device_ + size || (a_ & mask_) != (0x1131 & mask_)) fail(name, "lods" suffix ": %x, moves to %x", a_, from_); \
        if (size < 4 && a_ >> 16 != 0x5a5a5a5a5a5a) fail(name, "lods" suffix " changes the rest of rax: %x", a_); \
        if (size == 4 && a_ >> 32) fail(name, "lods" suffix " leaves the rest of rax: %x", a_); \
    } while (0)

static void strings(void) {
    STRINGS(1, "b", "al"); STRINGS(2, "w", "ax"); STRINGS(4, "l", "eax"); STRINGS(8, "q", "rax");
    /* With 32-bit addresses the upper halves become 0, as the counter's does. */
    u64 to = WORD | 0xabcdul << 32, left = 2 | 1ul << 32;
    __asm__ volatile("addr32 rep stosl" : "+D"(to), "+c"(left) : "a"(0x777) : "memory");
    if (to != WORD + 8 || left != 0 || read32(WORD) != 0x777) fail(name, "addr32 rep stosl: %x %x", to, left);
    /* A string from a segment of its own. */
    wrmsr(0xc0000101, LAPIC_BASE);
    u64 from = LAPIC_INITIAL, v = 0;
    __asm__ volatile("lodsl %%gs:(%%rsi), %%eax" : "+S"(from), "+a"(v) : : "memory");
    wrmsr(0xc0000101, 0);
    if (v != 0x777) fail(name, "lodsl by GS: %x", v);
}

/* LOCK where it may not be, and what no decoder of devices knows, is undefined; nothing else happens. */
static void undefined(void) {
    expect_traps(true);
    write32(WORD, 0x1234);
    __asm__ volatile(TRY(".byte 0xf0\n\tmovl %%eax, (%0)") : : "r"(WORD) : "memory");
    expect_exception(name, "lock mov", UD, 0);
    __asm__ volatile(TRY(".byte 0xf0\n\tcmpl %%eax, (%0)") : : "r"(WORD) : "cc", "memory");
    expect_exception(name, "lock cmp", UD, 0);
    __asm__ volatile(TRY("shll $1, (%0)") : : "r"(WORD) : "cc", "memory");
    if (noted.count > 1 || (noted.count && VECTOR(noted.cause) != UD)) fail(name, "shl: %x", noted.cause);
    clear_note();
    expect_traps(false);
    if (read32(WORD) != 0x1234 && read32(WORD) != 0x2468) fail(name, "an undefined instruction stores %x", (u64)read32(WORD));
}

void guest_main(void) {
    lapic_init();
    lapic_set(LAPIC_LVT_TIMER, LVT_MASKED);
    moves();
    arithmetic();
    others();
    bits();
    absolute();
    strings();
    undefined();
    say("%u pairs agree\n", tried);
    pass(name);
}
