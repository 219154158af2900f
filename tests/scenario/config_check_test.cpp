// `axsim config check`, `show` and `schema` as a user calls them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sim/base/text.hpp"
#include "tests/scenario/support/child.hpp"
#include "tests/scenario/support/isa_test.hpp"

namespace ax::scenario {
namespace {

class ConfigCheck : public IsaTest {
protected:
    /// A file without findings, changed.
    std::string vm(const std::string& name, const std::string& from = "", const std::string& to = "") const {
        std::string text = read_text(workspace_.bare_metal("hello"));
        if (!from.empty()) {
            const std::size_t at = text.find(from);
            EXPECT_NE(at, std::string::npos) << from;
            if (at != std::string::npos) text.replace(at, from.size(), to);
        }
        return workspace_.write(name, text);
    }
    std::string board_ = std::string(AXSIM_SOURCE_DIR) + "/configs/platforms/" + isa().board + ".toml";
};

TEST_P(ConfigCheck, status_tells_errors_from_warnings) {
    EXPECT_EQ(axsim({"config", "check", vm("good.toml"), "--platform", board_, "--deny-warnings"}).status, 0);
    const std::string warned = vm("warned.toml", "vm_type = 1", "vm_type = 9");
    EXPECT_EQ(axsim({"config", "check", warned}).status, 0);
    EXPECT_EQ(axsim({"config", "check", warned, "--deny-warnings"}).status, 1);
    EXPECT_EQ(axsim({"config", "check", vm("bad.toml", "cpu_num = 1", "cpu_num = 0")}).status, 2);
    EXPECT_EQ(axsim({"config", "check", workspace_.path("none.toml")}).status, 2);
}

TEST_P(ConfigCheck, json_names_file_place_value_and_rule) {
    const ChildResult result = axsim({"config", "check", vm("bad.toml", "cpu_num = 1", "cpu_num = 0x41"), workspace_.path("none.toml"), "--json"});
    EXPECT_EQ(result.status, 2);
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json["files"].size(), 2u);
    EXPECT_EQ(json["errors"], json["findings"].size());
    const auto& first = json["findings"][0];
    EXPECT_EQ(first["rule"], "cpu-num");
    EXPECT_EQ(first["key"], "base.cpu_num");
    EXPECT_EQ(first["value"], "0x41");
    EXPECT_GT(first["line"], 1);
    EXPECT_EQ(json["findings"].back()["rule"], "unreadable");
}

TEST_P(ConfigCheck, show_draws_the_memory_map) {
    const ChildResult result = axsim({"config", "show", vm("good.toml"), "--platform", board_});
    EXPECT_EQ(result.status, 0) << result.err;
    for (const std::string& part : {"platform " + isa().board + " (" + isa().name + "): 4 pCPUs", std::string("VM 1 \"hello\""),
                                    sim::hex(isa().bare_metal_memory, 12) + " - ", std::string("emulated"), std::string("uart"), isa().uart_irq})
        EXPECT_NE(result.out.find(part), std::string::npos) << part << "\n" << result.out;
    const ChildResult json = axsim({"config", "show", vm("good.toml"), "--json"});
    EXPECT_EQ(nlohmann::json::parse(json.out)["vms"][0]["vcpus"].size(), 1u);
}

TEST_P(ConfigCheck, output_that_is_lost_is_an_error) {
    const std::string file = vm("good.toml");
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"config", "check", file}, {"config", "show", file}, {"config", "schema"},
                                                      {"config", "convert", file}, {"version"}}) {
        Child child(arguments, {.input = Child::Input::None, .out_path = "/dev/full"});
        const ChildResult result = child.wait();
        EXPECT_EQ(result.status, 2) << arguments.back();
        EXPECT_NE(result.err.find("axsim: error: cannot write to standard output"), std::string::npos) << result.err;
    }
}

TEST_P(ConfigCheck, a_board_that_is_not_accepted_is_not_called_missing) {
    const std::string without = axsim({"config", "check", vm("good.toml")}).err;
    EXPECT_NE(without.find("note: without --platform the rules"), std::string::npos) << without;
    const std::string broken = axsim({"config", "check", vm("good.toml"), "--platform", workspace_.path("none.toml")}).err;
    EXPECT_NE(broken.find("note: the platform file was not accepted"), std::string::npos) << broken;
    EXPECT_EQ(axsim({"config", "check", vm("good.toml"), "--platform", board_}).err, "");
}

TEST_P(ConfigCheck, show_keeps_control_characters_from_the_terminal) {
    const std::string name = "\"hello\"";
    const ChildResult result = axsim({"config", "show", vm("red.toml", name, "\"a\\u001b[31m\\nb\"")});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_NE(result.out.find("VM 1 \"a?[31m?b\""), std::string::npos) << result.out;
}

TEST_P(ConfigCheck, schemas_are_json) {
    EXPECT_EQ(nlohmann::json::parse(axsim({"config", "schema"}).out)["$schema"], "https://json-schema.org/draft/2020-12/schema");
    EXPECT_TRUE(nlohmann::json::parse(axsim({"config", "schema", "--platform"}).out).contains("oneOf"));
}

INSTANTIATE_TEST_SUITE_P(Isas, ConfigCheck, every_isa(), isa_name);

}  // namespace
}  // namespace ax::scenario
