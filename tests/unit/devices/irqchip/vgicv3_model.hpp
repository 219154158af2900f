// A second, slow description of a GICv3 and its CPU interfaces: interrupts one at a time, no list registers,
// nothing kept that could be looked up. Written from IHI 0069, "Interrupt handling state machine".
#pragma once

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/types.hpp"

namespace ax::device_test::gicv3_model {

inline constexpr u32 cpus = 2;
inline constexpr u32 sgi = 3;
inline constexpr u32 ppi = 27;
inline constexpr u32 spi = 40;
inline constexpr u32 far_spi = 1001;
inline constexpr std::array<u32, 4> intids{sgi, ppi, spi, far_spi};
inline constexpr u32 none = 1023;

struct Interrupt {
    bool is_enabled = false;
    bool is_group1 = false;
    bool is_edge = false;
    bool line = false;
    bool latch = false;
    bool is_active = false;
    u8 priority = 0;
    u32 target = 0;  ///< of a shared one
    u32 holder = 0;  ///< who has made it active

    [[nodiscard]] bool is_pending() const { return is_edge ? latch : latch || line; }
    void move(bool level) {
        if (is_edge && level && !line) latch = true;
        line = level;
    }
};

struct Cpu {
    std::array<Interrupt, 2> own{Interrupt{.is_edge = true}, Interrupt{}};
    std::vector<std::pair<u8, u32>> running;
};

struct Model {
    std::array<Cpu, cpus> cpu;
    std::array<Interrupt, 2> shared;
    std::array<bool, 2> is_group_enabled{};

    Interrupt& at(u32 c, u32 which) { return which < 2 ? cpu[c].own[which] : shared[which - 2]; }
    [[nodiscard]] const Interrupt& at(u32 c, u32 which) const { return which < 2 ? cpu[c].own[which] : shared[which - 2]; }

    [[nodiscard]] bool reaches(u32 c, u32 which) const {
        const Interrupt& i = at(c, which);
        return i.is_enabled && is_group_enabled[i.is_group1 ? 1 : 0] && (which < 2 || i.target == c);
    }
    [[nodiscard]] bool can_be_taken(u32 c, u32 which) const {
        return reaches(c, which) && at(c, which).is_pending() && !at(c, which).is_active;
    }
    [[nodiscard]] bool is_held(u32 c, u32 which) const {
        return at(c, which).is_active && (which < 2 || at(c, which).holder == c);
    }
    /// The most urgent one, whatever runs; among equals `preferred` when it is one of them, else the lowest INTID.
    [[nodiscard]] std::optional<u32> next(u32 c, u32 preferred = none) const {
        std::optional<u32> best;
        for (u32 which = 0; which < intids.size(); ++which) {
            if (!can_be_taken(c, which)) continue;
            const bool is_better = !best || at(c, which).priority < at(c, *best).priority;
            if (is_better || (intids[which] == preferred && at(c, which).priority == at(c, *best).priority)) best = which;
        }
        return best;
    }
    u32 acknowledge(u32 c, u32 preferred = none) {
        const auto which = next(c, preferred);
        std::vector<std::pair<u8, u32>>& running = cpu[c].running;
        if (!which || (!running.empty() && at(c, *which).priority >= running.back().first)) return none;
        Interrupt& i = at(c, *which);
        i.is_active = true;
        i.holder = c;
        i.latch = false;
        running.emplace_back(i.priority, *which);
        return intids[*which];
    }
    void end(u32 c, bool is_split) {
        const u32 which = cpu[c].running.back().second;
        cpu[c].running.pop_back();
        if (!is_split) at(c, which).is_active = false;
    }
    void make_active(u32 c, u32 which) {
        Interrupt& i = at(c, which);
        if (i.is_active) return;
        i.is_active = true;
        i.holder = which < 2 ? c : i.target;
    }
};

}  // namespace ax::device_test::gicv3_model
