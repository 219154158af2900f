// Two exceptions in a row, and the words of events.
#include "sim/trap/x86/event.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/trap/x86/vmcs_samples.hpp"

namespace ax::sim::x86 {
namespace {

using namespace test;

/// Intel SDM vol. 3, "Conditions for Generating a Double Fault": rows first, columns second, B benign, C contributory, P page
/// fault, D double fault. S: handled serially, F: #DF, X: shutdown.
constexpr const char* table[] = {"SSS", "SFS", "SFF", "SXX"};
constexpr Vector firsts[4][3] = {{Vector::DB, Vector::UD, Vector::MC},
                                 {Vector::DE, Vector::TS, Vector::GP},
                                 {Vector::PF, Vector::VE, Vector::PF},
                                 {Vector::DF, Vector::DF, Vector::DF}};

TEST(X86Event, double_fault_table) {
    for (std::size_t row = 0; row < 4; ++row)
        for (std::size_t column = 0; column < 3; ++column)
            for (const Vector a : firsts[row])
                for (const Vector b : firsts[column]) {
                    const Event second = exception(b, 0x10);
                    const auto result = combine(exception(a, 0x20), second);
                    const char expected = table[row][column];
                    const auto what = [&] { return testing::Message() << int{index(a)} << ' ' << int{index(b)}; };
                    if (expected == 'X') {
                        EXPECT_FALSE(result) << what();
                        continue;
                    }
                    ASSERT_TRUE(result) << what();
                    EXPECT_EQ(*result, expected == 'S' ? second : exception(Vector::DF)) << what();
                }
}

TEST(X86Event, interrupts_are_benign) {
    for (const EventType type :
         {EventType::ExternalInterrupt, EventType::Nmi, EventType::SoftwareInterrupt, EventType::SoftwareException}) {
        const Event first{.type = type, .vector = 13};
        EXPECT_EQ(combine(first, exception(Vector::GP, 1)), exception(Vector::GP, 1));
        EXPECT_EQ(combine(first, exception(Vector::PF, 1)), exception(Vector::PF, 1));
    }
}

/// Error codes: "Exception and Interrupt Vectors", column of the table.
TEST(X86Event, error_codes_by_vector) {
    for (unsigned n = 0; n < 32; ++n) {
        const bool expected = n == 8 || (n >= 10 && n <= 14) || n == 17 || n == 21;
        EXPECT_EQ(exception(Vector{static_cast<u8>(n)}, 5).has_error_code, expected) << n;
    }
    EXPECT_EQ(exception(Vector::GP, 5).word(), 0x8000'0b0dU);
    EXPECT_EQ((Event{.type = EventType::SoftwareInterrupt, .vector = 0x80}).word(), 0x8000'0480U);
}

TEST(X86Event, injected_events) {
    Vmcs v = long_mode();
    EXPECT_FALSE(injected_event(v));
    v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 14, true);
    v.VM_ENTRY_EXCEPTION_ERROR_CODE = 7;
    v.VM_ENTRY_INSTRUCTION_LENGTH = 3;
    EXPECT_EQ(injected_event(v)->error_code, 7U);
    EXPECT_EQ(injected_event(v)->instruction_length, 0);
    EXPECT_TRUE(injected_event(v)->keeps_rf);
    v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::SoftwareInterrupt, 0x80);
    EXPECT_EQ(injected_event(v)->instruction_length, 3);
    EXPECT_EQ(injected_event(v)->error_code, 0U);
}

TEST(X86Event, payloads) {
    CpuState cpu;
    apply_payload(cpu, exception(Vector::PF, 0, 0x1234));
    EXPECT_EQ(cpu.cr2, 0x1234U);
    cpu.dr6 = Dr6::at_reset | 0xf | Dr6::BS::mask;
    cpu.dr7 = Dr7::GD::mask | 0x400;
    cpu.debugctl = 0x203;
    apply_payload(cpu, exception(Vector::DB, 0, Dr6::BD::mask | 1));
    EXPECT_EQ(cpu.dr6, 0xffff'0ff1 | Dr6::BS::mask | Dr6::BD::mask) << "sticky but for B3 to B0";
    EXPECT_EQ(cpu.dr7, 0x400U);
    EXPECT_EQ(cpu.debugctl, 0x200U);
    EXPECT_EQ(cpu.cr2, 0x1234U);
}

}  // namespace
}  // namespace ax::sim::x86
