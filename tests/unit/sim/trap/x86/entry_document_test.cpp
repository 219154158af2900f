// sim/trap/x86/entry_rules.md lists what is checked and what is not: it must say what the code says.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {
namespace {

/// "a | b | c" of a row, without the outer bars.
std::set<std::string> rows_under(const std::string& heading) {
    std::ifstream file(AXSIM_SOURCE_DIR "/sim/trap/x86/entry_rules.md");
    EXPECT_TRUE(file) << "cannot read sim/trap/x86/entry_rules.md";
    std::set<std::string> rows;
    bool is_here = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("## ")) is_here = line == "## " + heading;
        if (!is_here || !line.starts_with("| ") || line.starts_with("| Rule ")) continue;
        EXPECT_TRUE(rows.insert(line.substr(2, line.size() - 4)).second) << "twice: " << line;
    }
    return rows;
}

void expect_same(const std::set<std::string>& documented, const std::set<std::string>& wanted) {
    for (const std::string& row : wanted) EXPECT_TRUE(documented.contains(row)) << "missing row: | " << row << " |";
    for (const std::string& row : documented) EXPECT_TRUE(wanted.contains(row)) << "no such rule in the code: | " << row << " |";
}

TEST(X86EntryRules, the_document_lists_the_checked_rules) {
    struct Area {
        std::span<const EntryRule> rules;
        const char* outcome;
    };
    std::set<std::string> wanted;
    for (const Area& area :
         {Area{control_rules(), "error 7"}, Area{host_rules(), "error 8"}, Area{guest_register_rules(), "exit 33"},
          Area{guest_segment_rules(), "exit 33"}, Area{guest_state_rules(), "exit 33"}})
        for (const EntryRule& rule : area.rules) {
            const std::string qualification =
                rule.qualification == 0 ? "" : ", qualification " + std::to_string(unsigned{rule.qualification});
            wanted.insert(std::string(rule.name) + " | " + rule.section + " | " + area.outcome + qualification);
        }
    expect_same(rows_under("Checked"), wanted);
}

TEST(X86EntryRules, the_document_lists_the_unchecked_rules) {
    std::set<std::string> wanted;
    for (const UncheckedRule& rule : unchecked_rules())
        EXPECT_TRUE(wanted.insert(std::string(rule.name) + " | " + rule.section + " | " + rule.reason).second) << rule.name;
    expect_same(rows_under("Not checked"), wanted);
}

/// "the control is refused" must be true: a CPU of ours has none of the controls whose rules are left out.
TEST(X86EntryRules, controls_without_rules_are_refused) {
    struct Control {
        const char* what;
        u64 capability;
        unsigned bit;
    };
    const VmxCpu cpu;
    const Control controls[] = {
        {"posted interrupts", cpu.pin, 7},
        {"tertiary controls", cpu.primary, 17},
        {"TPR shadow", cpu.primary, 21},
        {"VM functions", cpu.secondary, 13},
        {"VMCS shadowing", cpu.secondary, 14},
        {"page-modification log", cpu.secondary, 17},
        {"virtualization exceptions", cpu.secondary, 18},
        {"PASID translation", cpu.secondary, 21},
        {"sub-page permissions", cpu.secondary, 23},
        {"Intel PT uses guest physical addresses", cpu.secondary, 24},
        {"TSC scaling", cpu.secondary, 25},
        {"load IA32_PERF_GLOBAL_CTRL on exit", cpu.exit, 12},
        {"load CET state on exit", cpu.exit, 28},
        {"load PKRS on exit", cpu.exit, 29},
        {"secondary exit controls", cpu.exit, 31},
        {"load IA32_PERF_GLOBAL_CTRL", cpu.entry, 13},
        {"load IA32_BNDCFGS", cpu.entry, 16},
        {"load IA32_RTIT_CTL", cpu.entry, 18},
        {"load UINV", cpu.entry, 19},
        {"load CET state", cpu.entry, 20},
        {"load IA32_LBR_CTL", cpu.entry, 21},
        {"load PKRS", cpu.entry, 22},
        {"load FRED state", cpu.entry, 23},
    };
    using Allowed0 = ax::x86::ControlCapability::Allowed0;
    for (const Control& c : controls) {
        const auto must = static_cast<u32>(Allowed0::get(c.capability));
        EXPECT_TRUE(fits(c.capability, must)) << c.what;
        EXPECT_FALSE(fits(c.capability, must | (u32{1} << c.bit))) << c.what;
    }
}

}  // namespace
}  // namespace ax::sim::x86
