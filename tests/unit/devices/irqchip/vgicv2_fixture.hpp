// A GICv2 on fake vCPU lines and a fake host, with its registers by name.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "devices/irqchip/vgicv2.hpp"
#include "tests/unit/devices/device_test_support.hpp"

namespace ax::device_test::gicv2_bench {

/// Remembers the level of each vCPU's input and every time it was driven.
class FakeInputs final : public irq::CpuLines {
public:
    void set_external(VcpuId vcpu, bool level) override {
        levels.at(index(vcpu)) = level;
        driven.emplace_back(index(vcpu), level);
    }
    std::array<bool, dev::Vgicv2::max_vcpus> levels{};
    std::vector<std::pair<u32, bool>> driven;
};

/// Remembers what it was given back; raises the input again at once while `insists`.
class FakeHost final : public dev::HostDeactivate {
public:
    void deactivate(VcpuId vcpu, u32 host_number) override {
        given.emplace_back(index(vcpu), host_number);
        if (insists) gic->set_private(vcpu, host_number, true, host_number);
    }
    std::vector<std::pair<u32, u32>> given;
    dev::Vgicv2* gic = nullptr;
    bool insists = false;
};

// Register offsets as the manual spells them; those of the distributor first.
inline constexpr u64 GICD_CTLR = 0x000, GICD_TYPER = 0x004, GICD_IIDR = 0x008, IGROUPR = 0x080, ISENABLER = 0x100,
                     ICENABLER = 0x180, ISPENDR = 0x200, ICPENDR = 0x280, ISACTIVER = 0x300, ICACTIVER = 0x380,
                     IPRIORITYR = 0x400, ITARGETSR = 0x800, ICFGR = 0xc00, SGIR = 0xf00, CPENDSGIR = 0xf10, SPENDSGIR = 0xf20;
inline constexpr u64 GICC_CTLR = 0x00, PMR = 0x04, BPR = 0x08, IAR = 0x0c, EOIR = 0x10, RPR = 0x14, HPPIR = 0x18, ABPR = 0x1c,
                     AIAR = 0x20, AEOIR = 0x24, AHPPIR = 0x28, APR0 = 0xd0, NSAPR0 = 0xe0, GICC_IIDR = 0xfc, DIR = 0x1000;
inline constexpr u64 group0 = 1, group1 = 2, ack_ctl = 4, fiq_en = 8, cbpr = 0x10, eoi_mode = 0x200;

struct Gicv2Bench {
    explicit Gicv2Bench(u32 vcpus = 2, u32 lines = 256) : gic(*dev::Vgicv2::create(config(vcpus, lines), irqs)) {
        host.gic = &gic;
    }
    dev::Vgicv2::Config config(u32 vcpus, u32 lines) {
        return {.lines = lines, .vcpus = vcpus, .initiator = &initiator, .host = &host, .fiqs = &fiqs};
    }

    /// Accesses of the distributor and of the CPU interface, by one vCPU.
    u64 getd(u64 offset, u32 cpu = 0, u8 size = 4) {
        initiator.vcpu = VcpuId{cpu};
        return read_word(gic.distributor(), offset, size);
    }
    u64 putd(u64 offset, u64 value, u32 cpu = 0, u8 size = 4) {
        initiator.vcpu = VcpuId{cpu};
        return write_word(gic.distributor(), offset, size, value);
    }
    u64 getc(u64 offset, u32 cpu = 0) {
        initiator.vcpu = VcpuId{cpu};
        return read_word(gic.cpu_interface(), offset, 4);
    }
    u64 putc(u64 offset, u64 value, u32 cpu = 0) {
        initiator.vcpu = VcpuId{cpu};
        return write_word(gic.cpu_interface(), offset, 4, value);
    }

    /// Both groups on, in the distributor and at every CPU; nothing masked.
    void open(u64 control = group0 | group1) {
        putd(GICD_CTLR, group0 | group1);
        for (u32 c = 0; c < gic.state().interrupts.vcpus; ++c) {
            putc(GICC_CTLR, control, c);
            putc(PMR, 0xf8, c);
        }
    }
    void enable(u32 intid, u64 priority, u64 targets = 1, u32 cpu = 0) {
        putd(IPRIORITYR + intid, priority, cpu, 1);
        if (intid >= 32) putd(ITARGETSR + intid, targets, cpu, 1);
        putd(ISENABLER + intid / 32 * 4, u64{1} << intid % 32, cpu);
    }
    void make_edge(u32 intid, u32 cpu = 0) {
        putd(ICFGR + intid / 16 * 4, getd(ICFGR + intid / 16 * 4, cpu) | u64{2} << intid % 16 * 2, cpu);
    }
    void make_group1(u32 intid, u32 cpu = 0) {
        putd(IGROUPR + intid / 32 * 4, getd(IGROUPR + intid / 32 * 4, cpu) | u64{1} << intid % 32, cpu);
    }
    bool is_set(u64 base, u32 intid, u32 cpu = 0) { return (getd(base + intid / 32 * 4, cpu) >> intid % 32 & 1) != 0; }

    bus::Initiator initiator;
    FakeInputs irqs;
    FakeInputs fiqs;
    FakeHost host;
    dev::Vgicv2 gic;
};

/// Both devices' fields.
inline SavedState save_both(dev::Vgicv2& gic) {
    SavedState saved = save(gic.distributor());
    const SavedState cpus = save(gic.cpu_interface());
    saved.insert(saved.end(), cpus.begin(), cpus.end());
    return saved;
}

}  // namespace ax::device_test::gicv2_bench
