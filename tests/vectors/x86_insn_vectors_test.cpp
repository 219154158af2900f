// Encodings that GNU as makes, with the instruction that GNU objdump reads in them. Source of the encodings: Intel SDM
// vol. 2, the page that is named.
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/core/arch/x86/show_insn.hpp"

namespace ax::x86::testing {
namespace {

namespace section {
inline constexpr const char* mov_ = "MOV—Move";
inline constexpr const char* movzx_ = "MOVZX—Move With Zero-Extend";
inline constexpr const char* movsx_ = "MOVSX/MOVSXD—Move With Sign-Extension";
inline constexpr const char* movs_ = "MOVS/MOVSB/MOVSW/MOVSD/MOVSQ—Move Data From String to String";
inline constexpr const char* stos_ = "STOS/STOSB/STOSW/STOSD/STOSQ—Store String";
inline constexpr const char* lods_ = "LODS/LODSB/LODSW/LODSD/LODSQ—Load String";
inline constexpr const char* add_ = "ADD—Add";
inline constexpr const char* or_ = "OR—Logical Inclusive OR";
inline constexpr const char* adc_ = "ADC—Add With Carry";
inline constexpr const char* sbb_ = "SBB—Integer Subtraction With Borrow";
inline constexpr const char* and_ = "AND—Logical AND";
inline constexpr const char* sub_ = "SUB—Subtract";
inline constexpr const char* xor_ = "XOR—Logical Exclusive OR";
inline constexpr const char* cmp_ = "CMP—Compare Two Operands";
inline constexpr const char* test_ = "TEST—Logical Compare";
inline constexpr const char* xchg_ = "XCHG—Exchange Register/Memory With Register";
inline constexpr const char* cmpxchg_ = "CMPXCHG—Compare and Exchange";
inline constexpr const char* xadd_ = "XADD—Exchange and Add";
inline constexpr const char* inc_ = "INC—Increment by 1";
inline constexpr const char* dec_ = "DEC—Decrement by 1";
inline constexpr const char* not_ = "NOT—One's Complement Negation";
inline constexpr const char* neg_ = "NEG—Two's Complement Negation";
inline constexpr const char* bt_ = "BT—Bit Test";
inline constexpr const char* bts_ = "BTS—Bit Test and Set";
inline constexpr const char* btr_ = "BTR—Bit Test and Reset";
inline constexpr const char* btc_ = "BTC—Bit Test and Complement";
}  // namespace section

struct InsnVector {
    const char* section;
    std::vector<u8> bytes;
    const char* expected;
};

/// Each encoding alone, and with other code behind it, is one instruction of its own length; cut short it is none.
void check_vectors(const std::vector<InsnVector>& vectors, CodeSize code) {
    for (const InsnVector& vector : vectors) {
        SCOPED_TRACE(std::string(vector.section) + ": " + vector.expected);
        const auto insn = decode_insn(vector.bytes, code);
        ASSERT_TRUE(insn);
        EXPECT_EQ(show(*insn), vector.expected);
        EXPECT_EQ(insn->length, vector.bytes.size());
        std::vector<u8> longer = vector.bytes;
        longer.resize(2 * max_insn_bytes, 0xcc);
        EXPECT_EQ(decode_insn(longer, code), insn);
        for (std::size_t n = 0; n < vector.bytes.size(); ++n)
            EXPECT_FALSE(decode_insn(std::span(vector.bytes).first(n), code)) << n;
    }
}

// clang-format off
const std::vector<InsnVector> vectors64 = {
    // section, bytes, expected
    {section::mov_, {0x8a, 0x01}, "mov al,BYTE PTR [rcx]"},
    {section::mov_, {0x44, 0x8a, 0x09}, "mov r9b,BYTE PTR [rcx]"},
    {section::mov_, {0x8a, 0x21}, "mov ah,BYTE PTR [rcx]"},
    {section::mov_, {0x40, 0x8a, 0x31}, "mov sil,BYTE PTR [rcx]"},
    {section::mov_, {0x66, 0x8b, 0x43, 0x08}, "mov ax,WORD PTR [rbx+0x8]"},
    {section::mov_, {0x8b, 0x83, 0x78, 0x56, 0x34, 0x12}, "mov eax,DWORD PTR [rbx+0x12345678]"},
    {section::mov_, {0x48, 0x8b, 0x43, 0xff}, "mov rax,QWORD PTR [rbx-0x1]"},
    {section::mov_, {0x4f, 0x8b, 0x7c, 0xc8, 0x10}, "mov r15,QWORD PTR [r8+r9*8+0x10]"},
    {section::mov_, {0x8b, 0x04, 0x24}, "mov eax,DWORD PTR [rsp]"},
    {section::mov_, {0x8b, 0x45, 0x04}, "mov eax,DWORD PTR [rbp+0x4]"},
    {section::mov_, {0x41, 0x8b, 0x04, 0x24}, "mov eax,DWORD PTR [r12]"},
    {section::mov_, {0x41, 0x8b, 0x45, 0x00}, "mov eax,DWORD PTR [r13]"},
    {section::mov_, {0x43, 0x8b, 0x44, 0x65, 0x00}, "mov eax,DWORD PTR [r13+r12*2]"},
    {section::mov_, {0x8b, 0x05, 0x00, 0x10, 0x00, 0x00}, "mov eax,DWORD PTR [rip+0x1000]"},
    {section::mov_, {0xc7, 0x05, 0xf8, 0xff, 0xff, 0xff, 0x44, 0x33, 0x22, 0x11}, "mov DWORD PTR [rip-0x8],0x11223344"},
    {section::mov_, {0x8b, 0x04, 0x25, 0x00, 0x10, 0x00, 0x00}, "mov eax,DWORD PTR ds:0x1000"},
    {section::mov_, {0x64, 0x8b, 0x03}, "mov eax,DWORD PTR fs:[rbx]"},
    {section::mov_, {0x65, 0x89, 0x14, 0x8f}, "mov DWORD PTR gs:[rdi+rcx*4],edx"},
    {section::mov_, {0x3e, 0x8b, 0x45, 0x00}, "mov eax,DWORD PTR [rbp]"},
    {section::mov_, {0x67, 0x8b, 0x04, 0x4b}, "mov eax,DWORD PTR [ebx+ecx*2]"},
    {section::mov_, {0x67, 0x8b, 0x05, 0x04, 0x00, 0x00, 0x00}, "mov eax,DWORD PTR [eip+0x4]"},
    {section::mov_, {0x88, 0x01}, "mov BYTE PTR [rcx],al"},
    {section::mov_, {0x88, 0x31}, "mov BYTE PTR [rcx],dh"},
    {section::mov_, {0x44, 0x88, 0x11}, "mov BYTE PTR [rcx],r10b"},
    {section::mov_, {0x66, 0x89, 0x11}, "mov WORD PTR [rcx],dx"},
    {section::mov_, {0x89, 0x11}, "mov DWORD PTR [rcx],edx"},
    {section::mov_, {0x4c, 0x89, 0x19}, "mov QWORD PTR [rcx],r11"},
    {section::mov_, {0xc6, 0x01, 0x80}, "mov BYTE PTR [rcx],0x80"},
    {section::mov_, {0x66, 0xc7, 0x01, 0x00, 0x80}, "mov WORD PTR [rcx],0x8000"},
    {section::mov_, {0xc7, 0x01, 0x00, 0x00, 0x00, 0x80}, "mov DWORD PTR [rcx],0x80000000"},
    {section::mov_, {0x48, 0xc7, 0x01, 0xfe, 0xff, 0xff, 0xff}, "mov QWORD PTR [rcx],0xfffffffffffffffe"},
    {section::mov_, {0xa0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11}, "mov al,BYTE PTR ds:0x1122334455667788"},
    {section::mov_, {0xa1, 0x20, 0x00, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x00}, "mov eax,DWORD PTR ds:0xfee00020"},
    {section::mov_, {0x48, 0xa1, 0x20, 0x00, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x00}, "mov rax,QWORD PTR ds:0xfee00020"},
    {section::mov_, {0xa3, 0xb0, 0x00, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x00}, "mov DWORD PTR ds:0xfee000b0,eax"},
    {section::mov_, {0x66, 0xa3, 0xb0, 0x00, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x00}, "mov WORD PTR ds:0xfee000b0,ax"},
    {section::movzx_, {0x0f, 0xb6, 0x01}, "movzx eax,BYTE PTR [rcx]"},
    {section::movzx_, {0x4c, 0x0f, 0xb7, 0x41, 0x04}, "movzx r8,WORD PTR [rcx+0x4]"},
    {section::movzx_, {0x66, 0x0f, 0xb6, 0x01}, "movzx ax,BYTE PTR [rcx]"},
    {section::movsx_, {0x0f, 0xbf, 0x01}, "movsx eax,WORD PTR [rcx]"},
    {section::movsx_, {0x48, 0x0f, 0xbe, 0x01}, "movsx rax,BYTE PTR [rcx]"},
    {section::movsx_, {0x48, 0x63, 0x11}, "movsx rdx,DWORD PTR [rcx]"},
    {section::movs_, {0xa4}, "movs BYTE PTR es:[rdi],BYTE PTR ds:[rsi]"},
    {section::movs_, {0x66, 0xa5}, "movs WORD PTR es:[rdi],WORD PTR ds:[rsi]"},
    {section::movs_, {0xa5}, "movs DWORD PTR es:[rdi],DWORD PTR ds:[rsi]"},
    {section::movs_, {0x48, 0xa5}, "movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]"},
    {section::movs_, {0xf3, 0xa5}, "rep movs DWORD PTR es:[rdi],DWORD PTR ds:[rsi]"},
    {section::movs_, {0x64, 0xf3, 0xa4}, "rep movs BYTE PTR es:[rdi],BYTE PTR fs:[rsi]"},
    {section::movs_, {0x67, 0xf3, 0xa5}, "rep movs DWORD PTR es:[edi],DWORD PTR ds:[esi]"},
    {section::stos_, {0xaa}, "stos BYTE PTR es:[rdi],al"},
    {section::stos_, {0x66, 0xf3, 0xab}, "rep stos WORD PTR es:[rdi],ax"},
    {section::stos_, {0xab}, "stos DWORD PTR es:[rdi],eax"},
    {section::stos_, {0xf3, 0x48, 0xab}, "rep stos QWORD PTR es:[rdi],rax"},
    {section::lods_, {0xac}, "lods al,BYTE PTR ds:[rsi]"},
    {section::lods_, {0x66, 0xad}, "lods ax,WORD PTR ds:[rsi]"},
    {section::lods_, {0xf3, 0xad}, "rep lods eax,DWORD PTR ds:[rsi]"},
    {section::lods_, {0x48, 0xad}, "lods rax,QWORD PTR ds:[rsi]"},
    {section::add_, {0x00, 0x01}, "add BYTE PTR [rcx],al"},
    {section::add_, {0x83, 0x01, 0x05}, "add DWORD PTR [rcx],0x5"},
    {section::add_, {0x03, 0x01}, "add eax,DWORD PTR [rcx]"},
    {section::or_, {0x80, 0x09, 0x80}, "or BYTE PTR [rcx],0x80"},
    {section::or_, {0x48, 0x09, 0x11}, "or QWORD PTR [rcx],rdx"},
    {section::or_, {0x66, 0x0b, 0x11}, "or dx,WORD PTR [rcx]"},
    {section::adc_, {0x81, 0x11, 0x45, 0x23, 0x01, 0x00}, "adc DWORD PTR [rcx],0x12345"},
    {section::adc_, {0x10, 0x19}, "adc BYTE PTR [rcx],bl"},
    {section::sbb_, {0x48, 0x83, 0x19, 0xff}, "sbb QWORD PTR [rcx],0xffffffffffffffff"},
    {section::sbb_, {0x48, 0x1b, 0x51, 0x08}, "sbb rdx,QWORD PTR [rcx+0x8]"},
    {section::and_, {0x83, 0x21, 0xf0}, "and DWORD PTR [rcx],0xfffffff0"},
    {section::and_, {0x66, 0x81, 0x21, 0x34, 0x12}, "and WORD PTR [rcx],0x1234"},
    {section::and_, {0xf0, 0x21, 0x11}, "lock and DWORD PTR [rcx],edx"},
    {section::sub_, {0x66, 0x44, 0x29, 0x01}, "sub WORD PTR [rcx],r8w"},
    {section::sub_, {0x2b, 0x01}, "sub eax,DWORD PTR [rcx]"},
    {section::xor_, {0x80, 0x31, 0x01}, "xor BYTE PTR [rcx],0x1"},
    {section::xor_, {0x33, 0x11}, "xor edx,DWORD PTR [rcx]"},
    {section::cmp_, {0x83, 0x39, 0x00}, "cmp DWORD PTR [rcx],0x0"},
    {section::cmp_, {0x38, 0x01}, "cmp BYTE PTR [rcx],al"},
    {section::cmp_, {0x48, 0x3b, 0x01}, "cmp rax,QWORD PTR [rcx]"},
    {section::test_, {0xf6, 0x01, 0x40}, "test BYTE PTR [rcx],0x40"},
    {section::test_, {0xf7, 0x01, 0x00, 0x00, 0x00, 0x80}, "test DWORD PTR [rcx],0x80000000"},
    {section::test_, {0x85, 0x01}, "test DWORD PTR [rcx],eax"},
    {section::test_, {0x66, 0xf7, 0x01, 0x07, 0x00}, "test WORD PTR [rcx],0x7"},
    {section::xchg_, {0x87, 0x01}, "xchg DWORD PTR [rcx],eax"},
    {section::xchg_, {0x86, 0x01}, "xchg BYTE PTR [rcx],al"},
    {section::xchg_, {0xf0, 0x48, 0x87, 0x19}, "lock xchg QWORD PTR [rcx],rbx"},
    {section::cmpxchg_, {0x0f, 0xb0, 0x11}, "cmpxchg BYTE PTR [rcx],dl"},
    {section::cmpxchg_, {0xf0, 0x0f, 0xb1, 0x11}, "lock cmpxchg DWORD PTR [rcx],edx"},
    {section::cmpxchg_, {0x4c, 0x0f, 0xb1, 0x09}, "cmpxchg QWORD PTR [rcx],r9"},
    {section::xadd_, {0x0f, 0xc0, 0x01}, "xadd BYTE PTR [rcx],al"},
    {section::xadd_, {0xf0, 0x0f, 0xc1, 0x11}, "lock xadd DWORD PTR [rcx],edx"},
    {section::inc_, {0xfe, 0x01}, "inc BYTE PTR [rcx]"},
    {section::inc_, {0xff, 0x01}, "inc DWORD PTR [rcx]"},
    {section::dec_, {0xf0, 0x48, 0xff, 0x09}, "lock dec QWORD PTR [rcx]"},
    {section::dec_, {0x66, 0xff, 0x09}, "dec WORD PTR [rcx]"},
    {section::not_, {0xf6, 0x11}, "not BYTE PTR [rcx]"},
    {section::not_, {0xf7, 0x11}, "not DWORD PTR [rcx]"},
    {section::neg_, {0x48, 0xf7, 0x19}, "neg QWORD PTR [rcx]"},
    {section::neg_, {0x66, 0xf0, 0xf7, 0x19}, "lock neg WORD PTR [rcx]"},
    {section::bt_, {0x0f, 0xba, 0x21, 0x1f}, "bt DWORD PTR [rcx],0x1f"},
    {section::bt_, {0x0f, 0xa3, 0x11}, "bt DWORD PTR [rcx],edx"},
    {section::bts_, {0x66, 0x0f, 0xba, 0x29, 0x03}, "bts WORD PTR [rcx],0x3"},
    {section::bts_, {0xf0, 0x48, 0x0f, 0xab, 0x11}, "lock bts QWORD PTR [rcx],rdx"},
    {section::btr_, {0x0f, 0xba, 0x31, 0x08}, "btr DWORD PTR [rcx],0x8"},
    {section::btr_, {0x66, 0x0f, 0xb3, 0x11}, "btr WORD PTR [rcx],dx"},
    {section::btc_, {0xf0, 0x48, 0x0f, 0xba, 0x39, 0x3f}, "lock btc QWORD PTR [rcx],0x3f"},
    {section::btc_, {0x0f, 0xbb, 0x11}, "btc DWORD PTR [rcx],edx"},
};
const std::vector<InsnVector> vectors32 = {
    // section, bytes, expected
    {section::mov_, {0x8b, 0x01}, "mov eax,DWORD PTR [ecx]"},
    {section::mov_, {0x8a, 0x21}, "mov ah,BYTE PTR [ecx]"},
    {section::mov_, {0x66, 0x8b, 0x84, 0xb3, 0x00, 0x01, 0x00, 0x00}, "mov ax,WORD PTR [ebx+esi*4+0x100]"},
    {section::mov_, {0x89, 0x54, 0x24, 0x04}, "mov DWORD PTR [esp+0x4],edx"},
    {section::mov_, {0x8b, 0x45, 0x00}, "mov eax,DWORD PTR [ebp]"},
    {section::mov_, {0xa1, 0x20, 0x00, 0xe0, 0xfe}, "mov eax,DWORD PTR ds:0xfee00020"},
    {section::mov_, {0xa3, 0xb0, 0x00, 0xe0, 0xfe}, "mov DWORD PTR ds:0xfee000b0,eax"},
    {section::mov_, {0xa0, 0x34, 0x12, 0x00, 0x00}, "mov al,BYTE PTR ds:0x1234"},
    {section::mov_, {0x26, 0x89, 0x07}, "mov DWORD PTR es:[edi],eax"},
    {section::mov_, {0x67, 0x8b, 0x00}, "mov eax,DWORD PTR [bx+si]"},
    {section::mov_, {0x67, 0x8b, 0x46, 0x02}, "mov eax,DWORD PTR [bp+0x2]"},
    {section::mov_, {0xc7, 0x05, 0x00, 0x00, 0xc0, 0xfe, 0x10, 0x00, 0x00, 0x00}, "mov DWORD PTR ds:0xfec00000,0x10"},
    {section::movzx_, {0x0f, 0xb6, 0x11}, "movzx edx,BYTE PTR [ecx]"},
    {section::movsx_, {0x66, 0x0f, 0xbe, 0x01}, "movsx ax,BYTE PTR [ecx]"},
    {section::movs_, {0xf3, 0xa5}, "rep movs DWORD PTR es:[edi],DWORD PTR ds:[esi]"},
    {section::stos_, {0xaa}, "stos BYTE PTR es:[edi],al"},
    {section::lods_, {0x66, 0xad}, "lods ax,WORD PTR ds:[esi]"},
    {section::or_, {0x81, 0x09, 0x00, 0x01, 0x00, 0x00}, "or DWORD PTR [ecx],0x100"},
    {section::test_, {0xf7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x00, 0x10, 0x00, 0x00}, "test DWORD PTR ds:0xfee00300,0x1000"},
    {section::xchg_, {0x87, 0x03}, "xchg DWORD PTR [ebx],eax"},
    {section::cmp_, {0x80, 0x3b, 0x01}, "cmp BYTE PTR [ebx],0x1"},
    {section::bts_, {0x0f, 0xba, 0x2b, 0x04}, "bts DWORD PTR [ebx],0x4"},
    {section::and_, {0x23, 0x02}, "and eax,DWORD PTR [edx]"},
};
const std::vector<InsnVector> vectors16 = {
    // section, bytes, expected
    {section::mov_, {0x8b, 0x00}, "mov ax,WORD PTR [bx+si]"},
    {section::mov_, {0x8a, 0x41, 0x04}, "mov al,BYTE PTR [bx+di+0x4]"},
    {section::mov_, {0x8b, 0x02}, "mov ax,WORD PTR [bp+si]"},
    {section::mov_, {0x8b, 0x83, 0x34, 0x12}, "mov ax,WORD PTR [bp+di+0x1234]"},
    {section::mov_, {0x8b, 0x04}, "mov ax,WORD PTR [si]"},
    {section::mov_, {0x89, 0x15}, "mov WORD PTR [di],dx"},
    {section::mov_, {0x8b, 0x46, 0x00}, "mov ax,WORD PTR [bp]"},
    {section::mov_, {0x8b, 0x07}, "mov ax,WORD PTR [bx]"},
    {section::mov_, {0xa1, 0x34, 0x12}, "mov ax,WORD PTR ds:0x1234"},
    {section::mov_, {0x2e, 0x8b, 0x07}, "mov ax,WORD PTR cs:[bx]"},
    {section::mov_, {0x8b, 0x1e, 0x34, 0x12}, "mov bx,WORD PTR ds:0x1234"},
    {section::mov_, {0x26, 0x89, 0x05}, "mov WORD PTR es:[di],ax"},
    {section::mov_, {0x66, 0x8b, 0x07}, "mov eax,DWORD PTR [bx]"},
    {section::mov_, {0x67, 0x66, 0x8b, 0x03}, "mov eax,DWORD PTR [ebx]"},
    {section::mov_, {0x67, 0x66, 0x8b, 0x44, 0x24, 0x04}, "mov eax,DWORD PTR [esp+0x4]"},
    {section::mov_, {0x26, 0x67, 0x66, 0xc7, 0x07, 0x78, 0x56, 0x34, 0x12}, "mov DWORD PTR es:[edi],0x12345678"},
    {section::mov_, {0xc7, 0x07, 0x34, 0x12}, "mov WORD PTR [bx],0x1234"},
    {section::mov_, {0xa2, 0x34, 0x12}, "mov BYTE PTR ds:0x1234,al"},
    {section::movs_, {0xf3, 0xa5}, "rep movs WORD PTR es:[di],WORD PTR ds:[si]"},
    {section::movs_, {0x67, 0x66, 0xf3, 0xa5}, "rep movs DWORD PTR es:[edi],DWORD PTR ds:[esi]"},
    {section::stos_, {0xf3, 0xaa}, "rep stos BYTE PTR es:[di],al"},
    {section::lods_, {0xac}, "lods al,BYTE PTR ds:[si]"},
    {section::add_, {0x80, 0x07, 0x01}, "add BYTE PTR [bx],0x1"},
    {section::or_, {0x0b, 0x04}, "or ax,WORD PTR [si]"},
    {section::test_, {0xf6, 0x04, 0x08}, "test BYTE PTR [si],0x8"},
    {section::movzx_, {0x66, 0x0f, 0xb7, 0x07}, "movzx eax,WORD PTR [bx]"},
    {section::xchg_, {0x86, 0x07}, "xchg BYTE PTR [bx],al"},
    {section::bt_, {0x0f, 0xba, 0x27, 0x09}, "bt WORD PTR [bx],0x9"},
};
// clang-format on

TEST(X86InsnVectors, code_of_64_bits) { check_vectors(vectors64, CodeSize::Code64); }
TEST(X86InsnVectors, code_of_32_bits) { check_vectors(vectors32, CodeSize::Code32); }
TEST(X86InsnVectors, code_of_16_bits) { check_vectors(vectors16, CodeSize::Code16); }

struct RefusedVector {
    const char* what;
    std::vector<u8> bytes;
    CodeSize code;
    InsnError error;
};

const std::vector<RefusedVector> refused = {
    {"LOCK with MOV", {0xf0, 0x89, 0x03}, CodeSize::Code64, InsnError::Undefined},
    {"LOCK with CMP", {0xf0, 0x39, 0x03}, CodeSize::Code64, InsnError::Undefined},
    {"LOCK with a register as destination", {0xf0, 0x03, 0x03}, CodeSize::Code64, InsnError::Undefined},
    {"LOCK with BT", {0xf0, 0x0f, 0xa3, 0x03}, CodeSize::Code64, InsnError::Undefined},
    {"two registers", {0x89, 0xc3}, CodeSize::Code64, InsnError::Unsupported},
    {"PUSH", {0xff, 0x33}, CodeSize::Code64, InsnError::Unsupported},
    {"opcode 82 is not in 64-bit code", {0x82, 0x03, 0x01}, CodeSize::Code64, InsnError::Unsupported},
    {"63 is ARPL in 32-bit code", {0x63, 0x03}, CodeSize::Code32, InsnError::Unsupported},
    {"MOVAPS", {0x0f, 0x28, 0x03}, CodeSize::Code64, InsnError::Unsupported},
    {"VEX", {0xc5, 0xf8, 0x28, 0x03}, CodeSize::Code64, InsnError::Unsupported},
    {"nothing", {}, CodeSize::Code64, InsnError::Truncated},
    {"prefixes alone", {0x66, 0x67, 0x48}, CodeSize::Code64, InsnError::Truncated},
    {"fifteen prefixes", std::vector<u8>(15, 0x66), CodeSize::Code64, InsnError::TooLong},
    {"an immediate beyond fifteen bytes",
     {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x67, 0x81, 0x83, 1, 2, 3, 4, 5, 6},
     CodeSize::Code64,
     InsnError::TooLong},
};

// SDM vol. 2, "Instruction Prefixes" and "Instruction Format".
TEST(X86InsnVectors, what_is_no_device_access_is_refused_by_kind) {
    for (const RefusedVector& vector : refused) {
        const auto insn = decode_insn(vector.bytes, vector.code);
        ASSERT_FALSE(insn) << vector.what;
        EXPECT_EQ(insn.error(), vector.error) << vector.what;
    }
}

}  // namespace
}  // namespace ax::x86::testing
