// Table memory for Stage2 tests: finds stray accesses and leaks, and fails on demand.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/mm/table_pool.hpp"

namespace ax::mm::test {

class FakeTables {
public:
    using Page = std::array<u64, 512>;
    static constexpr u64 base = 0x1'0000'0000;

    u64 read(Hpa entry) { return at(entry); }
    void write(Hpa entry, u64 value) {
        at(entry) = value;
        if (is_logging) log.emplace_back(entry, value);
    }
    std::optional<Hpa> allocate_table(unsigned pages) {
        if (allocations_left == 0) return std::nullopt;
        if (allocations_left != unlimited) --allocations_left;
        u64 first = 0;
        while (!is_free(first, pages)) first += pages;
        if (pages_.size() < first + pages) pages_.resize(first + pages);
        for (u64 i = first; i < first + pages; ++i) pages_[i] = Page{};
        used += pages;
        return Hpa{base + first * page_size};
    }
    void free_table(Hpa table, unsigned pages) {
        for (u64 i = 0; i < pages; ++i) {
            const u64 number = (table.value() - base) / page_size + i;
            if (number >= pages_.size() || !pages_[number]) {
                ADD_FAILURE() << "freed a table that is not allocated: " << std::hex << table.value();
                return;
            }
            pages_[number].reset();
        }
        used -= pages;
        while (!pages_.empty() && !pages_.back()) pages_.pop_back();
    }

    static constexpr u64 unlimited = ~u64{0};
    u64 allocations_left = unlimited;
    u64 used = 0;
    bool is_logging = false;
    std::vector<std::pair<Hpa, u64>> log;

    using Contents = std::vector<std::optional<Page>>;
    [[nodiscard]] const Contents& contents() const { return pages_; }

private:
    u64& at(Hpa entry) {
        static u64 stray = 0;
        const u64 offset = entry.value() - base;
        const u64 number = offset / page_size;
        if (entry.value() < base || number >= pages_.size() || !pages_[number] || offset % 8 != 0) {
            ADD_FAILURE() << "touched what is no table: " << std::hex << entry.value();
            return stray;
        }
        return (*pages_[number])[offset % page_size / 8];
    }
    bool is_free(u64 first, u64 count) const {
        for (u64 i = first; i < first + count && i < pages_.size(); ++i) {
            if (pages_[i]) return false;
        }
        return true;
    }

    Contents pages_;
};

static_assert(TableStore<FakeTables>);

}  // namespace ax::mm::test
