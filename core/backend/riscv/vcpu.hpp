// A RISC-V vCPU at the HAL line: raw traps of a hart decoded and completed by core/arch/riscv. The
// same code stands over the simulated hart and, on metal, over the real one.
#pragma once

#include "core/arch/riscv/controls.hpp"
#include "core/backend/riscv/cpu.hpp"
#include "core/hal/vcpu.hpp"

namespace ax::riscv {

class Vcpu final : public hal::Vcpu {
public:
    Vcpu(Cpu& cpu, const Controls& controls) : cpu_(cpu), controls_(controls) {}

    hal::RunStop run(u64 budget) override;
    void finish(const Answer& answer) override;
    void inject(Event event) override;
    [[nodiscard]] bool has_wake_event() override;
    void reset(const BootState& boot) override;
    void flush(bool instruction) override;
    [[nodiscard]] Gva pc() override { return Gva{cpu_.hs().sepc}; }
    void fields(FieldVisitor& v) override;

private:
    void program_controls();
    void take(const GuestException& exception);

    Cpu& cpu_;
    Controls controls_;
    Completion completion_;
};

}  // namespace ax::riscv
