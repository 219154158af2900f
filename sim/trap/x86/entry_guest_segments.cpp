// Rules over the guest's segment registers; breaking one is exit reason 33.
#include <algorithm>
#include <array>

#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {

namespace {

using namespace ax::x86;

constexpr const char* section = "Checks on Guest Segment Registers";

constexpr u64 accessed = bit(0), readable = bit(1), code = bit(3);

bool is_v8086(const Vmcs& v) { return Rflags::VM::test(v.GUEST_RFLAGS); }
bool is_usable(const VmcsSegment& s) { return !AccessRights::Unusable::test(s.access_rights); }
u64 type_of(const VmcsSegment& s) { return AccessRights::Type::get(s.access_rights); }
u64 dpl_of(const VmcsSegment& s) { return AccessRights::DPL::get(s.access_rights); }
bool is_high(u64 base) { return (base >> 32) != 0; }

bool has_reserved(const VmcsSegment& s) {
    using Middle = Bits<11, 8>;
    using High = Bits<31, 17>;
    return Middle::test(s.access_rights) || High::test(s.access_rights);
}
/// Limits of byte granularity end below 1 MiB, those of page granularity in ones.
bool has_fitting_granularity(const VmcsSegment& s) {
    const bool is_paged = AccessRights::G::test(s.access_rights);
    return is_paged ? (s.limit & 0xfff) == 0xfff : (s.limit >> 20) == 0;
}

std::array<const VmcsSegment*, 6> all(const Vmcs& v) {
    return {&v.GUEST_CS, &v.GUEST_SS, &v.GUEST_DS, &v.GUEST_ES, &v.GUEST_FS, &v.GUEST_GS};
}
std::array<const VmcsSegment*, 4> data(const Vmcs& v) { return {&v.GUEST_DS, &v.GUEST_ES, &v.GUEST_FS, &v.GUEST_GS}; }

/// All of virtual-8086 mode's segments, or true in any other mode.
template <class Predicate>
bool holds_in_v8086(const Vmcs& v, Predicate predicate) {
    return !is_v8086(v) || std::ranges::all_of(all(v), [&](const VmcsSegment* s) { return predicate(*s); });
}
/// CS and the usable others, outside virtual-8086 mode.
template <class Predicate>
bool holds_otherwise(const Vmcs& v, Predicate predicate) {
    return is_v8086(v) || std::ranges::all_of(all(v), [&](const VmcsSegment* s) {
               return (s != &v.GUEST_CS && !is_usable(*s)) || predicate(*s);
           });
}

bool has_code_type(const Vmcs& v, const VmxCpu&) {
    const u64 type = type_of(v.GUEST_CS);
    const bool is_code = (type & (code | accessed)) == (code | accessed);
    return is_v8086(v) || is_code || (is_unrestricted(v) && type == AccessRights::data_read_write);
}
bool has_code_dpl(const Vmcs& v, const VmxCpu&) {
    constexpr u64 conforming = bit(2);
    if (is_v8086(v)) return true;
    const u64 type = type_of(v.GUEST_CS), dpl = dpl_of(v.GUEST_CS);
    if (type == AccessRights::data_read_write) return dpl == 0;
    return (type & conforming) != 0 ? dpl <= dpl_of(v.GUEST_SS) : dpl == dpl_of(v.GUEST_SS);
}
bool has_stack_dpl(const Vmcs& v, const VmxCpu&) {
    if (is_v8086(v)) return true;
    const u64 dpl = dpl_of(v.GUEST_SS);
    if (!is_unrestricted(v) && dpl != Selector::RPL::get(v.GUEST_SS.selector)) return false;
    const bool must_be_zero = type_of(v.GUEST_CS) == AccessRights::data_read_write || !Cr0::PE::test(v.GUEST_CR0);
    return !must_be_zero || dpl == 0;
}
bool has_data_dpl(const Vmcs& v, const VmxCpu&) {
    constexpr u64 last_non_conforming = 11;
    if (is_v8086(v) || is_unrestricted(v)) return true;
    return std::ranges::all_of(data(v), [](const VmcsSegment* s) {
        return !is_usable(*s) || type_of(*s) > last_non_conforming || dpl_of(*s) >= Selector::RPL::get(s->selector);
    });
}
bool has_task_type(const Vmcs& v, const VmxCpu&) {
    const u64 type = type_of(v.GUEST_TR);
    return type == AccessRights::tss_busy || (!is_ia32e(v) && type == AccessRights::tss16_busy);
}
bool is_present_system(const VmcsSegment& s) {
    return !AccessRights::S::test(s.access_rights) && AccessRights::P::test(s.access_rights);
}

constexpr EntryRule rules[] = {
    {"TR selector: TI", section, [](const Vmcs& v, const VmxCpu&) { return !Selector::TI::test(v.GUEST_TR.selector); }},
    {"LDTR selector: TI", section,
     [](const Vmcs& v, const VmxCpu&) { return !is_usable(v.GUEST_LDTR) || !Selector::TI::test(v.GUEST_LDTR.selector); }},
    {"SS selector: RPL is that of CS", section,
     [](const Vmcs& v, const VmxCpu&) {
         return is_v8086(v) || is_unrestricted(v) ||
                Selector::RPL::get(v.GUEST_SS.selector) == Selector::RPL::get(v.GUEST_CS.selector);
     }},
    {"virtual-8086 bases follow the selectors", section,
     [](const Vmcs& v, const VmxCpu&) {
         return holds_in_v8086(v, [](const VmcsSegment& s) { return s.base == u64{s.selector} * 16; });
     }},
    {"TR, FS and GS bases are canonical", section,
     [](const Vmcs& v, const VmxCpu&) {
         if (!is_canonical(v.GUEST_TR.base)) return false;
         return is_v8086(v) || (is_canonical(v.GUEST_FS.base) && is_canonical(v.GUEST_GS.base));
     }},
    {"LDTR base is canonical", section,
     [](const Vmcs& v, const VmxCpu&) { return !is_usable(v.GUEST_LDTR) || is_canonical(v.GUEST_LDTR.base); }},
    {"CS base has 32 bits", section, [](const Vmcs& v, const VmxCpu&) { return is_v8086(v) || !is_high(v.GUEST_CS.base); }},
    {"SS, DS and ES bases have 32 bits", section,
     [](const Vmcs& v, const VmxCpu&) {
         return is_v8086(v) || std::ranges::none_of(std::array{&v.GUEST_SS, &v.GUEST_DS, &v.GUEST_ES},
                                                    [](const VmcsSegment* s) { return is_usable(*s) && is_high(s->base); });
     }},
    {"virtual-8086 limits", section,
     [](const Vmcs& v, const VmxCpu&) { return holds_in_v8086(v, [](const VmcsSegment& s) { return s.limit == 0xffff; }); }},
    {"virtual-8086 access rights", section,
     [](const Vmcs& v, const VmxCpu&) {
         return holds_in_v8086(v, [](const VmcsSegment& s) { return s.access_rights == 0xf3; });
     }},
    {"CS type", section, has_code_type},
    {"SS type", section,
     [](const Vmcs& v, const VmxCpu&) {
         constexpr u64 expand_down = 7;
         const u64 type = type_of(v.GUEST_SS);
         return is_v8086(v) || !is_usable(v.GUEST_SS) || type == AccessRights::data_read_write || type == expand_down;
     }},
    {"DS, ES, FS and GS types", section,
     [](const Vmcs& v, const VmxCpu&) {
         return is_v8086(v) || std::ranges::all_of(data(v), [](const VmcsSegment* s) {
                    const u64 type = type_of(*s);
                    return !is_usable(*s) || ((type & accessed) != 0 && ((type & code) == 0 || (type & readable) != 0));
                });
     }},
    {"segments are code or data", section,
     [](const Vmcs& v, const VmxCpu&) {
         return holds_otherwise(v, [](const VmcsSegment& s) { return AccessRights::S::test(s.access_rights); });
     }},
    {"CS DPL", section, has_code_dpl},
    {"SS DPL", section, has_stack_dpl},
    {"DS, ES, FS and GS DPL", section, has_data_dpl},
    {"segments are present", section,
     [](const Vmcs& v, const VmxCpu&) {
         return holds_otherwise(v, [](const VmcsSegment& s) { return AccessRights::P::test(s.access_rights); });
     }},
    {"segment access rights: reserved bits", section,
     [](const Vmcs& v, const VmxCpu&) { return holds_otherwise(v, [](const VmcsSegment& s) { return !has_reserved(s); }); }},
    {"CS: L excludes D in IA-32e mode", section,
     [](const Vmcs& v, const VmxCpu&) {
         return is_v8086(v) || !is_ia32e(v) || !AccessRights::L::test(v.GUEST_CS.access_rights) ||
                !AccessRights::DB::test(v.GUEST_CS.access_rights);
     }},
    {"segment granularity fits the limit", section,
     [](const Vmcs& v, const VmxCpu&) { return holds_otherwise(v, has_fitting_granularity); }},
    {"TR type", section, has_task_type},
    {"TR is a present system segment", section, [](const Vmcs& v, const VmxCpu&) { return is_present_system(v.GUEST_TR); }},
    {"TR access rights: reserved bits", section, [](const Vmcs& v, const VmxCpu&) { return !has_reserved(v.GUEST_TR); }},
    {"TR granularity fits the limit", section, [](const Vmcs& v, const VmxCpu&) { return has_fitting_granularity(v.GUEST_TR); }},
    {"TR is usable", section, [](const Vmcs& v, const VmxCpu&) { return is_usable(v.GUEST_TR); }},
    {"LDTR type", section,
     [](const Vmcs& v, const VmxCpu&) { return !is_usable(v.GUEST_LDTR) || type_of(v.GUEST_LDTR) == AccessRights::ldt; }},
    {"LDTR is a present system segment", section,
     [](const Vmcs& v, const VmxCpu&) { return !is_usable(v.GUEST_LDTR) || is_present_system(v.GUEST_LDTR); }},
    {"LDTR access rights: reserved bits", section,
     [](const Vmcs& v, const VmxCpu&) { return !is_usable(v.GUEST_LDTR) || !has_reserved(v.GUEST_LDTR); }},
    {"LDTR granularity fits the limit", section,
     [](const Vmcs& v, const VmxCpu&) { return !is_usable(v.GUEST_LDTR) || has_fitting_granularity(v.GUEST_LDTR); }},
};

}  // namespace

std::span<const EntryRule> guest_segment_rules() { return rules; }

}  // namespace ax::sim::x86
