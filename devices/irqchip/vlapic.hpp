// The local APICs of an x86 guest: one for each vCPU, all in one device.
#pragma once

#include <array>
#include <expected>
#include <optional>
#include <string_view>

#include "core/bus/device.hpp"
#include "core/irq/vectors.hpp"
#include "core/timer/clock.hpp"
#include "core/timer/ticks.hpp"
#include "devices/irqchip/apic_messages.hpp"
#include "devices/irqchip/vlapic_state.hpp"

namespace ax::dev {

/// Intel SDM vol. 3, chapter "Advanced Programmable Interrupt Controller (APIC)": xAPIC page at 0xfee00000, x2APIC
/// MSRs, timer, local vector table, interprocessor interrupts. APIC IDs are vCPU numbers.
///
/// Choices that the manual leaves open: the page does not move (another address in IA32_APIC_BASE is #GP); reads of 1
/// or 2 bytes give their part of a register, writes of other widths than 4 or beside the first 4 bytes of 16 are
/// ignored, other reads give 0; the ID is read-only; lowest priority goes to the enabled CPU with the lowest processor
/// priority, and among equals to the lowest number; an IPI of INIT or start-up never reaches its sender; SMI goes
/// nowhere; EOI broadcasts cannot be suppressed; TPR sets the low bits of PPR when the classes are equal. Sources of
/// the thermal and performance entries do not exist.
///
/// Inputs as `irq::IrqChip`: 0 is LINT0 of every local APIC, 1 is LINT1. The timer's input runs at
/// `lapic::usual_tsc_hz`. Large (64 CPUs: 20 KiB): keep it in static or heap storage.
class LocalApics final : public bus::Device,
                         public irq::VectorSource,
                         public irq::IrqChip,
                         public timer::AlarmClient,
                         public apic::MessageTarget {
public:
    struct Config {
        u32 vcpus = 1;  ///< 1 to `lapic::max_vcpus`
        bool has_x2apic = false;
        bool has_tsc_deadline = true;
        u64 tsc_hz = lapic::usual_tsc_hz;  ///< of the guest's time-stamp counter
        /// No firmware runs before the guest: the first CPU starts as a BIOS leaves it, enabled, with the 8259s at
        /// LINT0 ("virtual wire mode") and NMI at LINT1.
        bool starts_in_virtual_wire = false;
    };

    /// All outlive the device. `initiator` tells whose page an access means.
    LocalApics(const Config& config, irq::CpuSignals& cpus, const bus::Initiator& initiator, timer::Clock& clock,
               timer::Alarms& alarms);
    /// Whom an acknowledge of ExtINT asks, and who hears of ends; null for nobody.
    void connect(apic::ExtIntSource* ext_int, apic::EndListener* ends) {
        ext_int_ = ext_int;
        ends_ = ends;
    }

    [[nodiscard]] std::string_view name() const override { return "lapic"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    /// Inputs and TSC offsets stay.
    void reset() override;
    /// A visitor that moves the alarm (restore) moves it in the alarms too. The vCPUs' own state holds their lines.
    void fields(FieldVisitor& v) override;

    [[nodiscard]] std::optional<u8> pending(VcpuId vcpu) const override;
    u8 acknowledge(VcpuId vcpu) override;
    [[nodiscard]] u8 task_priority(VcpuId vcpu) const override;
    void set_task_priority(VcpuId vcpu, u8 cr8) override;
    [[nodiscard]] std::optional<u64> read_msr(VcpuId vcpu, u32 msr) override;
    [[nodiscard]] bool write_msr(VcpuId vcpu, u32 msr, u64 value) override;
    void set_tsc_offset(VcpuId vcpu, u64 offset) override;

    void set_line(u32 number, bool level) override;
    bool deliver(const apic::Message& message) override;
    void on_alarm() override;

    /// The vCPU has taken an INIT from elsewhere than a local APIC.
    void init_reset(VcpuId vcpu);

    [[nodiscard]] const lapic::Local& local(VcpuId vcpu) const { return locals_[checked(vcpu)]; }

private:
    using Register = lapic::Register;
    /// Destination of an IPI or message, as the sender writes it.
    struct Destination {
        u32 value = 0;
        bool is_logical = false;
        bool is_wide = false;  ///< 32 bits
    };

    [[nodiscard]] u32 checked(VcpuId vcpu) const;
    [[nodiscard]] lapic::TimeStamp tsc(const lapic::Local& local) {
        return {timer::ns_to_ticks(clock_->now_ns(), config_.tsc_hz) + local.tsc_offset, config_.tsc_hz};
    }

    // Registers.
    [[nodiscard]] u32 read_register(u32 cpu, u32 number);
    void write_register(u32 cpu, u32 number, u32 value);
    void write_lvt(u32 cpu, Register which, u32 value);
    void write_svr(u32 cpu, u32 value);
    [[nodiscard]] u32 logical_id(u32 cpu) const;
    [[nodiscard]] bool write_base(u32 cpu, u64 value);
    [[nodiscard]] bool write_x2apic(u32 cpu, u32 number, u64 value);
    void power_on(u32 cpu);

    // Interrupts.
    [[nodiscard]] bool has_ext_int(u32 cpu) const;
    [[nodiscard]] bool accept(u32 cpu, u8 vector, bool is_level);
    void end_of_interrupt(u32 cpu);
    void note_error(u32 cpu, u64 error);
    void fire(u32 cpu, Register entry);
    void fire_levels(u32 cpu);
    void set_lint(u32 cpu, u32 number, bool level);
    /// Brings the CPU's interrupt input in step with the rest.
    void settle(u32 cpu);

    // Messages.
    [[nodiscard]] bool is_addressed(u32 cpu, const Destination& to) const;
    bool hand_over(u32 cpu, apic::DeliveryMode mode, u8 vector, bool is_level);
    bool to_lowest_priority(u64 candidates, u8 vector, bool is_level);
    void send(u32 cpu, u64 icr);

    // Time.
    void catch_up(u32 cpu);
    void arm();

    Config config_;
    irq::CpuSignals* cpus_;
    const bus::Initiator* initiator_;
    timer::Clock* clock_;
    timer::Alarms* alarms_;
    apic::ExtIntSource* ext_int_ = nullptr;
    apic::EndListener* ends_ = nullptr;

    std::array<lapic::Local, lapic::max_vcpus> locals_{};
    u8 lints_ = 0;  ///< bit n: level of LINTn
    u64 alarm_ns_ = timer::never;
};

}  // namespace ax::dev
