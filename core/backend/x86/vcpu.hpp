// An x86 vCPU at the HAL line: VM exits decoded and completed by core/arch/x86, interrupts from the VM's controllers as
// injected vectors. The same code stands over the simulated CPU and, on metal, over the real one.
#pragma once

#include "core/arch/x86/decode.hpp"
#include "core/arch/x86/mtrrs.hpp"
#include "core/backend/x86/cpu.hpp"
#include "core/backend/x86/settings.hpp"
#include "core/hal/vcpu.hpp"
#include "core/irq/vectors.hpp"

namespace ax::x86 {

class Vcpu final : public hal::Vcpu {
public:
    /// `vectors` are the VM's interrupt controllers; all outlive the vCPU.
    Vcpu(Cpu& cpu, VcpuId id, const VcpuSettings& settings, irq::VectorSource& vectors)
        : cpu_(cpu), id_(id), settings_(settings), vectors_(vectors) {
        mtrrs_.begin(settings.has_firmware);
    }

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
    void start_by_startup() { settings_.start = StartKind::Startup; }

private:
    [[nodiscard]] Guest guest() { return {cpu_.vmcs(), cpu_.regs(), cpu_}; }
    void load_interrupts();
    [[nodiscard]] VmExit name_host_timer(const VmExit& exit);
    [[nodiscard]] VmExit ask(const Question& question);
    [[nodiscard]] VmExit serve(const Question& question);
    [[nodiscard]] VmExit answered(const VmExit& exit, const Answer& answer);
    [[nodiscard]] std::optional<u64> read_msr(u32 number);
    [[nodiscard]] bool write_msr(u32 number, u64 value);
    void set_tsc(u64 value);

    Cpu& cpu_;
    VcpuId id_;
    VcpuSettings settings_;
    irq::VectorSource& vectors_;
    bool nmi_ = false;
    Mtrrs mtrrs_;
    Completion completion_;
    bool has_further_ = false;  ///< the instruction that exited has more to ask
};

}  // namespace ax::x86
