// Encodings next to those that devices are accessed with, which are none of them.
#include "core/arch/arm64/insn.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/arch/arm64/fake_guest.hpp"

namespace ax::arm64::testing {
namespace {

struct Encoding {
    const char* what;
    u32 word;
};
constexpr Encoding refused[] = {
    {"LDNP that would sign-extend", 0x6840'1023},
    {"STGP", 0x6900'1023},
    {"pair with opc 3", 0xe940'1023},
    {"SIMD pair with opc 3", 0xed40'1023},
    {"unprivileged SIMD load", 0xbc40'0823},
    {"SIMD load of 16 bytes with a size", 0x7dc0'0023},
    {"PRFM", 0xf980'0023},
    {"integer load with size 3 and opc 3", 0xf9c0'0023},
    {"LDRSW into a W register", 0xb9c0'0023},
    {"index extended as UXTB", 0xf865'0823},
    {"index extended as SXTH", 0xf865'a823},
    {"LDADD", 0xb823'0024},
    {"LDRAA", 0xf820'0423},
    {"LDXR", 0xc85f'7c23},
    {"LDXP", 0xc87f'0c23},
    {"CASP", 0x0820'7c42},
    {"CAS", 0xc8a4'7c23},
    {"LDAPUR", 0x9940'0023},
    {"SIMD ordered", 0x0c40'7022},
    {"PRFM (literal)", 0xd800'0003},
    {"ADD (immediate)", 0x9100'0421},
};

TEST(Arm64Insn, neighbours_of_plain_accesses_are_none) {
    FakeGuest guest;
    for (const Encoding& e : refused) EXPECT_EQ(decode_insn(e.word, 0x1000, guest), std::nullopt) << e.what;
}

constexpr Encoding memory[] = {
    {"LDXR", 0xc85f'7c23},       {"CAS", 0xc8a4'7c23},         {"LD1", 0x0c40'7022},   {"LDR (literal)", 0x5800'0003},
    {"LDP", 0xa940'1023},        {"LDR", 0xf840'8423},         {"LDADD", 0xb823'0024}, {"LDAPUR", 0x9940'0023},
    {"DC ZVA, x1", 0xd50b'7421}, {"DC ZVA, xzr", 0xd50b'743f},
};
constexpr Encoding no_memory[] = {
    {"ADD (immediate)", 0x9100'0421},
    {"ADD (register)", 0x8b02'0020},
    {"B", 0x1400'0001},
    {"SVC", 0xd400'0001},
    {"MRS", 0xd538'1000},
    {"DC CIVAC, x1", 0xd50b'7e21},
    {"FADD", 0x1e62'2820},
    {"AND (vector)", 0x4e22'1c20},
    {"UDF", 0x0000'0000},
    {"NOP", 0xd503'201f},
    {"MADD", 0x9b02'0c20},
};

TEST(Arm64Insn, loads_and_stores_are_told_from_what_accesses_no_memory) {
    for (const Encoding& e : memory) EXPECT_TRUE(may_access_memory(e.word)) << e.what;
    for (const Encoding& e : no_memory) EXPECT_FALSE(may_access_memory(e.word)) << e.what;
}

TEST(Arm64Insn, what_is_decoded_is_a_load_or_store) {
    FakeGuest guest;
    u32 word = 1;
    unsigned decoded = 0;
    for (unsigned i = 0; i < 500'000; ++i) {
        word = word * 1'664'525 + 1'013'904'223;
        if (!decode_insn(word, 0x1000, guest)) continue;
        ++decoded;
        ASSERT_TRUE(may_access_memory(word)) << std::hex << word;
    }
    EXPECT_GT(decoded, 10'000U);
}

}  // namespace
}  // namespace ax::arm64::testing
