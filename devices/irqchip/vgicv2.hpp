// The interrupt controller of an Arm guest, architecture version 2, emulated whole: a distributor and a
// CPU interface per vCPU, both reached by memory accesses that exit.
#pragma once

#include <array>
#include <expected>
#include <optional>
#include <string_view>

#include "core/base/types.hpp"
#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"
#include "devices/irqchip/vgicv2_cpu.hpp"
#include "devices/irqchip/vgicv2_interrupts.hpp"

namespace ax::dev {

/// Who holds the host's interrupts that stand behind a guest's.
class HostDeactivate {
public:
    /// The guest is done with the interrupt that `host_number` was passed on as: it may come again.
    virtual void deactivate(VcpuId vcpu, u32 host_number) = 0;

protected:
    ~HostDeactivate() = default;
};

/// Why a GICv2 cannot be built as configured.
enum class Vgicv2Error : u8 {
    /// `lines` is no multiple of 32 from 32 to 1024.
    LineCount,
    /// `vcpus` is 0 or above 8.
    VcpuCount,
    /// `initiator` is missing.
    NoInitiator,
};

class Vgicv2;

/// The distributor's window.
class Vgicv2Distributor : public bus::Device {
public:
    [[nodiscard]] std::string_view name() const final { return "gicd"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) final;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) final;
    /// Inputs keep their level, but host interrupts in the guest's hands are given back.
    void reset() final;
    void fields(FieldVisitor& v) final;

protected:
    ~Vgicv2Distributor() = default;

private:
    [[nodiscard]] Vgicv2& gic();
};

/// The window of the CPU interfaces: each vCPU sees its own.
class Vgicv2CpuInterface : public bus::Device {
public:
    [[nodiscard]] std::string_view name() const final { return "gicc"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) final;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) final;
    void reset() final;
    /// A restored state does not drive the outputs again: the vCPUs' own state holds their lines.
    void fields(FieldVisitor& v) final;

protected:
    ~Vgicv2CpuInterface() = default;

private:
    [[nodiscard]] Vgicv2& gic();
};

/// ARM Generic Interrupt Controller Architecture Specification, version 2.0 (IHI 0048), without the
/// Security Extensions: two interrupt groups, of which Group 0 may be signalled as FIQ.
///
/// Choices that the specification leaves open: priorities have 5 bits (see gicv2::Priority); SGIs are
/// always enabled; GICD_ICFGRn of PPIs can be written; among equal priorities the lowest INTID goes
/// first, among senders of one SGI the lowest CPU. What it calls UNPREDICTABLE: an end of interrupt
/// drops whatever priority runs and deactivates the named interrupt, whichever CPU took it, and the
/// sender in it is not looked at; GICC_EOIR ends Group 1 interrupts whatever AckCtl says, GICC_AEOIR
/// of a Group 0 interrupt is ignored; GICC_DIR while EOImode is 0 is ignored.
///
/// Accesses are 4 bytes wide and aligned, or single bytes where the specification has byte access;
/// others are refused, as are those of vCPUs beyond the configured number. Places without a register
/// read 0 and ignore writes.
class Vgicv2 final : public irq::IrqChip, private Vgicv2Distributor, private Vgicv2CpuInterface {
public:
    static constexpr u32 max_vcpus = gicv2::max_vcpus;
    /// Of each of the two windows.
    static constexpr u64 window_bytes = 0x1'0000;

    struct Config {
        /// INTIDs 0 to `lines` - 1 exist, but never 1020 and above.
        u32 lines = 256;
        /// CPU interface n is that of vCPU n.
        u32 vcpus = 1;
        /// Which vCPU makes an access; must outlive the controller.
        const bus::Initiator* initiator = nullptr;
        /// Told of ends of host interrupts; may be null.
        HostDeactivate* host = nullptr;
        /// FIQ inputs, which Group 0 interrupts use while GICC_CTLR.FIQEn is set; null: not connected.
        irq::CpuLines* fiqs = nullptr;
    };

    struct State {
        gicv2::Interrupts interrupts;
        std::array<gicv2::Cpu, gicv2::max_vcpus> cpu{};
    };

    /// A controller in its power-on state, all outputs low. `irqs` are the vCPUs' IRQ inputs; it and
    /// what `config` points to must outlive the controller.
    [[nodiscard]] static std::expected<Vgicv2, Vgicv2Error> create(const Config& config, irq::CpuLines& irqs);

    [[nodiscard]] bus::Device& distributor() { return static_cast<Vgicv2Distributor&>(*this); }
    [[nodiscard]] bus::Device& cpu_interface() { return static_cast<Vgicv2CpuInterface&>(*this); }

    /// Input `number`, an INTID from 32, shared by all CPUs.
    void set_line(u32 number, bool level) override;
    /// Input `number` (16 to 31) of the vCPU's own; others are ignored. With `host_number` the input
    /// stands for a host interrupt: when the guest deactivates it, the input falls and the host is
    /// told; if the cause is still there the host interrupt comes again and raises the input anew.
    void set_private(VcpuId vcpu, u32 number, bool level, std::optional<u32> host_number);

    [[nodiscard]] const State& state() const { return state_; }

private:
    friend Vgicv2Distributor;
    friend Vgicv2CpuInterface;

    Vgicv2(const Config& config, irq::CpuLines& irqs);

    /// The CPU interface of the access in progress; none when it has none.
    [[nodiscard]] std::optional<u32> accessor() const;

    [[nodiscard]] u32 read_distributor(u32 cpu, u64 offset, u8 size) const;
    [[nodiscard]] u8 read_byte(u32 cpu, gicv2::Place place) const;
    [[nodiscard]] u32 read_word(u32 cpu, gicv2::Place place) const;
    void write_distributor(u32 cpu, u64 offset, u8 size, u32 value);
    void write_byte(u32 cpu, gicv2::Place place, u8 value);
    void write_word(u32 cpu, gicv2::Place place, u32 value);
    void clear_active(u32 cpu, u32 number, u32 bits);
    void send(u32 from, u32 value);

    [[nodiscard]] u32 read_cpu_interface(u32 cpu, u64 offset);
    void write_cpu_interface(u32 cpu, u64 offset, u32 value);
    [[nodiscard]] u32 visible(u32 cpu, const gicv2::Candidate& candidate, bool is_alias) const;
    [[nodiscard]] u32 acknowledge(u32 cpu, bool is_alias);
    void end(u32 cpu, u32 value, bool is_alias);

    void deactivate(u32 cpu, u32 intid);
    void give_back(u32 cpu, u32 intid);
    void give_back_all();
    void reset_cpus();
    /// Brings the outputs of one CPU, or of all, in step with the state.
    void refresh(u32 cpu);
    void refresh_all();

    const bus::Initiator* initiator_;
    HostDeactivate* host_;
    irq::CpuLines* irqs_;
    irq::CpuLines* fiqs_;
    State state_;
};

}  // namespace ax::dev
