#include "core/arch/x86/mtrrs.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  reserved memory types                                #GP(0); nothing changes
//  T2  reserved bits, addresses beyond the CPU's            #GP(0); nothing changes
//  T3  IA32_MTRRCAP written                                 #GP(0)
//  T4  registers between or behind those that are there     #GP(0)
//  T5  ranges that overlap, or masks with holes             kept: they mean nothing

namespace ax::x86 {

namespace {

constexpr std::array<u32, Mtrrs::fixed_count> fixed_msrs = {
    msr::IA32_MTRR_FIX64K_00000, msr::IA32_MTRR_FIX16K_80000, msr::IA32_MTRR_FIX16K_A0000, msr::IA32_MTRR_FIX4K_C0000,
    msr::IA32_MTRR_FIX4K_C0000 + 1, msr::IA32_MTRR_FIX4K_C0000 + 2, msr::IA32_MTRR_FIX4K_C0000 + 3, msr::IA32_MTRR_FIX4K_C0000 + 4,
    msr::IA32_MTRR_FIX4K_C0000 + 5, msr::IA32_MTRR_FIX4K_C0000 + 6, msr::IA32_MTRR_FIX4K_F8000};

std::optional<std::size_t> fixed_index(u32 msr) {
    for (std::size_t i = 0; i < fixed_msrs.size(); ++i)
        if (fixed_msrs[i] == msr) return i;
    return std::nullopt;
}

/// Bases and masks alternate.
struct VariableIndex {
    std::size_t range = 0;
    bool is_mask = false;
};
std::optional<VariableIndex> variable_index(u32 msr) {
    const u32 offset = msr - msr::IA32_MTRR_PHYSBASE0;
    if (offset >= 2 * Mtrrs::variable_count) return std::nullopt;
    return VariableIndex{offset / 2, offset % 2 != 0};
}

bool is_type(u64 value) {
    constexpr u64 encodings = bit(index(MemoryType::Uncacheable)) | bit(index(MemoryType::WriteCombining)) |
                              bit(index(MemoryType::WriteThrough)) | bit(index(MemoryType::WriteProtected)) |
                              bit(index(MemoryType::WriteBack));
    static_assert(encodings == 0x73);
    return value <= index(MemoryType::WriteBack) && (encodings >> value & 1) != 0;
}

/// "Fixed Range MTRRs": eight types, a byte each.
bool are_types(u64 value) {
    for (unsigned i = 0; i < 8; ++i)
        if (!is_type(zero_extend(value >> (8 * i), 1))) return false;
    return true;
}

bool is_def_type(u64 value) {
    constexpr u64 defined = MtrrDefType::Type::mask | MtrrDefType::FE::mask | MtrrDefType::E::mask;
    return (value & ~defined) == 0 && is_type(MtrrDefType::Type::get(value));
}

bool is_base(u64 value) {
    return (value & ~(MtrrVariable::Page::mask | MtrrVariable::Type::mask)) == 0 && is_type(MtrrVariable::Type::get(value));
}

bool is_mask(u64 value) { return (value & ~(MtrrVariable::Page::mask | MtrrVariable::V::mask)) == 0; }

}  // namespace

bool Mtrrs::has(u32 msr) {
    return msr == msr::IA32_MTRRCAP || msr == msr::IA32_MTRR_DEF_TYPE || fixed_index(msr) || variable_index(msr);
}

std::optional<u64> Mtrrs::read(u32 msr) const {
    if (msr == msr::IA32_MTRRCAP) return capabilities;
    if (msr == msr::IA32_MTRR_DEF_TYPE) return def_type_;
    if (const auto i = fixed_index(msr)) return fixed_[*i];
    if (const auto i = variable_index(msr)) return i->is_mask ? mask_[i->range] : base_[i->range];
    return std::nullopt;
}

bool Mtrrs::write(u32 msr, u64 value) {
    const auto keep = [value](u64& reg, bool is_valid) {
        if (is_valid) reg = value;
        return is_valid;
    };
    if (msr == msr::IA32_MTRR_DEF_TYPE) return keep(def_type_, is_def_type(value));
    if (const auto i = fixed_index(msr)) return keep(fixed_[*i], are_types(value));
    if (const auto i = variable_index(msr))
        return i->is_mask ? keep(mask_[i->range], is_mask(value)) : keep(base_[i->range], is_base(value));
    return false;
}

void Mtrrs::set_by_firmware() {
    reset();
    def_type_ = MtrrDefType::E::mask | MtrrDefType::Type::of(index(MemoryType::WriteBack));
}

void Mtrrs::fields(FieldVisitor& v) {
    field(v, "def_type", def_type_);
    field(v, "fixed", fixed_);
    field(v, "base", base_);
    field(v, "mask", mask_);
}

}  // namespace ax::x86
