// A saved context of Unicorn's x86 CPU, by field: the hidden parts of segment registers, the error code of an
// exception and the like have no other interface. Places are found and verified at start-up (x86_start.cpp).
#pragma once

#include <cstring>

#include "core/base/bits.hpp"

namespace ax::sim {

/// A segment register with what its descriptor said. `flags`: bits 8 to 23 of the descriptor's second word, in place.
struct X86Segment {
    u32 selector = 0;
    u64 base = 0;
    u32 limit = 0;
    u32 flags = 0;
    bool operator==(const X86Segment&) const = default;
};

/// In Unicorn's order.
enum class X86SegmentName : u8 { ES, CS, SS, DS, FS, GS, LDTR, TR, GDTR, IDTR };
inline constexpr std::size_t x86_segments = 10;

/// Unicorn's `hflags`: what its translator must know of the state. Engine facts, section 10.B3.
struct X86Hflags {
    using CPL = Bits<1, 0>;
    using INHIBIT_IRQ = Bits<3>;  ///< behind STI and MOV SS
    using CS32 = Bits<4>;
    using SS32 = Bits<5>;
    using ADDSEG = Bits<6>;
    using PE = Bits<7>;
    using MP_EM_TS = Bits<11, 9>;
    using LMA = Bits<14>;
    using CS64 = Bits<15>;
    using SVME = Bits<20>;
    using GUEST = Bits<21>;
    using OSFXSR = Bits<22>;
    using SMAP = Bits<23>;
};

/// Offsets in a saved context.
struct X86Layout {
    std::size_t registers = 0;   ///< RAX; all else up to the segments stands at fixed distances behind it
    std::size_t error_code = 0;
    std::size_t efer = 0;
    std::size_t intercepts = 0;  ///< 64 bits of the control block, offset 0xc

    static constexpr std::size_t rip = 128, hflags = 176, segments = 184, segment_size = 24, cr = 424;
};

/// One saved context, seen through a layout.
class X86Image {
public:
    X86Image(std::byte* image, const X86Layout& layout) : image_(image), layout_(layout) {}

    /// RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15.
    [[nodiscard]] u64 gpr(unsigned n) const { return get<u64>(layout_.registers + 8 * n); }
    void set_gpr(unsigned n, u64 value) { set(layout_.registers + 8 * n, value); }
    [[nodiscard]] u64 rip() const { return get<u64>(layout_.registers + X86Layout::rip); }
    void set_rip(u64 value) { set(layout_.registers + X86Layout::rip, value); }
    [[nodiscard]] u32 hflags() const { return get<u32>(layout_.registers + X86Layout::hflags); }
    void set_hflags(u32 value) { set(layout_.registers + X86Layout::hflags, value); }
    [[nodiscard]] X86Segment segment(X86SegmentName name) const {
        const std::size_t at = place(name);
        return {get<u32>(at), get<u64>(at + 8), get<u32>(at + 16), get<u32>(at + 20)};
    }
    void set_segment(X86SegmentName name, const X86Segment& s) {
        const std::size_t at = place(name);
        set(at, s.selector);
        set(at + 8, s.base);
        set(at + 16, s.limit);
        set(at + 20, s.flags);
    }
    [[nodiscard]] u32 error_code() const { return get<u32>(layout_.error_code); }
    /// CR0, CR2, CR3, CR4. What else follows from them is the caller's to write.
    [[nodiscard]] u64 cr(unsigned n) const { return get<u64>(layout_.registers + X86Layout::cr + 8 * n); }
    void set_cr(unsigned n, u64 value) { set(layout_.registers + X86Layout::cr + 8 * n, value); }
    [[nodiscard]] u64 efer() const { return get<u64>(layout_.efer); }
    void set_efer(u64 value) { set(layout_.efer, value); }
    void set_intercepts(u64 value) { set(layout_.intercepts, value); }

private:
    [[nodiscard]] std::size_t place(X86SegmentName name) const {
        return layout_.registers + X86Layout::segments + X86Layout::segment_size * static_cast<std::size_t>(name);
    }
    template <class T>
    [[nodiscard]] T get(std::size_t at) const {
        T value{};
        std::memcpy(&value, image_ + at, sizeof value);
        return value;
    }
    template <class T>
    void set(std::size_t at, T value) {
        std::memcpy(image_ + at, &value, sizeof value);
    }

    std::byte* image_;
    const X86Layout& layout_;
};

}  // namespace ax::sim
