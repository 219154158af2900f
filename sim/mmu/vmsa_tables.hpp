// The part of a table walk that both stages share: which entry, what kind of descriptor, how far.
#pragma once

#include <expected>

#include "sim/mmu/vmsa.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim::arm64 {

/// Geometry of one stage's tables: "Translation granules" and "Address translation stages".
struct TableShape {
    unsigned granule_shift = 12;  ///< 12, 14 or 16
    unsigned input_bits = 48;
    unsigned output_bits = 48;
    int first_level = 0;
    u8 stage = 1;

    [[nodiscard]] constexpr unsigned stride() const { return granule_shift - 3; }
    /// log2 of what one entry of a level covers.
    [[nodiscard]] constexpr unsigned shift_at(int level) const {
        return granule_shift + static_cast<unsigned>(3 - level) * stride();
    }
    /// log2 of the entries in the first table, which may be shorter or, in stage 2, longer than a granule.
    [[nodiscard]] constexpr int root_index_bits() const {
        return static_cast<int>(input_bits) - static_cast<int>(shift_at(first_level));
    }
    /// Blocks are legal from here down; without FEAT_LPA.
    [[nodiscard]] constexpr int first_block_level() const { return granule_shift == 12 ? 1 : 2; }
    [[nodiscard]] constexpr bool fits_output(u64 address) const { return (address >> output_bits) == 0; }
    [[nodiscard]] constexpr VmsaFault fault(VmsaFaultKind kind, int level) const {
        return {stage, kind, static_cast<u8>(level), false, {}};
    }
};
static_assert(TableShape{.granule_shift = 12, .input_bits = 40, .first_level = 1}.root_index_bits() == 10);
static_assert(TableShape{.granule_shift = 16, .input_bits = 48, .first_level = 1}.shift_at(2) == 29);

/// The block or page descriptor that a walk found.
struct Leaf {
    u64 descriptor = 0;
    u64 output = 0;  ///< the translated address, with the offset
    int level = 3;
    bool no_el0 = false, no_write = false;                ///< by APTable of some table on the way
    bool el0_no_execute = false, el1_no_execute = false;  ///< by UXNTable, PXNTable
};

/// Walks from the table that `ttbr` names (its bits 47:0) for `input`, which is in range. `load` takes the address
/// of a descriptor and its level and yields the descriptor or a fault.
template <class Load>
[[nodiscard]] std::expected<Leaf, VmsaFault> descend(const TableShape& shape, u64 ttbr, u64 input, Load load) {
    using vmsa::Descriptor;
    using Table = vmsa::Stage1Table;
    u64 table = Descriptor::Address::get(ttbr);
    if (!shape.fits_output(table)) return std::unexpected(shape.fault(VmsaFaultKind::AddressSize, 0));
    table = align_down(table, u64{8} << shape.root_index_bits());
    Leaf leaf;
    u64 rest = input & (bit(shape.input_bits) - 1);
    for (leaf.level = shape.first_level;; ++leaf.level) {
        const u64 span = bit(shape.shift_at(leaf.level));
        const std::expected<u64, VmsaFault> loaded = load(table + 8 * (rest / span), leaf.level);
        if (!loaded) return std::unexpected(loaded.error());
        const u64 descriptor = *loaded;
        rest %= span;
        const bool is_table = leaf.level < 3 && Descriptor::Table::test(descriptor);
        const bool is_leaf =
            leaf.level == 3 ? Descriptor::Table::test(descriptor) : !is_table && leaf.level >= shape.first_block_level();
        if (!Descriptor::Valid::test(descriptor) || (!is_table && !is_leaf))
            return std::unexpected(shape.fault(VmsaFaultKind::Translation, leaf.level));
        const u64 alignment = is_table ? bit(shape.granule_shift) : span;
        const u64 address = align_down(Descriptor::Address::get(descriptor), alignment);
        if (!shape.fits_output(address)) return std::unexpected(shape.fault(VmsaFaultKind::AddressSize, leaf.level));
        if (is_leaf) {
            if (!Descriptor::AF::test(descriptor)) return std::unexpected(shape.fault(VmsaFaultKind::AccessFlag, leaf.level));
            leaf.descriptor = descriptor;
            leaf.output = address | rest;
            return leaf;
        }
        table = address;
        leaf.no_el0 |= Table::APTable0::test(descriptor);
        leaf.no_write |= Table::APTable1::test(descriptor);
        leaf.el0_no_execute |= Table::UXNTable::test(descriptor);
        leaf.el1_no_execute |= Table::PXNTable::test(descriptor);
    }
}

/// The descriptor at `at`, or `otherwise` when that is not RAM.
[[nodiscard]] std::expected<u64, VmsaFault> load_descriptor(const PhysMemory& memory, Hpa at, bool is_big_endian,
                                                            VmsaFault otherwise);

}  // namespace ax::sim::arm64
