// The interrupts of a GICv3: what each is set to, and where in its life it stands.
#pragma once

#include <array>

#include "core/base/fields.hpp"
#include "devices/irqchip/vgicv3_regs.hpp"

namespace ax::dev::gicv3 {

/// 32 interrupts: bit n of every member is INTID 32w+n.
struct Word {
    u32 group1 = 0;
    u32 enabled = 0;
    u32 edge = 0;     ///< triggered by a rising edge; the others by a high level
    u32 level = 0;    ///< the input is high
    u32 message = 0;  ///< a level that GICD_SETSPI_NSR raised
    u32 latched = 0;  ///< pending whatever the input does
    u32 active = 0;

    [[nodiscard]] constexpr u32 pending() const { return latched | ((level | message) & ~edge); }
    void fields(FieldVisitor& v);
};

/// What one vCPU has of its own.
struct Own {
    Word word{.edge = 0xffff};
    std::array<u8, private_interrupts> priority{};
    /// Host's interrupt behind a PPI, plus one; 0 for none.
    std::array<u32, private_interrupts> host{};
    u32 waker = Waker::ProcessorSleep::mask | Waker::ChildrenAsleep::mask;
    /// Active shared interrupts that this vCPU has acknowledged; word 0 stays empty.
    std::array<u32, max_words> held{};
};

struct State {
    /// The shape, from the configuration; not visited.
    u32 vcpus = 0;
    u32 interrupts = 0;

    u32 control = 0;                       ///< the enable bits of GICD_CTLR
    std::array<Word, max_words> shared{};  ///< from word 1
    std::array<u8, first_special> priority{};
    std::array<u64, first_special> route{};
    std::array<Own, max_vcpus> own{};

    [[nodiscard]] constexpr u32 words() const { return (interrupts + word_bits - 1) / word_bits; }
    /// The bits of a word that stand for interrupts.
    [[nodiscard]] constexpr u32 existing(u32 number) const {
        const u32 first = number * word_bits;
        if (interrupts >= first + word_bits) return ~u32{0};
        return interrupts <= first ? 0 : (u32{1} << (interrupts - first)) - 1;
    }
    void fields(FieldVisitor& v);

private:
    void make_safe();
};

}  // namespace ax::dev::gicv3
