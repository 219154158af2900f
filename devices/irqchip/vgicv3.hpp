// The interrupt controller of an Arm guest, architecture version 3: distributor and redistributors
// emulated, the CPU interfaces in hardware, reached through list registers.
#pragma once

#include <expected>
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
    AffinityTwice,   ///< two vCPUs have one affinity
    InterruptCount,  ///< `interrupts` is below 32 or above 1020
};

class Vgicv3;

/// GICD.
class Vgicv3Distributor : public bus::Device {
public:
    [[nodiscard]] std::string_view name() const final { return "gicd"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) final;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) final;
    /// Of the redistributors too. Inputs keep their level.
    void reset() final;
    /// The redistributors' too. A restored state does not drive the outputs again: the vCPUs' own state
    /// holds their lines.
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
/// Choices that the specification leaves open: priorities have 5 bits; SGIs can be disabled; an interrupt
/// routed to any CPU, or to one that is not there, goes to the first; what software makes active counts as
/// taken by the CPU that it is routed to; GICR_WAKER is kept and holds nothing back. NSACR and IGRPMODR have
/// no meaning with one security state, STATUSR, PROPBASER and PENDBASER none without error reports and
/// LPIs: they read 0 and ignore writes. A CPU can end only what it has taken itself.
///
/// Which interrupts get slots: those that are pending or active, most urgent first, active before pending,
/// lowest INTID first; but if the active ones would take all, the last slot goes to the most urgent
/// pending one, which otherwise might wait for ever behind priorities that are already dropped.
///
/// Registers of one word take accesses of 4 bytes, IPRIORITYR also of 1 and 2, GICD_SETSPI_NSR and
/// GICD_CLRSPI_NSR of 2, 64-bit registers of 4 and 8. Other widths, and places without a register, read 0
/// and ignore writes; misaligned accesses are refused. Large (40 KiB): keep it in
/// static or heap storage.
class Vgicv3 final : public irq::IrqChip, public irq::Presenter, private Vgicv3Distributor, private Vgicv3Redistributors {
public:
    struct Config {
        /// MPIDR affinity of each vCPU, in their order.
        FixedVector<u64, gicv3::max_vcpus> affinities;
        /// INTIDs 0 to `interrupts` - 1 exist.
        u32 interrupts = gicv3::first_special;
    };

    [[nodiscard]] static std::expected<void, Vgicv3Error> check(const Config& config);
    /// `config` has been checked. `lines` outlives the controller; a raised one says that something can be delivered.
    Vgicv3(const Config& config, irq::CpuLines& lines);

    [[nodiscard]] bus::Device& distributor() { return static_cast<Vgicv3Distributor&>(*this); }
    [[nodiscard]] bus::Device& redistributors() { return static_cast<Vgicv3Redistributors&>(*this); }

    /// Input `number`, an INTID from 32, shared by all CPUs.
    void set_line(u32 number, bool level) override;
    void before_entry(VcpuId vcpu, irq::Deliveries& slots) override;
    void after_exit(VcpuId vcpu, irq::Deliveries& slots) override;
    [[nodiscard]] std::optional<u8> most_urgent(VcpuId vcpu) const override;
    /// Input `number` is 16 to 31; others are ignored.
    void set_private(VcpuId vcpu, u32 number, bool level, std::optional<u32> host_number) override;
    /// Only a target whose interrupt `number` is of the same group gets it ("Forwarding an SGI to a target PE").
    void send(VcpuId from, const irq::IpiTargets& targets, u32 number, bool is_group1) override;

    [[nodiscard]] const gicv3::State& state() const { return state_; }

private:
    friend Vgicv3Distributor;
    friend Vgicv3Redistributors;

    /// What follows from the state, for one vCPU; not visited.
    struct View {
        std::array<u32, gicv3::max_words> routed{};  ///< interrupts that go to it; of word 0 all
        u32 waiting = 0;                             ///< words with an interrupt that it could take
        u32 busy = 0;                                ///< and those with one that needs a slot
        u32 filled = 0;                              ///< slots from `before_entry` to `after_exit`
        u32 from_latch = 0;                          ///< of those, pending by their latch, which is clear meanwhile
        bool line = false;
    };

    /// A vCPU's word: 0 is its own, the others are shared.
    [[nodiscard]] gicv3::Word& word(u32 vcpu, u32 number) { return number == 0 ? state_.own[vcpu].word : state_.shared[number]; }
    [[nodiscard]] const gicv3::Word& word(u32 vcpu, u32 number) const {
        return number == 0 ? state_.own[vcpu].word : state_.shared[number];
    }
    [[nodiscard]] u8& priority(u32 vcpu, u32 intid) {
        return intid < gicv3::private_interrupts ? state_.own[vcpu].priority[intid] : state_.priority[intid];
    }
    [[nodiscard]] u8 priority(u32 vcpu, u32 intid) const {
        return intid < gicv3::private_interrupts ? state_.own[vcpu].priority[intid] : state_.priority[intid];
    }

    // Bits of a word, as one vCPU sees them.
    [[nodiscard]] u32 forwarded(u32 vcpu, u32 number) const;
    [[nodiscard]] u32 signalled(u32 vcpu, u32 number) const;
    [[nodiscard]] u32 held(u32 vcpu, u32 number) const;
    [[nodiscard]] u32 asking_again(u32 vcpu, u32 number) const;

    [[nodiscard]] irq::Delivery delivery(u32 vcpu, u32 intid) const;
    void fold(u32 vcpu, const irq::Delivery& slot, bool was_latched);
    void end_unlisted(u32 vcpu, const irq::Deliveries& slots);
    void set_active(u32 vcpu, u32 number, u32 bits, bool is_active);

    [[nodiscard]] u32 target_of(u64 route) const;
    void set_route(u32 intid, u64 route);
    /// Something about a word has changed: its vCPU or, of a shared one, all of them may see it.
    void changed(u32 vcpu, u32 number);
    void changed_all();
    void look(u32 vcpu, u32 number);
    void tell(u32 vcpu, u32 number);
    void derive();

    [[nodiscard]] u64 read_word(u32 vcpu, u64 offset, u32 number) const;
    void write_word(u32 vcpu, u64 offset, u32 number, u32 value);
    void write_bank(u32 vcpu, gicv3::Bank bank, u32 number, u32 value);
    [[nodiscard]] u64 read_priorities(u32 vcpu, u64 offset, u8 size, bool is_own) const;
    void write_priorities(u32 vcpu, u64 offset, u8 size, u64 value, bool is_own);
    [[nodiscard]] u64 read_interrupts(u32 vcpu, u64 offset, u8 size, bool is_own) const;
    void write_interrupts(u32 vcpu, u64 offset, u8 size, u64 value, bool is_own);
    [[nodiscard]] u64 read_distributor(u64 offset, u8 size) const;
    void write_distributor(u64 offset, u8 size, u64 value);
    void write_message(u32 intid, bool is_raised);
    [[nodiscard]] u64 read_redistributor(u32 vcpu, u64 offset, u8 size) const;
    void write_redistributor(u32 vcpu, u64 offset, u8 size, u64 value);
    void reset_all();

    Config config_;
    irq::CpuLines* lines_;
    gicv3::State state_;
    std::array<View, gicv3::max_vcpus> view_{};
};

}  // namespace ax::dev
