// How long the latest chunks of one level took.
#pragma once

#include <array>
#include <cstdint>

namespace rap_edge {

class ServiceTimes {
 public:
  static constexpr int kWindow = 32;

  void add(int64_t ns);

  bool empty() const { return n_ == 0; }
  int64_t last() const { return last_; }
  int64_t best() const { return best_; }
  int64_t p50() const { return p50_; }
  int64_t p90() const { return p90_; }
  // Of the window, the lower neighbour: one outlier of two or more moves no p90. 0 when empty.
  int64_t quantile(double q) const;

 private:
  std::array<int64_t, kWindow> ns_{};
  int n_ = 0;
  int next_ = 0;
  int64_t last_ = 0;
  int64_t best_ = 0;
  int64_t p50_ = 0;
  int64_t p90_ = 0;
};

}  // namespace rap_edge
