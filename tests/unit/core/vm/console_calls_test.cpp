// The console of a VM and the firmware calls on it.
#include "tests/unit/core/vm/vm_fixture.hpp"

namespace ax::vm::test {
namespace {

constexpr u64 chunk = 256;  ///< bytes that one call moves at most
constexpr Answer invalid = Answer::of_call(CallStatus::InvalidParameter);

constexpr Answer moved(u64 count) { return Answer::of_call(CallStatus::Success, count); }
ConsoleCall transfer(ConsoleOp op, Gpa buffer, u64 length) { return {.op = op, .value = 0, .buffer = buffer, .length = length}; }

class ConsoleCallsTest : public VmTest {
protected:
    void SetUp() override { build(1); }
    std::string output() { return host.console(VmId{3}); }
    void input(std::string_view text) {
        for (const char c : text) EXPECT_TRUE(vm().console().queue(static_cast<u8>(c)));
    }
};

TEST_F(ConsoleCallsTest, put_byte_reaches_the_host_of_this_vm) {
    EXPECT_EQ(answer(ConsoleCall{.op = ConsoleOp::PutByte, .value = 'x', .buffer = {}}), moved(0));
    EXPECT_EQ(output(), "x");
    EXPECT_EQ(host.console(VmId{0}), "");
}

TEST_F(ConsoleCallsTest, get_byte_fails_without_input_and_keeps_order) {
    const ConsoleCall get{.op = ConsoleOp::GetByte, .buffer = {}};
    EXPECT_EQ(answer(get), Answer::of_call(CallStatus::Failed));
    input("ab");
    EXPECT_EQ(answer(get), moved('a'));
    EXPECT_EQ(answer(get), moved('b'));
    EXPECT_EQ(answer(get), Answer::of_call(CallStatus::Failed));
}

struct WriteCase {
    const char* name;
    Gpa buffer;
    u64 length;
    Answer answer;
};
const WriteCase write_cases[] = {
    {"nothing", ram, 0, moved(0)},
    {"one byte", ram, 1, moved(1)},
    {"across pages", ram + 0xff0, 32, moved(32)},
    {"a whole chunk", ram, chunk, moved(chunk)},
    {"more than a chunk", ram, chunk + 1, moved(chunk)},
    {"endless", ram, ~u64{0}, moved(chunk)},
    {"up to the end", ram + (ram_size - 16), 16, moved(16)},
    {"over the end", ram + (ram_size - 16), 17, invalid},
    {"nowhere", nowhere, 1, invalid},
    {"a device", device, 4, invalid},
    {"end of the address space", Gpa{~u64{0}}, 2, invalid},
    {"read-only memory", rom, 4, moved(4)},
    {"untouched lazy memory", lazy + 0xffe, 4, moved(4)},
};

TEST_F(ConsoleCallsTest, write_takes_whole_buffers_or_nothing) {
    for (const WriteCase& c : write_cases) {
        const std::size_t before = output().size();
        EXPECT_EQ(answer(transfer(ConsoleOp::Write, c.buffer, c.length)), c.answer) << c.name;
        EXPECT_EQ(output().size() - before, c.answer.value) << c.name;
        EXPECT_EQ(vm().status(), VmStatus::Running) << c.name;
    }
}

TEST_F(ConsoleCallsTest, written_bytes_come_out_in_order) {
    const std::string text = "0123456789abcdef";
    guest->write(ram + 0xff8, text);
    EXPECT_EQ(answer(transfer(ConsoleOp::Write, ram + 0xff8, text.size())), moved(text.size()));
    EXPECT_EQ(output(), text);
}

TEST_F(ConsoleCallsTest, read_gives_what_is_there) {
    input("hello");
    EXPECT_EQ(answer(transfer(ConsoleOp::Read, ram + 0xffe, 3)), moved(3));
    EXPECT_EQ(answer(transfer(ConsoleOp::Read, lazy, 100)), moved(2));
    EXPECT_EQ(answer(transfer(ConsoleOp::Read, ram, 100)), moved(0));
    EXPECT_EQ(guest->read(ram + 0xffe, 3), "hel");
    EXPECT_EQ(guest->read(lazy, 3), std::string("lo\0", 3));
}

TEST_F(ConsoleCallsTest, read_moves_a_chunk_at_most) {
    input(std::string(chunk + 10, 'z'));
    EXPECT_EQ(answer(transfer(ConsoleOp::Read, ram, ~u64{0})), moved(chunk));
    EXPECT_EQ(answer(transfer(ConsoleOp::Read, ram, ~u64{0})), moved(10));
}

TEST_F(ConsoleCallsTest, read_to_a_bad_place_loses_no_input) {
    for (const Gpa place : {nowhere, device, rom, Gpa{~u64{0}}}) {
        input("k");
        EXPECT_EQ(answer(transfer(ConsoleOp::Read, place, 1)), invalid) << std::hex << place.value();
        u8 byte = 0;
        EXPECT_TRUE(vm().console().take(byte)) << std::hex << place.value();
        EXPECT_EQ(byte, 'k');
    }
}

TEST_F(ConsoleCallsTest, read_across_the_end_of_memory_loses_no_input) {
    input("abcd");
    EXPECT_EQ(answer(transfer(ConsoleOp::Read, ram + (ram_size - 2), 4)), invalid);
    EXPECT_EQ(answer(transfer(ConsoleOp::Read, ram, 4)), moved(4));
    EXPECT_EQ(guest->read(ram, 4), "abcd");
}

TEST_F(ConsoleCallsTest, queue_refuses_what_does_not_fit_and_wraps) {
    Console& console = vm().console();
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < Console::capacity; ++i) ASSERT_TRUE(console.queue(static_cast<u8>(i * 7)));
        EXPECT_EQ(console.room(), 0U);
        EXPECT_FALSE(console.queue(1));
        u8 byte = 0;
        for (std::size_t i = 0; i < Console::capacity; ++i) {
            ASSERT_TRUE(console.take(byte));
            ASSERT_EQ(byte, static_cast<u8>(i * 7));
        }
        EXPECT_FALSE(console.take(byte));
        // An odd start for the next round.
        ASSERT_TRUE(console.queue(9) && console.take(byte));
    }
}

}  // namespace
}  // namespace ax::vm::test
