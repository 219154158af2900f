// One VMCS that breaks each rule of a VM entry, and one that just keeps it.
#include "sim/trap/x86/entry_checks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/unit/core/mm/random.hpp"
#include "tests/unit/sim/trap/x86/entry_cases_guest.hpp"
#include "tests/unit/sim/trap/x86/entry_cases_host.hpp"

namespace ax::sim::x86 {
namespace {

using namespace test;
using mm::test::Random;

struct Area {
    std::span<const EntryRule> rules;
    std::span<const RuleCase> cases;
    VmInstructionError error = VmInstructionError::None;
};
const Area areas[] = {
    {control_rules(), control_cases, VmInstructionError::InvalidControls},
    {host_rules(), host_cases, VmInstructionError::InvalidHostState},
    {guest_register_rules(), register_cases},
    {guest_segment_rules(), segment_cases},
    {guest_state_rules(), state_cases},
};

/// What `check_entry` names, or "".
std::string broken(const Vmcs& v, const VmxCpu& cpu) {
    const auto failure = check_entry(v, cpu);
    return failure ? failure->rule->name : "";
}

/// Every rule that `v` breaks, not the first alone.
std::set<std::string> all_broken(const Vmcs& v, const VmxCpu& cpu) {
    std::set<std::string> names;
    for (const Area& area : areas)
        for (const EntryRule& rule : area.rules)
            if (!rule.holds(v, cpu)) names.insert(rule.name);
    return names;
}
/// What a VMCS that breaks `rule` breaks at least.
std::set<std::string> implied(const std::string& rule) {
    // A host outside 64-bit mode is another rule's already.
    if (rule == "host SS is not null outside 64-bit mode") return {rule, "host address-space size"};
    return {rule};
}

TEST(X86EntryChecks, the_samples_are_taken) {
    for (const auto sample : {long_mode, protected_mode, restricted, real_mode, virtual_8086})
        EXPECT_EQ(broken(sample(), VmxCpu{}), "");
}

TEST(X86EntryChecks, each_rule_is_broken_by_its_case_alone) {
    for (const Area& area : areas)
        for (const RuleCase& c : area.cases) {
            Vmcs v = c.base();
            c.breaks(v);
            const auto failure = check_entry(v, c.cpu());
            ASSERT_TRUE(failure) << c.rule;
            EXPECT_STREQ(failure->rule->name, c.rule);
            EXPECT_EQ(failure->error, area.error) << c.rule;
            EXPECT_EQ(failure->exit_reason, area.error == VmInstructionError::None ? 0x8000'0021U : 0U) << c.rule;
            Vmcs kept = c.base();
            c.keeps(kept);
            EXPECT_EQ(broken(kept, c.cpu()), "") << "the passing case of: " << c.rule;
            EXPECT_EQ(all_broken(v, c.cpu()), implied(c.rule)) << c.rule;
        }
}

TEST(X86EntryChecks, every_rule_has_a_case) {
    std::set<std::string> seen;
    for (const Area& area : areas)
        for (const RuleCase& c : area.cases) seen.insert(c.rule);
    std::set<std::string> named;
    for (const Area& area : areas)
        for (const EntryRule& rule : area.rules) {
            EXPECT_TRUE(named.insert(rule.name).second) << rule.name;
            EXPECT_TRUE(seen.contains(rule.name)) << rule.name;
        }
    EXPECT_GE(named.size(), 110U);
    for (const UncheckedRule& rule : unchecked_rules()) EXPECT_FALSE(named.contains(rule.name)) << rule.name;
}

TEST(X86EntryChecks, controls_of_this_cpu) {
    Vmcs v = long_mode();
    v.SECONDARY_CONTROLS |= w(17);
    EXPECT_EQ(broken(v, VmxCpu{}), "secondary controls fit the CPU");
    v.PRIMARY_CONTROLS &= ~w(31);
    EXPECT_EQ(broken(v, VmxCpu{}), "") << "not activated, so not looked at";
    v = long_mode();
    v.SECONDARY_CONTROLS |= w(16) | w(20);
    EXPECT_EQ(broken(v, VmxCpu{}), "");
}

TEST(X86EntryChecks, qualifications_of_exit_reason_33) {
    Vmcs v = protected_mode();
    v.GUEST_PDPTE[1] = 3;
    EXPECT_EQ(check_entry(v, {})->qualification, 2U);
    v = long_mode();
    v.VMCS_LINK_POINTER = 0x1000;
    EXPECT_EQ(check_entry(v, {})->qualification, 4U);
    v = long_mode();
    v.GUEST_RFLAGS |= w(9);
    v.GUEST_INTERRUPTIBILITY_STATE = 1;
    v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2);
    EXPECT_EQ(check_entry(v, {})->qualification, 3U);
    v = long_mode();
    v.GUEST_RFLAGS = 0;
    EXPECT_EQ(check_entry(v, {})->qualification, 0U);
}

TEST(X86EntryChecks, any_bits_are_judged_and_controls_come_first) {
    Random random(33);
    u64 taken = 0;
    for (int n = 0; n < 20'000; ++n) {
        Vmcs v = long_mode();
        const u64 flips = 1 + random.below(3);
        for (u64 k = 0; k < flips; ++k) {
            // One bit of some field: every field is reachable by its place in the list.
            const u64 wanted = random.below(150);
            const unsigned which = static_cast<unsigned>(random.below(64));
            u64 at = 0;
            Vmcs::list(v, [&](VmcsField, const char*, auto& value) {
                using Value = std::remove_reference_t<decltype(value)>;
                if (at++ == wanted) value = static_cast<Value>(value ^ (bit(which % (8 * sizeof(Value)))));
            });
        }
        const auto failure = check_entry(v, {});
        if (!failure) {
            ++taken;
            continue;
        }
        const bool is_control_broken =
            std::ranges::any_of(control_rules(), [&](const EntryRule& rule) { return !rule.holds(v, {}); });
        ASSERT_EQ(failure->error == VmInstructionError::InvalidControls, is_control_broken);
    }
    EXPECT_GT(taken, 1000U);
    EXPECT_LT(taken, 19'000U);
}

}  // namespace
}  // namespace ax::sim::x86
