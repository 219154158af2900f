// An x86 vCPU at the HAL line that the host's KVM runs. KVM hands exits over decoded, so nothing of core/arch decodes here;
// policies and the states that a vCPU starts in are the core's.
#pragma once

#include "core/arch/x86/msrs.hpp"
#include "core/backend/x86/vcpu.hpp"
#include "sim/hal/kvm/engine.hpp"
#include "sim/hal/kvm/exits.hpp"
#include "sim/hal/kvm/space.hpp"

namespace ax::sim::kvm {

/// What a vCPU sees of its board. Time is the host's, and one nanosecond of it counts as one instruction.
class Board {
public:
    [[nodiscard]] virtual u64 now_ns() = 0;
    /// The guest ran for so many nanoseconds.
    virtual void retire(u64 ns) = 0;
    /// The hypervisor's timer: its interrupt taken, when it is due.
    virtual bool take_timer() = 0;

protected:
    ~Board() = default;
};

/// What the vCPUs of a VM share; everything outlives them.
struct VcpuSurroundings {
    Engine& engine;
    Space& space;
    Board& board;
    irq::VectorSource& vectors;
    u64 tsc_hz;  ///< of the deadlines that `vectors` takes
};

class Vcpu final : public hal::Vcpu {
public:
    /// The error says what KVM refused. Of `settings` the controls are not used: KVM has its own.
    [[nodiscard]] static std::expected<std::unique_ptr<Vcpu>, std::string> create(const VcpuSurroundings& around, VcpuId id,
                                                                                  const ax::x86::VcpuSettings& settings);
    Vcpu(const Vcpu&) = delete;
    Vcpu& operator=(const Vcpu&) = delete;
    ~Vcpu();

    /// `budget` and the instructions reported are nanoseconds in the guest, the latter at least one.
    hal::RunStop run(u64 budget) override;
    void finish(const Answer& answer) override;
    void inject(Event event) override;
    [[nodiscard]] bool has_wake_event() override;
    void reset(const BootState& boot) override;
    void flush(bool instruction) override;
    [[nodiscard]] Gva pc() override;
    void fields(FieldVisitor& v) override;

    /// A non-maskable interrupt, from outside or another CPU's local APIC.
    void raise_nmi() { nmi_ = true; }
    /// The next reset is by a start-up IPI.
    void start_by_startup() { settings_.start = ax::x86::StartKind::Startup; }
    /// Bytes of memory as the guest's code sees them; false where nothing is mapped.
    [[nodiscard]] bool read_code(Gva from, std::span<std::byte> to);

private:
    Vcpu(const VcpuSurroundings& around, VcpuId id, const ax::x86::VcpuSettings& settings, Descriptor fd, kvm_run* shared);

    [[nodiscard]] VmExit enter(u64 budget);
    [[nodiscard]] std::optional<VmExit> call(u64 budget);
    [[nodiscard]] std::optional<VmExit> complete_instruction();
    [[nodiscard]] std::optional<VmExit> load_interrupts();
    [[nodiscard]] VmExit take_exit();
    [[nodiscard]] std::optional<Gpa> find_code_nowhere();
    void raise_undefined();
    [[nodiscard]] std::optional<Gpa> translate(Gva at);
    void serve_msr();
    [[nodiscard]] std::optional<u64> read_msr(u32 number);
    [[nodiscard]] bool write_msr(u32 number, u64 value);
    [[nodiscard]] u64 deadline_on_board(u64 deadline);
    [[nodiscard]] bool move_deadline();
    [[nodiscard]] bool set_registers(const BootState& boot);
    [[nodiscard]] bool clear_registers();

    VcpuSurroundings around_;
    VcpuId id_;
    ax::x86::VcpuSettings settings_;
    Descriptor fd_;
    kvm_run* run_;              ///< shared with KVM
    Question question_ = Question::None;
    bool is_asking_ = false;    ///< the last exit is KVM's, and `finish` answers it
    u32 element_ = 0;           ///< of a port exit: the next to be asked about
    bool is_complete_ = true;   ///< the next entry begins with a new instruction
    bool nmi_ = false;
    ax::x86::Mtrrs mtrrs_;
    u64 tsc_deadline_ = 0;      ///< as the guest wrote it
    int failed_reset_ = 0;      ///< KVM's error, told when the vCPU is to run
};

}  // namespace ax::sim::kvm
