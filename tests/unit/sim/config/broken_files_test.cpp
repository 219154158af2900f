// The broken files of tests/schema, read by axsim itself, and the schemas that stand beside the configurations.
#include <gtest/gtest.h>

#include <fstream>

#include "sim/config/check_files.hpp"
#include "sim/config/schema.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;

std::string contents(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(BrokenFilesTest, each_is_refused_by_its_rule_and_no_other_error) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(ax::test::repository() / "tests" / "schema" / "broken")) {
        ++files;
        const std::string text = contents(entry.path());
        const std::size_t mark = text.find("# rule: ") + 8;
        const std::string rule = text.substr(mark, text.find('\n', mark) - mark);
        const sim::CheckReport report = sim::check_files({entry.path()}, std::nullopt);
        bool is_found = false;
        for (const sim::Diagnostic& d : report.findings) {
            if (d.rule == "image-unreadable") continue;
            is_found = is_found || (d.rule == rule && d.severity == config::Severity::Error);
            EXPECT_FALSE(d.what.empty() || d.hint.empty()) << d.one_line();
            EXPECT_GE(d.at.line, 1u) << d.one_line();
            // Whoever reads the file sees the value, but for what is not there.
            EXPECT_FALSE(d.source_line.empty()) << d.one_line();
        }
        EXPECT_TRUE(is_found) << entry.path() << " breaks " << rule;
    }
    EXPECT_GE(files, 60u);
}

TEST(SchemaTest, the_shipped_schemas_are_what_the_program_prints) {
    const auto folder = ax::test::repository() / "configs" / "schema";
    EXPECT_EQ(contents(folder / "vm.schema.json"), sim::vm_schema()) << "run: axsim config schema > configs/schema/vm.schema.json";
    EXPECT_EQ(contents(folder / "platform.schema.json"), sim::platform_schema())
        << "run: axsim config schema --platform > configs/schema/platform.schema.json";
}

}  // namespace
