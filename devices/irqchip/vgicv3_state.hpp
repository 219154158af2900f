// The interrupts of a GICv3: what each is set to, and where in its life it stands.
#pragma once

#include <array>

#include "core/base/fields.hpp"
#include "devices/irqchip/vgicv3_regs.hpp"

namespace ax::dev::gicv3 {

/// 32 interrupts: bit n of every member is INTID 32w+n.
struct Word {
    u32 group1 = 0;
    u32 modifier = 0;
    u32 enabled = 0;
    u32 edge = 0;     ///< triggered by a rising edge; the others by a high level
    u32 level = 0;    ///< the input is high
    u32 latched = 0;  ///< pending whatever the input does
    u32 active = 0;

    [[nodiscard]] constexpr u32 pending() const { return latched | (level & ~edge); }
    void fields(FieldVisitor& v);
};

/// What one vCPU has of its own.
struct Own {
    Word word{.edge = 0xffff};
    std::array<u8, private_interrupts> priority{};
    /// Host's interrupt behind a PPI, plus one; 0 for none.
    std::array<u32, private_interrupts> host{};
    u32 waker = Waker::ProcessorSleep::mask | Waker::ChildrenAsleep::mask;
    /// Active shared interrupts that this vCPU has acknowledged.
    std::array<u32, max_words> held{};
    void fields(FieldVisitor& v);
};

struct State {
    u32 control = 0;
    std::array<Word, max_words> shared{};  ///< from word 1
    std::array<u8, max_words * word_bits> priority{};
    std::array<u64, max_words * word_bits> route{};
    std::array<Own, max_vcpus> own{};
    u32 vcpus = 0;  ///< the shape; not visited

    void fields(FieldVisitor& v);
};

}  // namespace ax::dev::gicv3
