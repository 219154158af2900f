/* Delivery through the IDT in 64-bit mode: what is pushed, stacks of the interrupt stack table and of TSS, gates of both kinds,
   privileges, gates that are missing or wrong and their error codes, double faults. */
#include "guest.h"

static const char name[] = "vectors";
static volatile struct frame last;
static volatile u64 count;

void guest_trap(struct frame *frame) {
    if (traps_expected && handle_expected(frame)) return;
    last = *frame;
    count++;
    if ((frame->cs & 3) == 3) {
        handle_user(frame);
        return;
    }
    if (frame->vector < 32 && frame->vector != NMI && frame->vector != BP && frame->vector != OF)
        fail(name, "trap vector=%u error=%x rip=%x", frame->vector, frame->error, frame->rip);
}

static void expect(const char *what, u64 got, u64 wanted) {
    if (got != wanted) fail(name, "%s: %x, not %x", what, got, wanted);
}

extern char int_end[], ist_end[];

static void pushed(void) {
    u64 rsp;
    count = 0;
    __asm__ volatile("movq %%rsp, %0\n\tstc\n\tsti\n\tint $0x60\nint_end: cli" : "=r"(rsp) : : "cc", "memory");
    expect("vector", last.vector, 0x60);
    expect("RIP", last.rip, (u64)int_end), expect("CS", last.cs, CODE64), expect("SS", last.ss, DATA), expect("RSP", last.rsp, rsp);
    expect("RFLAGS", last.rflags & 0x201, 0x201);
    /* An odd stack is aligned first, and comes back odd. */
    u64 after;
    __asm__ volatile("movq %%rsp, %%rbx\n\tleaq -0x103(%%rsp), %%rsp\n\tmovq %%rsp, %0\n\tint $0x61\n\tmovq %%rsp, %1\n\tmovq %%rbx, %%rsp" : "=&r"(rsp), "=&r"(after) : : "rbx", "memory");
    expect("an odd RSP", last.rsp, rsp), expect("an odd RSP afterwards", after, rsp);
    for (unsigned v = 0x20; v < 0x100; v += 0x1f) {
        static u8 code[4] __attribute__((aligned(16)));
        code[0] = 0xcd, code[1] = (u8)v, code[2] = 0xc3;
        ((void (*)(void))(u64)code)();
        expect("INT's vector", last.vector, v), expect("INT's return", last.rip, (u64)code + 2);
    }
}

/* The address of the handler's stack tells which one was used. */
static volatile u64 handler_rsp, handler_flags;
__asm__(".pushsection .text\nnote_stack: movq %rsp, handler_rsp(%rip)\n\tpushfq\n\tpopq handler_flags(%rip)\n\tiretq\n\t.popsection");
extern char note_stack[];

static void stacks(void) {
    for (u8 ist = 1; ist <= 3; ++ist) {
        set_gate(0x70, (u64)note_stack, ist, GATE_INTERRUPT);
        __asm__ volatile("int $0x70" : : : "memory");
        expect("a stack of the table", handler_rsp, cpus[0].tss.ist[ist - 1] - 40);
    }
    cpus[0].tss.ist[0] -= 8;
    set_gate(0x70, (u64)note_stack, 1, GATE_INTERRUPT);
    __asm__ volatile("int $0x70" : : : "memory");
    expect("a stack of the table that is not aligned", handler_rsp, cpus[0].tss.ist[0] - 8 - 40);
    cpus[0].tss.ist[0] += 8;
    irq_on();
    __asm__ volatile("int $0x70" : : : "memory");
    expect("IF in an interrupt gate", handler_flags & 0x200, 0);
    set_gate(0x70, (u64)note_stack, 0, GATE_TRAP);
    __asm__ volatile("int $0x70" : : : "memory");
    expect("IF in a trap gate", handler_flags & 0x200, 0x200);
    irq_off();
}

CODE(user_int80, "int $0x80");
CODE(user_int90, "int $0x90");
CODE(user_int3, "int3");
CODE(user_far, "ud2");

static void privileges(void) {
    run_user((u64)user_int80, 0);
    expect("INT 80 of ring 3", last.vector, 0x80), expect("its CS", last.cs, USER_CODE), expect("its SS", last.ss, USER_DATA);
    run_user((u64)user_int90, 0);
    expect("a gate of ring 0", last.vector, GP), expect("its error code", last.error, 0x90 << 3 | 2);
    run_user((u64)user_int3, 0);
    expect("INT3's gate of ring 0", last.vector, GP), expect("its error code", last.error, BP << 3 | 2);
    set_gate(0x91, (u64)note_stack, 0, 0xee);
    run_user((u64)user_far, 0);
    expect("a fault of ring 3", last.vector, UD), expect("its RIP", last.rip, (u64)user_far);
}

#define FAULTS(text, vector, error) \
    do { \
        __asm__ volatile(TRY(text) : : : "memory"); \
        expect_exception(name, text, vector, error); \
    } while (0)

static void wrong_gates(void) {
    expect_traps(true);
    set_gate(0x70, (u64)note_stack, 0, 0x0e);
    FAULTS("int $0x70", NP, 0x70 << 3 | 2);
    set_gate(0x70, (u64)note_stack, 0, 0x86);
    FAULTS("int $0x70", GP, 0x70 << 3 | 2);
    set_gate(0x70, 1ul << 47, 0, GATE_INTERRUPT);
    __asm__ volatile(TRY("int $0x70") : : : "memory");
    if (noted.count != 1 || VECTOR(noted.cause) != GP) fail(name, "a handler that is not canonical: %u exceptions, %x", noted.count, noted.cause);
    clear_note();
    set_gate(0x70, (u64)note_stack, 0, GATE_INTERRUPT);
    idt[0x70].selector = 0;
    FAULTS("int $0x70", GP, 0);
    idt[0x70].selector = DATA;
    FAULTS("int $0x70", GP, DATA);
    idt[0x70].selector = 0x1000;
    FAULTS("int $0x70", GP, 0x1000);
    idt[0x70].selector = CODE32;
    FAULTS("int $0x70", GP, CODE32);
    /* Beyond the limit. */
    load_idt((u64)idt, 0x60 * 16 - 1);
    FAULTS("int $0x60", GP, 0x60 << 3 | 2);
    load_idt((u64)idt, sizeof idt - 1);
    set_gate(0x70, (u64)note_stack, 0, GATE_INTERRUPT);
    expect_traps(false);
}

/* A page fault whose handler's gate is missing is a double fault, which comes with error code 0 on a stack of its own. */
static volatile u64 double_rsp, double_error;
extern char double_entry[], recover[];
__asm__(".pushsection .text\ndouble_entry: movq %rsp, double_rsp(%rip)\n\tpopq double_error(%rip)\n\tmovq saved_rsp(%rip), %rsp\n\tjmp *saved_rip(%rip)\n\t.popsection");
volatile u64 saved_rsp, saved_rip;

static void double_faults(void) {
    const struct gate page_fault = idt[PF], protection = idt[GP];
    set_gate(DF, (u64)double_entry, 1, GATE_INTERRUPT);
    for (unsigned kind = 0; kind < 3; ++kind) {
        double_error = 99, double_rsp = 0;
        if (kind == 0) idt[PF].type = 0;        /* #PF, then #NP */
        if (kind == 1) idt[GP].type = 0;        /* #GP, then #NP */
        if (kind == 2) set_gate(PF, 4ul << 39, 0, GATE_INTERRUPT), idt[PF].selector = 0; /* #PF, then #GP */
        if (kind == 1)
            __asm__ volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, saved_rip(%%rip)\n\tmovq %%rsp, saved_rsp(%%rip)\n\tmovq $1, %%rax\n\tshlq $47, %%rax\n\tmovb (%%rax), %%al\n1:" : : : "rax", "rbx", "memory");
        else
            __asm__ volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, saved_rip(%%rip)\n\tmovq %%rsp, saved_rsp(%%rip)\n\tmovq $1, %%rax\n\tshlq $40, %%rax\n\tmovb (%%rax), %%al\n1:" : : : "rax", "rbx", "memory");
        expect("a double fault's error code", double_error, 0), expect("its stack", double_rsp, cpus[0].tss.ist[0] - 48);
        idt[PF] = page_fault, idt[GP] = protection;
    }
}

void guest_main(void) {
    pushed();
    stacks();
    privileges();
    wrong_gates();
    double_faults();
    pass(name);
}
