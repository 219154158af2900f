#include "devices/pc/calendar.hpp"

#include <algorithm>
#include <array>

namespace ax::dev::calendar {

namespace {

bool is_leap(u32 year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

}  // namespace

u32 days_in_month(u32 year, u32 month) {
    constexpr std::array<u8, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const u32 index = std::clamp(month, u32{1}, u32{12}) - 1;
    return days[index] + (index == 1 && is_leap(year) ? 1u : 0u);
}

CalendarTime from_seconds(u64 seconds) {
    const u64 days = seconds / seconds_per_day;
    const u64 rest = seconds % seconds_per_day;
    // 400 years have 146097 days; the estimate is at most one year too late.
    u64 year = days * 400 / 146'097;
    if (days_before_year(year) > days) --year;
    if (days_before_year(year + 1) <= days) ++year;
    CalendarTime time{.second = static_cast<u32>(rest % 60),
                      .minute = static_cast<u32>(rest / 60 % 60),
                      .hour = static_cast<u32>(rest / 3600),
                      // The first day of year 0 was a Saturday.
                      .weekday = static_cast<u32>((days + 6) % 7 + 1),
                      .day = static_cast<u32>(days - days_before_year(year) + 1),
                      .month = 1,
                      .year = static_cast<u32>(year)};
    while (time.month < 12 && time.day > days_in_month(time.year, time.month)) time.day -= days_in_month(time.year, time.month++);
    return time;
}

u64 to_seconds(const CalendarTime& time) {
    const u32 year = std::min(time.year, static_cast<u32>(years - 1));
    const u32 month = std::clamp(time.month, u32{1}, u32{12});
    u64 days = days_before_year(year) + std::clamp(time.day, u32{1}, days_in_month(year, month)) - 1;
    for (u32 m = 1; m < month; ++m) days += days_in_month(year, m);
    return days * seconds_per_day + std::min(time.hour, u32{23}) * u64{3600} + std::min(time.minute, u32{59}) * u64{60} +
           std::min(time.second, u32{59});
}

}  // namespace ax::dev::calendar
