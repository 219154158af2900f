// The platform-level interrupt controller of a RISC-V guest: level-triggered sources in, one external
// interrupt line per supervisor context out.
#pragma once

#include <array>
#include <expected>
#include <optional>
#include <string_view>

#include "core/base/fixed_vector.hpp"
#include "core/base/types.hpp"
#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"

namespace ax::dev {

/// Why a PLIC cannot be built as configured.
enum class VplicError : u8 {
    /// `sources` is 0 or above `Vplic::max_sources`.
    SourceCount,
    /// No context is listed.
    NoContexts,
    /// Two contexts name the same vCPU, whose single external line they would fight over.
    VcpuNamedTwice,
};

/// RISC-V Platform-Level Interrupt Controller Specification 1.0.0.
///
/// Priorities and thresholds have 3 bits (0 to 7). Gateways are level-triggered: a request, once
/// pending, stays so even if the line drops, and after completion a line still high asks again.
/// A claim ignores the threshold, as "Interrupt Claim Process" says. Accesses are 4 bytes wide and
/// aligned; others are refused. Places without a register read 0 and ignore writes.
class Vplic final : public bus::Device, public irq::IrqChip {
public:
    static constexpr u32 max_sources = 1023;
    static constexpr u32 max_contexts = 128;
    /// Bytes of guest physical space that the whole register map of the specification takes.
    static constexpr u64 window_bytes = 0x400'0000;

    struct Config {
        /// Sources are numbered 1 to `sources`.
        u32 sources = 95;
        /// What each context, in order, interrupts: the vCPU whose external line it is, or nothing
        /// (machine-mode contexts, which exist only as registers).
        FixedVector<std::optional<VcpuId>, max_contexts> contexts;
    };

    /// Sources 32w to 32w+31; bit n is source 32w+n.
    struct SourceWord {
        u32 level = 0;
        u32 pending = 0;
        /// Claimed and not yet completed: the gateway holds further requests back.
        u32 in_service = 0;

        void fields(FieldVisitor& v);
    };

    static constexpr u32 max_words = (max_sources + 1) / 32;

    struct Context {
        std::array<u32, max_words> enable{};
        u8 threshold = 0;
        bool output = false;
    };

    struct State {
        /// The shape, from the configuration; not visited.
        u32 sources = 0;
        u32 words = 0;
        u32 contexts = 0;

        std::array<u8, max_sources + 1> priority{};
        std::array<SourceWord, max_words> source{};
        std::array<Context, max_contexts> context{};

        void fields(FieldVisitor& v);
    };

    /// A PLIC in its power-on state, all outputs low. `cpus` must outlive it.
    [[nodiscard]] static std::expected<Vplic, VplicError> create(const Config& config, irq::CpuLines& cpus);

    [[nodiscard]] std::string_view name() const override { return "plic"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    /// Input lines keep their level, so a source that is high is pending again at once.
    void reset() override;
    /// A restored state does not drive the outputs again: the vCPUs' own state holds their lines.
    void fields(FieldVisitor& v) override { state_.fields(v); }

    void set_line(u32 number, bool level) override;

    [[nodiscard]] const State& state() const { return state_; }

private:
    Vplic(const Config& config, irq::CpuLines& cpus);

    [[nodiscard]] u32 claim(u32 context);
    void complete(u32 context, u64 source);
    void write_priority(u32 source, u64 value);
    void write_enable(u32 context, u32 word, u64 value);
    void write_threshold(u32 context, u64 value);

    void request(u32 source);
    void refresh(u32 context);
    void refresh_listeners(u32 source);
    void drive(u32 context, bool level);
    [[nodiscard]] bool is_enabled(u32 context, u32 source) const;
    [[nodiscard]] bool has_deliverable(const Context& context) const;

    irq::CpuLines* cpus_;
    FixedVector<std::optional<VcpuId>, max_contexts> targets_;
    State state_;
};

}  // namespace ax::dev
