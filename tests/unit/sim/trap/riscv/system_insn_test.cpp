// RISC-V Privileged, "Virtual Instruction Exception" and the CSR listings.
#include "sim/trap/riscv/system_insn.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/trap/riscv/fake_hart.hpp"

namespace ax::sim::riscv {
namespace {

using namespace ax::riscv;
using testing::FakeHart;

enum class Want : u8 { Done, Illegal, Virtual };
constexpr u64 vtvm = Hstatus::VTVM::mask, vtw = Hstatus::VTW::mask, vtsr = Hstatus::VTSR::mask;
constexpr u32 read_of(u32 csr) { return csr << 20 | 2U << 12 | 10U << 7 | 0x73; }               // csrrs a0, csr, zero
constexpr u32 write_of(u32 csr) { return csr << 20 | 11U << 15 | 1U << 12 | 10U << 7 | 0x73; }  // csrrw a0, csr, a1
constexpr u32 wfi = 0x1050'0073, sret = 0x1020'0073, sfence = 0x1200'0073, hfence_vvma = 0x2200'0073, hfence_gvma = 0x6200'0073;
constexpr u32 hlv_d = 0x6c05'c573, mret = 0x3020'0073;

struct SystemCase {
    const char* what;
    u32 bits;
    bool is_user;
    u64 hstatus;
    u64 hcounteren, scounteren;
    Want want;
};

constexpr SystemCase system_cases[] = {
    {"wfi", wfi, false, 0, 0, 0, Want::Done},
    {"wfi, VTW", wfi, false, vtw, 0, 0, Want::Virtual},
    {"wfi, VU", wfi, true, 0, 0, 0, Want::Virtual},
    {"sret, VTSR", sret, false, vtsr, 0, 0, Want::Virtual},
    {"sret, VU", sret, true, 0, 0, 0, Want::Virtual},
    {"sfence", sfence, false, 0, 0, 0, Want::Done},
    {"sfence, VTVM", sfence, false, vtvm, 0, 0, Want::Virtual},
    {"sfence, VU", sfence, true, 0, 0, 0, Want::Virtual},
    {"hfence.vvma", hfence_vvma, false, 0, 0, 0, Want::Virtual},
    {"hfence.gvma", hfence_gvma, true, 0, 0, 0, Want::Virtual},
    {"hlv.d", hlv_d, false, 0, 0, 0, Want::Virtual},
    {"mret", mret, false, 0, 0, 0, Want::Illegal},
    {"satp", write_of(0x180), false, 0, 0, 0, Want::Done},
    {"satp, VTVM", read_of(0x180), false, vtvm, 0, 0, Want::Virtual},
    {"satp, VU", read_of(0x180), true, 0, 0, 0, Want::Virtual},
    {"sstatus, VU", read_of(0x100), true, 0, 0, 0, Want::Virtual},
    {"hstatus", read_of(0x600), false, 0, 0, 0, Want::Virtual},
    {"vsatp, VU", write_of(0x280), true, 0, 0, 0, Want::Virtual},
    {"hgeip read", read_of(0xe12), false, 0, 0, 0, Want::Virtual},
    {"hgeip write", write_of(0xe12), false, 0, 0, 0, Want::Illegal},
    {"mstatus", read_of(0x300), false, 0, 0, 0, Want::Illegal},
    {"senvcfg", write_of(0x10a), false, 0, 0, 0, Want::Done},
    {"a CSR that nothing has", read_of(0x5c0), false, 0, 0, 0, Want::Illegal},
    {"time", read_of(0xc01), false, 0, 2, 0, Want::Done},
    {"time, refused", read_of(0xc01), false, 0, 5, 7, Want::Virtual},
    {"time, VU", read_of(0xc01), true, 0, 2, 2, Want::Done},
    {"time, VU, refused by VS", read_of(0xc01), true, 0, 2, 5, Want::Virtual},
    {"time, written", write_of(0xc01), false, 0, 7, 7, Want::Illegal},
    {"cycle", read_of(0xc00), false, 0, 1, 0, Want::Done},
    {"cycle, refused", read_of(0xc00), false, 0, 6, 0, Want::Virtual},
    {"instret", read_of(0xc02), false, 0, 4, 0, Want::Done},
    {"instret, refused", read_of(0xc02), false, 0, 3, 0, Want::Virtual},
    {"hpmcounter31", read_of(0xc1f), false, 0, u64{1} << 31, 0, Want::Done},
    {"hpmcounter31, refused", read_of(0xc1f), false, 0, 7, 0, Want::Virtual},
    {"no SYSTEM opcode", 0x13, false, 0, 0, 0, Want::Illegal},
};

TEST(SimSystemInstruction, ends_as_the_controls_ask) {
    for (const SystemCase& c : system_cases) {
        FakeHart hart;
        hart.privilege = c.is_user ? 0 : 1;
        hart.scounteren = c.scounteren;
        HsCsrs hs;
        hs.hstatus = c.hstatus;
        hs.hcounteren = c.hcounteren;
        HartCsrs csrs;
        const auto done = execute_system(c.bits, hart.view(), csrs, hs, 111, 222);
        const Want got = done ? Want::Done : done.error() == Cause::VirtualInstruction ? Want::Virtual : Want::Illegal;
        EXPECT_EQ(got, c.want) << c.what;
        EXPECT_EQ(hart.pc, c.want == Want::Done ? 0x1004U : 0x1000U) << c.what;
    }
}

TEST(SimSystemInstruction, counters_give_their_values) {
    const std::pair<u32, u64> cases[] = {{0xc00, 222}, {0xc01, 111}, {0xc02, 222}, {0xc03, 0}, {0xc1f, 0}};
    for (const auto& [csr, value] : cases) {
        FakeHart hart;
        hart.x[10] = 5;
        HsCsrs hs;
        hs.hcounteren = ~u64{0};
        HartCsrs csrs;
        ASSERT_TRUE(execute_system(read_of(csr), hart.view(), csrs, hs, 111, 222).has_value());
        EXPECT_EQ(hart.x[10], value) << std::hex << csr;
    }
}

TEST(SimSystemInstruction, satp_takes_bare_and_sv39_only) {
    const u64 old = u64{8} << 60 | 0x1234;
    const std::pair<u64, u64> cases[] = {{0, 0},
                                         {u64{8} << 60 | 0x777, u64{8} << 60 | 0x777},
                                         {u64{9} << 60 | 0x777, old},
                                         {u64{8} << 60 | u64{0xffff} << 44 | 5, u64{8} << 60 | 5}};
    for (const auto& [wanted, result] : cases) {
        FakeHart hart;
        hart.x[11] = wanted;
        HartCsrs csrs{.vsatp = old};
        const auto done = execute_system(write_of(0x180), hart.view(), csrs, HsCsrs{}, 0, 0);
        ASSERT_TRUE(done.has_value());
        EXPECT_TRUE(done->flushes_translation);
        EXPECT_EQ(csrs.vsatp, result);
        EXPECT_EQ(hart.x[10], old);
    }
}

}  // namespace
}  // namespace ax::sim::riscv
