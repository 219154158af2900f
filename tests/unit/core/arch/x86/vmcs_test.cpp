// The VMCS as a value: encodings, widths and the one list of fields.
#include "core/arch/x86/vmcs.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace ax::x86 {
namespace {

/// Bytes of a field by its encoding. SDM vol. 3, "VMCS Component Encoding".
unsigned bytes_of(VmcsField f) {
    switch (width_of(f)) {
        case VmcsWidth::Word: return 2;
        case VmcsWidth::Doubleword: return 4;
        case VmcsWidth::Quadword:
        case VmcsWidth::Natural: break;
    }
    return 8;
}

TEST(Vmcs, every_member_is_as_wide_as_its_encoding_says) {
    Vmcs vmcs;
    Vmcs::list(vmcs, [](VmcsField f, const char* name, auto& value) { EXPECT_EQ(sizeof(value), bytes_of(f)) << name; });
}

TEST(Vmcs, encodings_and_names_are_unique_and_ascend) {
    Vmcs vmcs;
    std::set<std::string> names;
    u32 last = 0;
    std::size_t count = 0;
    Vmcs::list(vmcs, [&](VmcsField f, const char* name, auto&) {
        EXPECT_TRUE(count == 0 || index(f) > last) << name;
        EXPECT_FALSE(VmcsEncoding::HighHalf::test(index(f))) << name;
        last = index(f);
        names.insert(name);
        ++count;
    });
    EXPECT_EQ(names.size(), count);
    EXPECT_EQ(count, 135U);
}

TEST(Vmcs, write_changes_the_named_field_alone) {
    Vmcs untouched;
    Vmcs::list(untouched, [](VmcsField f, const char* name, auto& before) {
        Vmcs vmcs;
        EXPECT_TRUE(vmcs.write(f, 0x1122'3344'5566'7788));
        EXPECT_EQ(vmcs.read(f), zero_extend(0x1122'3344'5566'7788, bytes_of(f))) << name;
        EXPECT_TRUE(vmcs.write(f, before));
        EXPECT_EQ(vmcs, Vmcs{}) << name;
    });
}

TEST(Vmcs, odd_encoding_is_the_upper_half_of_a_quadword) {
    Vmcs vmcs;
    vmcs.EPT_POINTER = 0x0000'0012'3456'701e;
    EXPECT_EQ(vmcs.read(0x201b), 0x12U);
    EXPECT_TRUE(vmcs.write(0x201b, 0xffff'ffff'0000'0034));
    EXPECT_EQ(vmcs.EPT_POINTER, 0x0000'0034'3456'701eU);
    // Natural-width and narrower fields have no such access.
    EXPECT_FALSE(vmcs.read(0x681f));
    EXPECT_FALSE(vmcs.write(0x4403, 1));
}

TEST(Vmcs, unknown_encodings_are_refused) {
    Vmcs vmcs;
    for (const u32 encoding : {0x2u, 0x810u, 0x200eu, 0x6828u, 0xffff'ffffu, 0x1'0000u + index(VmcsField::GUEST_RIP)}) {
        EXPECT_FALSE(vmcs.read(encoding)) << encoding;
        EXPECT_FALSE(vmcs.write(encoding, 1)) << encoding;
    }
    EXPECT_EQ(vmcs, Vmcs{});
}

struct Known {
    VmcsField field;
    u32 encoding;
};

// SDM vol. 3, appendix B, one of each table.
TEST(Vmcs, encodings_are_those_of_the_appendix) {
    for (const Known& known :
         {Known{VmcsField::VPID, 0x0}, Known{VmcsField::GUEST_TR_SELECTOR, 0x80e}, Known{VmcsField::HOST_TR_SELECTOR, 0xc0c},
          Known{VmcsField::EPT_POINTER, 0x201a}, Known{VmcsField::GUEST_PHYSICAL_ADDRESS, 0x2400},
          Known{VmcsField::GUEST_IA32_EFER, 0x2806}, Known{VmcsField::HOST_IA32_EFER, 0x2c02},
          Known{VmcsField::SECONDARY_CONTROLS, 0x401e}, Known{VmcsField::IDT_VECTORING_INFO, 0x4408},
          Known{VmcsField::GUEST_TR_ACCESS_RIGHTS, 0x4822}, Known{VmcsField::GUEST_IDTR_LIMIT, 0x4812},
          Known{VmcsField::GUEST_ACTIVITY_STATE, 0x4826}, Known{VmcsField::HOST_IA32_SYSENTER_CS, 0x4c00},
          Known{VmcsField::CR4_READ_SHADOW, 0x6006}, Known{VmcsField::GUEST_LINEAR_ADDRESS, 0x640a},
          Known{VmcsField::GUEST_IDTR_BASE, 0x6818}, Known{VmcsField::GUEST_RFLAGS, 0x6820}, Known{VmcsField::HOST_RIP, 0x6c16}})
        EXPECT_EQ(index(known.field), known.encoding);
}

}  // namespace
}  // namespace ax::x86
