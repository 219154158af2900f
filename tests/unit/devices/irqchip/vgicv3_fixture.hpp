// A GICv3 on fake vCPU lines with its registers by name, and a CPU interface that acts on slots as hardware does.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "devices/irqchip/vgicv3.hpp"
#include "tests/unit/devices/device_test_support.hpp"

namespace ax::device_test::gicv3_bench {

/// Remembers the level of each vCPU's input and every time it was driven.
class FakeInputs final : public irq::CpuLines {
public:
    void set_external(VcpuId vcpu, bool level) override {
        levels.at(index(vcpu)) = level;
        driven.emplace_back(index(vcpu), level);
    }
    std::array<bool, dev::gicv3::max_vcpus> levels{};
    std::vector<std::pair<u32, bool>> driven;
};

// Register offsets as the manual spells them, in GICD and in SGI_base.
inline constexpr u64 IGROUPR = 0x080, ISENABLER = 0x100, ICENABLER = 0x180, ISPENDR = 0x200, ICPENDR = 0x280, ISACTIVER = 0x300,
                     ICACTIVER = 0x380, IPRIORITYR = 0x400, ITARGETSR = 0x800, ICFGR = 0xc00, IGRPMODR = 0xd00, NSACR = 0xe00;
inline constexpr u64 GICD_CTLR = 0x0, GICD_TYPER = 0x4, GICD_IIDR = 0x8, SETSPI_NSR = 0x40, CLRSPI_NSR = 0x48, IROUTER = 0x6000;
inline constexpr u64 RD_base = 0, SGI_base = 0x1'0000, stride = 0x2'0000;
inline constexpr u64 group0 = 1, group1 = 2;

inline constexpr u32 bit32(u32 intid) { return u32{1} << (intid % 32); }

/// The CPU interface of one vCPU over its list registers: "ICH_LR<n>_EL2", "Priority drop", "Active priorities".
struct CpuInterface {
    std::vector<std::pair<u8, u32>> running;  ///< priorities not dropped, with the INTID that has them
    bool is_split = false;                    ///< EOImode: an end only drops the priority

    [[nodiscard]] irq::Delivery* most_urgent(irq::Deliveries& slots) const {
        irq::Delivery* best = nullptr;
        for (u32 i = 0; i < slots.count; ++i) {
            irq::Delivery& d = slots.slots[i];
            if (!d.is_pending || d.is_active) continue;
            // Among equals hardware may choose.
            if (best == nullptr || std::pair(d.priority, d.number) < std::pair(best->priority, best->number)) best = &d;
        }
        const u8 limit = running.empty() ? u8{0xff} : running.back().first;
        return best != nullptr && best->priority < limit ? best : nullptr;
    }
    /// The INTID taken, or 1023.
    u32 acknowledge(irq::Deliveries& slots) {
        irq::Delivery* d = most_urgent(slots);
        if (d == nullptr) return 1023;
        d->is_pending = false;
        d->is_active = true;
        running.emplace_back(d->priority, d->number);
        return d->number;
    }
    /// Ends what was taken last. True when hardware asks for maintenance because of it.
    bool end(irq::Deliveries& slots) {
        if (running.empty()) return false;
        const u32 intid = running.back().second;
        running.pop_back();
        return !is_split && deactivate(slots, intid);
    }
    static bool deactivate(irq::Deliveries& slots, u32 intid) {
        for (u32 i = 0; i < slots.count; ++i) {
            irq::Delivery& d = slots.slots[i];
            if (d.number != intid || !d.is_active) continue;
            d.is_active = false;
            return d.tells_end && !d.is_pending && !d.host_number;
        }
        ++slots.ended_unlisted;
        return false;
    }
};

inline dev::Vgicv3::Config config_of(std::initializer_list<u64> affinities, u32 interrupts) {
    dev::Vgicv3::Config config;
    for (const u64 affinity : affinities) static_cast<void>(config.affinities.push_back(affinity));
    config.interrupts = interrupts;
    return config;
}

struct Gicv3Bench {
    explicit Gicv3Bench(std::initializer_list<u64> affinities = {0, 1}, u32 interrupts = 1020)
        : gic(config_of(affinities, interrupts), inputs) {}

    u64 getd(u64 offset, u8 size = 4) { return read_word(gic.distributor(), offset, size); }
    u64 putd(u64 offset, u64 value, u8 size = 4) { return write_word(gic.distributor(), offset, size, value); }
    u64 getr(u32 cpu, u64 offset, u8 size = 4) { return read_word(gic.redistributors(), cpu * stride + offset, size); }
    u64 putr(u32 cpu, u64 offset, u64 value, u8 size = 4) {
        return write_word(gic.redistributors(), cpu * stride + offset, size, value);
    }
    /// Registers of one interrupt, wherever they are; `cpu` matters for SGIs and PPIs.
    u64 get(u32 cpu, u64 bank, u32 intid) { return intid < 32 ? getr(cpu, SGI_base + bank) : getd(bank + intid / 32 * 4); }
    void put(u32 cpu, u64 bank, u32 intid) {
        if (intid < 32)
            putr(cpu, SGI_base + bank, bit32(intid));
        else
            putd(bank + intid / 32 * 4, bit32(intid));
    }
    [[nodiscard]] bool is(u32 cpu, u64 bank, u32 intid) { return (get(cpu, bank, intid) & bit32(intid)) != 0; }
    void set_group(u32 cpu, u32 intid, bool is_group1) {
        const u64 old = get(cpu, IGROUPR, intid);
        const u64 value = is_group1 ? old | bit32(intid) : old & ~u64{bit32(intid)};
        if (intid < 32)
            putr(cpu, SGI_base + IGROUPR, value);
        else
            putd(IGROUPR + intid / 32 * 4, value);
    }
    void set_priority(u32 cpu, u32 intid, u64 priority) {
        if (intid < 32)
            putr(cpu, SGI_base + IPRIORITYR + intid, priority, 1);
        else
            putd(IPRIORITYR + intid, priority, 1);
    }
    void set_edge(u32 cpu, u32 intid, bool is_edge) {
        const u64 bit = u64{2} << (intid % 16 * 2);
        const u64 offset = ICFGR + intid / 16 * 4;
        const u64 old = intid < 32 ? getr(cpu, SGI_base + offset) : getd(offset);
        const u64 value = is_edge ? old | bit : old & ~bit;
        if (intid < 32)
            putr(cpu, SGI_base + offset, value);
        else
            putd(offset, value);
    }
    /// Group 1, enabled, of a priority.
    void set_up(u32 cpu, u32 intid, u64 priority = 0xa0) {
        set_group(cpu, intid, true);
        set_priority(cpu, intid, priority);
        put(cpu, ISENABLER, intid);
    }
    void open() { putd(GICD_CTLR, group0 | group1); }

    irq::Deliveries& enter(u32 cpu = 0) {
        gic.before_entry(VcpuId{cpu}, slots);
        return slots;
    }
    void exit(u32 cpu = 0) { gic.after_exit(VcpuId{cpu}, slots); }
    /// What the vCPU would be offered now; changes nothing.
    std::vector<u32> offered(u32 cpu = 0) {
        std::vector<u32> numbers;
        enter(cpu);
        for (const irq::Delivery& d : slots.slots)
            if (!d.is_empty()) numbers.push_back(d.number);
        exit(cpu);
        return numbers;
    }
    /// One entry in which the guest takes the most urgent interrupt; 1023 when there is none.
    u32 take(u32 cpu = 0) {
        const u32 intid = interface.at(cpu).acknowledge(enter(cpu));
        exit(cpu);
        return intid;
    }
    /// One entry in which the guest ends what it has taken last.
    void end(u32 cpu = 0) {
        interface.at(cpu).end(enter(cpu));
        exit(cpu);
    }

    FakeInputs inputs;
    dev::Vgicv3 gic;
    irq::Deliveries slots;
    std::array<CpuInterface, 4> interface;
};

}  // namespace ax::device_test::gicv3_bench
