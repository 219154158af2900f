// The start-up check of the engine: the few behaviours of Unicorn that everything else rests on.
#include <array>
#include <cstring>
#include <span>

#include "sim/hal/unicorn/riscv_engine.hpp"

namespace ax::sim {

namespace {

/// Identity translation of two pages; everything else faults.
class TwoPages final : public EngineClient {
public:
    TwoPages(Hpa base, const std::byte* host) : base_(base), host_(host) {}
    bool on_fill(Gva va, Access access, EngineFill& fill) override {
        const u64 page = va.page_number();
        if (page != code_page_number && page != alias_page_number) return false;
        fill = {base_, access != Access::Write, access == Access::Write, access == Access::Execute};
        return true;
    }
    const std::byte* code_page(Gva) override { return host_; }
    static constexpr u64 code_page_number = 0x10;
    static constexpr u64 alias_page_number = 0x20;

private:
    Hpa base_;
    const std::byte* host_;
};

constexpr u32 li_a0_1 = 0x0010'0513;      // addi a0, zero, 1
constexpr u32 li_a0_2 = 0x0020'0513;      // addi a0, zero, 2
constexpr u32 sw_a1_a2 = 0x00b6'2023;     // sw a1, 0(a2)
constexpr u32 lr_d_a3_a4 = 0x1007'36af;   // lr.d a3, (a4)
constexpr u32 ld_a0_a5 = 0x0007'b503;     // ld a0, 0(a5)
constexpr u32 ecall = 0x0000'0073;
constexpr u32 ret_to_ra = 0x0000'8067;    // jalr zero, 0(ra)

}  // namespace

std::expected<void, std::string> RiscvEngine::self_check() {
    const Hpa base = memory_.range().start;
    const std::size_t saved_size = 64;
    std::array<std::byte, saved_size> saved{};
    std::memcpy(saved.data(), memory_.pointer(base), saved_size);
    std::byte* code = memory_.pointer(base);
    const auto put = [&](std::size_t at, std::initializer_list<u32> words) {
        for (const u32 w : words) {
            std::memcpy(code + at, &w, 4);
            at += 4;
        }
    };
    const auto result = [&]() -> std::expected<void, std::string> {
        TwoPages pages(base, code);
        select(pages);
        EngineContext context = make_context();
        const auto& hart = context.view();
        constexpr u64 start = TwoPages::code_page_number << page_shift;
        u64 count = 0;

        // A fault in mid-block: exact pc, exact count, and the reservation where the layout says it is.
        put(0, {li_a0_1, lr_d_a3_a4, ld_a0_a5, ecall});
        *hart.pc = start;
        hart.x[14] = start;
        hart.x[15] = 0x7000'0000;
        EngineStop stop = run(context, count, ~u64{0});
        if (stop.kind != EngineStopKind::MemoryFault || *hart.pc != start + 8 || count != 2 || stop.fault_page != Gva{0x7000'0000})
            return std::unexpected(std::string("a faulting load does not stop at its instruction"));
        if (hart.x[10] != 1) return std::unexpected(std::string("registers are not where they were found"));
        if (*hart.load_res != start) return std::unexpected(std::string("the load reservation is not where it was expected"));

        // A store through an alias must replace code that has run.
        put(0, {li_a0_1, ret_to_ra});
        put(16, {sw_a1_a2, ret_to_ra});
        put(32, {ecall});
        flush_code();
        hart.x[1] = start + 32;
        for (const u64 expected : {u64{1}, u64{2}}) {
            *hart.pc = start;
            stop = run(context, count, ~u64{0});
            if (stop.kind != EngineStopKind::Ecall || *hart.pc != start + 32) return std::unexpected(std::string("ecall does not stop the run"));
            if (hart.x[10] != expected) return std::unexpected(std::string("changed code is not seen through an alias"));
            hart.x[11] = li_a0_2;
            hart.x[12] = TwoPages::alias_page_number << page_shift;
            *hart.pc = start + 16;
            stop = run(context, count, ~u64{0});
        }
        // A stop at a block start leaves the block unexecuted.
        hart.x[10] = 0;
        *hart.pc = start;
        count = 5;
        stop = run(context, count, 5);
        if (stop.kind != EngineStopKind::Boundary || *hart.pc != start || hart.x[10] != 0 || count != 5)
            return std::unexpected(std::string("a stop at a block start is not exact"));
        return {};
    }();
    std::memcpy(code, saved.data(), saved_size);
    flush_code();
    flush_translation();
    client_ = nullptr;
    return result;
}

}  // namespace ax::sim
