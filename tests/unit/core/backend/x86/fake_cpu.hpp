// An x86 CPU that does what it is told on entry, and interrupt controllers that say what a test put there.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "core/backend/x86/cpu.hpp"
#include "core/irq/vectors.hpp"

namespace ax::x86::testing {

/// Linear addresses are guest physical ones. There is RAM of two pages, and code that any address may have.
class FakeCpu final : public Cpu {
public:
    /// What the next `enter` does to the state, and how it ends.
    using Entry = std::function<EntryStop(FakeCpu&)>;
    static constexpr u64 ram = 0x20'0000, ram_bytes = 2 * page_size;

    [[nodiscard]] Vmcs& vmcs() override { return v; }
    [[nodiscard]] GuestRegs& regs() override { return r; }
    [[nodiscard]] EntryStop enter(u64 budget) override {
        entered.push_back(v);
        if (entries.empty()) return {EntryResult::BudgetEnd, budget};
        const Entry entry = entries.front();
        entries.pop_front();
        return entry(*this);
    }
    [[nodiscard]] u64 tsc() override { return counter; }
    void fence_translation() override { ++fences; }
    void reset_guest() override { ++resets; }
    void fields(FieldVisitor& visitor) override {
        field(visitor, "vmcs", v);
        field(visitor, "regs", r);
        visitor.bytes("memory", std::as_writable_bytes(std::span(memory)));
    }

    std::size_t fetch(Gva linear, std::span<u8> bytes) override {
        const auto found = code.find(linear.value());
        if (found == code.end()) return 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = i < found->second.size() ? found->second[i] : u8{0x90};
        return bytes.size();
    }
    std::expected<Gpa, GuestException> translate(Gva linear, Access) override { return Gpa{linear.value()}; }
    std::optional<u64> load(Gpa gpa, u8 size) override {
        EXPECT_LE(gpa.page_offset() + size, page_size) << "an access across a page";
        if (!is_ram(gpa.value(), size)) return std::nullopt;
        u64 value = 0;
        for (unsigned i = 0; i < size; ++i) value |= u64{memory[gpa.value() - ram + i]} << (8 * i);
        return value;
    }
    bool store(Gpa gpa, u8 size, u64 value) override {
        EXPECT_LE(gpa.page_offset() + size, page_size) << "an access across a page";
        if (!is_ram(gpa.value(), size)) return false;
        for (unsigned i = 0; i < size; ++i) memory[gpa.value() - ram + i] = static_cast<u8>(value >> (8 * i));
        return true;
    }

    /// The next entry ends in an exit that `leave` describes, after 7 instructions.
    void exit(
        ExitReason reason, const std::function<void(Vmcs&)>& leave = [](Vmcs&) {}) {
        entries.emplace_back([reason, leave](FakeCpu& cpu) {
            cpu.v.EXIT_REASON = index(reason);
            cpu.v.IDT_VECTORING_INFO = 0;
            cpu.v.VM_ENTRY_INTERRUPTION_INFO &= ~static_cast<u32>(EventWord::Valid::mask);
            leave(cpu.v);
            return EntryStop{EntryResult::Exit, 7};
        });
    }

    Vmcs v;
    GuestRegs r;
    u64 counter = 0;
    std::map<u64, std::vector<u8>> code;
    std::vector<u8> memory = std::vector<u8>(ram_bytes, 0);
    std::deque<Entry> entries;
    std::vector<Vmcs> entered;  ///< the VMCS of each entry
    int fences = 0, resets = 0;

private:
    static bool is_ram(u64 at, u8 size) { return at - ram < ram_bytes && ram_bytes - (at - ram) >= size; }
};

class FakeVectors final : public irq::VectorSource {
public:
    [[nodiscard]] std::optional<u8> pending(VcpuId) const override {
        return waiting.empty() ? std::nullopt : std::optional(waiting.front());
    }
    u8 acknowledge(VcpuId) override {
        const u8 vector = waiting.front();
        waiting.pop_front();
        return vector;
    }
    [[nodiscard]] u8 task_priority(VcpuId) const override { return priority; }
    void set_task_priority(VcpuId, u8 cr8) override { priority = cr8; }
    [[nodiscard]] std::optional<u64> read_msr(VcpuId, u32 msr) override {
        const auto found = msrs.find(msr);
        return found == msrs.end() ? std::nullopt : std::optional(found->second);
    }
    [[nodiscard]] bool write_msr(VcpuId, u32 msr, u64 value) override {
        if (!msrs.contains(msr)) return false;
        msrs[msr] = value;
        return true;
    }
    void set_tsc_offset(VcpuId, u64 offset) override { tsc_offset = offset; }

    std::deque<u8> waiting;
    u8 priority = 0;
    u64 tsc_offset = ~u64{0};
    std::map<u32, u64> msrs{{0x1b, 0xfee0'0900}, {0x6e0, 0}};
};

}  // namespace ax::x86::testing
