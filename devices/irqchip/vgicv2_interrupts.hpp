// The interrupts of a GICv2's distributor: what each is set to, and where in its life it stands.
#pragma once

#include <array>
#include <optional>

#include "core/base/fields.hpp"
#include "core/base/types.hpp"
#include "devices/irqchip/vgicv2_regs.hpp"

namespace ax::dev::gicv2 {

/// 32 interrupts: bit n of every member is INTID 32w+n.
struct InterruptWord {
    u32 group1 = 0;
    u32 enabled = 0;
    /// Triggered by a rising edge; the others by a high level.
    u32 edge = 0;
    /// The input is high.
    u32 level = 0;
    /// Pending whatever the input does: an edge, a write to GICD_ISPENDRn, or an SGI.
    u32 latched = 0;
    u32 active = 0;

    /// IHI 0048, Control of the pending status of level-sensitive interrupts.
    [[nodiscard]] constexpr u32 pending() const { return latched | (level & ~edge); }
    void fields(FieldVisitor& v);
};

/// The interrupt that a CPU interface would take next.
struct Candidate {
    u32 intid = spurious;
    u8 priority = idle_priority;
    bool is_group1 = false;
    /// The CPU that sent it, of an SGI: the lowest that did.
    u32 source = 0;

    [[nodiscard]] constexpr bool is_none() const { return intid == spurious; }
};

/// A host's interrupt behind a private one.
struct HostInterrupt {
    bool is_known = false;
    u32 number = 0;

    void fields(FieldVisitor& v);
};

/// What one CPU has of its own: SGIs, PPIs, and which shared interrupts go to it.
struct PrivateInterrupts {
    InterruptWord word{.enabled = 0xffff, .edge = 0xffff};
    std::array<u8, private_interrupts> priority{};
    /// Per SGI, bit n: CPU n has sent it and this one has not acknowledged it.
    std::array<u8, sgis> sources{};
    /// GICD_ITARGETSRn turned round: word w, bit n is INTID 32w+n. Word 0 has no bits.
    std::array<u32, max_words> targeted{};
    /// Per PPI.
    std::array<HostInterrupt, private_interrupts - sgis> host{};
};

/// Numbers and settings only: who is told of changes is the caller's affair. `cpu` is below `vcpus`
/// and `word` below `words` in all calls.
struct Interrupts {
    /// The shape, from the configuration; not visited.
    u32 words = 0;
    u32 vcpus = 0;

    /// GICD_CTLR.
    u8 control = 0;
    std::array<PrivateInterrupts, max_vcpus> own{};
    /// From word 1; word 0 of every CPU is its own.
    std::array<InterruptWord, max_words> shared{};
    std::array<u8, max_lines> shared_priority{};

    void fields(FieldVisitor& v);
    /// Power-on state; inputs keep their level, shape and host numbers stay.
    void reset();

    [[nodiscard]] InterruptWord& word(u32 cpu, u32 number) { return number == 0 ? own[cpu].word : shared[number]; }
    [[nodiscard]] const InterruptWord& word(u32 cpu, u32 number) const { return number == 0 ? own[cpu].word : shared[number]; }
    [[nodiscard]] u8& priority(u32 cpu, u32 intid) {
        return intid < private_interrupts ? own[cpu].priority[intid] : shared_priority[intid];
    }
    [[nodiscard]] u8 priority(u32 cpu, u32 intid) const {
        return intid < private_interrupts ? own[cpu].priority[intid] : shared_priority[intid];
    }
    [[nodiscard]] bool exists(u32 intid) const { return intid < words * word_bits && intid < first_special; }
    /// The bits of a word that stand for interrupts.
    [[nodiscard]] static constexpr u32 existing(u32 number) {
        return number == max_words - 1 ? (u32{1} << (first_special % word_bits)) - 1 : ~u32{0};
    }

    /// The most urgent interrupt that is pending, not active, enabled and forwarded to `cpu`; among
    /// equals the lowest INTID.
    [[nodiscard]] Candidate highest_pending(u32 cpu) const;
    /// Pending becomes active, and what asked only once is no longer pending.
    void activate(u32 cpu, const Candidate& candidate);
    /// False when it was not active.
    [[nodiscard]] bool deactivate(u32 cpu, u32 intid);

    /// The input of an interrupt moves.
    void set_level(u32 cpu, u32 intid, bool level);
    /// Bits of `sources` are CPUs.
    void add_sources(u32 cpu, u32 sgi, u8 sources);
    void remove_sources(u32 cpu, u32 sgi, u8 sources);

    /// GICD_ITARGETSRn: one byte, as `cpu` reads it.
    [[nodiscard]] u8 targets(u32 cpu, u32 intid) const;
    void set_targets(u32 intid, u8 value);

private:
    [[nodiscard]] u32 candidates(u32 cpu, u32 number) const;
    [[nodiscard]] u8 cpu_mask() const { return static_cast<u8>((u32{1} << vcpus) - 1); }
    void make_safe();
};

}  // namespace ax::dev::gicv2
