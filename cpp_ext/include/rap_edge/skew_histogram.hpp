// How far pictures were from their audio.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "rap_edge/integers.hpp"

namespace rap_edge {

// Bins of 1 ms around -200, -199, ... 200 ms; what lies outside is in the outer ones.
class SkewHistogram {
 public:
  static constexpr int kMostMs = 200;
  using Counts = std::array<int64_t, 2 * kMostMs + 1>;

  // Positive: the picture was later than its audio.
  void add(int64_t skew_ns) {
    const int64_t ms = floor_div(skew_ns + 500'000, 1'000'000);
    ++counts_[std::clamp<int64_t>(ms, -kMostMs, kMostMs) + kMostMs];
  }
  const Counts& counts() const { return counts_; }

 private:
  Counts counts_{};
};

}  // namespace rap_edge
