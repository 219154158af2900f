// The simulated board: RAM, virtual time, the machine's one timer, the engine. What the core sees of
// it is the HAL's Host, what a hart sees is HartBoard. With the host's KVM as its engine, time is the host's.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "core/hal/host.hpp"
#include "sim/config/platform_file.hpp"
#include "sim/hal/kvm/vcpu.hpp"
#include "sim/hal/unicorn/arm_cpu.hpp"
#include "sim/hal/unicorn/x86_cpu.hpp"
#include "sim/hal/unicorn/riscv_cpu.hpp"
#include "sim/phys/frame_allocator.hpp"
#include "sim/time/host_clock.hpp"
#include "sim/time/virtual_clock.hpp"

namespace ax::sim {

/// Who hears the console output of the VMs.
class ConsoleListener {
public:
    virtual void on_console(VmId vm, u8 byte) = 0;

protected:
    ~ConsoleListener() = default;
};

/// What runs the guests' instructions.
enum class Backend : u8 {
    Simulated,  ///< Unicorn: deterministic, any architecture
    Kvm,        ///< the host's processor: its own architecture, its own time, nothing repeatable
};

/// The engine of the board's CPUs: the one of its architecture or KVM, the others are null.
struct Engines {
    std::unique_ptr<RiscvEngine> riscv;
    std::unique_ptr<ArmEngine> arm;
    std::unique_ptr<X86Engine> x86;
    std::unique_ptr<kvm::Engine> kvm;
};

class Board final : public hal::Host, public HartBoard, public ArmBoard, public X86Board, public kvm::Board {
public:
    /// The error says what the host, Unicorn or KVM refused.
    static std::expected<std::unique_ptr<Board>, std::string> create(const PlatformFile& platform, Backend backend = Backend::Simulated);

    // Host
    [[nodiscard]] bool allocate(u64 count, u64 alignment, Hpa& frames) override { return frames_.allocate(count, alignment, frames); }
    [[nodiscard]] bool allocate_at(Hpa start, u64 count) override { return frames_.allocate_at(start, count); }
    void free(Hpa start, u64 count) override { frames_.free(start, count); }
    [[nodiscard]] bool read(Hpa from, std::span<std::byte> to) override { return memory_.read(from, to); }
    [[nodiscard]] bool write(Hpa to, std::span<const std::byte> from) override;
    [[nodiscard]] u64 now_ns() override;
    void arm_timer(u64 deadline_ns) override { timer_ns_ = deadline_ns; }
    void kick(PcpuId) override {}
    void console_put(VmId vm, u8 byte) override;

    // HartBoard, ArmBoard, X86Board and kvm::Board
    [[nodiscard]] u64 ticks_after(u64 retired) override;
    void retire(u64 instructions) override;
    [[nodiscard]] std::optional<ax::riscv::Interrupt> take_interrupt() override;
    [[nodiscard]] u64 instructions_until(u64 ticks) override;
    [[nodiscard]] bool timer_is_due() override { return timer_ns_ <= now_ns(); }
    bool take_timer() override;
    [[nodiscard]] ArmCpu*& last_entered() override { return last_entered_; }

    [[nodiscard]] PhysMemory& memory() { return memory_; }
    [[nodiscard]] const FrameAllocator& frames() const { return frames_; }
    [[nodiscard]] RiscvEngine& riscv_engine() { return *engines_.riscv; }
    [[nodiscard]] ArmEngine& arm_engine() { return *engines_.arm; }
    [[nodiscard]] X86Engine& x86_engine() { return *engines_.x86; }
    /// Puts a fresh engine in place of the old one and returns that, which must outlive its CPUs' move.
    [[nodiscard]] std::expected<Engines, std::string> renew_engine();
    [[nodiscard]] kvm::Engine& kvm_engine() { return *engines_.kvm; }
    [[nodiscard]] Backend backend() const { return backend_; }
    /// An exit took `ns`; on KVM the host's clock has counted it.
    void spend_ns(u64 ns);
    /// Nothing runs until `ns`, or until something outside wakes the host: virtual time jumps, the host's is waited for.
    void idle_until(u64 ns);
    /// Instructions until the timer is due; 0 when it is. On KVM, nanoseconds.
    [[nodiscard]] u64 instructions_until_timer();
    /// Instructions retired by all pCPUs.
    [[nodiscard]] u64 icount() const { return icount_; }
    [[nodiscard]] u64 timer_deadline_ns() const { return timer_ns_; }
    void listen(ConsoleListener* listener) { listener_ = listener; }

    void fields(FieldVisitor& v);

private:
    [[nodiscard]] std::expected<Engines, std::string> make_engines();

    Board(PhysMemory memory, const PlatformFile& platform, Backend backend);

    PhysMemory memory_;
    FrameAllocator frames_;
    config::Arch arch_;
    Backend backend_;
    Engines engines_;
    VirtualClock clock_;
    HostClock host_clock_;  ///< which `clock_` follows on KVM
    u64 timer_frequency_;
    u64 timer_ns_ = timer::never;
    u64 icount_ = 0;
    ArmCpu* last_entered_ = nullptr;
    ConsoleListener* listener_ = nullptr;
};

}  // namespace ax::sim
