// From what a rule finds to a diagnostic with its place in the file.
#pragma once

#include "sim/config/toml_tree.hpp"

namespace ax::sim {

/// Takes the findings of rules over one file. Tree and diagnostics outlive it.
class RuleSink final : public config::FindingSink {
public:
    RuleSink(const TomlNode& root, Diagnostics& diagnostics) : root_(root), diagnostics_(diagnostics) {}

    void report(const config::Finding& finding) override {
        diagnostics_.add(
            finding.severity, position_of(root_, finding.key.view()),
            {std::string(finding.key.view()), finding.rule, std::string(finding.what.view()), std::string(finding.fix.view())});
    }

private:
    const TomlNode& root_;
    Diagnostics& diagnostics_;
};

}  // namespace ax::sim
