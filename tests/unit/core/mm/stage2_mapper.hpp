// The real second stage behind the Mapper interface, as a HAL backend joins them.
#pragma once

#include "core/mm/stage2.hpp"
#include "core/mm/sv39x4.hpp"
#include "tests/unit/core/mm/fake_frames.hpp"

namespace ax::mm::test {

class Stage2Mapper final : public Mapper {
public:
    explicit Stage2Mapper(Frames& frames, u64 max_table_pages = 1 << 20)
        : memory_(frames, max_table_pages), stage2_(*Stage2<Sv39x4, TableMemory>::create(memory_)) {}

    unsigned gpa_bits() const override { return stage2_.gpa_bits(); }
    std::expected<void, MapError> map(Gpa gpa, Hpa hpa, u64 size, Permissions permissions) override {
        ++map_calls;
        return without_duty(stage2_.map(gpa, hpa, size, permissions));
    }
    std::expected<void, MapError> unmap(Gpa gpa, u64 size) override { return without_duty(stage2_.unmap(gpa, size)); }
    std::expected<void, MapError> protect(Gpa gpa, u64 size, Permissions permissions) override {
        return without_duty(stage2_.protect(gpa, size, permissions));
    }
    std::optional<Translation> translate(Gpa gpa) const override { return stage2_.translate(gpa); }

    std::optional<Leaf> walk(Gpa gpa) const { return stage2_.walk(gpa); }
    u64 table_pages() const { return memory_.used_pages(); }

    u64 map_calls = 0;

private:
    static std::expected<void, MapError> without_duty(const std::expected<TlbDuty, MapError>& result) {
        if (!result) return std::unexpected(result.error());
        return {};
    }

    TableMemory memory_;
    Stage2<Sv39x4, TableMemory> stage2_;
};

}  // namespace ax::mm::test
