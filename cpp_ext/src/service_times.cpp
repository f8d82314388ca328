#include "rap_edge/service_times.hpp"

#include <algorithm>

namespace rap_edge {

void ServiceTimes::add(int64_t ns) {
  ns_[next_] = last_ = ns;
  next_ = (next_ + 1) % kWindow;
  n_ = std::min(n_ + 1, kWindow);
  best_ = *std::min_element(ns_.begin(), ns_.begin() + n_);
  p50_ = quantile(0.5);
  p90_ = quantile(0.9);
}

int64_t ServiceTimes::quantile(double q) const {
  if (empty()) return 0;
  std::array<int64_t, kWindow> sorted = ns_;
  const int rank = static_cast<int>(q * (n_ - 1));
  std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.begin() + n_);
  return sorted[rank];
}

}  // namespace rap_edge
