// The interrupt controller of an Arm guest, architecture version 3: distributor and redistributors
// emulated, the CPU interfaces in hardware, reached through list registers.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/fixed_vector.hpp"
#include "core/bus/device.hpp"
#include "core/irq/deliveries.hpp"
#include "core/irq/irq_chip.hpp"
#include "devices/irqchip/vgicv3_state.hpp"

namespace ax::dev {

/// Why a GICv3 cannot be built as configured.
enum class Vgicv3Error : u8 {
    NoVcpus,
    AffinityTwice,  ///< two vCPUs have one affinity
};

class Vgicv3;

/// GICD.
class Vgicv3Distributor : public bus::Device {
public:
    [[nodiscard]] std::string_view name() const final { return "gicd"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) final;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) final;
    void reset() final;
    void fields(FieldVisitor& v) final;

protected:
    ~Vgicv3Distributor() = default;

private:
    [[nodiscard]] Vgicv3& gic();
};

/// GICR: one window for all vCPUs, 128 KiB each, in their order.
class Vgicv3Redistributors : public bus::Device {
public:
    [[nodiscard]] std::string_view name() const final { return "gicr"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) final;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) final;
    /// The distributor's reset does it for both.
    void reset() final {}
    /// The distributor's list holds all.
    void fields(FieldVisitor&) final {}

protected:
    ~Vgicv3Redistributors() = default;

private:
    [[nodiscard]] Vgicv3& gic();
};

/// GIC architecture version 3 (IHI 0069) with affinity routing only, one security state (DS), no LPIs.
///
/// Choices that the specification leaves open: priorities have 5 bits; an interrupt routed to any CPU goes to
/// the first; among equal priorities the lowest INTID goes first, and what is active before what is only pending.
/// Registers of one word take accesses of 4 bytes, IPRIORITYR also of 1 and 2, 64-bit registers of 4 and 8; other
/// widths read 0 and write nothing, misaligned ones are refused. Large (80 KiB): keep it in static or heap storage.
class Vgicv3 final : public irq::IrqChip, public irq::Presenter, private Vgicv3Distributor, private Vgicv3Redistributors {
public:
    struct Config {
        /// MPIDR affinity of each vCPU, in their order.
        FixedVector<u64, gicv3::max_vcpus> affinities;
    };

    [[nodiscard]] static std::expected<void, Vgicv3Error> check(const Config& config);
    /// `config` has been checked. `lines` outlives the controller; a raised one says that something can be delivered.
    Vgicv3(const Config& config, irq::CpuLines& lines);

    [[nodiscard]] bus::Device& distributor() { return static_cast<Vgicv3Distributor&>(*this); }
    [[nodiscard]] bus::Device& redistributors() { return static_cast<Vgicv3Redistributors&>(*this); }

    void set_line(u32 number, bool level) override;
    void before_entry(VcpuId vcpu, irq::Deliveries& slots) override;
    void after_exit(VcpuId vcpu, irq::Deliveries& slots) override;
    [[nodiscard]] std::optional<u8> most_urgent(VcpuId vcpu) const override;
    void set_private(VcpuId vcpu, u32 number, bool level, std::optional<u32> host_number) override;
    void send(VcpuId from, const irq::IpiTargets& targets, u32 number, bool is_group1) override;

    [[nodiscard]] const gicv3::State& state() const { return state_; }

private:
    friend Vgicv3Distributor;
    friend Vgicv3Redistributors;

    /// A vCPU's word: 0 is its own, the others are shared.
    [[nodiscard]] gicv3::Word& word(u32 vcpu, u32 number) { return number == 0 ? state_.own[vcpu].word : state_.shared[number]; }
    [[nodiscard]] const gicv3::Word& word(u32 vcpu, u32 number) const { return number == 0 ? state_.own[vcpu].word : state_.shared[number]; }
    [[nodiscard]] u8 priority(u32 vcpu, u32 intid) const { return intid < gicv3::private_interrupts ? state_.own[vcpu].priority[intid] : state_.priority[intid]; }
    [[nodiscard]] u32 target_of(u64 route) const;
    void set_route(u32 intid, u64 route);
    /// Pending, enabled, of an enabled group, and not held back because it is active.
    [[nodiscard]] u32 deliverable(u32 vcpu, u32 number) const;
    [[nodiscard]] u32 held(u32 vcpu, u32 number) const;
    [[nodiscard]] irq::Delivery delivery(u32 vcpu, u32 intid, bool is_pending, bool is_active) const;
    void fold(u32 vcpu, const irq::Delivery& slot);
    void set_active(u32 vcpu, u32 number, u32 bits, bool is_active);
    void end_unlisted(u32 vcpu);
    /// Something about these vCPUs' interrupts has changed.
    void changed(u32 vcpu);
    void changed_all();

    [[nodiscard]] u32 read_bank(u32 vcpu, gicv3::Bank bank, u32 number) const;
    void write_bank(u32 vcpu, gicv3::Bank bank, u32 number, u32 value);
    /// Registers that GICD and SGI_base have alike; `first` and `last` are the words that this frame has.
    [[nodiscard]] std::optional<u64> read_common(u32 vcpu, u64 offset, u8 size, u32 first, u32 last) const;
    bool write_common(u32 vcpu, u64 offset, u8 size, u64 value, u32 first, u32 last);
    [[nodiscard]] u64 read_distributor(u64 offset, u8 size) const;
    void write_distributor(u64 offset, u8 size, u64 value);
    [[nodiscard]] u64 read_redistributor(u32 vcpu, u64 offset, u8 size) const;
    void write_redistributor(u32 vcpu, u64 offset, u8 size, u64 value);
    void reset_all();
    void restored();

    Config config_;
    irq::CpuLines* lines_;
    gicv3::State state_;

    // Derived.
    std::array<std::array<u32, gicv3::max_words>, gicv3::max_vcpus> routed_{};  ///< shared interrupts that go to a vCPU
    std::array<bool, gicv3::max_vcpus> is_quiet_{};  ///< nothing to present, as of the last look
    std::array<u32, gicv3::max_vcpus> filled_{};     ///< slots that `before_entry` has filled and `after_exit` will empty
    std::array<bool, gicv3::max_vcpus> line_{};
};

}  // namespace ax::dev
