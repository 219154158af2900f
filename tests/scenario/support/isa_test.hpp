// A test that is run for every instruction set, in a workspace of its own.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/scenario/support/isa.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {

class IsaTest : public testing::TestWithParam<const Isa*> {
protected:
    [[nodiscard]] const Isa& isa() const { return *GetParam(); }
    Workspace workspace_{*GetParam()};
};

[[nodiscard]] inline auto every_isa() { return testing::ValuesIn(isas); }

/// For INSTANTIATE_TEST_SUITE_P: the instruction set is the name of the instance.
[[nodiscard]] inline std::string isa_name(const testing::TestParamInfo<const Isa*>& info) { return info.param->name; }

}  // namespace ax::scenario
