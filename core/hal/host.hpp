// The HAL line towards the machine: memory, time and console.
#pragma once

#include "core/mm/frames.hpp"
#include "core/timer/clock.hpp"

namespace ax::hal {

class Host : public mm::Frames, public timer::Clock {
public:
    /// One timer interrupt at `deadline_ns`, replacing the one asked for before; `timer::never` for none.
    virtual void arm_timer(u64 deadline_ns) = 0;
    /// The pCPU shall look at its run queue: a vCPU that may run there became ready.
    virtual void kick(PcpuId pcpu) = 0;
    /// One byte of console output of a VM.
    virtual void console_put(VmId vm, u8 byte) = 0;

protected:
    ~Host() = default;
};

}  // namespace ax::hal
