// Values of platform files survive being written and read again.
#include "sim/config/platform_writer.hpp"

#include <gtest/gtest.h>

#include "sim/config/platform_file.hpp"
#include "tests/unit/sim/config/samples.hpp"

namespace {

using namespace ax;

/// Reads, writes, and compares with what is read back; also that each value of the file is in the text.
void expect_round_trip(const std::filesystem::path& path) {
    SCOPED_TRACE(path);
    const auto file = sim::read_platform_file(path);
    ASSERT_TRUE(file) << file.error().to_text();
    const std::string written = sim::write_platform(file->config);
    const auto again = sim::read_platform_text(written, "again.toml");
    ASSERT_TRUE(again) << again.error().to_text() << written;
    EXPECT_EQ(sim::write_platform(again->config), written);
    EXPECT_EQ(again->config.arch, file->config.arch);
    EXPECT_EQ(again->config.plat.kernel_base_vaddr, file->config.plat.kernel_base_vaddr);
    EXPECT_EQ(again->config.plat.kernel_aspace_size, file->config.plat.kernel_aspace_size);
    EXPECT_EQ(again->config.devices.mmio_regions.size(), file->config.devices.mmio_regions.size());
    EXPECT_EQ(again->config.devices.other.size(), file->config.devices.other.size());
    EXPECT_EQ(again->config.devices.timer_frequency, file->config.devices.timer_frequency);
}

std::size_t expect_all(const std::filesystem::path& folder) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".toml" || entry.path().stem() == "defconfig") continue;
        expect_round_trip(entry.path());
        ++files;
    }
    return files;
}

TEST(PlatformWriterTest, shipped_boards_round_trip) { EXPECT_GE(expect_all(ax::test::repository() / "configs" / "platforms"), 3u); }

TEST(PlatformWriterTest, the_familys_boards_round_trip) {
    const auto folder = ax::test::repository().parent_path() / "shared" / "reference" / "axvisor-configs" / "platforms";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the reference configurations are not here";
    EXPECT_EQ(expect_all(folder), 5u);
}

TEST(PlatformWriterTest, the_familys_numbers_are_read_as_written) {
    const auto path = ax::test::repository().parent_path() / "shared" / "reference" / "axvisor-configs" / "platforms" / "x86_64-qemu-q35.toml";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "the reference configurations are not here";
    const auto file = sim::read_platform_file(path);
    ASSERT_TRUE(file);
    // Reference: axvisor.md, section 1.4.
    EXPECT_EQ(file->config.plat.kernel_aspace_size, 0x0000'7fff'ffff'f000u);
    EXPECT_EQ(file->config.plat.kernel_base_vaddr, 0xffff'8000'0020'0000u);
    EXPECT_EQ(file->config.devices.timer_frequency, 4'000'000'000u);
    EXPECT_EQ(file->config.devices.mmio_regions.size(), 7u);
}

}  // namespace
