// Memory of one VM's second-stage tables: pages of host memory up to a limit.
#pragma once

#include <concepts>
#include <optional>

#include "core/base/fields.hpp"
#include "core/mm/frames.hpp"

namespace ax::mm {

/// Where tables live. `allocate_table` gives zeroed pages aligned to their total size (a power of two),
/// or nothing; `read` and `write` touch aligned entries of tables that it gave.
template <class M>
concept TableStore = requires(M& memory, Hpa address, u64 entry, unsigned pages) {
    { memory.read(address) } -> std::same_as<u64>;
    { memory.write(address, entry) } -> std::same_as<void>;
    { memory.allocate_table(pages) } -> std::same_as<std::optional<Hpa>>;
    { memory.free_table(address, pages) } -> std::same_as<void>;
};

/// Tables from the host's frames, never more than `max_pages` of 4 KiB at a time, so that a guest that
/// touches memory everywhere cannot use up the host.
class TableMemory {
public:
    TableMemory(Frames& frames, u64 max_pages) : frames_(&frames), max_pages_(max_pages) {}

    [[nodiscard]] u64 read(Hpa entry);
    void write(Hpa entry, u64 value);
    [[nodiscard]] std::optional<Hpa> allocate_table(unsigned pages);
    void free_table(Hpa table, unsigned pages);

    [[nodiscard]] u64 used_pages() const { return used_pages_; }
    [[nodiscard]] u64 max_pages() const { return max_pages_; }

    void fields(FieldVisitor& v) { field(v, "used_pages", used_pages_); }

private:
    Frames* frames_;
    u64 max_pages_;
    u64 used_pages_ = 0;
};

static_assert(TableStore<TableMemory>);

}  // namespace ax::mm
