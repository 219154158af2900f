// Tables taken before a change begins, so that the change itself cannot run out of memory half-way.
#pragma once

#include "core/base/expect.hpp"
#include "core/mm/table_pool.hpp"

namespace ax::mm {

/// Reserved tables form a list through their own first entries, so their number needs no bound. What
/// is left goes back when the reserve dies.
template <TableStore Memory>
class TableReserve {
public:
    explicit TableReserve(Memory& memory) : memory_(&memory) {}
    TableReserve(const TableReserve&) = delete;
    TableReserve& operator=(const TableReserve&) = delete;
    ~TableReserve() {
        while (count_ > 0) memory_->free_table(take(), 1);
    }

    /// Takes `count` more tables; false when there are not as many, and then the change must not begin.
    [[nodiscard]] bool fill(u64 count) {
        for (; count > 0; --count) {
            const std::optional<Hpa> table = memory_->allocate_table(1);
            if (!table) return false;
            memory_->write(*table, next_.value());
            next_ = *table;
            ++count_;
        }
        return true;
    }

    /// A zeroed table that now belongs to the caller.
    [[nodiscard]] Hpa take() {
        expect(count_ > 0, "the tables of a change were counted before it began");
        const Hpa table = next_;
        next_ = Hpa{memory_->read(table)};
        memory_->write(table, 0);
        --count_;
        return table;
    }

private:
    Memory* memory_;
    Hpa next_;
    u64 count_ = 0;
};

}  // namespace ax::mm
