// I/O instructions from the SDM's tables: the exit qualification, and for strings the instruction information. Written from
// the manual.
#include "tests/vectors/x86_sdm_vector.hpp"

namespace ax::x86::testing {
namespace {

constexpr u64 rip = FakeGuest::code_at;
constexpr u64 ram = FakeGuest::ram;
constexpr u64 device = FakeGuest::device;
constexpr u64 rax = FakeGuest::pattern(0);
constexpr u64 info_address16 = 0 << 7, info_address32 = 1 << 7, info_address64 = 2 << 7;
constexpr u64 info_es = 0 << 15, info_cs = 1 << 15, info_ss = 2 << 15, info_ds = 3 << 15, info_fs = 4 << 15, info_gs = 5 << 15;
constexpr u64 df = 0x402;

/// Reason 30 with the qualification and the length of the instruction.
std::vector<Setting> io(u64 qualification, u64 length, const std::vector<Setting>& more = {}) {
    std::vector<Setting> all{
        {F::EXIT_REASON, 30}, {F::EXIT_QUALIFICATION, qualification}, {F::VM_EXIT_INSTRUCTION_LENGTH, length}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}
/// And with what hardware adds for a string: the information, and the linear address.
std::vector<Setting> string(u64 qualification, u64 length, u64 info, u64 linear, const std::vector<Setting>& more = {}) {
    std::vector<Setting> all =
        io(qualification, length, {{F::VM_EXIT_INSTRUCTION_INFO, info}, {F::GUEST_LINEAR_ADDRESS, linear}});
    all.insert(all.end(), more.begin(), more.end());
    return all;
}
Asked read(u16 port, u8 size, u64 value) { return {.exit = PortRead{port, size}, .answer = Answer::of_value(value)}; }
Asked write(u16 port, u8 size, u32 value) { return {.exit = PortWrite{port, size, value}, .answer = Answer::of_value(0)}; }

// clang-format off
const std::vector<SdmVector> plain = {
    {section::io, "IN AL, DX", io(0x03f8'0008, 1), {read(0x3f8, 1, 0x5a)}, {{F::GUEST_RIP, rip + 1}, {Gpr::RAX, (rax & ~u64{0xff}) | 0x5a}}},
    {section::io, "IN AX, DX", io(0x01f0'0009, 2), {read(0x1f0, 2, 0x1234)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, (rax & ~u64{0xffff}) | 0x1234}}},
    {section::io, "IN EAX, DX clears the upper half", io(0x0cfc'000b, 1), {read(0xcfc, 4, 0x8000'0001)}, {{F::GUEST_RIP, rip + 1}, {Gpr::RAX, 0x8000'0001}}},
    {section::io, "IN AL, 0x60: bit 6 is an immediate port", io(0x0060'0048, 2), {read(0x60, 1, 0xff)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, (rax & ~u64{0xff}) | 0xff}}},
    {section::io, "IN EAX, 0xe4", io(0x00e4'004b, 2), {read(0xe4, 4, 7)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, 7}}},
    {section::io, "IN AL, DX of the highest port", io(0xffff'0008, 1), {read(0xffff, 1, 0)}, {{F::GUEST_RIP, rip + 1}, {Gpr::RAX, rax & ~u64{0xff}}}},
    {section::io, "IN AL, 0", io(0x0000'0048, 2), {read(0, 1, 1)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, (rax & ~u64{0xff}) | 1}}},
    {section::io, "IN AL: bits beyond the size are not the port's", io(0x03f8'0008, 1), {read(0x3f8, 1, 0xffff'ff5a)}, {{F::GUEST_RIP, rip + 1}, {Gpr::RAX, (rax & ~u64{0xff}) | 0x5a}}},
    {section::io, "IN AL where nothing answers", io(0x1234'0008, 1), {{.exit = PortRead{0x1234, 1}, .answer = Answer::bus_fault()}},
     {{F::GUEST_RIP, rip + 1}, {Gpr::RAX, (rax & ~u64{0xff}) | 0xff}}},
    {section::io, "IN EAX where nothing answers", io(0x1234'000b, 1), {{.exit = PortRead{0x1234, 4}, .answer = Answer::bus_fault()}},
     {{F::GUEST_RIP, rip + 1}, {Gpr::RAX, 0xffff'ffff}}},
    {section::io, "OUT DX, AL", io(0x03f8'0000, 1, {{Gpr::RAX, 0x1122'3344'5566'7788}}), {write(0x3f8, 1, 0x88)}, {{F::GUEST_RIP, rip + 1}}},
    {section::io, "OUT DX, AX", io(0x0cf8'0001, 2, {{Gpr::RAX, 0x1122'3344'5566'7788}}), {write(0xcf8, 2, 0x7788)}, {{F::GUEST_RIP, rip + 2}}},
    {section::io, "OUT DX, EAX", io(0x0cf8'0003, 1, {{Gpr::RAX, 0x1122'3344'5566'7788}}), {write(0xcf8, 4, 0x5566'7788)}, {{F::GUEST_RIP, rip + 1}}},
    {section::io, "OUT 0x80, AL", io(0x0080'0040, 2, {{Gpr::RAX, 0xa5}}), {write(0x80, 1, 0xa5)}, {{F::GUEST_RIP, rip + 2}}},
    {section::io, "OUT 0xed, EAX", io(0x00ed'0043, 2, {{Gpr::RAX, 0xffff'ffff}}), {write(0xed, 4, 0xffff'ffff)}, {{F::GUEST_RIP, rip + 2}}},
    {section::io, "OUT that nobody takes", io(0x1234'0000, 1, {{Gpr::RAX, 1}}), {{.exit = PortWrite{0x1234, 1, 1}, .answer = Answer::bus_fault()}}, {{F::GUEST_RIP, rip + 1}}},
    {section::io, "IN AL in 16-bit code", io(0x0060'0048, 2), {read(0x60, 1, 0x1d)}, {{F::GUEST_RIP, 0x8002}, {Gpr::RAX, (rax & ~u64{0xff}) | 0x1d}}, {}, {}, CodeSize::Code16},
    {section::io, "OUT ends the shadow of STI", io(0x0020'0040, 2, {{Gpr::RAX, 0x20}, {F::GUEST_INTERRUPTIBILITY_STATE, 1}}), {write(0x20, 1, 0x20)},
     {{F::GUEST_RIP, rip + 2}, {F::GUEST_INTERRUPTIBILITY_STATE, 0}}},
};

const std::vector<SdmVector> strings = {
    {sdm::strings, "INSB", string(0x01f0'0018, 1, info_address64 | info_es, ram, {{Gpr::RDI, ram}}), {read(0x1f0, 1, 0x5a)},
     {{F::GUEST_RIP, rip + 1}, {Gpr::RDI, ram + 1}}, {}, {}, CodeSize::Code64, {}, {{ram, {0x5a}}}},
    {sdm::strings, "INSW", string(0x01f0'0019, 2, info_address64, ram, {{Gpr::RDI, ram}}), {read(0x1f0, 2, 0xbeef)},
     {{F::GUEST_RIP, rip + 2}, {Gpr::RDI, ram + 2}}, {}, {}, CodeSize::Code64, {}, {{ram, {0xef, 0xbe}}}},
    {sdm::strings, "INSD", string(0x01f0'001b, 1, info_address64, ram + 8, {{Gpr::RDI, ram + 8}}), {read(0x1f0, 4, 0x1122'3344)},
     {{F::GUEST_RIP, rip + 1}, {Gpr::RDI, ram + 12}}, {}, {}, CodeSize::Code64, {}, {{ram + 8, {0x44, 0x33, 0x22, 0x11}}}},
    {sdm::strings, "INSW with DF", string(0x01f0'0019, 2, info_address64, ram + 4, {{Gpr::RDI, ram + 4}, {F::GUEST_RFLAGS, df}}), {read(0x1f0, 2, 0x0102)},
     {{F::GUEST_RIP, rip + 2}, {Gpr::RDI, ram + 2}}, {}, {}, CodeSize::Code64, {}, {{ram + 4, {0x02, 0x01}}}},
    {sdm::strings, "OUTSB", string(0x03f8'0010, 1, info_address64 | info_ds, ram, {{Gpr::RSI, ram}}), {write(0x3f8, 1, 0x41)},
     {{F::GUEST_RIP, rip + 1}, {Gpr::RSI, ram + 1}}, {}, {}, CodeSize::Code64, {{ram, {0x41, 0x42}}}},
    {sdm::strings, "OUTSW", string(0x03f8'0011, 2, info_address64 | info_ds, ram, {{Gpr::RSI, ram}}), {write(0x3f8, 2, 0x4241)},
     {{F::GUEST_RIP, rip + 2}, {Gpr::RSI, ram + 2}}, {}, {}, CodeSize::Code64, {{ram, {0x41, 0x42}}}},
    {sdm::strings, "OUTSD with DF", string(0x03f8'0013, 1, info_address64 | info_ds, ram + 8, {{Gpr::RSI, ram + 8}, {F::GUEST_RFLAGS, df}}),
     {write(0x3f8, 4, 0x4443'4241)}, {{F::GUEST_RIP, rip + 1}, {Gpr::RSI, ram + 4}}, {}, {}, CodeSize::Code64, {{ram + 8, {0x41, 0x42, 0x43, 0x44}}}},
    {sdm::strings, "OUTSB of FS: bits 17:15", string(0x03f8'0010, 2, info_address64 | info_fs, ram + 0x10, {{Gpr::RSI, 0x10}, {F::GUEST_FS_BASE, ram}}),
     {write(0x3f8, 1, 0x99)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RSI, 0x11}}, {}, {}, CodeSize::Code64, {{ram + 0x10, {0x99}}}},
    {sdm::strings, "OUTSB of GS", string(0x03f8'0010, 2, info_address64 | info_gs, ram + 0x20, {{Gpr::RSI, 0x10}, {F::GUEST_GS_BASE, ram + 0x10}}),
     {write(0x3f8, 1, 0x98)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RSI, 0x11}}, {}, {}, CodeSize::Code64, {{ram + 0x20, {0x98}}}},
    {sdm::strings, "OUTSB of SS in 32-bit code", string(0x03f8'0010, 2, info_address32 | info_ss, ram + 4, {{Gpr::RSI, 4}, {F::GUEST_SS_BASE, ram}}),
     {write(0x3f8, 1, 0x97)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RSI, 5}}, {}, {}, CodeSize::Code32, {{ram + 4, {0x97}}}},
    {sdm::strings, "OUTSB of CS in 32-bit code", string(0x03f8'0010, 2, info_address32 | info_cs, ram + 6, {{Gpr::RSI, ram + 6}}),
     {write(0x3f8, 1, 0x96)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RSI, ram + 7}}, {}, {}, CodeSize::Code32, {{ram + 6, {0x96}}}},
    {sdm::strings, "OUTSB, 32-bit addresses in 64-bit code clear the upper half", string(0x03f8'0010, 2, info_address32 | info_ds, ram,
     {{Gpr::RSI, 0xffff'ffff'0000'0000 | ram}}), {write(0x3f8, 1, 0x41)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RSI, ram + 1}}, {}, {}, CodeSize::Code64, {{ram, {0x41}}}},
    {sdm::strings, "INSB, 16-bit addresses wrap and keep the rest", string(0x0060'0018, 1, info_address16, ram + 0xfff,
     {{Gpr::RDI, 0x7777'7777'7777'ffff}, {F::GUEST_ES_BASE, ram - 0xf000}}), {read(0x60, 1, 1)},
     {{F::GUEST_RIP, 0x8001}, {Gpr::RDI, 0x7777'7777'7777'0000}}, {}, {}, CodeSize::Code16, {}, {{ram + 0xfff, {1}}}},
    // REP: bit 5, counts in rCX of the address size, instruction pointer moves at the end.
    {sdm::strings, "REP INSB of three", string(0x01f0'0038, 2, info_address64, ram, {{Gpr::RDI, ram}, {Gpr::RCX, 3}}),
     {read(0x1f0, 1, 1), read(0x1f0, 1, 2), read(0x1f0, 1, 3)},
     {{F::GUEST_RIP, rip + 2}, {Gpr::RDI, ram + 3}, {Gpr::RCX, 0}}, {}, {}, CodeSize::Code64, {}, {{ram, {1, 2, 3}}}},
    {sdm::strings, "REP OUTSW of two", string(0x01f0'0031, 3, info_address64 | info_ds, ram, {{Gpr::RSI, ram}, {Gpr::RCX, 2}}),
     {write(0x1f0, 2, 0x0201), write(0x1f0, 2, 0x0403)},
     {{F::GUEST_RIP, rip + 3}, {Gpr::RSI, ram + 4}, {Gpr::RCX, 0}}, {}, {}, CodeSize::Code64, {{ram, {1, 2, 3, 4}}}},
    {sdm::strings, "REP OUTSB backwards", string(0x03f8'0030, 2, info_address64 | info_ds, ram + 1, {{Gpr::RSI, ram + 1}, {Gpr::RCX, 2}, {F::GUEST_RFLAGS, df}}),
     {write(0x3f8, 1, 2), write(0x3f8, 1, 1)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RSI, ram - 1}, {Gpr::RCX, 0}}, {}, {}, CodeSize::Code64, {{ram, {1, 2}}}},
    {sdm::strings, "REP INSB, 32-bit count", string(0x01f0'0038, 3, info_address32, ram, {{Gpr::RDI, ram}, {Gpr::RCX, 0xffff'ffff'0000'0001}}),
     {read(0x1f0, 1, 9)}, {{F::GUEST_RIP, rip + 3}, {Gpr::RDI, ram + 1}, {Gpr::RCX, 0}}, {}, {}, CodeSize::Code64, {}, {{ram, {9}}}},
    {sdm::strings, "REP INSB of none", string(0x01f0'0038, 2, info_address64, ram, {{Gpr::RDI, ram}, {Gpr::RCX, 0}}),
     stepped_over(Handled{30}), {{F::GUEST_RIP, rip + 2}}},
    {sdm::strings, "REP OUTSB, 16-bit count of none", string(0x01f0'0030, 2, info_address16 | info_ds, device, {{Gpr::RCX, 0x1'0000}}),
     stepped_over(Handled{30}), {{F::GUEST_RIP, 0x8002}}, {}, {}, CodeSize::Code16},
    // A string is a device's on both ends.
    {sdm::strings, "OUTSB out of a device", string(0x03f8'0010, 1, info_address64 | info_ds, device + 4, {{Gpr::RSI, device + 4}}),
     {{.exit = MmioRead{Gpa{device + 4}, 1}, .answer = Answer::of_value(0x33)}, write(0x3f8, 1, 0x33)}, {{F::GUEST_RIP, rip + 1}, {Gpr::RSI, device + 5}}},
    {sdm::strings, "INSD into a device", string(0x01f0'001b, 1, info_address64, device, {{Gpr::RDI, device}}),
     {read(0x1f0, 4, 0x8765'4321), {.exit = MmioWrite{Gpa{device}, 4, 0x8765'4321}, .answer = Answer::of_value(0)}}, {{F::GUEST_RIP, rip + 1}, {Gpr::RDI, device + 4}}},
    {sdm::strings, "REP INSB whose second element faults: the first one stays, the guest runs the rest", string(0x01f0'0038, 2, info_address64, ram + 0x1fff,
     {{Gpr::RDI, ram + 0x1fff}, {Gpr::RCX, 3}}), {read(0x1f0, 1, 7)},
     {{Gpr::RDI, ram + 0x2000}, {Gpr::RCX, 2}}, {}, {}, CodeSize::Code64, {}, {{ram + 0x1fff, {7}}}},
};
// clang-format on

TEST(X86SdmVectors, ports) {
    for (const SdmVector& vector : plain) check(vector);
}
TEST(X86SdmVectors, port_strings) {
    for (const SdmVector& vector : strings) check(vector);
}

/// Vol. 2, INS: "the page fault is the instruction's", before the port is read; CR2 has the address.
TEST(X86SdmVectors, a_port_is_not_read_for_memory_that_faults) {
    FakeGuest fake;
    put(fake, string(0x01f0'0018, 1, info_address64, FakeGuest::unmapped, {{Gpr::RDI, FakeGuest::unmapped}}));
    Guest guest = fake.guest();
    const Decoded decoded = decode(guest);
    EXPECT_TRUE(std::holds_alternative<Handled>(decoded.question.exit));
    EXPECT_EQ(fake.vmcs.VM_ENTRY_INTERRUPTION_INFO, 0x8000'0b0eU);
    EXPECT_EQ(fake.vmcs.VM_ENTRY_EXCEPTION_ERROR_CODE, 2U);
    EXPECT_EQ(fake.regs.CR2, FakeGuest::unmapped);
    EXPECT_EQ(fake.vmcs.GUEST_RIP, rip);
    EXPECT_EQ(fake.regs.gprs[Gpr::RDI], FakeGuest::unmapped);
}

/// Sizes 0, 1 and 3 of bits 2:0 exist; the field leaves others undefined, and no guest may stop the hypervisor by them.
TEST(X86SdmVectors, every_port_and_size) {
    for (const u64 size : {u64{0}, u64{1}, u64{3}})
        for (u64 port = 0; port < 0x1'0000; port += 0xff) {
            FakeGuest fake;
            put(fake, io((port << 16) | 8 | size, 1));
            Guest guest = fake.guest();
            const Decoded decoded = decode(guest);
            ASSERT_FALSE(decoded.question.request);
            ASSERT_EQ(numbers(decoded.question.exit), numbers(VmExit{PortRead{static_cast<u16>(port), static_cast<u8>(size + 1)}}));
        }
}

}  // namespace
}  // namespace ax::x86::testing
