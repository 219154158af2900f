// Dates of the Gregorian calendar as seconds since the begin of year 0, for clocks that count in fields.
#pragma once

#include "core/base/types.hpp"

namespace ax::dev {

/// Fields may be out of range where a guest writes them; `to_seconds` takes the nearest that exists.
struct CalendarTime {
    u32 second = 0;   ///< 0 to 59
    u32 minute = 0;   ///< 0 to 59
    u32 hour = 0;     ///< 0 to 23
    u32 weekday = 1;  ///< 1 is Sunday; follows from the date
    u32 day = 1;      ///< 1 to 31
    u32 month = 1;    ///< 1 to 12
    u32 year = 0;     ///< 0 to 9999

    constexpr bool operator==(const CalendarTime&) const = default;
};

namespace calendar {

inline constexpr u64 seconds_per_day = 86'400;
inline constexpr u64 years = 10'000;

/// Days of all years before `year`, from year 0 on.
[[nodiscard]] constexpr u64 days_before_year(u64 year) { return 365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400; }
inline constexpr u64 seconds_in_all = days_before_year(years) * seconds_per_day;
inline constexpr u64 unix_epoch = days_before_year(1970) * seconds_per_day;

[[nodiscard]] u32 days_in_month(u32 year, u32 month);
/// `seconds` below `seconds_in_all`.
[[nodiscard]] CalendarTime from_seconds(u64 seconds);
[[nodiscard]] u64 to_seconds(const CalendarTime& time);

static_assert(unix_epoch == 62'167'219'200);

}  // namespace calendar

}  // namespace ax::dev
