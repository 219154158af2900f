// Control values from settings, and the states a vCPU starts in.
#include "core/arch/x86/controls.hpp"

#include <gtest/gtest.h>

#include "core/arch/x86/cr_values.hpp"
#include "core/arch/x86/start.hpp"

namespace ax::x86 {
namespace {

constexpr ControlSettings settings = {.ept_root = Hpa{0x1234'5000}, .vpid = 7, .msr_bitmap = Hpa{0x9000}, .guest_cr4 = 0x7f8};

TEST(X86Controls, words_are_those_that_the_manual_numbers) {
    const auto vmcs = controls_for(settings, typical_capabilities);
    ASSERT_TRUE(vmcs);
    // SDM vol. 3, "VM-Execution Control Fields": pin 0, 3, 5; primary 3, 7, 10, 11, 19, 20, 24, 28, 29, 31; secondary 1, 3, 5,
    // 6, 7.
    EXPECT_EQ(vmcs->PIN_BASED_CONTROLS, 0x3fU);
    EXPECT_EQ(vmcs->PRIMARY_CONTROLS, 0xb518'6dfaU);
    EXPECT_EQ(vmcs->SECONDARY_CONTROLS, 0x0001'08eaU);
    EXPECT_EQ(vmcs->VM_EXIT_CONTROLS, 0x003f'efffU);
    EXPECT_EQ(vmcs->VM_ENTRY_CONTROLS, 0xd1ffU);
    EXPECT_EQ(vmcs->EPT_POINTER, 0x1234'501eU);
    EXPECT_EQ(vmcs->VPID, 7U);
    EXPECT_EQ(vmcs->MSR_BITMAPS, 0x9000U);
    EXPECT_EQ(vmcs->EXCEPTION_BITMAP, (1U << 1) | (1U << 17) | (1U << 18));
    EXPECT_EQ(vmcs->CR0_GUEST_HOST_MASK & 0xffff'ffff, 0x6000'0020U | (0xffff'ffffU & ~0xe005'003fU));
    EXPECT_EQ(vmcs->CR4_GUEST_HOST_MASK, ~u64{0x7f8});
}

TEST(X86Controls, each_setting_changes_its_bit_alone) {
    const Vmcs base = *controls_for(settings, typical_capabilities);
    ControlSettings s = settings;
    s.exits_on_rdtsc = true;
    EXPECT_EQ(controls_for(s, typical_capabilities)->PRIMARY_CONTROLS, base.PRIMARY_CONTROLS | (1U << 12));
    s = settings;
    s.exits_on_pause = true;
    EXPECT_EQ(controls_for(s, typical_capabilities)->PRIMARY_CONTROLS, base.PRIMARY_CONTROLS | (1U << 30));
    s = settings;
    s.io_bitmaps = IoBitmaps{Hpa{0x2000}, Hpa{0x3000}};
    const Vmcs with_bitmaps = *controls_for(s, typical_capabilities);
    EXPECT_EQ(with_bitmaps.PRIMARY_CONTROLS, (base.PRIMARY_CONTROLS & ~(1U << 24)) | (1U << 25));
    EXPECT_EQ(with_bitmaps.IO_BITMAP_A, 0x2000U);
    EXPECT_EQ(with_bitmaps.IO_BITMAP_B, 0x3000U);
    s = settings;
    s.has_rdtscp = false;
    EXPECT_EQ(controls_for(s, typical_capabilities)->SECONDARY_CONTROLS, base.SECONDARY_CONTROLS & ~(1U << 3));
    s = settings;
    s.extra_exceptions = 1U << 6;
    EXPECT_EQ(controls_for(s, typical_capabilities)->EXCEPTION_BITMAP, base.EXCEPTION_BITMAP | (1U << 6));
}

TEST(X86Controls, every_needed_control_that_the_cpu_lacks_is_named) {
    struct Word {
        ControlWord word;
        u64 VmxCapabilities::*capability;
        u64 optional;
    };
    const Vmcs full = *controls_for(settings, typical_capabilities);
    for (const auto& [word, member, value] :
         {Word{ControlWord::Pin, &VmxCapabilities::pin, full.PIN_BASED_CONTROLS},
          Word{ControlWord::Primary, &VmxCapabilities::primary, full.PRIMARY_CONTROLS},
          Word{ControlWord::Secondary, &VmxCapabilities::secondary, full.SECONDARY_CONTROLS & ~0x0001'0800U},
          Word{ControlWord::Exit, &VmxCapabilities::exit, full.VM_EXIT_CONTROLS},
          Word{ControlWord::Entry, &VmxCapabilities::entry, full.VM_ENTRY_CONTROLS}}) {
        for (unsigned n = 0; n < 32; ++n) {
            const u64 reserved_one = ControlCapability::Allowed0::get(typical_capabilities.*member);
            if ((value & bit(n)) == 0 || (reserved_one & bit(n)) != 0) continue;
            VmxCapabilities poorer = typical_capabilities;
            poorer.*member &= ~bit(32 + n);
            const auto result = controls_for(settings, poorer);
            ASSERT_FALSE(result) << index(word) << " bit " << n;
            EXPECT_EQ(result.error().word, word);
            EXPECT_EQ(result.error().bits, bit(n));
        }
    }
    VmxCapabilities no_ept = typical_capabilities;
    no_ept.ept_vpid &= ~EptVpidCapability::WalkLength4::mask;
    EXPECT_EQ(controls_for(settings, no_ept).error().word, ControlWord::Ept);
}

TEST(X86Controls, random_number_exits_are_left_out_where_the_cpu_has_none) {
    VmxCapabilities older = typical_capabilities;
    older.secondary &= ~(bit(32 + 11) | bit(32 + 16));
    EXPECT_EQ(controls_for(settings, older)->SECONDARY_CONTROLS, 0xeaU);
}

/// SDM vol. 3, "Processor State After Reset", table of register values.
TEST(X86Start, reset_is_the_state_of_the_manual) {
    Vmcs vmcs = *controls_for(settings, typical_capabilities);
    const Gprs gprs = start_at_reset(vmcs, 0x306a9);
    EXPECT_EQ(guest_cr0(vmcs), 0x6000'0010U);
    EXPECT_EQ(vmcs.GUEST_CR0, 0x30U);
    EXPECT_EQ(guest_cr4(vmcs), 0U);
    EXPECT_EQ(vmcs.GUEST_CR4, 0x2000U);
    EXPECT_EQ(vmcs.GUEST_RFLAGS, 2U);
    EXPECT_EQ(vmcs.GUEST_RIP, 0xfff0U);
    EXPECT_EQ(vmcs.GUEST_CS, (VmcsSegment{0xf000, 0xffff, 0x9b, 0xffff'0000}));
    for (const SegmentReg reg : {SegmentReg::ES, SegmentReg::SS, SegmentReg::DS, SegmentReg::FS, SegmentReg::GS})
        EXPECT_EQ(vmcs.segment(reg), (VmcsSegment{0, 0xffff, 0x93, 0}));
    EXPECT_EQ(vmcs.GUEST_LDTR, (VmcsSegment{0, 0xffff, 0x82, 0}));
    EXPECT_EQ(vmcs.GUEST_TR, (VmcsSegment{0, 0xffff, 0x8b, 0}));
    EXPECT_EQ(vmcs.GUEST_DR7, 0x400U);
    EXPECT_EQ(vmcs.GUEST_IA32_PAT, 0x0007'0406'0007'0406U);
    EXPECT_EQ(gprs[Gpr::RDX], 0x306a9U);
    EXPECT_EQ(vmcs.GUEST_ACTIVITY_STATE, 0U);
}

TEST(X86Start, init_waits_and_a_startup_ipi_begins_at_its_page) {
    Vmcs vmcs = *controls_for(settings, typical_capabilities);
    start_waiting(vmcs, 0x306a9);
    EXPECT_EQ(vmcs.GUEST_ACTIVITY_STATE, 3U);
    for (const unsigned vector : {0x00u, 0x08u, 0x99u, 0xffu}) {
        start_at_sipi(vmcs, static_cast<u8>(vector), 0x306a9);
        EXPECT_EQ(vmcs.GUEST_CS, (VmcsSegment{static_cast<u16>(vector << 8), 0xffff, 0x9b, u64{vector} << 12}));
        EXPECT_EQ(vmcs.GUEST_RIP, 0U);
        EXPECT_EQ(vmcs.GUEST_ACTIVITY_STATE, 0U);
    }
}

TEST(X86Start, real_mode_image_starts_at_its_address) {
    for (const u64 entry : {u64{0x7c00}, u64{0x10000}, u64{0x9'fff0}, u64{0xf'fff0}}) {
        Vmcs vmcs = *controls_for(settings, typical_capabilities);
        start_in_real_mode(vmcs, Gpa{entry});
        EXPECT_EQ(vmcs.GUEST_CS.base + vmcs.GUEST_RIP, entry);
        EXPECT_EQ(u64{vmcs.GUEST_CS.selector} << 4, vmcs.GUEST_CS.base);
        EXPECT_EQ(Cr0::PE::get(guest_cr0(vmcs)), 0U);
    }
}

TEST(X86Start, protected_mode_is_flat_with_paging_off) {
    Vmcs vmcs = *controls_for(settings, typical_capabilities);
    const Gprs gprs = start_in_protected_mode(vmcs, Gpa{0x10'0000}, 0x2bad'b002, 0x9500);
    EXPECT_EQ(guest_cr0(vmcs), 0x11U);
    EXPECT_EQ(vmcs.GUEST_CR0, 0x31U);
    EXPECT_EQ(vmcs.GUEST_CS, (VmcsSegment{0x8, 0xffff'ffff, 0xc09b, 0}));
    EXPECT_EQ(vmcs.GUEST_SS, (VmcsSegment{0x10, 0xffff'ffff, 0xc093, 0}));
    EXPECT_EQ(gprs[Gpr::RAX], 0x2bad'b002U);
    EXPECT_EQ(gprs[Gpr::RBX], 0x9500U);
    EXPECT_EQ(code_size(vmcs.GUEST_IA32_EFER, vmcs.GUEST_CS.access_rights), CodeSize::Code32);
}

TEST(X86Start, long_mode_agrees_with_its_entry_control) {
    Vmcs vmcs = *controls_for(settings, typical_capabilities);
    const Gprs gprs = start_in_long_mode(vmcs, {Gpa{0x100'0200}, Gpa{0x9000}, Gpa{0x8000}, 0x1f, 0x7000});
    EXPECT_EQ(vmcs.GUEST_CR0, 0x8000'0031U);
    EXPECT_EQ(vmcs.GUEST_CR4, 0x2020U);
    EXPECT_EQ(vmcs.GUEST_IA32_EFER, 0x500U);
    EXPECT_TRUE(EntryControls::Ia32eModeGuest::test(vmcs.VM_ENTRY_CONTROLS));
    EXPECT_EQ(vmcs.GUEST_CR3, 0x9000U);
    EXPECT_EQ(vmcs.GUEST_CS, (VmcsSegment{0x10, 0xffff'ffff, 0xa09b, 0}));
    EXPECT_EQ(vmcs.GUEST_GDTR, (VmcsTable{0x1f, 0x8000}));
    EXPECT_EQ(gprs[Gpr::RSI], 0x7000U);
    EXPECT_EQ(code_size(vmcs.GUEST_IA32_EFER, vmcs.GUEST_CS.access_rights), CodeSize::Code64);
    // An INIT takes it back to real mode.
    start_at_sipi(vmcs, 8, 0);
    EXPECT_FALSE(EntryControls::Ia32eModeGuest::test(vmcs.VM_ENTRY_CONTROLS));
}

}  // namespace
}  // namespace ax::x86
