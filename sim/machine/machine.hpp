// A simulated machine with its hypervisor and VMs, and the one loop that owns time.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/vm/vmm.hpp"
#include "sim/base/error.hpp"
#include "sim/machine/board.hpp"
#include "sim/machine/observer.hpp"
#include "sim/machine/random.hpp"
#include "sim/machine/vm_instance.hpp"
#include "sim/state/component_hash.hpp"

namespace ax::sim {

/// What stands between the hypervisor and each vCPU, for measuring; gives back its argument or a
/// vCPU in front of it.
using VcpuDecorator = std::function<hal::Vcpu&(hal::Vcpu&)>;

struct MachineOptions {
    /// 0: every slice is one quantum. Otherwise slices vary around it, as the seed says: another seed is
    /// another interleaving of the vCPUs, for looking for races.
    u64 seed = 0;
    /// Instructions between full-state hashes; 0 for none.
    u64 state_hash_interval = 0;
    VcpuDecorator decorate_vcpu = nullptr;
    Backend backend = Backend::Simulated;
};

/// Where `run` shall stop at the latest. Counts are absolute, from the start of the machine.
struct RunLimits {
    u64 max_insns = ~u64{0};
    u64 max_exits = ~u64{0};
};

class Machine final : private ConsoleListener {
public:
    /// Builds the board and the VMs and loads the images; nothing has run yet.
    static std::expected<std::unique_ptr<Machine>, Error> create(const PlatformFile& platform, std::vector<Guest> guests,
                                                                 const MachineOptions& options);
    ~Machine();

    void observe(RunObserver& observer) { observers_.push_back(&observer); }
    void set_input(InputSource& source) { input_ = &source; }

    /// Runs until an outcome. After a resumable one it may be called again, and the machine goes on as
    /// if it had not stopped.
    Outcome run(const RunLimits& limits);
    /// Asks a `run` in progress to end with `outcome` after the current exit; for observers of the console.
    void request_stop(Outcome outcome) { requested_ = outcome; }

    [[nodiscard]] u64 seed() const { return options_.seed; }
    [[nodiscard]] u64 icount() const { return board_->icount(); }
    [[nodiscard]] u64 exits() const { return exits_; }
    [[nodiscard]] u64 slices() const { return slice_; }
    [[nodiscard]] u64 virtual_ns() { return board_->now_ns(); }
    [[nodiscard]] Board& board() { return *board_; }
    [[nodiscard]] std::vector<std::unique_ptr<VmInstance>>& vms() { return vms_; }
    /// The VM that did not end well, for messages; null when all did.
    [[nodiscard]] VmInstance* failed_vm();

    /// The hash of every part of the machine, and of all together.
    [[nodiscard]] std::vector<ComponentHash> component_hashes();
    [[nodiscard]] u64 state_hash() { return combine(component_hashes()); }
    /// Everything but the RAM, for dump, save and diff.
    void fields(FieldVisitor& v);

    /// Replaces the engine by a fresh one between two `run`s; the guests cannot tell.
    [[nodiscard]] std::expected<void, Error> renew_engine();

private:
    Machine(std::unique_ptr<Board> board, const PlatformFile& platform, const MachineOptions& options);

    void on_console(VmId vm, u8 byte) override;
    std::optional<Outcome> begin_slice();
    std::optional<Outcome> take_inputs();
    std::optional<Outcome> idle();
    std::optional<Outcome> take_state_hash();
    std::optional<Outcome> account(const vm::StepResult& step);
    std::optional<Outcome> finished();
    [[nodiscard]] bool choose_pcpu();
    [[nodiscard]] u64 budget(const RunLimits& limits) const;
    [[nodiscard]] u64 cost_of(const vm::StepResult& step);
    [[nodiscard]] bool is_alone() const;
    [[nodiscard]] u64 slice_length();

    std::unique_ptr<Board> board_;
    SimConfig sim_;
    MachineOptions options_;
    vm::Vmm vmm_;
    std::vector<std::unique_ptr<VmInstance>> vms_;
    std::vector<RunObserver*> observers_;
    InputSource* input_ = nullptr;
    std::optional<Outcome> requested_;

    // State of the loop; all of it is hashed.
    u64 slice_ = 0;
    u64 slice_end_ = 0;
    bool in_slice_ = false;
    u32 pcpu_ = 0;
    u64 exits_ = 0;
    u64 next_hash_ = 0;  ///< for the observers alone, so no state
    Random random_;
    u64 poll_gpa_ = 0;     ///< the device register that the last exits read, all with this answer
    u64 poll_value_ = 0;
    u64 poll_count_ = 0;
};

}  // namespace ax::sim
