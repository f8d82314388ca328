#include "rap_edge/feature_window.hpp"

#include <algorithm>
#include <string>

#include "rap_edge/errors.hpp"
#include "rap_edge/pcm.hpp"

namespace rap_edge {
namespace {

constexpr int64_t kMaxMels = 4096;
constexpr int64_t kMaxCapacity = 1000000;

int64_t checked(int64_t value, int64_t largest, const char* name) {
  if (value < 1 || value > largest) {
    throw ConfigError(std::string(name) + " is " + std::to_string(value) + ": expected 1 to " +
                      std::to_string(largest));
  }
  return value;
}

void require_count(int64_t n) {
  if (n < 0) throw AudioError("n is " + std::to_string(n) + ": expected 0 or more hops");
}

std::string range(int64_t first, int64_t end) {
  return "[" + std::to_string(first) + ", " + std::to_string(end) + ")";
}

}  // namespace

FeatureWindow::FeatureWindow(const float* silence, int64_t n_mels, int64_t capacity_hops)
    : n_mels_(checked(n_mels, kMaxMels, "n_mels")),
      capacity_(checked(capacity_hops, kMaxCapacity, "capacity_hops")) {
  check_finite(silence, n_mels, "value");
  silence_.assign(silence, silence + n_mels);
  hops_.resize(capacity_ * n_mels_);
}

void FeatureWindow::append(const float* hops, int64_t n) {
  require_room(n);
  check_finite(hops, n * n_mels_, "value");
  const int64_t before_wrap = std::min(n, capacity_ - end_ % capacity_);
  std::copy_n(hops, before_wrap * n_mels_, row(end_));
  std::copy_n(hops + before_wrap * n_mels_, (n - before_wrap) * n_mels_, hops_.data());
  end_ += n;
}

void FeatureWindow::window(int64_t first, int64_t n, float* out) const {
  require_window(first, n);
  for (; n > 0 && first < 0; --n, ++first, out += n_mels_) {
    std::copy_n(silence_.data(), n_mels_, out);
  }
  if (n == 0) return;
  const int64_t before_wrap = std::min(n, capacity_ - first % capacity_);
  std::copy_n(row(first), before_wrap * n_mels_, out);
  std::copy_n(hops_.data(), (n - before_wrap) * n_mels_, out + before_wrap * n_mels_);
}

void FeatureWindow::require_window(int64_t first, int64_t n) const {
  require_count(n);
  if (n == 0) return;
  if (first > end_ - n) {
    throw StateError(std::to_string(n) + " hops from hop " + std::to_string(first) +
                     " on were asked for, of " + range(first_, end_) +
                     ": expected hops that have come - append them first");
  }
  if (first_ > 0 && first > -n && first < first_) {
    throw StateError("hops " + range(first, first + n) + " were asked for, of " +
                     range(first_, end_) + ": expected hops that are still there - drop_before() " +
                     "only what no window will need");
  }
}

void FeatureWindow::truncate(int64_t end) {
  if (end < first_ || end > end_) {
    throw StateError("the end is " + std::to_string(end) + ": expected one of the hops " +
                     range(first_, end_) + " or the end that is there");
  }
  end_ = end;
}

void FeatureWindow::drop_before(int64_t first) {
  if (first > end_) {
    throw StateError("the first hop is to be " + std::to_string(first) + " of " +
                     range(first_, end_) + ": expected hops that have come - append them first");
  }
  first_ = std::max(first_, first);
}

void FeatureWindow::require_room(int64_t n) const {
  require_count(n);
  const int64_t room = capacity_ - (end_ - first_);
  if (n > room) {
    throw StateError(std::to_string(n) + " hops came: expected " + std::to_string(room) +
                     " or fewer, the room of " + std::to_string(capacity_) + " - drop_before() " +
                     "what is not needed any more, or give a larger capacity_hops");
  }
}

}  // namespace rap_edge
