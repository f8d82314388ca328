// Exact arithmetic on times and samples: division that knows where it rounds to.
#pragma once

#include <cstdint>

namespace rap_edge {

// Both for b > 0 and any a.
inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
inline int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }

// floor(a * to / from) and its ceiling, for from * to below 2^63: a * to may be above.
inline int64_t floor_scaled(int64_t a, int64_t to, int64_t from) {
  const int64_t whole = floor_div(a, from);
  return whole * to + (a - whole * from) * to / from;
}
inline int64_t ceil_scaled(int64_t a, int64_t to, int64_t from) {
  return -floor_scaled(-a, to, from);
}

}  // namespace rap_edge
