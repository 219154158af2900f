// fw_cfg's DMA: commands in the guest's memory, and the threats T4 to T6 of devices/pc/fw_cfg.cpp.
#include <gtest/gtest.h>

#include "devices/pc/fw_cfg.hpp"
#include "tests/unit/core/mm/stage2_mapper.hpp"
#include "tests/unit/devices/pc/pc_fixture.hpp"

namespace ax::device_test {
namespace {

namespace key = dev::fw_cfg_key;
constexpr u64 page = 0x1000, ram = 0x8000'0000, ram_bytes = 8 * page, command_at = ram + 16, buffer = ram + page;
/// FWCfgDmaAccess.control: QEMU documentation, "Guest-side DMA Interface".
constexpr u32 error = 1, read = 2, skip = 4, select = 8, write = 16;

class FwCfgDmaTest : public testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(space_.add_alloc({Gpa{ram}, ram_bytes}, mm::Permissions::rwx())); }

    void put(u64 at, u64 value, unsigned bytes) {
        std::vector<std::byte> big_endian(bytes);
        for (unsigned i = 0; i < bytes; ++i) big_endian[i] = static_cast<std::byte>(value >> (8 * (bytes - 1 - i)));
        ASSERT_TRUE(memory_.write(Gpa{at}, big_endian));
    }
    /// Runs a command and gives what its control word says then.
    u32 run(u32 control, u32 length, u64 to) {
        put(command_at, control, 4);
        put(command_at + 4, length, 4);
        put(command_at + 8, to, 8);
        start(command_at);
        std::array<std::byte, 4> word{};
        EXPECT_TRUE(memory_.read(Gpa{command_at}, word));
        return std::byteswap(std::bit_cast<u32>(word));
    }
    void start(u64 at) {
        EXPECT_NE(write_word(device_, 4, 4, std::byteswap(static_cast<u32>(at >> 32))), fault);
        EXPECT_NE(write_word(device_, 8, 4, std::byteswap(static_cast<u32>(at))), fault);
    }
    std::string text_at(u64 at, std::size_t size) {
        std::string text(size, '?');
        EXPECT_TRUE(memory_.read(Gpa{at}, std::as_writable_bytes(std::span(text))));
        return text;
    }

    mm::test::FakeFrames frames_{Hpa{0x9000'0000}, 0x100'0000};
    mm::test::Stage2Mapper mapper_{frames_};
    mm::AddressSpace space_{mapper_, frames_};
    mm::GuestMemory memory_{space_, frames_};
    dev::FwCfg device_{&memory_};
};

TEST_F(FwCfgDmaTest, offers_itself) {
    EXPECT_EQ(read_word(device_, 4, 4), 0x554d'4551u);  // "QEMU"
    EXPECT_EQ(read_word(device_, 8, 4), 0x4746'4320u);  // " CFG"
    EXPECT_EQ(run(key::id << 16 | select | read, 4, buffer), 0u);
    EXPECT_EQ(text_at(buffer, 4), std::string("\3\0\0\0", 4));
    dev::FwCfg without;
    EXPECT_EQ(write_word(without, 8, 4, 0), fault);
    EXPECT_EQ(read_word(without, 4, 4), fault);
}

TEST_F(FwCfgDmaTest, reads_and_skips_from_where_it_is_with_zeros_behind_the_end) {
    std::string item(page + 100, 'x');
    item.replace(page, 4, "tail");
    ASSERT_TRUE(device_.add(0x100, std::as_bytes(std::span(item))));
    EXPECT_EQ(run(0x100u << 16 | select | skip, page, 0), 0u);
    EXPECT_EQ(run(read, 4, buffer), 0u);
    EXPECT_EQ(text_at(buffer, 4), "tail");
    EXPECT_EQ(run(0x100u << 16 | select | read, page + 200, buffer), 0u);
    EXPECT_EQ(text_at(buffer, item.size()), item);
    EXPECT_EQ(text_at(buffer + item.size(), 100), std::string(100, '\0'));
}

TEST_F(FwCfgDmaTest, t4_items_are_not_written) {
    EXPECT_EQ(run(key::signature << 16 | select | write, 4, buffer), error);
    EXPECT_EQ(run(key::signature << 16 | select | read, 4, buffer), 0u);
    EXPECT_EQ(text_at(buffer, 4), "QEMU");
}

TEST_F(FwCfgDmaTest, t5_what_lies_nowhere_is_an_error_or_nothing) {
    EXPECT_EQ(run(key::signature << 16 | select | read, 4, 0x1000), error);
    const std::string before = text_at(ram, ram_bytes);
    start(0x1000);
    start(~u64{0} - 3);
    start(ram + ram_bytes - 4);
    EXPECT_EQ(text_at(ram, ram_bytes), before);
}

TEST_F(FwCfgDmaTest, t6_four_gib_are_as_much_as_there_is_memory) {
    EXPECT_EQ(run(key::signature << 16 | select | read, ~u32{0}, buffer), error);
    EXPECT_EQ(text_at(buffer, 4), "QEMU");
    EXPECT_EQ(text_at(ram + ram_bytes - 4, 4), std::string(4, '\0'));
}

}  // namespace
}  // namespace ax::device_test
