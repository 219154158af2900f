// EPT violations: the exit qualification's table, and instructions whose effect follows from their pages of vol. 2. Written
// from the manual.
#include "tests/vectors/x86_sdm_vector.hpp"

namespace ax::x86::testing {
namespace {

constexpr u64 rip = FakeGuest::code_at;
constexpr u64 ram = FakeGuest::ram;
constexpr u64 device = FakeGuest::device;
constexpr u64 rax = FakeGuest::pattern(0), rdx = FakeGuest::pattern(2);
// Bits of the qualification: 0 read, 1 write, 2 fetch, 5:3 what EPT allows, 7 the linear address is valid, 8 the access was to
// its translation.
constexpr u64 read = 0x181, write = 0x182, read_and_write = 0x183, fetch = 0x184;

/// Reason 48 of an access to `gpa`, which is its own linear address.
std::vector<Setting> ept(u64 qualification, u64 gpa, const std::vector<Setting>& more = {}) {
    std::vector<Setting> all{{F::EXIT_REASON, 48},
                             {F::EXIT_QUALIFICATION, qualification},
                             {F::GUEST_PHYSICAL_ADDRESS, gpa},
                             {F::GUEST_LINEAR_ADDRESS, gpa}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}
Asked loads(u64 gpa, u8 size, u64 value) { return {.exit = MmioRead{Gpa{gpa}, size}, .answer = Answer::of_value(value)}; }
Asked stores(u64 gpa, u8 size, u64 value) { return {.exit = MmioWrite{Gpa{gpa}, size, value}, .answer = Answer::of_value(0)}; }
std::vector<Asked> faults(u64 gpa, Access access, bool by_walk) { return only(Stage2Fault{Gpa{gpa}, access, by_walk}); }

// clang-format off
const std::vector<SdmVector> qualifications = {
    {section::ept, "fetch of nothing", ept(fetch, 0x5000), faults(0x5000, Access::Execute, false)},
    {section::ept, "fetch where EPT allows reading and writing", ept(fetch | 0x18, 0x5000), faults(0x5000, Access::Execute, false)},
    {section::ept, "page walk: bit 8 clear", ept(0x81, 0x6018), faults(0x6018, Access::Read, true)},
    {section::ept, "page walk that sets an accessed bit", ept(0x82, 0x6018), faults(0x6018, Access::Write, true)},
    {section::ept, "page walk, read and write", ept(0x83, 0x6018), faults(0x6018, Access::Write, true)},
    {section::ept, "page walk of a fetch", ept(0x81, 0x6018, {{F::GUEST_LINEAR_ADDRESS, 0x10'0000}}), faults(0x6018, Access::Read, true)},
    {section::ept, "page walk where EPT allows reading", ept(0x8a, 0x6018), faults(0x6018, Access::Write, true)},
    {section::ept, "no linear address: the PDPTEs of a MOV to CR", ept(0x01, 0x7000), faults(0x7000, Access::Read, true)},
    {section::ept, "bit 8 means nothing without bit 7", ept(0x101, 0x7000), faults(0x7000, Access::Read, true)},
    {section::ept, "the highest address of 52 bits", ept(fetch, 0xf'ffff'ffff'f000), faults(0xf'ffff'ffff'f000, Access::Execute, false)},
    // The instruction decides when memory refuses: bits 5:3 do not.
    {section::ept, "read of nothing", ept(read, device), {loads(device, 4, 0x1234)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, 0x1234}}, {}, {0x8b, 0x03}},
    {section::ept, "write where EPT allows reading", ept(write | 0x08, device), {stores(device, 4, 0x4433'2200)}, {{F::GUEST_RIP, rip + 2}}, {}, {0x89, 0x03}},
    {section::ept, "write where EPT allows reading and executing", ept(write | 0x28, device), {stores(device, 1, 0x00)}, {{F::GUEST_RIP, rip + 2}}, {}, {0x88, 0x03}},
    {section::ept, "read where EPT allows executing", ept(read | 0x20, device), {loads(device, 1, 0x77)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, (rax & ~u64{0xff}) | 0x77}}, {}, {0x8a, 0x03}},
    // "read-modify-write": both bits, or the write alone.
    {section::ept, "read and write: OR [RBX], EAX", ept(read_and_write, device), {loads(device, 4, 0x11), stores(device, 4, 0x4433'2211)},
     {{F::GUEST_RIP, rip + 2}, {F::GUEST_RFLAGS, 0x6}}, {}, {0x09, 0x03}},
    {section::ept, "write of a read-modify-write", ept(write, device), {loads(device, 4, 0x11), stores(device, 4, 0x4433'2211)},
     {{F::GUEST_RIP, rip + 2}, {F::GUEST_RFLAGS, 0x6}}, {}, {0x09, 0x03}},
    {section::ept, "the address inside the page is the linear one's", ept(read, device + 0xff8), {loads(device + 0xff8, 8, 5)}, {{F::GUEST_RIP, rip + 7}, {Gpr::RAX, 5}}, {}, {0x48, 0x8b, 0x83, 0xf8, 0x0f, 0, 0}},
};

// Opcodes, lengths and results: vol. 2, the instruction's page. RAX is 0x88776655'44332200, RDX the same + 2, RBX the device.
const std::vector<SdmVector> instructions = {
    {"MOV", "MOV RAX, [RBX]", ept(read, device), {loads(device, 8, 0xfedc'ba98'7654'3210)}, {{F::GUEST_RIP, rip + 3}, {Gpr::RAX, 0xfedc'ba98'7654'3210}}, {}, {0x48, 0x8b, 0x03}},
    {"MOV", "MOV AX, [RBX] keeps the rest", ept(read, device), {loads(device, 2, 0xabcd)}, {{F::GUEST_RIP, rip + 3}, {Gpr::RAX, (rax & ~u64{0xffff}) | 0xabcd}}, {}, {0x66, 0x8b, 0x03}},
    {"MOV", "MOV AH, [RBX]", ept(read, device), {loads(device, 1, 0xab)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, (rax & ~u64{0xff00}) | 0xab00}}, {}, {0x8a, 0x23}},
    {"MOV", "MOV SPL, [RBX]", ept(read, device), {loads(device, 1, 0xab)}, {{F::GUEST_RIP, rip + 3}, {F::GUEST_RSP, 0x20'10ab}}, {}, {0x40, 0x8a, 0x23}},
    {"MOV", "MOV [RBX], DH", ept(write, device), {stores(device, 1, 0x22)}, {{F::GUEST_RIP, rip + 2}}, {}, {0x88, 0x33}},
    {"MOV", "MOV [RBX], R10D", ept(write, device), {stores(device, 4, 0x4433'220a)}, {{F::GUEST_RIP, rip + 3}}, {}, {0x44, 0x89, 0x13}},
    {"MOV", "MOV [RBX], RDX", ept(write, device), {stores(device, 8, rdx)}, {{F::GUEST_RIP, rip + 3}}, {}, {0x48, 0x89, 0x13}},
    {"MOV", "MOV dword [RBX], 0x12345678", ept(write, device), {stores(device, 4, 0x1234'5678)}, {{F::GUEST_RIP, rip + 6}}, {}, {0xc7, 0x03, 0x78, 0x56, 0x34, 0x12}},
    {"MOV", "MOV qword [RBX], -1: 32 bits sign-extended", ept(write, device), {stores(device, 8, ~u64{0})}, {{F::GUEST_RIP, rip + 7}}, {}, {0x48, 0xc7, 0x03, 0xff, 0xff, 0xff, 0xff}},
    {"MOV", "MOV byte [RBX], 0x80", ept(write, device), {stores(device, 1, 0x80)}, {{F::GUEST_RIP, rip + 3}}, {}, {0xc6, 0x03, 0x80}},
    {"MOV", "MOV EAX, moffs64", ept(read, device), {loads(device, 4, 9)}, {{F::GUEST_RIP, rip + 9}, {Gpr::RAX, 9}}, {}, {0xa1, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0}},
    {"MOV", "MOV moffs64, AL", ept(write, device), {stores(device, 1, 0)}, {{F::GUEST_RIP, rip + 9}}, {}, {0xa2, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0}},
    {"MOV", "MOV EAX, [RBX+RCX*4+0x10]", ept(read, device + 0x1c), {loads(device + 0x1c, 4, 1)}, {{F::GUEST_RIP, rip + 4}, {Gpr::RAX, 1}}, {}, {0x8b, 0x44, 0x8b, 0x10}},
    {"MOV", "MOV EAX, [RIP+disp]: from the next instruction", ept(read, device, {{F::GUEST_RIP, 0xfedf'f000}}), {loads(device, 4, 2)},
     {{F::GUEST_RIP, 0xfedf'f006}, {Gpr::RAX, 2}}, {}, {0x8b, 0x05, 0xfa, 0x0f, 0, 0}},
    {"MOV", "MOV EAX, FS:[RDI]", ept(read, device + 8, {{F::GUEST_FS_BASE, 8}}), {loads(device + 8, 4, 3)}, {{F::GUEST_RIP, rip + 3}, {Gpr::RAX, 3}}, {}, {0x64, 0x8b, 0x07}},
    {"MOVZX", "MOVZX EAX, byte", ept(read, device), {loads(device, 1, 0x80)}, {{F::GUEST_RIP, rip + 3}, {Gpr::RAX, 0x80}}, {}, {0x0f, 0xb6, 0x03}},
    {"MOVZX", "MOVZX RAX, word", ept(read, device), {loads(device, 2, 0x8000)}, {{F::GUEST_RIP, rip + 4}, {Gpr::RAX, 0x8000}}, {}, {0x48, 0x0f, 0xb7, 0x03}},
    {"MOVSX", "MOVSX EAX, byte", ept(read, device), {loads(device, 1, 0x80)}, {{F::GUEST_RIP, rip + 3}, {Gpr::RAX, 0xffff'ff80}}, {}, {0x0f, 0xbe, 0x03}},
    {"MOVSX", "MOVSX RAX, word", ept(read, device), {loads(device, 2, 0x8001)}, {{F::GUEST_RIP, rip + 4}, {Gpr::RAX, 0xffff'ffff'ffff'8001}}, {}, {0x48, 0x0f, 0xbf, 0x03}},
    {"MOVSXD", "MOVSXD RAX, dword", ept(read, device), {loads(device, 4, 0x8000'0000)}, {{F::GUEST_RIP, rip + 3}, {Gpr::RAX, 0xffff'ffff'8000'0000}}, {}, {0x48, 0x63, 0x03}},
    // CF 1, PF 4, AF 0x10, ZF 0x40, SF 0x80, OF 0x800, and bit 1.
    {"ADD", "ADD byte [RBX], 1 overflows", ept(read_and_write, device), {loads(device, 1, 0x7f), stores(device, 1, 0x80)}, {{F::GUEST_RIP, rip + 3}, {F::GUEST_RFLAGS, 0x892}}, {}, {0x80, 0x03, 0x01}},
    {"SUB", "SUB dword [RBX], 1 borrows", ept(read_and_write, device), {loads(device, 4, 0), stores(device, 4, 0xffff'ffff)}, {{F::GUEST_RIP, rip + 3}, {F::GUEST_RFLAGS, 0x97}}, {}, {0x83, 0x2b, 0x01}},
    {"AND", "AND dword [RBX], 0 is zero", ept(read_and_write, device), {loads(device, 4, 0xff), stores(device, 4, 0)}, {{F::GUEST_RIP, rip + 3}, {F::GUEST_RFLAGS, 0x46}}, {}, {0x83, 0x23, 0x00}},
    {"XOR", "LOCK XOR [RBX], EDX", ept(read_and_write, device), {loads(device, 4, 0x4433'2202), stores(device, 4, 0)}, {{F::GUEST_RIP, rip + 3}, {F::GUEST_RFLAGS, 0x46}}, {}, {0xf0, 0x31, 0x13}},
    {"CMP", "CMP dword [RBX], 5 below", ept(read, device), {loads(device, 4, 4)}, {{F::GUEST_RIP, rip + 3}, {F::GUEST_RFLAGS, 0x97}}, {}, {0x83, 0x3b, 0x05}},
    {"TEST", "TEST byte [RBX], 0x80", ept(read, device), {loads(device, 1, 0x81)}, {{F::GUEST_RIP, rip + 3}, {F::GUEST_RFLAGS, 0x82}}, {}, {0xf6, 0x03, 0x80}},
    {"XCHG", "XCHG [RBX], EDX", ept(read_and_write, device), {loads(device, 4, 7), stores(device, 4, 0x4433'2202)}, {{F::GUEST_RIP, rip + 2}, {Gpr::RDX, 7}}, {}, {0x87, 0x13}},
    {"CMPXCHG", "CMPXCHG that matches", ept(read_and_write, device), {loads(device, 4, 0x4433'2200), stores(device, 4, 0x4433'2202)}, {{F::GUEST_RIP, rip + 4}, {F::GUEST_RFLAGS, 0x46}}, {}, {0xf0, 0x0f, 0xb1, 0x13}},
    {"BTS", "BTS dword [RBX], 3", ept(read_and_write, device), {loads(device, 4, 0xf0), stores(device, 4, 0xf8)}, {{F::GUEST_RIP, rip + 4}}, {}, {0x0f, 0xba, 0x2b, 0x03}},
    {"BTR", "BTR dword [RBX], 4", ept(read_and_write, device), {loads(device, 4, 0xf0), stores(device, 4, 0xe0)}, {{F::GUEST_RIP, rip + 4}, {F::GUEST_RFLAGS, 0x3}}, {}, {0x0f, 0xba, 0x33, 0x04}},
    {"STOS", "STOSD", ept(write, device), {stores(device, 4, 0x4433'2200)}, {{F::GUEST_RIP, rip + 1}, {Gpr::RDI, device + 4}}, {}, {0xab}},
    {"STOS", "STOSB with DF", ept(write, device, {{F::GUEST_RFLAGS, 0x402}}), {stores(device, 1, 0)}, {{F::GUEST_RIP, rip + 1}, {Gpr::RDI, device - 1}}, {}, {0xaa}},
    {"MOVS", "MOVSD from memory to the device", ept(write, device), {stores(device, 4, 0x0403'0201)}, {{F::GUEST_RIP, rip + 1}, {Gpr::RSI, ram + 4}, {Gpr::RDI, device + 4}}, {}, {0xa5}, CodeSize::Code64, {{ram, {1, 2, 3, 4}}}},
    {"MOVS", "REP MOVSB stays until the last element", ept(write, device), {stores(device, 1, 1)}, {{Gpr::RSI, ram + 1}, {Gpr::RDI, device + 1}, {Gpr::RCX, 2}}, {}, {0xf3, 0xa4}, CodeSize::Code64, {{ram, {1, 2, 3, 4}}}},
    {"MOV", "32-bit code: MOV [EBX], EAX", ept(write, device), {stores(device, 4, 0x4433'2200)}, {{F::GUEST_RIP, rip + 2}}, {}, {0x89, 0x03}, CodeSize::Code32},
    {"MOV", "16-bit code: MOV [BX+SI], AX of DS", ept(write, device), {stores(device, 2, 0x2200)}, {{F::GUEST_RIP, 0x8002}}, {}, {0x89, 0x00}, CodeSize::Code16},
    {"MOV", "16-bit code with both prefixes: MOV EAX, [EBX]", ept(read, device), {loads(device, 4, 0xffff'ffff)}, {{F::GUEST_RIP, 0x8004}, {Gpr::RAX, 0xffff'ffff}}, {}, {0x66, 0x67, 0x8b, 0x03}, CodeSize::Code16},
    {"MOV", "nothing answers a read", ept(read, device), {{.exit = MmioRead{Gpa{device}, 4}, .answer = Answer::bus_fault()}}, {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, 0xffff'ffff}}, {}, {0x8b, 0x03}},
    {"MOV", "nobody takes a write", ept(write, device), {{.exit = MmioWrite{Gpa{device}, 4, 0x4433'2200}, .answer = Answer::bus_fault()}}, {{F::GUEST_RIP, rip + 2}}, {}, {0x89, 0x03}},
    {"MOV", "memory is there now: run it again", ept(write, device), {{.exit = MmioWrite{Gpa{device}, 4, 0x4433'2200}, .answer = Answer::retry()}}, {}, {}, {0x89, 0x03}},
};
// clang-format on

TEST(X86SdmVectors, ept_violations) {
    for (const SdmVector& vector : qualifications) check(vector);
}
TEST(X86SdmVectors, instructions_at_devices) {
    for (const SdmVector& vector : instructions) check(vector);
}

}  // namespace
}  // namespace ax::x86::testing
