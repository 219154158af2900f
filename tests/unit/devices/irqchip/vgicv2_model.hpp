// A second, slow description of a GICv2 with two CPUs and three interrupts: one SGI, one PPI, one SPI.
// Written from the text of the specification, one interrupt at a time, nothing cached and no bit words.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <utility>

#include "core/base/types.hpp"

namespace ax::device_test::gicv2_model {

inline constexpr u32 cpus = 2;
inline constexpr u32 sgi = 1;
inline constexpr u32 ppi = 27;
inline constexpr u32 spi = 40;
inline constexpr std::array<u32, 3> intids{sgi, ppi, spi};

struct Interrupt {
    bool enabled = false;
    bool group1 = false;
    bool edge = false;
    bool line = false;
    bool asked = false;
    bool active = false;
    u32 priority = 0;
    std::array<bool, cpus> target{};
    std::array<bool, cpus> sent_by{};
};

struct CpuInterface {
    std::array<bool, 2> group_enable{};
    bool ack_ctl = false;
    bool fiq_en = false;
    bool one_binary_point = false;
    bool split_end = false;
    u32 mask = 0;
    u32 binary_point = 2;
    u32 aliased_binary_point = 3;
    /// (priority, group) of everything acknowledged and not ended.
    std::set<std::pair<u32, u32>> running;
};

struct Model {
    std::array<bool, 2> group_enable{};
    std::array<std::array<Interrupt, 2>, cpus> own{};
    Interrupt shared;
    std::array<CpuInterface, cpus> cpu{};

    Model() {
        for (auto& bank : own) {
            bank[0].enabled = true;
            bank[0].edge = true;
        }
    }

    Interrupt& at(u32 c, u32 intid) { return intid == spi ? shared : own[c][intid == sgi ? 0 : 1]; }

    bool is_pending(u32 c, u32 intid) {
        const Interrupt& i = at(c, intid);
        if (intid == sgi) return i.sent_by[0] || i.sent_by[1];
        return i.edge ? i.asked : i.asked || i.line;
    }

    /// The highest priority pending interrupt that the distributor forwards to the CPU.
    std::optional<u32> next(u32 c) {
        std::optional<u32> best;
        for (const u32 intid : intids) {
            const Interrupt& i = at(c, intid);
            if (!is_pending(c, intid) || i.active || !i.enabled || !group_enable[i.group1 ? 1 : 0]) continue;
            if (intid == spi && !i.target[c]) continue;
            if (!best || i.priority < at(c, *best).priority) best = intid;
        }
        return best;
    }

    u32 running(u32 c) { return cpu[c].running.empty() ? 0xff : cpu[c].running.begin()->first; }

    u32 group_priority(u32 c, const Interrupt& i) {
        // Table "Priority grouping by binary point".
        constexpr std::array<u32, 8> field{0xfe, 0xfc, 0xf8, 0xf0, 0xe0, 0xc0, 0x80, 0x00};
        if (i.group1 && !cpu[c].one_binary_point) return i.priority & field[cpu[c].aliased_binary_point - 1];
        return i.priority & field[cpu[c].binary_point];
    }

    bool is_signalled(u32 c) {
        const std::optional<u32> intid = next(c);
        if (!intid) return false;
        const Interrupt& i = at(c, *intid);
        return cpu[c].group_enable[i.group1 ? 1 : 0] && i.priority < cpu[c].mask && group_priority(c, i) < running(c);
    }
    bool is_fiq(u32 c) { return is_signalled(c) && !at(c, *next(c)).group1 && cpu[c].fiq_en; }
    bool is_irq(u32 c) { return is_signalled(c) && !is_fiq(c); }

    u32 shown(u32 c, bool alias) {
        const std::optional<u32> intid = next(c);
        if (!intid) return 1023;
        const bool is_group1 = at(c, *intid).group1;
        if (alias && !is_group1) return 1023;
        if (!alias && is_group1 && !cpu[c].ack_ctl) return 1022;
        const bool from_1 = *intid == sgi && !at(c, sgi).sent_by[0];
        return *intid + (from_1 ? 0x400 : 0);
    }

    u32 acknowledge(u32 c, bool alias) {
        if (!is_signalled(c)) return 1023;
        const u32 value = shown(c, alias);
        if (value == 1022 || value == 1023) return value;
        Interrupt& i = at(c, *next(c));
        cpu[c].running.insert({group_priority(c, i), i.group1 ? 1 : 0});
        if (*next(c) == sgi) i.sent_by[value >= 0x400 ? 1 : 0] = false;
        i.asked = false;
        i.active = true;
        return value;
    }

    void end(u32 c, u32 intid, bool alias) {
        if (alias && !at(c, intid).group1) return;
        if (!cpu[c].running.empty()) cpu[c].running.erase(cpu[c].running.begin());
        if (!cpu[c].split_end) at(c, intid).active = false;
    }
    void deactivate(u32 c, u32 intid) {
        if (cpu[c].split_end) at(c, intid).active = false;
    }

    void set_line(u32 c, u32 intid, bool level) {
        Interrupt& i = at(c, intid);
        if (i.edge && level && !i.line) i.asked = true;
        i.line = level;
    }
};

}  // namespace ax::device_test::gicv2_model
