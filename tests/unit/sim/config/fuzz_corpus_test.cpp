// Every input that the fuzzer keeps, and every one that once broke the reader, in every build.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/fuzz/config_fuzz_body.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

std::size_t replay(const std::filesystem::path& folder) {
    std::size_t inputs = 0;
    if (!std::filesystem::exists(folder)) return 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        SCOPED_TRACE(entry.path());
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string input{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        ax::test::fuzz_config(input);
        ++inputs;
    }
    return inputs;
}

TEST(FuzzCorpusTest, every_input_keeps_the_readers_promises) {
    const auto fuzz = ax::test::repository() / "tests" / "fuzz";
    EXPECT_GE(replay(fuzz / "corpus" / "config"), 20u);
    replay(fuzz / "regressions" / "config");
}

}  // namespace
