// The virtual CPU interface once more, as a set of interrupts and a set of running priorities instead of registers.
// Only the comparison turns it into register values, with bit numbers typed in from the manual.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "core/arch/arm64/el2_regs.hpp"

namespace ax::sim::arm64::test {

struct ModelInterrupt {
    u64 intid = 0;
    u64 priority = 0;  ///< multiple of 8
    bool group1 = true;
    bool pending = false, active = false;
    bool hw = false;
    u64 physical = 0;
    bool tells_end = false;  ///< EOI maintenance; not with `hw`
};

struct IcvModel {
    std::vector<ModelInterrupt> lists{};
    std::set<std::pair<u64, bool>> running{};  ///< priority, of Group 1
    bool enabled = true, group0 = true, group1 = true, common = false, split = false;
    u64 bpr0 = 2, bpr1 = 3, pmr = 0xf8;
    u64 ends = 0;   ///< EOIcount
    u64 extra = 0;  ///< interrupt enables in ICH_HCR_EL2

    [[nodiscard]] ax::arm64::El2Regs registers() const {
        ax::arm64::El2Regs r;
        r.HCR_EL2 = (1 << 3) | (1 << 4) | (1 << 5);
        r.ICH_HCR_EL2 = (enabled ? 1 : 0) | extra | ((ends % 32) << 27);
        r.ICH_VMCR_EL2 = (group0 ? 1 : 0) | (group1 ? 2 : 0) | (1 << 3) | (common ? 1 << 4 : 0) | (split ? 1 << 9 : 0) |
                         (bpr1 << 18) | (bpr0 << 21) | (pmr << 24);
        for (const auto& [priority, is_group1] : running)
            (is_group1 ? r.ICH_AP1R_EL2 : r.ICH_AP0R_EL2)[0] |= u64{1} << (priority / 8);
        for (std::size_t n = 0; n < lists.size(); ++n) {
            const ModelInterrupt& i = lists[n];
            u64 word = i.intid | (i.priority << 48);
            if (i.group1) word |= u64{1} << 60;
            if (i.hw) word |= (u64{1} << 61) | (i.physical << 32);
            if (!i.hw && i.tells_end) word |= u64{1} << 41;
            if (i.pending) word |= u64{1} << 62;
            if (i.active) word |= u64{1} << 63;
            r.ICH_LR_EL2[n] = word;
        }
        return r;
    }

    /// "Priority grouping": subpriority bits fall away.
    [[nodiscard]] u64 preemption_level(u64 priority, bool is_group1) const {
        const u64 subpriority_bits = is_group1 && !common ? bpr1 : bpr0 + 1;
        return priority / (u64{1} << subpriority_bits) * (u64{1} << subpriority_bits);
    }
    [[nodiscard]] u64 running_priority() const { return running.empty() ? 0xff : running.begin()->first; }

    /// Best pending interrupt of enabled groups, or null.
    [[nodiscard]] const ModelInterrupt* best() const {
        const ModelInterrupt* found = nullptr;
        for (const ModelInterrupt& i : lists) {
            if (!i.pending || i.active || !(i.group1 ? group1 : group0)) continue;
            if (found == nullptr || i.priority < found->priority) found = &i;
        }
        return found;
    }
    [[nodiscard]] bool is_signalled(bool of_group1) const {
        const ModelInterrupt* i = best();
        if (!enabled || i == nullptr || i->group1 != of_group1 || i->priority >= pmr) return false;
        return running.empty() || preemption_level(i->priority, i->group1) < preemption_level(running_priority(), i->group1);
    }
    [[nodiscard]] u64 hppir(bool of_group1) const {
        const ModelInterrupt* i = best();
        return i != nullptr && i->group1 == of_group1 ? i->intid : 1023;
    }

    u64 acknowledge(bool of_group1) {
        if (!is_signalled(of_group1)) return 1023;
        ModelInterrupt& i = lists[static_cast<std::size_t>(best() - lists.data())];
        i.pending = false;
        if (i.intid < 1020 || i.intid > 1023) {
            i.active = true;
            running.insert({preemption_level(i.priority, i.group1), i.group1});
        }
        return i.intid;
    }
    std::optional<u32> end(bool of_group1, u64 intid) {
        if ((intid >= 1020 && intid <= 1023) || running.empty()) return std::nullopt;
        const u64 dropped = running.begin()->first;  // {p, Group 0} sorts before {p, Group 1}
        running.erase(running.begin());
        const bool is_lpi = intid >= 8192;
        ModelInterrupt* i = find_active(intid);
        if (i == nullptr) {
            if (!split && !is_lpi) ++ends;
            return std::nullopt;
        }
        if (split && !is_lpi) return std::nullopt;
        if (i->group1 != of_group1 || preemption_level(i->priority, of_group1) != dropped) return std::nullopt;
        return deactivate(*i);
    }
    std::optional<u32> deactivate_by(u64 intid) {
        if (!split || intid >= 8192 || (intid >= 1020 && intid <= 1023)) return std::nullopt;
        if (ModelInterrupt* i = find_active(intid)) return deactivate(*i);
        ++ends;
        return std::nullopt;
    }

    [[nodiscard]] u64 maintenance() const {
        u64 valid = 0, pending = 0, ended = 0;
        for (const ModelInterrupt& i : lists) {
            valid += i.pending || i.active;
            pending += i.pending && !i.active;
            ended += !i.pending && !i.active && !i.hw && i.tells_end;
        }
        const bool raised[] = {true, valid <= 1, ends % 32 != 0, pending == 0, group0, !group0, group1, !group1};
        u64 misr = ended != 0 ? 1 : 0;
        for (unsigned n = 1; n < 8; ++n)
            if ((extra >> n & 1) != 0 && raised[n]) misr |= u64{1} << n;
        return misr;
    }

private:
    ModelInterrupt* find_active(u64 intid) {
        for (ModelInterrupt& i : lists)
            if (i.active && i.intid == intid) return &i;
        return nullptr;
    }
    static std::optional<u32> deactivate(ModelInterrupt& i) {
        i.active = false;
        return i.hw ? std::optional(static_cast<u32>(i.physical)) : std::nullopt;
    }
};

}  // namespace ax::sim::arm64::test
