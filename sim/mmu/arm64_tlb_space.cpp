#include "sim/mmu/arm64_tlb_space.hpp"

#include <algorithm>
#include <bit>

namespace ax::sim::arm64 {

void TlbSpace::add(u64 page, TlbOwner owner, const VmsaTranslation& translation) {
    if (size_ >= heads_[ByPage].size()) grow();
    if (index(owner) >= heads_[ByOwner].size()) heads_[ByOwner].resize(2 * std::size_t{index(owner)});
    u32 n = free_;
    if (n != none) {
        free_ = nodes_[n].links[ByPage].next;
    } else {
        n = static_cast<u32>(nodes_.size());
        nodes_.emplace_back();
    }
    nodes_[n].page = page;
    nodes_[n].owner = owner;
    nodes_[n].translation = translation;
    for (const Kind kind : {ByPage, ByBlock, ByOwner}) link(n, kind);
    shifts_ |= bit(translation.stage1_shift);
    ++size_;
}

template <class Predicate>
void TlbSpace::drop_block(u64 page, unsigned shift, Predicate matches) {
    const u64 block = block_of(page, shift);
    u32 n = first(ByBlock, block_hash(block, shift) & (heads_[ByBlock].size() - 1));
    while (n != none) {
        const Node& node = nodes_[n];
        const u32 next = node.links[ByBlock].next;
        if (node.translation.stage1_shift == shift && block_of(node.page, shift) == block && matches(node)) remove(n);
        n = next;
    }
}

void TlbSpace::drop_covering(u64 page, TlbOwner owner) {
    drop(page, owner);
    for (u64 shifts = shifts_ & ~bit(page_shift); shifts != 0; shifts &= shifts - 1)
        drop_block(page, static_cast<unsigned>(std::countr_zero(shifts)),
                   [owner](const Node& node) { return node.owner == owner; });
}

void TlbSpace::drop_covering(u64 page) {
    for (u64 shifts = shifts_; shifts != 0; shifts &= shifts - 1)
        drop_block(page, static_cast<unsigned>(std::countr_zero(shifts)), [](const Node&) { return true; });
}

void TlbSpace::drop_owner(TlbOwner owner) {
    if (index(owner) >= heads_[ByOwner].size()) return;
    for (u32 n = first(ByOwner, index(owner)); n != none; n = first(ByOwner, index(owner))) remove(n);
}

void TlbSpace::clear() {
    ++generation_;
    nodes_.clear();
    free_ = none;
    size_ = 0;
    shifts_ = 0;
}

void TlbSpace::link(u32 n, Kind kind) {
    const std::size_t slot = slot_of(nodes_[n], kind);
    const u32 next = first(kind, slot);
    nodes_[n].links[kind] = {next, none};
    if (next != none) nodes_[next].links[kind].previous = n;
    heads_[kind][slot] = {n, generation_};
}

void TlbSpace::unlink(u32 n, Kind kind) {
    const Link link = nodes_[n].links[kind];
    if (link.next != none) nodes_[link.next].links[kind].previous = link.previous;
    if (link.previous != none)
        nodes_[link.previous].links[kind].next = link.next;
    else
        heads_[kind][slot_of(nodes_[n], kind)].first = link.next;
}

void TlbSpace::remove(u32 n) {
    for (const Kind kind : {ByPage, ByBlock, ByOwner}) unlink(n, kind);
    nodes_[n].links[ByPage].next = free_;
    free_ = n;
    --size_;
}

/// Called when all nodes are in use, so each is linked anew.
void TlbSpace::grow() {
    for (const Kind kind : {ByPage, ByBlock}) {
        heads_[kind].assign(2 * heads_[kind].size(), Head{});
        for (u32 n = 0; n < nodes_.size(); ++n) link(n, kind);
    }
}

}  // namespace ax::sim::arm64
