// An arm64 CPU that does what it is told on entry, for tests of the backend.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "core/backend/arm64/cpu.hpp"

namespace ax::arm64::testing {

class FakeCpu final : public Cpu {
public:
    /// What the next `enter` does to the registers, and how it ends.
    using Entry = std::function<EntryStop(El2Regs&)>;

    [[nodiscard]] El2Regs& el2() override { return regs; }
    [[nodiscard]] EntryStop enter(u64 budget) override {
        entered.push_back(regs);
        if (entries.empty()) return {EntryResult::BudgetEnd, budget};
        const Entry entry = entries.front();
        entries.pop_front();
        return entry(regs);
    }
    [[nodiscard]] u64 gpr(unsigned n) override { return n == 31 ? 0 : x.at(n); }
    void set_gpr(unsigned n, u64 value) override { x.at(n) = value; }
    [[nodiscard]] u64 sp() override { return stack; }
    [[nodiscard]] std::array<u64, 2> vector(unsigned n) override { return v.at(n); }
    void set_vector(unsigned n, u64 low, u64 high) override { v.at(n) = {low, high}; }
    [[nodiscard]] std::optional<u32> fetch(Gva address) override {
        const auto found = code.find(address.value());
        return found == code.end() ? std::nullopt : std::optional(found->second);
    }
    [[nodiscard]] std::optional<Gpa> translate(Gva va, Access) override { return Gpa{va.value()}; }
    [[nodiscard]] u64 el1(El1Reg reg) override { return el1_regs.at(index(reg)); }
    void set_el1(El1Reg reg, u64 value) override { el1_regs.at(index(reg)) = value; }
    [[nodiscard]] u64 physical_counter() override { return counter; }
    [[nodiscard]] u32 acknowledge() override { return interrupt; }
    void end(u32 number) override { ended.push_back(number); }
    void deactivate(u32 number) override { deactivated.push_back(number); }
    [[nodiscard]] unsigned list_registers() override { return slots; }
    void fence_translation() override { ++translation_fences; }
    void fence_instruction() override { ++instruction_fences; }
    void reset_guest() override {
        x = {};
        el1_regs = {};
    }
    void fields(FieldVisitor& visitor) override {
        field(visitor, "x", x);
        field(visitor, "el2", regs);
    }

    El2Regs regs;
    std::array<u64, 31> x{};
    std::array<std::array<u64, 2>, 32> v{};
    std::array<u64, 11> el1_regs{};
    u64 stack = 0;
    u64 counter = 0;
    u32 interrupt = 1023;
    unsigned slots = 4;
    std::map<u64, u32> code;
    std::deque<Entry> entries;
    std::vector<El2Regs> entered;  ///< the registers of each entry
    std::vector<u32> ended, deactivated;
    int translation_fences = 0, instruction_fences = 0;
};

}  // namespace ax::arm64::testing
