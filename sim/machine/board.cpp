#include "sim/machine/board.hpp"

#include "core/timer/ticks.hpp"

namespace ax::sim {

std::expected<std::unique_ptr<Board>, std::string> Board::create(const PlatformFile& platform, Backend backend) {
    const HpaRange range = platform.memory();
    auto memory = PhysMemory::create(range.start, range.size);
    if (!memory) return std::unexpected("the host gives no " + std::to_string(range.size >> 20) + " MiB for the board's RAM: " + memory.error());
    std::unique_ptr<Board> board(new Board(std::move(*memory), platform, backend));
    auto engines = board->make_engines();
    if (!engines) return std::unexpected(engines.error());
    board->engines_ = std::move(*engines);
    return board;
}

Board::Board(PhysMemory memory, const PlatformFile& platform, Backend backend)
    : memory_(std::move(memory)),
      frames_(memory_),
      arch_(platform.config.arch),
      backend_(backend),
      // On KVM a nanosecond counts as an instruction.
      clock_(backend == Backend::Kvm ? 1 : platform.sim.ns_per_insn.num, backend == Backend::Kvm ? 1 : platform.sim.ns_per_insn.den),
      timer_frequency_(platform.timer_frequency()) {}

std::expected<Engines, std::string> Board::make_engines() {
    Engines engines;
    if (backend_ == Backend::Kvm) {
        if (arch_ != config::Arch::X86_64) return std::unexpected(std::string("KVM runs x86_64 guests only"));
        auto engine = kvm::Engine::create();
        if (!engine) return std::unexpected(engine.error());
        engines.kvm = std::move(*engine);
        return engines;
    }
    switch (arch_) {
        case config::Arch::Riscv64: {
            auto engine = RiscvEngine::create(memory_);
            if (!engine) return std::unexpected(engine.error());
            engines.riscv = std::move(*engine);
            return engines;
        }
        case config::Arch::Aarch64: {
            auto engine = ArmEngine::create(memory_);
            if (!engine) return std::unexpected(engine.error());
            engines.arm = std::move(*engine);
            return engines;
        }
        case config::Arch::X86_64: {
            auto engine = X86Engine::create(memory_);
            if (!engine) return std::unexpected(engine.error());
            engines.x86 = std::move(*engine);
            return engines;
        }
    }
    return engines;
}

std::expected<Engines, std::string> Board::renew_engine() {
    auto fresh = make_engines();
    if (!fresh) return std::unexpected(fresh.error());
    std::swap(engines_, *fresh);
    return fresh;
}

bool Board::write(Hpa to, std::span<const std::byte> from) {
    if (!memory_.write(to, from)) return false;
    // The engine does not see stores that come from outside. This is rare once guests run: page tables
    // and console buffers hold no code that has been translated.
    if (icount_ != 0 && engines_.riscv) engines_.riscv->forget_code(to, from.size());
    if (icount_ != 0 && engines_.arm) engines_.arm->forget_code(to, from.size());
    if (icount_ != 0 && engines_.x86) engines_.x86->forget_code(to, from.size());
    return true;
}

void Board::console_put(VmId vm, u8 byte) {
    if (listener_ != nullptr) listener_->on_console(vm, byte);
}

u64 Board::ticks_after(u64 retired) { return timer::ns_to_ticks(clock_.after(retired), timer_frequency_); }

u64 Board::now_ns() {
    if (backend_ == Backend::Kvm) clock_.jump_to(host_clock_.now_ns());
    return clock_.now_ns();
}

void Board::retire(u64 instructions) {
    icount_ += instructions;
    if (backend_ == Backend::Simulated) clock_.retire(instructions);
}

void Board::spend_ns(u64 ns) {
    if (backend_ == Backend::Simulated) clock_.add_ns(ns);
}

void Board::idle_until(u64 ns) {
    if (backend_ == Backend::Kvm)
        host_clock_.sleep_until(ns);
    else
        clock_.jump_to(ns);
}

u64 Board::instructions_until_timer() {
    static_cast<void>(now_ns());
    return clock_.instructions_until(timer_ns_);
}

u64 Board::instructions_until(u64 ticks) { return clock_.instructions_until(timer::ticks_to_ns(ticks, timer_frequency_)); }

bool Board::take_timer() {
    if (!timer_is_due()) return false;
    // One shot: the hypervisor arms it again when it has something left to wait for.
    timer_ns_ = timer::never;
    return true;
}

std::optional<ax::riscv::Interrupt> Board::take_interrupt() {
    if (!take_timer()) return std::nullopt;
    return ax::riscv::Interrupt::SupervisorTimer;
}

void Board::fields(FieldVisitor& v) {
    field(v, "clock", clock_);
    field(v, "timer_ns", timer_ns_);
    field(v, "icount", icount_);
}

}  // namespace ax::sim
