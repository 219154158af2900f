#include "sim/trap/x86/system_memory.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "sim/mmu/x86_walk.hpp"

namespace ax::sim::x86 {

std::expected<Hpa, MemoryFault> TranslatedMemory::translate(Gva at, WalkAccess how) {
    const PageTranslation* known = tlb_.find(at);
    if (known != nullptr && allows(*known, how, context_)) return known->page + at.page_offset();
    const auto found = walk(memory_, at, how, context_);
    if (!found) return std::unexpected(MemoryFault{found.error(), at});
    has_overflowed_ |= tlb_.insert(at, *found);
    return found->page + at.page_offset();
}

std::expected<u64, MemoryFault> TranslatedMemory::read(Gva at, unsigned bytes, WalkAccess how) {
    std::array<u8, 8> data{};
    data.fill(0xff);
    for (unsigned done = 0; done < bytes;) {
        const Gva here = at + done;
        const auto part = static_cast<unsigned>(std::min<u64>(bytes - done, page_size - here.page_offset()));
        const auto place = translate(here, how);
        if (!place) return std::unexpected(place.error());
        if (memory_.contains(*place, part)) std::memcpy(data.data() + done, memory_.pointer(*place), part);
        done += part;
    }
    u64 value = 0;
    std::memcpy(&value, data.data(), bytes);
    return value;
}

std::expected<void, MemoryFault> TranslatedMemory::write(Gva at, u64 value, unsigned bytes, WalkAccess how) {
    struct Part {
        Hpa place;
        unsigned bytes = 0;
    };
    std::array<Part, 2> parts{};
    std::size_t count = 0;
    // Nothing is written before every byte has its place.
    for (unsigned done = 0; done < bytes && count < parts.size(); ++count) {
        const Gva here = at + done;
        const auto part = static_cast<unsigned>(std::min<u64>(bytes - done, page_size - here.page_offset()));
        const auto place = translate(here, how);
        if (!place) return std::unexpected(place.error());
        parts[count] = {*place, part};
        done += part;
    }
    std::array<u8, 8> data{};
    std::memcpy(data.data(), &value, sizeof value);
    const u8* from = data.data();
    for (std::size_t n = 0; n < count; from += parts[n].bytes, ++n) {
        if (!memory_.contains(parts[n].place, parts[n].bytes)) continue;
        before_store(parts[n].place);
        memory_.mark_dirty(parts[n].place);
        std::memcpy(memory_.pointer(parts[n].place), from, parts[n].bytes);
    }
    return {};
}

}  // namespace ax::sim::x86
