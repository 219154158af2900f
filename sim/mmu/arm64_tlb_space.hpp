// The translations of one VMID, found by page and owner, dropped by page, block, owner or all at once.
#pragma once

#include <array>
#include <vector>

#include "sim/mmu/vmsa.hpp"

namespace ax::sim::arm64 {

/// Whose a translation is: made with stage 1 off, everybody's (nG clear), or one ASID's.
enum class TlbOwner : u32 { Flat = 0, Global = 1, FirstAsid = 2 };
[[nodiscard]] constexpr TlbOwner owner_of(u16 asid) { return TlbOwner{index(TlbOwner::FirstAsid) + asid}; }

/// Pages are numbers of 4 KiB pages. Finding, adding and dropping a page take constant time; dropping an
/// owner or a block takes as long as it has entries; dropping everything takes constant time.
class TlbSpace {
public:
    [[nodiscard]] const VmsaTranslation* find(u64 page, TlbOwner owner) const {
        const u32 n = node_of(page, owner);
        return n == none ? nullptr : &nodes_[n].translation;
    }
    /// There is no entry for `page` and `owner`: whoever adds has dropped it.
    void add(u64 page, TlbOwner owner, const VmsaTranslation& translation);
    /// The entry of exactly this page and owner, if there is one.
    void drop(u64 page, TlbOwner owner) {
        if (const u32 n = node_of(page, owner); n != none) remove(n);
    }
    /// Every page of `owner` that came from the stage 1 descriptor which covers `page`.
    void drop_covering(u64 page, TlbOwner owner);
    /// The same for all owners.
    void drop_covering(u64 page);
    void drop_owner(TlbOwner owner);
    void clear();

    [[nodiscard]] std::size_t size() const { return size_; }

private:
    static constexpr u32 none = ~u32{0};
    /// Every node is in one chain of each kind.
    enum Kind : u8 { ByPage, ByBlock, ByOwner };
    static constexpr std::size_t kinds = 3;
    struct Link {
        u32 next = none, previous = none;
    };
    struct Node {
        u64 page = 0;
        TlbOwner owner = TlbOwner::Flat;
        std::array<Link, kinds> links;
        VmsaTranslation translation;
    };
    /// A chain; one of an older generation is empty.
    struct Head {
        u32 first = none;
        u32 generation = 0;
    };

    [[nodiscard]] static u64 mix(u64 word) { return (word * 0x9e37'79b9'7f4a'7c15) >> 32; }
    [[nodiscard]] static u64 page_hash(u64 page, TlbOwner owner) { return mix(page ^ mix(index(owner) + u64{1})); }
    [[nodiscard]] static u64 block_of(u64 page, unsigned shift) { return page >> (shift - page_shift); }
    /// Blocks and pages never share a chain: a page that many ASIDs have would slow down every look for a block.
    [[nodiscard]] static u64 block_hash(u64 block, unsigned shift) {
        return 2 * mix(block * 64 + shift) + (shift == page_shift ? 0 : 1);
    }
    [[nodiscard]] std::size_t slot_of(const Node& node, Kind kind) const {
        if (kind == ByOwner) return index(node.owner);
        const unsigned shift = node.translation.stage1_shift;
        const u64 hash = kind == ByPage ? page_hash(node.page, node.owner) : block_hash(block_of(node.page, shift), shift);
        return hash & (heads_[kind].size() - 1);
    }
    [[nodiscard]] u32 first(Kind kind, std::size_t slot) const {
        const Head& head = heads_[kind][slot];
        return head.generation == generation_ ? head.first : none;
    }
    [[nodiscard]] u32 node_of(u64 page, TlbOwner owner) const {
        u32 n = first(ByPage, page_hash(page, owner) & (heads_[ByPage].size() - 1));
        while (n != none && (nodes_[n].page != page || nodes_[n].owner != owner)) n = nodes_[n].links[ByPage].next;
        return n;
    }
    void link(u32 n, Kind kind);
    void unlink(u32 n, Kind kind);
    void remove(u32 n);
    void grow();
    template <class Predicate>
    void drop_block(u64 page, unsigned shift, Predicate matches);

    static constexpr std::size_t initial_slots = 1024;
    std::array<std::vector<Head>, kinds> heads_{std::vector<Head>(initial_slots), std::vector<Head>(initial_slots),
                                                std::vector<Head>(initial_slots)};
    std::vector<Node> nodes_;
    u32 generation_ = 1;
    u32 free_ = none;  ///< removed nodes, chained by their ByPage links
    std::size_t size_ = 0;
    u64 shifts_ = 0;  ///< bit n: there has been an entry of a descriptor that covers 2^n bytes
};

}  // namespace ax::sim::arm64
