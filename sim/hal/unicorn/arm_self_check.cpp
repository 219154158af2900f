// Opening the arm64 engine, finding what no interface names, and the start-up check of the few behaviours of
// Unicorn that everything else rests on.
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "sim/hal/unicorn/arm_engine.hpp"
#include "sim/hal/unicorn/riscv_engine.hpp"
#include "sim/hal/unicorn/uc_control.hpp"

namespace ax::sim {

namespace {

constexpr u64 tcg_buffer_bytes = u64{64} << 20;
/// PSTATE at reset: EL1h, D, A, I and F masked.
constexpr u64 reset_pstate = 0x3c5;
/// SCR_EL3: EL1 is non-secure and AArch64, HVC is enabled.
constexpr u64 scr = bit(0) | bit(8) | bit(10);
/// HCR_EL2 while nobody has programmed it: EL1 is AArch64, WFI and SMC trap.
constexpr u64 first_hcr = bit(31) | bit(19) | bit(13);

template <class F>
void* as_callback(F* function) {
    return reinterpret_cast<void*>(function);  // the C interface of uc_hook_add takes every callback as void*
}

/// Identity translation of two pages; everything else faults.
class TwoPages final : public ArmClient {
public:
    explicit TwoPages(const PhysMemory& memory) : memory_(memory) {}
    bool on_fill(Gva va, Access access, EngineFill& fill) override {
        if (va.page_number() != code_page_number && va.page_number() != alias_page_number) return false;
        fill = {memory_.range().start, access != Access::Execute, access == Access::Write, access == Access::Execute};
        return true;
    }
    const std::byte* code_page(Gva) override { return memory_.pointer(memory_.range().start); }
    std::optional<u64> on_read(ax::arm64::SysReg reg) override {
        return reg == ax::arm64::sysreg::CNTVCT_EL0 ? std::optional<u64>(counter) : std::nullopt;
    }
    bool on_write(ax::arm64::SysReg, u64) override { return false; }
    bool on_system(ax::arm64::SysReg, u64) override { return false; }
    bool traps_fp() override { return false; }

    static constexpr u64 code_page_number = 0x10, alias_page_number = 0x20, counter = 0x1234'5678;

private:
    const PhysMemory& memory_;
};

namespace a64 {
constexpr u32 mov_x0_1 = 0xd280'0020, mov_x0_2 = 0xd280'0040, ret = 0xd65f'03c0, hvc = 0xd400'0002, ldr_x1_x2 = 0xf940'0041;
constexpr u32 str_w1_x2 = 0xb900'0041, ldxr_x1_x2 = 0xc85f'7c41, brk_5a5a = 0xd42b'4b40, brk_1234 = 0xd422'4680, smc = 0xd400'0003;
constexpr u32 mrs_x0_cntvct = 0xd53b'e040, mov_x3_3 = 0xd280'0063, mrs_x0_iar1 = 0xd538'cc00, wfi = 0xd503'207f;
}  // namespace a64

std::expected<void, std::string> wrong(const char* what) { return std::unexpected(std::string(what)); }

}  // namespace

std::expected<std::unique_ptr<ArmEngine>, std::string> ArmEngine::create(PhysMemory& memory) {
    std::unique_ptr<ArmEngine> engine(new ArmEngine(memory));
    auto done = engine->open();
    if (done) {
        std::vector<std::byte> saved(memory.pointer(memory.range().start), memory.pointer(memory.range().start) + check_bytes);
        done = engine->calibrate();
        if (done) done = engine->self_check();
        std::memcpy(memory.pointer(memory.range().start), saved.data(), saved.size());
        engine->forget_check();
    }
    if (!done)
        return std::unexpected("Unicorn " + RiscvEngine::version() + " is not usable for aarch64: " + done.error() + "; axsim needs " +
                               version_needed + " or a later one that behaves the same");
    return engine;
}

std::expected<void, std::string> ArmEngine::open() {
    uc_engine* uc = nullptr;
    if (const uc_err e = uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &uc); e != UC_ERR_OK) return std::unexpected(std::string(uc_strerror(e)));
    uc_.reset(uc);
    const auto range = memory_.range();
    uc_hook hook = 0;
    const auto add_hook = [&](int type, void* callback) { return uc_hook_add(uc, &hook, type, callback, this, 1, 0); };
    const auto add_insn_hook = [&](void* callback, int insn) { return uc_hook_add(uc, &hook, UC_HOOK_INSN, callback, this, 1, 0, insn); };
    const uc_err results[] = {
        uc::set_cpu_model(uc, UC_CPU_ARM64_A72),
        // Unicorn's default for this architecture is 1 KiB.
        uc::set_page_size(uc, page_size),
        uc::set_tcg_buffer_size(uc, static_cast<u32>(tcg_buffer_bytes)),
        uc::use_virtual_tlb(uc),
        // With an empty set of exits Unicorn does not look at `until`, which it would translate.
        uc::enable_exits(uc),
        uc_mem_map_ptr(uc, range.start.value(), range.size, UC_PROT_ALL, memory_.pointer(range.start)),
        add_hook(UC_HOOK_BLOCK, as_callback(&on_block)),
        add_hook(UC_HOOK_INTR, as_callback(&on_interrupt)),
        add_hook(UC_HOOK_TLB_FILL, as_callback(&on_tlb_fill)),
        add_insn_hook(as_callback(&on_mrs), UC_ARM64_INS_MRS),
        add_insn_hook(as_callback(&on_msr), UC_ARM64_INS_MSR),
        add_insn_hook(as_callback(&on_sys), UC_ARM64_INS_SYS),
    };
    for (const uc_err e : results)
        if (e != UC_ERR_OK) return std::unexpected(std::string(uc_strerror(e)));
    write(el2_reg::SCR_EL3, scr);
    write(el2_reg::HCR_EL2, first_hcr);
    for (unsigned n = 0; n < 31; ++n) write(uc_x(n), 0);
    for (const auto& [name, number] : arm_numbered_registers) write(number, 0);
    write(UC_ARM64_REG_PSTATE, reset_pstate);
    write(ax::arm64::sysreg::CNTKCTL_EL1, 0);
    for (SavedRegisters* registers : {&pristine_, &scratch_}) {
        *registers = SavedRegisters::take(uc);
        if (registers->get() == nullptr) return wrong("uc_context_alloc failed");
    }
    write_epoch_ = memory_.write_epoch();
    return {};
}

/// Forgets what the check left in caches.
void ArmEngine::forget_check() {
    flush_code();
    flush_translation();
    forget_selection();
    guard_ = CodeGuard(memory_.range().size / page_size);
}

/// Finds where a saved context has the exception and the exclusive monitor.
std::expected<void, std::string> ArmEngine::calibrate() {
    TwoPages pages(memory_);
    SavedRegisters context = make_context();
    select(pages, context);
    constexpr u64 start = TwoPages::code_page_number << page_shift;
    std::byte* code = memory_.pointer(memory_.range().start);
    const auto run_at_start = [&](std::initializer_list<u32> words) {
        std::memcpy(code, std::data(words), words.size() * 4);
        flush_code();
        write(UC_ARM64_REG_PC, start);
        u64 count = 0;
        static_cast<void>(run(count, ~u64{0}));
        uc_context_save(uc_.get(), scratch_.get());
        const auto* image = reinterpret_cast<const std::byte*>(scratch_.get());
        return std::vector<std::byte>(image, image + uc_context_size(uc_.get()));
    };
    const auto word_at = [](const std::vector<std::byte>& image, std::size_t at, std::size_t size) {
        u64 value = 0;
        std::memcpy(&value, image.data() + at, size);
        return value;
    };
    constexpr u64 brk_syndrome = 0xf200'0000;
    const auto first = run_at_start({a64::brk_5a5a});
    const auto second = run_at_start({a64::brk_1234});
    for (std::size_t at = 0; at + 24 <= first.size(); at += 4)
        if (word_at(first, at, 4) == (brk_syndrome | 0x5a5a) && word_at(second, at, 4) == (brk_syndrome | 0x1234)) layout_.exception = at;
    if (layout_.exception == 0) return wrong("the syndrome of an exception is not found");
    // A reservation on known memory: address, value.
    write(UC_ARM64_REG_X2, start + 0x40);
    constexpr u64 reserved = 0x0123'4567'89ab'cdef;
    std::memcpy(code + 0x40, &reserved, sizeof reserved);
    const auto held = run_at_start({a64::ldxr_x1_x2, a64::hvc});
    for (std::size_t at = 0; at + 24 <= held.size(); at += 8)
        if (word_at(held, at, 8) == start + 0x40 && word_at(held, at + 8, 8) == reserved && word_at(first, at, 8) == ~u64{0}) layout_.monitor = at;
    if (layout_.monitor == 0) return wrong("the exclusive monitor is not found");
    return {};
}

std::expected<void, std::string> ArmEngine::self_check() {
    TwoPages pages(memory_);
    SavedRegisters context = make_context();
    client_ = nullptr;
    select(pages, context);
    constexpr u64 start = TwoPages::code_page_number << page_shift;
    constexpr u64 alias = TwoPages::alias_page_number << page_shift;
    std::byte* code = memory_.pointer(memory_.range().start);
    u64 count = 0;
    const auto run_from = [&](std::initializer_list<u32> words, u64 limit = ~u64{0}) {
        std::memcpy(code, std::data(words), words.size() * 4);
        flush_code();
        flush_translation();
        write(UC_ARM64_REG_PC, start);
        count = 0;
        return run(count, limit);
    };
    const auto pc = [&] { return read(UC_ARM64_REG_PC); };
    const auto raised = [&](const ArmStop& stop, u32 number, u64 at) { return stop.kind == ArmStopKind::Exception && stop.number == number && pc() == at; };

    // A fault in mid-block: exact pc, exact count.
    write(UC_ARM64_REG_X2, 0x7000'0000);
    ArmStop stop = run_from({a64::mov_x0_1, a64::ldr_x1_x2, a64::hvc});
    if (stop.kind != ArmStopKind::MemoryFault || pc() != start + 4 || count != 1 || stop.fault_page != Gva{0x7000'0000})
        return wrong("a faulting load does not stop at its instruction");
    if (!raised(run_from({a64::mov_x0_1, a64::hvc}), uc_exception::hvc, start + 8) || count != 2) return wrong("HVC does not stop behind itself");
    if (!raised(run_from({a64::mov_x0_1, a64::smc}), uc_exception::smc, start + 4) || exception().target_el != 2 || count != 1)
        return wrong("SMC does not trap");
    if (!raised(run_from({a64::mov_x0_1, a64::wfi}), uc_exception::undefined, start + 4)) return wrong("WFI does not trap");
    if (!raised(run_from({a64::mov_x0_1, a64::mrs_x0_iar1}), uc_exception::undefined, start + 4)) return wrong("an absent register is not undefined");
    stop = run_from({a64::mrs_x0_cntvct, a64::mov_x3_3, a64::hvc});
    if (read(UC_ARM64_REG_X0) != TwoPages::counter || read(UC_ARM64_REG_X3) != 3 || count != 3) return wrong("a hooked MRS does not take its value");
    stop = run_from({a64::mov_x0_1, a64::hvc}, 0);
    if (stop.kind != ArmStopKind::Boundary || pc() != start || count != 0) return wrong("a stop at a block start is not exact");
    count = 0;
    stop = run_to(count, ~u64{0}, Gva{start + 4});
    if (stop.kind != ArmStopKind::ExitAddress || pc() != start + 4 || count != 1) return wrong("a stop before an instruction is not exact");

    // Stores through the same page and through an alias, twice each, must replace code that has run.
    for (const u64 page : {start, alias}) {
        std::memcpy(code + 0x100, std::data({a64::mov_x0_1, a64::ret}), 8);
        write(UC_ARM64_REG_X2, page + 0x100);
        for (const u32 instruction : {a64::mov_x0_1, a64::mov_x0_2, a64::mov_x0_1}) {
            write(UC_ARM64_REG_X1, instruction);
            std::memcpy(code, std::data({a64::str_w1_x2, a64::hvc}), 8);
            for (const u64 at : {start, start + 0x100}) {
                write(UC_ARM64_REG_PC, at);
                write(UC_ARM64_REG_X30, start + 4);
                stop = run(count, ~u64{0});
            }
            if (read(UC_ARM64_REG_X0) != (instruction == a64::mov_x0_1 ? 1 : 2)) return wrong("changed code is not seen");
        }
    }
    return {};
}

}  // namespace ax::sim
