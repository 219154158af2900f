// The core's decoder against Capstone's over random code: lengths, memory operands, widths.
#include <capstone/capstone.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/arch/x86/insn.hpp"
#include "tests/unit/core/arch/x86/random.hpp"
#include "tests/unit/core/arch/x86/show_insn.hpp"

namespace ax::x86::testing {
namespace {

class Capstone {
public:
    explicit Capstone(CodeSize code) {
        const cs_mode mode = code == CodeSize::Code64 ? CS_MODE_64 : code == CodeSize::Code32 ? CS_MODE_32 : CS_MODE_16;
        EXPECT_EQ(cs_open(CS_ARCH_X86, mode, &handle_), CS_ERR_OK);
        EXPECT_EQ(cs_option(handle_, CS_OPT_DETAIL, CS_OPT_ON), CS_ERR_OK);
        insn_ = cs_malloc(handle_);
    }
    ~Capstone() {
        cs_free(insn_, 1);
        cs_close(&handle_);
    }
    Capstone(const Capstone&) = delete;
    Capstone& operator=(const Capstone&) = delete;

    const cs_insn* read(std::span<const u8> bytes) {
        const u8* at = bytes.data();
        std::size_t left = bytes.size();
        u64 address = 0;
        return cs_disasm_iter(handle_, &at, &left, &address, insn_) ? insn_ : nullptr;
    }
    std::string name(unsigned reg) const {
        const char* text = cs_reg_name(handle_, reg);
        return text == nullptr ? "" : text;
    }

private:
    csh handle_ = 0;
    cs_insn* insn_ = nullptr;
};

/// Random bytes behind a few prefixes, with the opcodes of the table more often than others.
std::array<u8, 16> random_code(Random& random) {
    static constexpr u8 prefixes[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26,
                                      0x64, 0x65, 0x40, 0x41, 0x44, 0x48, 0x4c, 0x4f};
    static constexpr u8 opcodes[] = {0x88, 0x89, 0x8a, 0x8b, 0xa0, 0xa1, 0xa2, 0xa3, 0xc6, 0xc7, 0x63, 0x80,
                                     0x81, 0x83, 0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad, 0x84, 0x85, 0xf6, 0xf7,
                                     0x86, 0x87, 0xfe, 0xff, 0x00, 0x01, 0x09, 0x21, 0x29, 0x31, 0x39};
    static constexpr u8 second[] = {0xb6, 0xb7, 0xbe, 0xbf, 0xb0, 0xb1, 0xc0, 0xc1, 0xa3, 0xab, 0xb3, 0xbb, 0xba};
    std::array<u8, 16> bytes{};
    for (u8& byte : bytes) byte = static_cast<u8>(random.next());
    std::size_t at = 0;
    for (u64 left = random.below(4); left > 0; --left) bytes[at++] = prefixes[random.below(std::size(prefixes))];
    if (random.below(3) == 0) {
        bytes[at++] = 0x0f;
        bytes[at] = second[random.below(std::size(second))];
    } else if (random.below(4) != 0) {
        bytes[at] = opcodes[random.below(std::size(opcodes))];
    }
    return bytes;
}

const cs_x86_op* memory_operand(const cs_x86& x86) {
    const auto* end = x86.operands + x86.op_count;
    const auto* found = std::find_if(x86.operands, end, [](const cs_x86_op& op) { return op.type == X86_OP_MEM; });
    return found == end ? nullptr : found;
}

/// The register's number in an encoding by its name, of the width that addresses have.
std::string address_register(const std::optional<Gpr>& reg, unsigned bytes) {
    if (!reg) return "";
    static constexpr const char* low[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    const unsigned n = index(*reg);
    if (n >= 8) return "r" + std::to_string(n) + (bytes == 4 ? "d" : "");
    return (bytes == 8 ? "r" : bytes == 4 ? "e" : "") + std::string(low[n]);
}

/// Prefixes that Capstone misreads, though it sees the same length: it forgets an operand-size prefix beside a repeat prefix that
/// means nothing or before MOVSXD, and follows a REX prefix that is not the last one (vol. 2, "REX Prefixes": such a one is
/// ignored).
bool has_misread_prefixes(const cs_insn& insn, CodeSize code) {
    bool has_rex = false;
    for (const u8 byte : insn.bytes) {
        static constexpr u8 legacy[] = {0x66, 0x67, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65};
        const bool is_rex = code == CodeSize::Code64 && byte >> 4 == 4;
        if (byte == 0xf2 || byte == 0xf3 || (byte == 0x66 && insn.id == X86_INS_MOVSXD)) return true;
        if (!is_rex && std::ranges::find(legacy, byte) == std::end(legacy)) return false;
        if (has_rex) return true;
        has_rex = is_rex;
    }
    return false;
}

void expect_same(const Insn& ours, const cs_insn& theirs, const Capstone& capstone, CodeSize code) {
    ASSERT_EQ(ours.length, theirs.size);
    const cs_x86& x86 = theirs.detail->x86;
    const cs_x86_op* memory = memory_operand(x86);
    ASSERT_NE(memory, nullptr);
    if (is_string(ours.operation) || has_misread_prefixes(theirs, code)) return;
    ASSERT_EQ(ours.size, memory->size);
    ASSERT_EQ(ours.address_size, x86.addr_size);
    const MemoryOperand& m = ours.memory;
    ASSERT_EQ(m.is_rip_relative, memory->mem.base == X86_REG_RIP || memory->mem.base == X86_REG_EIP);
    if (!m.is_rip_relative) {
        ASSERT_EQ(address_register(m.base, ours.address_size), capstone.name(memory->mem.base));
    }
    const std::string index_name = capstone.name(memory->mem.index);
    ASSERT_EQ(address_register(m.index, ours.address_size), index_name == "riz" || index_name == "eiz" ? "" : index_name);
    if (m.index) {
        ASSERT_EQ(1 << m.scale, memory->mem.scale);
    }
    const u64 mask = ours.address_size == 8 ? ~u64{0} : (u64{1} << (8 * ours.address_size)) - 1;
    ASSERT_EQ(m.displacement & mask, static_cast<u64>(memory->mem.disp) & mask);
}

TEST(X86InsnProperty, agrees_with_capstone_wherever_both_decode) {
    Random random(21);
    for (const CodeSize code : {CodeSize::Code16, CodeSize::Code32, CodeSize::Code64}) {
        Capstone capstone(code);
        u64 both = 0, ours_alone = 0;
        for (int round = 0; round < 150'000; ++round) {
            const auto bytes = random_code(random);
            const auto ours = decode_insn(bytes, code);
            if (!ours) continue;
            const cs_insn* theirs = capstone.read(std::span(bytes).first(max_insn_bytes));
            if (theirs == nullptr) {
                ++ours_alone;
                continue;
            }
            ++both;
            std::string text = show(*ours) + " and " + theirs->mnemonic + " " + theirs->op_str + ":";
            static constexpr char digits[] = "0123456789abcdef";
            for (std::size_t i = 0; i < ours->length; ++i) (text += digits[bytes[i] >> 4]) += digits[bytes[i] & 0xf];
            SCOPED_TRACE(text);
            expect_same(*ours, *theirs, capstone, code);
            if (HasFatalFailure()) return;
        }
        EXPECT_GT(both, 20'000U);
        EXPECT_LT(ours_alone, both / 50) << "what Capstone does not know";
    }
}

/// Every cut of an instruction is refused, and nothing behind a cut is read: the bytes lie at the end of their own array.
TEST(X86InsnProperty, no_byte_behind_the_code_is_read) {
    Random random(22);
    for (int round = 0; round < 20'000; ++round) {
        const auto bytes = random_code(random);
        const auto code = static_cast<CodeSize>(random.below(3));
        for (std::size_t length = 0; length <= bytes.size(); ++length) {
            const std::vector<u8> exact(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
            const auto insn = decode_insn(exact, code);
            if (insn) {
                ASSERT_LE(insn->length, length);
            }
        }
    }
}

}  // namespace
}  // namespace ax::x86::testing
