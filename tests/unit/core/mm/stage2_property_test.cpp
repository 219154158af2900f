// Random operations on Stage2 against a naive model, with every table allocation failing in turn.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/mm/stage2.hpp"
#include "core/mm/sv39x4.hpp"
#include "core/mm/vmsav8_s2.hpp"
#include "tests/unit/core/mm/random.hpp"
#include "tests/unit/core/mm/raw_walk.hpp"
#include "tests/unit/core/mm/test_formats.hpp"

namespace ax::mm::test {
namespace {

constexpr u64 kib4 = 0x1000;
constexpr u64 mib2 = 0x20'0000;
constexpr u64 gib1 = 0x4000'0000;

/// Operations begin and end at these addresses only, so one model cell per gap between two suffices.
std::vector<u64> edges_of(u64 limit) {
    std::vector<u64> edges = {0,           kib4, 2 * kib4,    mib2 - kib4, mib2,     mib2 + kib4,     2 * mib2, gib1 - mib2,
                              gib1 - kib4, gib1, gib1 + kib4, gib1 + mib2, 2 * gib1, 3 * gib1 - kib4, 3 * gib1};
    for (const u64 distance : {gib1, mib2 + kib4, mib2, kib4, u64{0}}) edges.push_back(limit - distance);
    return edges;
}

struct Cell {
    u64 hpa = 0;
    Permissions permissions;
};

template <class Format>
class Stage2Property : public testing::Test {
protected:
    using Space = Stage2<Format, FakeTables>;
    static constexpr bool is_sv39x4 = std::same_as<Format, Sv39x4>;

    struct Op {
        enum Kind : u8 { Map, Unmap, Protect } kind = Map;
        std::size_t first = 0, last = 0;  ///< cells first to last - 1
        u64 hpa = 0;
        Permissions permissions;
    };

    std::expected<TlbDuty, MapError> apply(const Op& op) {
        const Gpa gpa{edges[op.first]};
        const u64 size = edges[op.last] - edges[op.first];
        switch (op.kind) {
            case Op::Map: return space.map(gpa, Hpa{op.hpa}, size, op.permissions);
            case Op::Unmap: return space.unmap(gpa, size);
            case Op::Protect: return space.protect(gpa, size, op.permissions);
        }
        return std::unexpected(MapError::Unencodable);
    }

    /// What must come out, with memory enough.
    std::optional<MapError> model_error(const Op& op) const {
        for (std::size_t i = op.first; i < op.last; ++i) {
            if (op.kind == Op::Map && cells[i]) return MapError::AlreadyMapped;
            if (op.kind != Op::Map && !cells[i]) return MapError::NotMapped;
        }
        return std::nullopt;
    }
    void model_apply(const Op& op) {
        for (std::size_t i = op.first; i < op.last; ++i) {
            switch (op.kind) {
                case Op::Map: cells[i] = Cell{op.hpa + (edges[i] - edges[op.first]), op.permissions}; break;
                case Op::Unmap: cells[i].reset(); break;
                case Op::Protect: cells[i]->permissions = op.permissions; break;
            }
        }
    }

    Op random_op() {
        Op op;
        op.first = random.below(cells.size());
        op.last = op.first + 1 + random.below(std::min<u64>(cells.size() - op.first, random.one_in(8) ? 20 : 3));
        // Only a format with large leaves in a small space can map its middle in a short time.
        while (!is_sv39x4 && edges[op.last] - edges[op.first] > 4 * gib1) {
            if (--op.last == op.first) --op.first;
        }
        const bool is_mapped = cells[op.first].has_value();
        op.kind = is_mapped ? (random.one_in(2) ? Op::Unmap : Op::Protect) : Op::Map;
        if (random.one_in(16)) op.kind = static_cast<Op::Kind>(random.below(3));
        // A host address that is less aligned than the range makes small leaves: only for small ranges.
        const u64 size = edges[op.last] - edges[op.first];
        u64 step = size > 4 * gib1 ? gib1 : size > 4 * mib2 ? mib2 : kib4;
        if (random.one_in(2)) step = std::max(step, random.one_in(2) ? mib2 : gib1);
        op.hpa = (edges[op.first] + step * random.below(64)) % (u64{1} << 46);
        constexpr std::array rights = {Permissions::rwx(), Permissions{true, true, false, false},
                                       Permissions{true, false, true, false}, Permissions{true, false, false, false},
                                       Permissions{true, true, false, !is_sv39x4}};
        op.permissions = rights[random.below(rights.size())];
        return op;
    }

    void expect_equals_model() {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            for (const u64 gpa : {edges[i], edges[i + 1] - 1}) {
                const std::optional<Translation> found = space.translate(Gpa{gpa});
                ASSERT_EQ(found.has_value(), cells[i].has_value()) << std::hex << gpa;
                if (!found) continue;
                ASSERT_EQ(found->hpa.value(), cells[i]->hpa + (gpa - edges[i])) << std::hex << gpa;
                ASSERT_EQ(found->permissions, cells[i]->permissions) << std::hex << gpa;
                if constexpr (is_sv39x4) expect_raw_agrees(gpa, *found);
            }
        }
    }
    void expect_raw_agrees(u64 gpa, const Translation& found) {
        const RawWalk raw = raw_walk(tables, space.root().value(), gpa);
        ASSERT_TRUE(raw.is_mapped);
        ASSERT_EQ(raw.hpa, found.hpa.value());
        const Permissions p = found.permissions;
        ASSERT_EQ(raw.flags, 0x51U | (p.read ? 2U : 0U) | (p.write ? 0x84U : 0U) | (p.execute ? 8U : 0U));
        ASSERT_EQ(raw.leaf_size - gpa % raw.leaf_size, found.size);
    }

    /// Tries an operation with 0, 1, 2, … table allocations until it has enough.
    std::expected<TlbDuty, MapError> apply_starved(const Op& op) {
        const FakeTables::Contents before = tables.contents();
        const u64 used = tables.used;
        for (u64 allowed = 0;; ++allowed) {
            tables.allocations_left = allowed;
            const auto result = apply(op);
            tables.allocations_left = FakeTables::unlimited;
            if (result && op.kind == Op::Map) {
                EXPECT_EQ(tables.used, used + allowed) << "it asked for more than it used";
            }
            if (result || result.error() != MapError::NoTableMemory) return result;
            EXPECT_EQ(tables.used, used) << "a failed operation kept tables";
            EXPECT_TRUE(tables.contents() == before) << "a failed operation changed entries";
            if (this->HasFailure()) return result;
        }
    }

    /// What hardware may remember of a walk, whatever happens to the tables.
    struct Cached {
        std::optional<Leaf> leaf;
        std::vector<u64> tables;
    };
    void fill_tlb() {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (!tlb[i] && random.one_in(2)) tlb[i] = look_up(edges[i]);
        }
    }
    Cached look_up(u64 gpa) {
        Cached cached{space.walk(Gpa{gpa}), {}};
        if constexpr (is_sv39x4) cached.tables = raw_walk(tables, space.root().value(), gpa).tables;
        return cached;
    }
    /// After the duty is done, what is still cached must be what the tables say.
    void flush_and_check_tlb(const TlbDuty& duty) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (!tlb[i]) continue;
            const GpaRange covered = tlb[i]->leaf ? GpaRange{tlb[i]->leaf->gpa, tlb[i]->leaf->size} : GpaRange{Gpa{edges[i]}, 1};
            const bool forgets_invalid = !tlb[i]->leaf && !Format{}.caches_invalid_entries();
            if (duty.scope == TlbScope::All || forgets_invalid) {
                tlb[i].reset();
                continue;
            }
            const Cached now = look_up(edges[i]);
            const std::vector<u64>& old = tlb[i]->tables;
            ASSERT_LE(old.size(), now.tables.size());
            ASSERT_TRUE(std::equal(old.begin(), old.end(), now.tables.begin())) << "a stale table pointer is still cached";
            if (!tlb[i]->leaf) {
                ASSERT_EQ(old.size(), now.tables.size()) << "a stale missing table is still cached";
            }
            if (duty.scope == TlbScope::Leaves && duty.range.overlaps(covered)) {
                tlb[i].reset();
                continue;
            }
            ASSERT_EQ(tlb[i]->leaf, now.leaf) << "a stale leaf is still cached";
        }
    }

    void run(u64 operations) {
        u64 done = 0;
        u64 starved = 0;
        for (u64 n = 0; n < operations; ++n) {
            SCOPED_TRACE(testing::Message() << "operation " << n);
            const Op op = random_op();
            fill_tlb();
            const std::optional<MapError> error = model_error(op);
            const bool is_starved = random.one_in(32);
            const auto result = is_starved ? apply_starved(op) : apply(op);
            if (error) {
                ASSERT_FALSE(result.has_value());
                ASSERT_EQ(result.error(), *error);
            } else {
                ASSERT_TRUE(result.has_value()) << to_text(result.error());
                model_apply(op);
                ++done;
                starved += is_starved ? 1U : 0U;
                ASSERT_NO_FATAL_FAILURE(flush_and_check_tlb(*result));
            }
            if (n % 4 == 0) {
                ASSERT_NO_FATAL_FAILURE(expect_equals_model());
            }
            if constexpr (is_sv39x4) {
                if (n % 64 == 0) {
                    ASSERT_EQ(raw_table_pages(tables, space.root().value(), 2, 2048), tables.used);
                }
            }
            ASSERT_FALSE(this->HasFailure());
        }
        EXPECT_GT(done, operations / 2) << "the generator makes too few operations that can succeed";
        EXPECT_GT(starved, operations / 100);
        unmap_all();
    }
    void unmap_all() {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (cells[i]) {
                ASSERT_TRUE(space.unmap(Gpa{edges[i]}, edges[i + 1] - edges[i]).has_value());
            }
        }
        EXPECT_EQ(tables.used, root_pages_of(Format{}));
    }

    FakeTables tables;
    Space space = *Space::create(tables);
    std::vector<u64> edges = edges_of(u64{1} << gpa_bits_of(Format{}));
    std::vector<std::optional<Cell>> cells{edges.size() - 1};
    std::vector<std::optional<Cached>> tlb{edges.size() - 1};
    Random random{20'240'607};
};

/// Arm's format with a concatenated root, and with one more level.
struct Arm40 : Vmsav8Stage2 {
    constexpr Arm40() : Vmsav8Stage2{40, 48} {}
};
struct Arm48 : Vmsav8Stage2 {
    constexpr Arm48() : Vmsav8Stage2{48, 48} {}
};

using Formats = testing::Types<Sv39x4, FourLevels, Concatenated, Arm40, Arm48>;
class FormatNames {
public:
    template <class T>
    static std::string GetName(int) {
        if (std::same_as<T, Sv39x4>) return "Sv39x4";
        if (std::same_as<T, Arm40>) return "Vmsav8With40Bits";
        if (std::same_as<T, Arm48>) return "Vmsav8With48Bits";
        return std::same_as<T, FourLevels> ? "FourLevels" : "Concatenated";
    }
};
TYPED_TEST_SUITE(Stage2Property, Formats, FormatNames);

TYPED_TEST(Stage2Property, random_operations_equal_the_model_and_fail_without_a_trace) {
    this->run(TestFixture::is_sv39x4 ? 100'000 : 10'000);
}

}  // namespace
}  // namespace ax::mm::test
