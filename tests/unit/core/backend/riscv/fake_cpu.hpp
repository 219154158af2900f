// A hart that traps when it is told to, for tests of the RISC-V backend.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>

#include "core/backend/riscv/cpu.hpp"

namespace ax::riscv::testing {

class FakeCpu final : public Cpu {
public:
    /// What the next `enter` does: it changes the CSRs as the trap would, and says how it ended.
    using Entry = std::function<EntryStop(HsCsrs&)>;

    [[nodiscard]] HsCsrs& hs() override { return csrs; }
    [[nodiscard]] EntryStop enter(u64 budget) override {
        if (entries.empty()) return {EntryResult::BudgetEnd, budget};
        const Entry entry = entries.front();
        entries.pop_front();
        return entry(csrs);
    }
    [[nodiscard]] u64 gpr(unsigned n) override { return x.at(n); }
    void set_gpr(unsigned n, u64 value) override {
        x.at(n) = value;
        ++gpr_writes;
    }
    [[nodiscard]] std::optional<u16> fetch(Gva address) override {
        const auto found = code.find(address.value());
        if (found == code.end()) return std::nullopt;
        return found->second;
    }
    [[nodiscard]] u64 vs_csr(VsCsr csr) override { return vs.at(index(csr)); }
    void set_vs_csr(VsCsr csr, u64 value) override { vs.at(index(csr)) = value; }
    void fence_translation() override { ++translation_fences; }
    void fence_instruction() override { ++instruction_fences; }
    void reset_guest() override {
        x = {};
        vs = {};
        ++resets;
    }
    void fields(FieldVisitor& v) override {
        field(v, "x", x);
        field(v, "vs", vs);
        field(v, "hs", csrs);
    }

    /// The next `enter` traps with `trap` in the CSRs after `instructions`.
    void trap(u64 scause, u64 stval, u64 htval, u64 htinst, u64 instructions = 1) {
        entries.emplace_back([=](HsCsrs& hs) {
            hs.scause = scause;
            hs.stval = stval;
            hs.htval = htval;
            hs.htinst = htinst;
            return EntryStop{EntryResult::Trapped, instructions};
        });
    }

    HsCsrs csrs;
    std::array<u64, 32> x{};
    std::array<u64, 9> vs{};
    std::map<u64, u16> code;
    std::deque<Entry> entries;
    int gpr_writes = 0;
    int translation_fences = 0;
    int instruction_fences = 0;
    int resets = 0;
};

}  // namespace ax::riscv::testing
