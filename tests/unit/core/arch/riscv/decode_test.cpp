#include "core/arch/riscv/decode.hpp"

#include <gtest/gtest.h>

#include "core/arch/riscv/sbi.hpp"
#include "tests/unit/core/arch/riscv/fake_guest.hpp"
#include "tests/unit/core/arch/riscv/known_insns.hpp"
#include "tests/unit/core/arch/riscv/show.hpp"

namespace ax::riscv::testing {
namespace {

constexpr u64 pc = 0xffff'ffff'8000'1ffe;

/// A guest-page fault of the instruction `known` at `pc`, at the first byte of its access.
Trap fault_of(const KnownInsn& known, const FakeGuest& guest) {
    const u64 base = known.insn.base == 0 ? 0 : guest.x[known.insn.base];
    Trap trap;
    trap.scause = known.insn.kind == MemoryKind::Load ? 21 : 23;
    trap.stval = base + static_cast<u64>(known.insn.offset);
    trap.htval = (0x1000'0000 | (trap.stval & 0xfff)) >> 2;
    trap.sepc = pc;
    return trap;
}

TEST(RiscvDecode, every_load_and_store_form_is_read_from_code_and_completed) {
    for (const KnownInsn& known : known_insns) {
        if (known.insn.kind != MemoryKind::Load && known.insn.kind != MemoryKind::Store) continue;
        FakeGuest guest;
        guest.put(pc, known.bits);
        const Decoded decoded = decode(fault_of(known, guest), guest);
        const std::string step = "+" + std::to_string(known.insn.length);

        constexpr u64 device_value = 0x8182'8384'8586'8788;
        const std::string effects = show(complete(decoded.completion, Answer::of_value(device_value)));
        if (known.insn.kind == MemoryKind::Store) {
            const u64 data = known.insn.data == 0 ? 0 : guest.x[known.insn.data];
            const auto* write = std::get_if<MmioWrite>(&decoded.exit);
            ASSERT_NE(write, nullptr) << known.text << ": " << show(decoded);
            EXPECT_EQ(write->size, known.insn.size) << known.text;
            EXPECT_EQ(write->value, zero_extend(data, known.insn.size)) << known.text;
            EXPECT_EQ(effects, step) << known.text;
            continue;
        }
        const auto* read = std::get_if<MmioRead>(&decoded.exit);
        ASSERT_NE(read, nullptr) << known.text << ": " << show(decoded);
        EXPECT_EQ(read->size, known.insn.size) << known.text;
        const u64 loaded =
            known.insn.is_signed ? sign_extend(device_value, known.insn.size) : zero_extend(device_value, known.insn.size);
        const std::string expected =
            known.insn.data == 0 ? step : "x" + std::to_string(known.insn.data) + "=" + hex(loaded) + " " + step;
        EXPECT_EQ(effects, expected) << known.text;
    }
}

TEST(RiscvDecode, htinst_spares_reading_the_code) {
    FakeGuest guest;
    Trap trap{.scause = 21, .stval = 0x1000, .htval = 0x400'0000, .htinst = 0x2503, .sepc = pc};
    EXPECT_EQ(show(decode(trap, guest).exit), "mmio-read 0x10000000 size 4");
    EXPECT_EQ(guest.fetches, 0u);
}

TEST(RiscvDecode, a_compressed_instruction_at_the_end_of_a_page_is_read_by_two_bytes) {
    FakeGuest guest;
    guest.put(pc, 0x4388);  // c.lw a0, 0(a5)
    Trap trap{.scause = 21, .stval = guest.x[15], .htval = (0x1000'0000 | (guest.x[15] & 0xfff)) >> 2, .sepc = pc};
    EXPECT_EQ(show(decode(trap, guest).exit), "mmio-read 0x10000f0f size 4");
    EXPECT_EQ(guest.fetches, 1u);
}

TEST(RiscvDecode, an_instruction_across_pages_whose_second_page_is_gone_runs_again) {
    FakeGuest guest;
    guest.put(pc, 0x0005'a503);  // lw a0, 0(a1)
    guest.code.erase(pc + 2);
    Trap trap{.scause = 21, .stval = guest.x[11], .htval = 0x400'0000, .sepc = pc};
    const Decoded decoded = decode(trap, guest);
    EXPECT_EQ(show(decoded), "arch-call 0x15 told 0xffffffff80001ffe; none +4");
    EXPECT_EQ(show(complete(decoded.completion, Answer::none())), "nothing");
}

TEST(RiscvDecode, a_refused_access_becomes_the_guests_access_fault) {
    FakeGuest guest;
    struct Row {
        u64 scause;
        u64 htinst;
        const char* expected;
    };
    constexpr Row rows[] = {
        {20, 0, "exception 1 0x4000"},           {21, 0x2503, "exception 5 0x4000"}, {23, 0x00a0'2023, "exception 7 0x4000"},
        {23, 0x00c0'252f, "exception 7 0x4000"}, {21, 0x3000, "exception 5 0x4000"}, {20, 0x3000, "exception 1 0x4000"},
        {23, 0x3020, "exception 7 0x4000"},
    };
    for (const Row& row : rows) {
        Trap trap{.scause = row.scause, .stval = 0x4000, .htval = 0x1234, .htinst = row.htinst, .sepc = pc};
        EXPECT_EQ(show(complete(decode(trap, guest).completion, Answer::bus_fault())), row.expected) << row.scause;
    }
}

TEST(RiscvDecode, a_wait_is_stepped_over_however_it_ends) {
    FakeGuest guest;
    Trap trap{.scause = 22, .stval = 0x1050'0073, .sstatus = Sstatus::SPP::of(1)};
    const Decoded decoded = decode(trap, guest);
    EXPECT_EQ(show(complete(decoded.completion, Answer::none())), "+4");
    EXPECT_EQ(show(complete(decoded.completion, Answer::of_value(0))), "+4");
}

TEST(RiscvDecode, a_wait_in_user_mode_is_undefined) {
    FakeGuest guest;
    Trap trap{.scause = 22, .stval = 0x1050'0073, .sstatus = Sstatus::SPP::of(0)};
    EXPECT_TRUE(std::holds_alternative<UndefinedInstruction>(decode(trap, guest).exit));
}

TEST(RiscvDecode, an_undefined_instruction_is_reflected_with_its_encoding) {
    FakeGuest guest;
    Trap trap{.scause = 22, .stval = 0x1020'0073};
    EXPECT_EQ(show(complete(decode(trap, guest).completion, Answer::undefined())), "exception 2 0x10200073");
}

/// The registers of an ecall.
FakeGuest calling(u64 eid, u64 fid, u64 a0 = 0) {
    FakeGuest guest;
    guest.x[17] = eid;
    guest.x[16] = fid;
    guest.x[10] = a0;
    return guest;
}

TEST(RiscvDecode, a_call_answered_here_needs_no_answer_from_above) {
    FakeGuest version = calling(0x10, 0);
    EXPECT_EQ(show(complete(decode({.scause = 10}, version).completion, Answer::none())), "x10=0x0 x11=0x2000000 +4");
    FakeGuest unknown = calling(0x0a00'0000, 0);
    EXPECT_EQ(show(complete(decode({.scause = 10}, unknown).completion, Answer::none())), "x10=0xfffffffffffffffe x11=0x0 +4");
    FakeGuest clear_ipi = calling(3, 0);
    EXPECT_EQ(show(complete(decode({.scause = 10}, clear_ipi).completion, Answer::none())), "x10=0x0 +4");
}

TEST(RiscvSbi, an_extension_exists_exactly_when_probing_says_so) {
    // Legacy send_ipi exists only for a call without a hart mask, which a0 != 0 is not.
    for (u64 eid = 0; eid < 0x100; ++eid) {
        FakeGuest probe = calling(0x10, 3, eid);
        const bool claims = decode({.scause = 10}, probe).completion.call_value == 1;
        const SbiDecoded used = decode_sbi({{0x1000, 0, 0, 0, 0, 0, 0, eid}});
        EXPECT_EQ(claims, used.error != -2) << eid;
    }
}

TEST(RiscvSbi, random_calls_never_leave_the_range_of_their_parameters) {
    constexpr u64 eids[] = {0, 1,    2,           3,         4,           5,         6,           7,
                            8, 0x10, 0x5449'4d45, 0x73'5049, 0x5246'4e43, 0x48'534d, 0x5352'5354, 0x4442'434e};
    constexpr u64 values[] = {0, 1, 2, 3, 0x7fff'ffff, 0x8000'0000, 0xffff'ffff, ~u64{0}};
    for (const u64 eid : eids) {
        for (const u64 fid : values) {
            for (const u64 a0 : values) {
                for (const u64 a1 : values) {
                    const SbiDecoded d = decode_sbi({{a0, a1, 0, 0, 0, 0, fid, eid}});
                    EXPECT_EQ(d.completion == CompletionKind::LegacyCall, eid <= 8);
                    EXPECT_TRUE(d.error == 0 || d.error == -2 || d.error == -3);
                    if (!std::holds_alternative<Handled>(d.exit)) {
                        EXPECT_EQ(d.error, 0) << hex(eid) << " " << hex(fid);
                    }
                    if (const auto* power = std::get_if<PowerCall>(&d.exit);
                        power != nullptr && (power->op == PowerOp::SystemOff || power->op == PowerOp::SystemReset)) {
                        EXPECT_LE(power->argument, 1u);
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace ax::riscv::testing
