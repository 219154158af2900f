// Register and table-entry fields that the simulated x86 MMU reads: 32-bit, PAE and 4-level paging, EPT.
// Source of each: Intel SDM vol. 3, "Control Registers", the entry tables of the chapter "Paging", and
// "The Extended Page Table Mechanism (EPT)".
#pragma once

#include "core/base/bits.hpp"

namespace ax::sim::x86::paging {

struct Cr0 {
    using PE = Bits<0>;
    using WP = Bits<16>;
    using PG = Bits<31>;
};

struct Cr3 {
    using Directory32 = Bits<31, 12>;  ///< 32-bit paging
    using Pdpt = Bits<31, 5>;          ///< PAE paging: 32-byte aligned
    using Pml4 = Bits<51, 12>;         ///< 4-level paging
};

struct Cr4 {
    using PSE = Bits<4>;
    using PAE = Bits<5>;
    using PGE = Bits<7>;
    using LA57 = Bits<12>;
    using PCIDE = Bits<17>;
    using SMEP = Bits<20>;
    using SMAP = Bits<21>;
};

/// IA32_EFER.
struct Efer {
    using LMA = Bits<10>;
    using NXE = Bits<11>;
};

/// Entries of all guest paging structures; 32-bit paging has the low half.
struct Entry {
    using P = Bits<0>;
    using RW = Bits<1>;
    using US = Bits<2>;
    using A = Bits<5>;
    using D = Bits<6>;   ///< leaves only
    using PS = Bits<7>;  ///< PAT in a page-table entry
    using G = Bits<8>;   ///< leaves only
    using Address = Bits<51, 12>;
    using High4M = Bits<20, 13>;  ///< a 4 MiB page's address bits 39:32 (PSE-36)
    using Reserved4M = Bits<21>;
    using ReservedPae = Bits<62, 52>;  ///< ignored in 4-level paging
    using XD = Bits<63>;
};

/// PDPTE registers of PAE paging: "Use of CR3 with PAE Paging".
struct Pdpte {
    using P = Bits<0>;
    using Reserved = Bits<2, 1>;
    using Reserved2 = Bits<8, 5>;
};

/// The error code of #PF: "Page-Fault Exceptions".
struct PageFaultCode {
    using P = Bits<0>;
    using WR = Bits<1>;
    using US = Bits<2>;
    using RSVD = Bits<3>;
    using ID = Bits<4>;
};

/// The EPT pointer: "Extended-Page-Table Pointer (EPTP)".
struct Eptp {
    using MemoryType = Bits<2, 0>;
    using WalkLength = Bits<5, 3>;  ///< one less than the levels
    using AD = Bits<6>;
    using Pml4 = Bits<51, 12>;
};

/// Entries of EPT paging structures.
struct EptEntry {
    using R = Bits<0>;
    using W = Bits<1>;
    using X = Bits<2>;
    using RWX = Bits<2, 0>;
    using MemoryType = Bits<5, 3>;  ///< leaves
    using TableReserved = Bits<6, 3>;
    using Leaf = Bits<7>;  ///< ignored in a page-table entry
    using A = Bits<8>;
    using D = Bits<9>;
    using Address = Bits<51, 12>;
};

/// Exit qualification of an EPT violation: SDM vol. 3, "Exit Qualification for EPT Violations".
struct EptQualification {
    using DataRead = Bits<0>;
    using DataWrite = Bits<1>;
    using Fetch = Bits<2>;
    using Readable = Bits<3>;
    using Writable = Bits<4>;
    using Executable = Bits<5>;
    using LinearValid = Bits<7>;    ///< the guest linear-address field is valid
    using IsFinalAccess = Bits<8>;  ///< not an access to a guest paging structure
};

static_assert(Entry::Address::mask == 0x000f'ffff'ffff'f000);
static_assert(Cr3::Pdpt::mask == 0xffff'ffe0);

}  // namespace ax::sim::x86::paging
