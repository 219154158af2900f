// Data aborts of accesses that no device completes as they are, and of code that is gone.
#include "tests/vectors/arm64_vector.hpp"

namespace ax::arm64::testing {
namespace {

// clang-format off
constexpr auto odd_access_vectors = std::to_array<TrapVector>({
    // section, what, ESR_EL2, FAR_EL2, HPFAR_EL2, code at ELR, expected
    {section::exclusive, "ldxr w3, [x1]", 0x92000007, 0xffff000000003400, 0x90000, 0x885f7c23,
     "stage2-fault 0x9000400 read; none read fault 0x10 at 0xffff000000003400"},
    {section::exclusive, "stxr w4, w3, [x1]", 0x92000047, 0xffff000000003400, 0x90000, 0x88047c23,
     "stage2-fault 0x9000400 write; none write fault 0x10 at 0xffff000000003400"},
    {section::exclusive, "ldaxp x3, x4, [x1]", 0x92000007, 0xffff000000003400, 0x90000, 0xc87f9023,
     "stage2-fault 0x9000400 read; none read fault 0x10 at 0xffff000000003400"},
    {section::exclusive, "stlxrb w4, w3, [x1]", 0x92000047, 0xffff000000003400, 0x90000, 0x0804fc23,
     "stage2-fault 0x9000400 write; none write fault 0x10 at 0xffff000000003400"},
    {section::atomic, "ldadd w3, w4, [x1]", 0x92000047, 0xffff000000003400, 0x90000, 0xb8230024,
     "stage2-fault 0x9000400 write; none write fault 0x10 at 0xffff000000003400"},
    {section::atomic, "swpal x3, x4, [x1]", 0x92000047, 0xffff000000003400, 0x90000, 0xf8e38024,
     "stage2-fault 0x9000400 write; none write fault 0x10 at 0xffff000000003400"},
    {section::atomic, "ldaprb w3, [x1]", 0x92000007, 0xffff000000003400, 0x90000, 0x38bfc023,
     "stage2-fault 0x9000400 read; none read fault 0x10 at 0xffff000000003400"},
    {section::atomic, "cas w3, w4, [x1]", 0x92000047, 0xffff000000003400, 0x90000, 0x88a37c24,
     "stage2-fault 0x9000400 write; none write fault 0x10 at 0xffff000000003400"},
    {section::atomic, "casp x4, x5, x2, x3, [x1]", 0x92000047, 0xffff000000003400, 0x90000, 0x48247c22,
     "stage2-fault 0x9000400 write; none write fault 0x10 at 0xffff000000003400"},
    {section::structure, "ld1 {v2.16b}, [x1]", 0x92000007, 0xffff000000003400, 0x90000, 0x4c407022,
     "stage2-fault 0x9000400 read; none read fault 0x10 at 0xffff000000003400"},
    {section::structure, "st4 {v2.4s-v5.4s}, [x1], #64", 0x92000047, 0xffff000000003400, 0x90000, 0x4c9f0822,
     "stage2-fault 0x9000400 write; none write fault 0x10 at 0xffff000000003400"},
    {section::structure, "ld1r {v2.8b}, [x1]", 0x92000007, 0xffff000000003400, 0x90000, 0x0d40c022,
     "stage2-fault 0x9000400 read; none read fault 0x10 at 0xffff000000003400"},
    {section::prefetch, "prfm pldl1keep, [x1]", 0x92000007, 0xffff000000003400, 0x90000, 0xf9800020,
     "stage2-fault 0x9000400 read; none read fault 0x10 at 0xffff000000003400"},
    {section::prefetch, "prfum pldl1keep, [x1]", 0x92000007, 0xffff000000003400, 0x90000, 0xf8800020,
     "stage2-fault 0x9000400 read; none read fault 0x10 at 0xffff000000003400"},
    {section::zeroing, "dc zva, x1", 0x92000047, 0xffff000000003400, 0x90000, 0xd50b7421,
     "stage2-fault 0x9000400 write; none write fault 0x10 at 0xffff000000003400"},
    {section::pair, "stgp x3, x4, [x1]", 0x92000047, 0xffff000000003400, 0x90000, 0x69001023,
     "stage2-fault 0x9000400 write; none write fault 0x10 at 0xffff000000003400"},
    {section::data_abort, "code cannot be fetched any more", 0x92000007, 0xffff000000003400, 0x90000, unreadable,
     "arch-call 0x92000007 told 0xffff000000001000; none"},
    {section::data_abort, "no memory access stands there now", 0x92000007, 0xffff000000003400, 0x90000, 0x91000421,
     "arch-call 0x92000007 told 0xffff000000001000; none"},
    {section::data_abort, "a store stands there now", 0x92000007, 0xffff000000003400, 0x90000, 0xf8008423,
     "arch-call 0x92000007 told 0xffff000000001000; none"},
    {section::data_abort, "a load stands there now", 0x92000047, 0xffff000000003400, 0x90000, 0xa9401023,
     "arch-call 0x92000047 told 0xffff000000001000; none"},
    {section::literal, "ldr w3, literal", 0x92000007, 0xffff000000003008, 0x90000, 0x18010043,
     "mmio-read 0x9000008 size 4; load x3.0:4@0x9000008 +4 read fault 0x10 at 0xffff000000003008"},
    {section::literal, "ldr x3, literal", 0x92000007, 0xffff000000003008, 0x90000, 0x58010043,
     "mmio-read 0x9000008 size 8; load x3.0:8@0x9000008 +4 read fault 0x10 at 0xffff000000003008"},
    {section::literal, "ldrsw x3, literal", 0x92000007, 0xffff000000003008, 0x90000, 0x98010043,
     "mmio-read 0x9000008 size 4; load x3.0:4@0x9000008 signed 64 +4 read fault 0x10 at 0xffff000000003008"},
    {section::literal, "ldr q3, literal", 0x92000007, 0xffff000000003008, 0x90000, 0x9c010043,
     "mmio-read 0x9000008 size 8; load v3.0:8@0x9000008 v3.8:8@0x9000010 +4 read fault 0x10 at 0xffff000000003008"},
    {section::prefetch, "prfm literal", 0x92000007, 0xffff000000003008, 0x90000, 0xd8010040,
     "stage2-fault 0x9000008 read; none read fault 0x10 at 0xffff000000003008"},
    {section::tagging, "FAR holds a tag", 0x92000047, 0x5aff000000003400, 0x90000, 0xf8008423,
     "mmio-write 0x9000400 size 8 value 0x8877665544332203; store x3.0:8@0x9000400 x1=0xffff000000003408 +4 write fault 0x10 at 0x5aff000000003400"},
    {section::pair, "second register faulted", 0x92000007, 0xffff000000003408, 0x90000, 0xa9401023,
     "stage2-fault 0x9000408 read; none read fault 0x10 at 0xffff000000003408"},
    {section::data_abort, "second page of a crossing store faulted, no syndrome", 0x92000047, 0xffff000000004000, 0xa0000, 0xf81fcc23,
     "stage2-fault 0xa000000 write; none write fault 0x10 at 0xffff000000004000"},
});
// clang-format on

TEST(Arm64Vectors, accesses_that_no_device_completes) { check_vectors(odd_access_vectors); }

}  // namespace
}  // namespace ax::arm64::testing
