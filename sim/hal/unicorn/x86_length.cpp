#include "sim/hal/unicorn/x86_length.hpp"

#include <algorithm>
#include <array>

namespace ax::sim {

namespace {

/// What follows an opcode.
enum Follows : u8 {
    None = 0,
    M = 1,        ///< ModRM, with SIB and displacement
    Ib = 2,       ///< an immediate byte
    Iw = 4,       ///< two bytes
    Iz = 8,       ///< two or four bytes, by operand size
    Iv = 16,      ///< two, four or eight
    Offset = 32,  ///< as many as an address has
    TestIb = 64,  ///< group 3: TEST has an immediate, its siblings have not
    TestIz = 128,
    Register = TestIb | TestIz,  ///< ModRM whose addressing mode is ignored: moves of control and debug registers
};

using Map = std::array<u8, 256>;

constexpr void set(Map& map, unsigned first, unsigned last, unsigned follows) {
    for (unsigned op = first; op <= last; ++op) map[op] = static_cast<u8>(follows);
}

constexpr Map make_one_byte_map() {
    Map map{};
    for (unsigned row = 0; row < 0x40; row += 8) {
        set(map, row, row + 3, M);
        map[row + 4] = Ib;
        map[row + 5] = Iz;
    }
    set(map, 0x62, 0x63, M);
    map[0x68] = Iz;
    map[0x69] = M | Iz;
    map[0x6a] = Ib;
    map[0x6b] = M | Ib;
    set(map, 0x70, 0x7f, Ib);
    map[0x80] = map[0x82] = map[0x83] = M | Ib;
    map[0x81] = M | Iz;
    set(map, 0x84, 0x8f, M);
    map[0x9a] = map[0xea] = Iz | Iw;
    set(map, 0xa0, 0xa3, Offset);
    map[0xa8] = Ib;
    map[0xa9] = Iz;
    set(map, 0xb0, 0xb7, Ib);
    set(map, 0xb8, 0xbf, Iv);
    map[0xc0] = map[0xc1] = map[0xc6] = M | Ib;
    map[0xc2] = map[0xca] = Iw;
    map[0xc4] = map[0xc5] = M;
    map[0xc7] = M | Iz;
    map[0xc8] = Iw | Ib;
    map[0xcd] = Ib;
    set(map, 0xd0, 0xd3, M);
    map[0xd4] = map[0xd5] = Ib;
    set(map, 0xd8, 0xdf, M);
    set(map, 0xe0, 0xe7, Ib);
    map[0xe8] = map[0xe9] = Iz;
    map[0xeb] = Ib;
    map[0xf6] = M | TestIb;
    map[0xf7] = M | TestIz;
    map[0xfe] = map[0xff] = M;
    return map;
}

constexpr Map make_0f_map() {
    Map map{};
    set(map, 0x00, 0x03, M);
    map[0x0d] = M;
    map[0x0f] = M | Ib;
    set(map, 0x10, 0x1f, M);
    set(map, 0x20, 0x27, Register);
    set(map, 0x28, 0x2f, M);
    set(map, 0x40, 0x6f, M);
    set(map, 0x70, 0x73, M | Ib);
    set(map, 0x74, 0x76, M);
    set(map, 0x78, 0x7f, M);
    set(map, 0x80, 0x8f, Iz);
    set(map, 0x90, 0x9f, M);
    map[0xa3] = map[0xa5] = map[0xa6] = map[0xa7] = map[0xab] = M;
    map[0xa4] = map[0xac] = M | Ib;
    set(map, 0xad, 0xb9, M);
    map[0xba] = M | Ib;
    set(map, 0xbb, 0xc7, M);
    map[0xc2] = map[0xc4] = map[0xc5] = map[0xc6] = M | Ib;
    set(map, 0xd0, 0xff, M);
    return map;
}

constexpr Map one_byte_map = make_one_byte_map();
constexpr Map map_0f = make_0f_map();

/// Reads on as long as there are bytes.
class Reader {
public:
    Reader(std::span<const u8> code, X86Mode mode) : code_(code.first(std::min(code.size(), x86_max_length))), mode_(mode) {}

    [[nodiscard]] X86Length read();

private:
    [[nodiscard]] u8 peek(std::size_t ahead = 0) const { return at_ + ahead < code_.size() ? code_[at_ + ahead] : u8{0}; }
    [[nodiscard]] X86Length end(X86Class kind) const { return at_ <= code_.size() ? X86Length{static_cast<u8>(at_), kind} : X86Length{}; }
    void read_prefixes();
    void skip_operands(u8 follows, u8 modrm);
    void skip_modrm();
    [[nodiscard]] bool is_vex(u8 opcode) const;
    [[nodiscard]] X86Length read_0f();
    [[nodiscard]] static X86Class kind_of(u8 opcode, u8 modrm);

    std::span<const u8> code_;
    X86Mode mode_;
    std::size_t at_ = 0;
    bool has_operand_prefix_ = false;
    bool has_address_prefix_ = false;
    bool is_wide_ = false;  ///< REX.W
};

void Reader::read_prefixes() {
    for (; at_ < code_.size(); ++at_) {
        switch (code_[at_]) {
            case 0x66: has_operand_prefix_ = true; break;
            case 0x67: has_address_prefix_ = true; break;
            case 0x26:
            case 0x2e:
            case 0x36:
            case 0x3e:
            case 0x64:
            case 0x65:
            case 0xf0:
            case 0xf2:
            case 0xf3: break;
            default:
                if (mode_ != X86Mode::Code64 || (code_[at_] & 0xf0) != 0x40) return;
                // REX counts only right in front of the opcode.
                is_wide_ = (code_[at_] & 8) != 0;
                continue;
        }
        is_wide_ = false;
    }
}

void Reader::skip_modrm() {
    const u8 modrm = peek();
    ++at_;
    const unsigned mod = modrm >> 6, rm = modrm & 7;
    if (mod == 3) return;
    const bool is_16 = mode_ == X86Mode::Code16 ? !has_address_prefix_ : mode_ == X86Mode::Code32 && has_address_prefix_;
    if (is_16) {
        at_ += mod == 1 ? 1U : mod == 2 || rm == 6 ? 2U : 0U;
        return;
    }
    bool has_no_base = mod == 0 && rm == 5;
    if (rm == 4) {
        has_no_base = mod == 0 && (peek() & 7) == 5;
        ++at_;
    }
    at_ += mod == 1 ? 1U : mod == 2 || has_no_base ? 4U : 0U;
}

void Reader::skip_operands(u8 follows, u8 modrm) {
    const bool is_small = !is_wide_ && (mode_ == X86Mode::Code16) != has_operand_prefix_;
    const std::size_t z = is_small ? 2 : 4;
    if ((follows & M) != 0) skip_modrm();
    if ((follows & Ib) != 0) at_ += 1;
    if ((follows & Iw) != 0) at_ += 2;
    if ((follows & Iz) != 0) at_ += z;
    if ((follows & Iv) != 0) at_ += is_wide_ ? 8 : z;
    if ((follows & Offset) != 0) {
        constexpr std::array<std::size_t, 3> usual = {2, 4, 8}, other = {4, 2, 4};
        at_ += (has_address_prefix_ ? other : usual)[index(mode_)];
    }
    const bool is_test = ((modrm >> 3) & 7) < 2;
    if (is_test && (follows & TestIb) != 0) at_ += 1;
    if (is_test && (follows & TestIz) != 0) at_ += z;
}

/// SDM vol. 2, "VEX Prefix", "EVEX": outside 64-bit mode the same bytes are LES, LDS and BOUND unless the operand would be a
/// register.
bool Reader::is_vex(u8 opcode) const {
    if (opcode != 0xc4 && opcode != 0xc5 && opcode != 0x62) return false;
    return mode_ == X86Mode::Code64 || (peek() & 0xc0) == 0xc0;
}

X86Class Reader::kind_of(u8 opcode, u8 modrm) {
    switch (opcode) {
        case 0x6c:
        case 0x6d:
        case 0x6e:
        case 0x6f:
        case 0xe4:
        case 0xe5:
        case 0xe6:
        case 0xe7:
        case 0xec:
        case 0xed:
        case 0xee:
        case 0xef: return X86Class::Site;
        case 0x9a:
        case 0xca:
        case 0xcb:
        case 0xcf:
        case 0xea: return X86Class::Far;
        case 0xff: return ((modrm >> 3) & 7) == 3 || ((modrm >> 3) & 7) == 5 ? X86Class::Far : X86Class::Plain;
        default: return X86Class::Plain;
    }
}

X86Length Reader::read_0f() {
    const u8 opcode = peek();
    ++at_;
    const u8 modrm = peek();
    if (opcode == 0x38 || opcode == 0x3a) {
        ++at_;
        skip_operands(static_cast<u8>(opcode == 0x38 ? M : M | Ib), peek());
        return end(X86Class::Plain);
    }
    X86Class kind = X86Class::Plain;
    if (opcode == 0x07 || opcode == 0x34 || opcode == 0x35 || opcode == 0xaa) kind = X86Class::Far;
    if (opcode == 0x01 && (modrm == 0xd0 || modrm == 0xd1)) kind = X86Class::Site;
    if (opcode == 0xc7 && modrm >= 0xf0) kind = X86Class::Site;
    if (map_0f[opcode] == Register)
        ++at_;
    else
        skip_operands(map_0f[opcode], modrm);
    return end(kind);
}

X86Length Reader::read() {
    read_prefixes();
    if (at_ >= code_.size()) return {};
    const u8 opcode = peek();
    ++at_;
    if (opcode == 0x0f) return read_0f();
    const u8 modrm = peek();
    if (is_vex(opcode)) return end(X86Class::Site);
    skip_operands(one_byte_map[opcode], modrm);
    return end(kind_of(opcode, modrm));
}

}  // namespace

X86Length x86_length(std::span<const u8> code, X86Mode mode) { return Reader(code, mode).read(); }

}  // namespace ax::sim
