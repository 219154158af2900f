// A machine without guests for core/vm: scripted vCPUs, real second stage, bus, timers and VMM.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/vm/vmm.hpp"
#include "sim/hal/scripted/scripted_host.hpp"
#include "sim/hal/scripted/scripted_vcpu.hpp"
#include "tests/unit/core/mm/stage2_mapper.hpp"

namespace ax {

inline bool operator==(const Answer& a, const Answer& b) {
    return a.kind == b.kind && a.status == b.status && a.value == b.value;
}
inline void PrintTo(const Answer& a, std::ostream* out) {
    *out << "answer kind " << int{index(a.kind)} << " status " << int{index(a.status)} << " value " << a.value;
}
inline bool operator==(const Event& a, const Event& b) { return a.line == b.line && a.level == b.level; }
inline bool operator==(const BootState& a, const BootState& b) {
    return a.entry == b.entry && a.cpu_number == b.cpu_number && a.argument == b.argument;
}

}  // namespace ax

namespace ax::vm::test {

using sim::ScriptedFlush;
using sim::ScriptedHost;
using sim::ScriptedRun;
using sim::ScriptedVcpu;

inline constexpr Gpa ram{0x8000'0000};
inline constexpr u64 ram_size = 0x1'0000;
inline constexpr Gpa lazy{0x9000'0000};
inline constexpr u64 lazy_size = 0x8000;
inline constexpr Gpa rom{0xa000'0000};  ///< one page, neither writable nor executable
inline constexpr Gpa device{0x1000'0000};
inline constexpr Gpa nowhere{0x5000'0000};
inline constexpr u64 timer_hz = 10'000'000;  ///< a guest tick is 100 ns
inline constexpr u64 tick_ns = 1'000'000;
inline constexpr u64 boot_argument = 0x8800'0000;

/// A register of 4 KiB that is read and written whole, and refuses bytes.
class RegisterDevice final : public bus::Device {
public:
    std::string_view name() const override { return "register"; }
    std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override {
        if (size == 1) return std::unexpected(bus::BusFault{});
        return value + offset;
    }
    std::expected<void, bus::BusFault> write(u64, u8 size, u64 written) override {
        if (size == 1) return std::unexpected(bus::BusFault{});
        value = written;
        return {};
    }
    void reset() override { value = 0; }
    void fields(FieldVisitor& v) override { field(v, "value", value); }

    u64 value = 0x1234;
};

/// One VM. CPU numbers are those of a guest that counts in tens: 10, 11, 12 ...
class TestVm {
public:
    static constexpr u64 first_cpu = 10;

    TestVm(ScriptedHost& host, Vmm& vmm, VmId id, const std::vector<u64>& affinities)
        : mapper(host), memory(mapper, host), vm({id, host, vmm.timers(), memory, bus, ports, timer_hz}), host_(host) {
        EXPECT_TRUE(memory.add_alloc({ram, ram_size}, mm::Permissions::rwx()));
        EXPECT_TRUE(memory.add_alloc({lazy, lazy_size}, mm::Permissions::rwx(), {mm::Population::Lazy, mm::FrameSize::Auto}));
        EXPECT_TRUE(memory.add_alloc({rom, page_size}, {true, false, false, false}));
        EXPECT_TRUE(bus.attach({device, page_size}, registers));
        for (const u64 affinity : affinities)
            EXPECT_TRUE(vm.add_vcpu(cpus.emplace_back(), first_cpu + vm.vcpus().size(), affinity));
        EXPECT_TRUE(vmm.add(vm));
    }

    VcpuTask& task(std::size_t i) { return vm.vcpus()[i]; }
    void write(Gpa gpa, std::string_view text) {
        std::vector<std::byte> bytes;
        for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
        EXPECT_TRUE(mm::GuestMemory(memory, host_).write(gpa, bytes));
    }
    std::string read(Gpa gpa, std::size_t size) {
        std::vector<std::byte> bytes(size);
        EXPECT_TRUE(mm::GuestMemory(memory, host_).read(gpa, bytes));
        std::string text;
        for (const std::byte b : bytes) text += static_cast<char>(b);
        return text;
    }
    /// vCPU `i` starts as if vCPU 0 had asked for it.
    void power_on(std::size_t i) {
        const PowerCall call{.op = PowerOp::CpuOn, .target = first_cpu + i, .entry = ram, .argument = 0};
        EXPECT_EQ(vm.dispatch(task(0), {call, 1}).answer, Answer::of_call(CallStatus::Success));
    }

    mm::test::Stage2Mapper mapper;
    mm::AddressSpace memory;
    bus::MmioBus bus;
    bus::MmioBus ports;
    RegisterDevice registers;
    std::deque<ScriptedVcpu> cpus;
    Vm vm;

private:
    ScriptedHost& host_;
};

/// A machine with one booted VM.
class VmTest : public testing::Test {
protected:
    void build(std::size_t vcpus) { build(std::vector<u64>(vcpus, ~u64{0})); }
    /// One vCPU per affinity mask.
    void build(const std::vector<u64>& affinities) {
        guest = std::make_unique<TestVm>(host, vmm, VmId{3}, affinities);
        guest->vm.boot(ram, boot_argument);
    }
    Vm& vm() { return guest->vm; }
    VcpuTask& task(std::size_t i = 0) { return guest->task(i); }
    ScriptedVcpu& cpu(std::size_t i = 0) { return guest->cpus[i]; }

    /// vCPU `i` stops for `exit`; answered and settled as the VMM would.
    Dispatched exit(const VmExit& why, std::size_t i = 0, u64 instructions = 1) {
        if (task(i).is_runnable()) {
            task(i).enter();
            task(i).leave();
        }
        const Dispatched done = vm().dispatch(task(i), {why, instructions});
        vm().settle(task(i), why, done);
        return done;
    }
    Answer answer(const VmExit& why, std::size_t i = 0) { return exit(why, i).answer; }
    /// Time goes on and the timer's interrupt, if it is due, reaches the VMM.
    void advance(u64 ns) {
        host.advance(ns);
        if (host.take_timer()) vmm.on_timer_interrupt();
    }
    /// The VMM takes one exit on `pcpu`.
    StepResult step_for(const VmExit& why, std::size_t i = 0) {
        cpu(i).add(why);
        return vmm.step(PcpuId{0}, 1000);
    }

    ScriptedHost host{{Hpa{0x1'0000'0000}, 0x40'0000}};
    Vmm vmm{host, tick_ns};
    std::unique_ptr<TestVm> guest;
};

}  // namespace ax::vm::test
