#include <gtest/gtest.h>

#include "sim/replay/exit_codec.hpp"
#include "sim/replay/exit_words.hpp"
#include "tests/unit/sim/replay/trace_samples.hpp"

namespace ax::sim::trace_test {
namespace {

constexpr ExitPlace place = {VmId{1}, VcpuId{2}, 300, Gva{0x8020'0000}};

struct DescribeCase {
    VmExit exit;
    Answer answer;
    const char* text;
};

TEST(ExitRecord, every_kind_is_described_with_all_its_values) {
    const std::vector<DescribeCase> cases = {
        {BudgetEnd{}, Answer::none(), "budget-end -> none"},
        {MmioRead{Gpa{0x1000'0005}, 1}, Answer::of_value(0x60), "mmio-read gpa=0x10000005 size=1 -> value 0x60"},
        {MmioWrite{Gpa{0x1000'0000}, 4, 0x41}, Answer::of_value(0), "mmio-write gpa=0x10000000 size=4 value=0x41 -> value 0x0"},
        {Stage2Fault{Gpa{0x5000}, Access::Execute, true}, Answer::bus_fault(),
         "stage2-fault gpa=0x5000 access=execute by_walk=1 -> bus-fault"},
        {Hypercall{9, {1, 2, 3, 4, 5, 6}}, Answer::of_call(CallStatus::Denied, 7),
         "hypercall number=0x9 arg0=0x1 arg1=0x2 arg2=0x3 arg3=0x4 arg4=0x5 arg5=0x6 -> denied 0x7"},
        {PowerCall{PowerOp::CpuOn, 1, Gpa{0x8000}, 5, false}, Answer::of_call(CallStatus::Success),
         "power-call op=cpu-on target=1 entry=0x8000 argument=0x5 loses_state=0 -> success 0x0"},
        {SetTimer{123}, Answer::of_call(CallStatus::Success), "set-timer deadline_ticks=123 -> success 0x0"},
        {SendIpi{{false, 1, 6}}, Answer::of_call(CallStatus::Success), "send-ipi all=0 base=1 mask=0x6 others=0 number=0x0 group1=1 -> success 0x0"},
        {RemoteFence{{true, 0, 0}, true}, Answer::of_call(CallStatus::Success),
         "remote-fence all=1 base=0 mask=0x0 instruction=1 -> success 0x0"},
        {ConsoleCall{ConsoleOp::Write, 0, Gpa{0x9000}, 12}, Answer::of_call(CallStatus::Success, 12),
         "console-call op=write value=0x0 buffer=0x9000 length=12 -> success 0xc"},
        {WaitForInterrupt{}, Answer::none(), "wait -> none"},
        {SpinHint{}, Answer::none(), "spin-hint -> none"},
        {Handled{0x10, 2}, Answer::none(), "arch-call code=0x10 value=0x2 -> none"},
        {UndefinedInstruction{0x1234}, Answer::undefined(), "undefined-insn bits=0x1234 -> undefined"},
        {HostInterrupt{HostInterruptKind::External}, Answer::none(), "host-interrupt kind=external -> none"},
        {Unhandled{24, 1}, Answer::none(), "unhandled cause=0x18 detail=0x1 -> none"},
        {EntryFailure{3}, Answer::retry(), "entry-failure reason=0x3 -> retry"},
        {PortRead{0x3fd, 1}, Answer::of_value(0x60), "port-read port=0x3fd size=1 -> value 0x60"},
        {PortWrite{0x3f8, 1, 0x41}, Answer::of_value(0), "port-write port=0x3f8 size=1 value=0x41 -> value 0x0"},
        {CpuShutdown{0x7000}, Answer::none(), "cpu-shutdown address=0x7000 -> none"},
    };
    EXPECT_EQ(cases.size(), std::variant_size_v<VmExit>);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        EXPECT_EQ(cases[i].exit.index(), i);
        EXPECT_EQ(describe(flatten(cases[i].exit, cases[i].answer, place)), cases[i].text);
    }
}

TEST(ExitRecord, unknown_numbers_are_described_too) {
    ExitRecord record;
    record.kind = 31;
    EXPECT_EQ(describe(record), "kind 31 -> none");
    record = flatten(PowerCall{}, Answer::none(), place);
    record.words[0] = 77;
    EXPECT_NE(describe(record).find("op=0x4d"), std::string::npos);
}

struct DifferenceCase {
    void (*change)(ExitRecord&);
    FieldDifference expected;
};

TEST(ExitRecord, first_difference_names_the_field_and_both_values) {
    const ExitRecord recorded = flatten(MmioWrite{Gpa{0x1000}, 4, 0x41}, Answer::of_value(0), place);
    EXPECT_FALSE(first_difference(recorded, recorded));
    const std::vector<DifferenceCase> cases = {
        {[](ExitRecord& r) { r.vm = 9; }, {"vm", "1", "9"}},
        {[](ExitRecord& r) { r.vcpu = 9; }, {"vcpu", "2", "9"}},
        {[](ExitRecord& r) { r.icount = 301; }, {"icount", "300", "301"}},
        {[](ExitRecord& r) { r.pc += 4; }, {"pc", "0x80200000", "0x80200004"}},
        {[](ExitRecord& r) { r.words[0] = 0x2000; }, {"gpa", "0x1000", "0x2000"}},
        {[](ExitRecord& r) { r.words[1] = 8; }, {"size", "4", "8"}},
        {[](ExitRecord& r) { r.words[2] = 0x42; }, {"value", "0x41", "0x42"}},
        {[](ExitRecord& r) { r.words[6] = 1; }, {"word6", "0x0", "0x1"}},
        {[](ExitRecord& r) { r.value = 1; }, {"answer", "value 0x0", "value 0x1"}},
        {[](ExitRecord& r) { r.answer = AnswerKind::BusFault; }, {"answer", "value 0x0", "bus-fault"}},
        {[](ExitRecord& r) { r.kind = 10; },
         {"exit", "mmio-write gpa=0x1000 size=4 value=0x41 -> value 0x0", "wait -> value 0x0"}},
        {[](ExitRecord& r) {
             r.icount = 1;
             r.value = 1;
         },
         {"icount", "300", "1"}},
    };
    for (const auto& c : cases) {
        ExitRecord replayed = recorded;
        c.change(replayed);
        EXPECT_EQ(first_difference(recorded, replayed), c.expected);
    }
}

TEST(ExitRecord, chain_sees_every_field_and_the_order) {
    Numbers numbers(11);
    for (int round = 0; round < 200; ++round) {
        const ExitRecord base = random_exit(numbers);
        const u64 chain = numbers.next();
        const u64 next = extend_chain(chain, base);
        EXPECT_NE(extend_chain(chain ^ (u64{1} << numbers.below(64)), base), next);
        const u64 flip = u64{1} << numbers.below(64);
        std::vector<ExitRecord> changed(13, base);
        for (std::size_t i = 0; i < ExitRecord::max_words; ++i) changed[i].words[i] ^= flip;
        changed[7].icount ^= flip;
        changed[8].pc ^= flip;
        changed[9].value ^= flip;
        changed[10].vm ^= 1;
        changed[11].vcpu ^= 1;
        changed[12].kind = static_cast<u8>(changed[12].kind ^ 1);
        for (const ExitRecord& other : changed) EXPECT_NE(extend_chain(chain, other), next);
        ExitRecord answered = base;
        answered.answer = base.answer == AnswerKind::None ? AnswerKind::Value : AnswerKind::None;
        EXPECT_NE(extend_chain(chain, answered), next);
        const ExitRecord second = random_exit(numbers);
        EXPECT_NE(extend_chain(next, second), extend_chain(extend_chain(chain, second), base));
    }
}

TEST(ExitCodec, random_exits_survive) {
    Numbers numbers(5);
    ByteSink sink;
    ExitEncoder encoder;
    std::vector<ExitRecord> records;
    for (int i = 0; i < 2'000; ++i) {
        records.push_back(random_exit(numbers));
        sink.make_room(ExitEncoder::max_bytes);
        const std::size_t before = sink.size();
        encoder.encode(records.back(), sink);
        EXPECT_LE(sink.size() - before, ExitEncoder::max_bytes);
    }
    ByteSource source(sink.data());
    ExitDecoder decoder;
    for (const ExitRecord& record : records) {
        ExitRecord decoded;
        decoder.decode(source.take_byte(), source, decoded);
        ASSERT_EQ(decoded, record);
    }
    EXPECT_TRUE(source.is_good());
    EXPECT_TRUE(source.is_empty());
}

TEST(ExitCodec, farthest_distances_fit_the_bound) {
    ExitRecord far;
    far.vm = far.vcpu = ~u32{0};
    far.icount = far.pc = far.value = u64{1} << 63;
    far.words.fill(u64{1} << 63);
    far.answer = AnswerKind::Value;
    ByteSink sink;
    sink.make_room(ExitEncoder::max_bytes);
    ExitEncoder encoder;
    encoder.encode(far, sink);
    EXPECT_LE(sink.size(), ExitEncoder::max_bytes);
    ByteSource source(sink.data());
    ExitRecord decoded;
    ExitDecoder decoder;
    decoder.decode(source.take_byte(), source, decoded);
    EXPECT_EQ(decoded, far);
}

TEST(ExitCodec, arbitrary_bytes_decode_to_something_or_an_error) {
    Numbers numbers(6);
    int bad = 0;
    for (int round = 0; round < 5'000; ++round) {
        std::vector<std::byte> bytes(1 + numbers.below(40));
        for (std::byte& b : bytes) b = static_cast<std::byte>(numbers.next());
        ByteSource source(bytes);
        ExitDecoder decoder;
        ExitRecord record;
        while (!source.is_empty() && source.is_good()) decoder.decode(source.take_byte() & 0x7f, source, record);
        bad += source.is_good() ? 0 : 1;
        EXPECT_TRUE(!source.is_good() || record.kind < std::variant_size_v<VmExit>);
    }
    EXPECT_GT(bad, 0);
}

/// What a booting Linux does: polls and writes its UART, sets timers, claims interrupts, fences.
std::vector<ExitRecord> synthetic_boot(std::size_t count) {
    Numbers numbers(9);
    std::vector<ExitRecord> exits;
    u64 icount = 1'000'000;
    u64 deadline = 5'000'000;
    const u64 kernel = 0xffff'ffff'8000'0000;
    const auto add = [&](const VmExit& exit, const Answer& answer, u64 pc) {
        icount += 50 + numbers.below(20'000);
        exits.push_back(flatten(exit, answer, {VmId{1}, VcpuId{static_cast<u32>(numbers.below(16) / 15)}, icount, Gva{pc}}));
    };
    while (exits.size() < count) {
        switch (numbers.below(8)) {
            case 0:
                add(SetTimer{deadline += 40'000 + numbers.below(500)}, Answer::of_call(CallStatus::Success), kernel + 0x9a2c);
                break;
            case 1: add(WaitForInterrupt{}, Answer::none(), kernel + 0x6ff0); break;
            case 2: add(MmioRead{Gpa{0xc20'1004}, 4}, Answer::of_value(10), kernel + 0x4'4a10); break;
            case 3: add(RemoteFence{{false, 0, 3}, false}, Answer::of_call(CallStatus::Success), kernel + 0x9a2c); break;
            default:
                add(MmioRead{Gpa{0x1000'0005}, 1}, Answer::of_value(0x60), kernel + 0x55'1234);
                add(MmioWrite{Gpa{0x1000'0000}, 1, 32 + numbers.below(90)}, Answer::of_value(0), kernel + 0x55'1250);
        }
    }
    return exits;
}

TEST(ExitCodec, exits_of_a_boot_take_less_than_ten_bytes) {
    const auto exits = synthetic_boot(20'000);
    ByteSink sink;
    ExitEncoder encoder;
    sink.make_room(exits.size() * ExitEncoder::max_bytes);
    for (const ExitRecord& exit : exits) encoder.encode(exit, sink);
    EXPECT_LT(sink.size(), exits.size() * 10);
}

TEST(TraceSize, raw_bytes_of_a_boot_stay_within_24_per_exit_with_block_heads) {
    const TemporaryFile file("size");
    const auto exits = synthetic_boot(50'000);
    write_trace(file.path(), {exits.begin(), exits.end()}, 1'000'000);
    auto reader = TraceReader::open(file.path());
    ASSERT_TRUE(reader);
    while (reader->next().value_or(nullptr) != nullptr) {
    }
    const TraceTotals& totals = reader->totals();
    EXPECT_LT(totals.raw_bytes + totals.blocks * block::Head::size_bytes, totals.exits * 24);
    EXPECT_LT(totals.stored_bytes, totals.exits * 10);
}

}  // namespace
}  // namespace ax::sim::trace_test
