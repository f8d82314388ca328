// The feature hops of a stream that are still needed, by their index in the stream.
#pragma once

#include <cstdint>
#include <vector>

namespace rap_edge {

// Holds the hops [first(), end()), each n_mels values; before hop 0 there is silence for ever.
// Memory is bounded by the capacity, and nothing is dropped unasked. A call that throws has changed
// nothing; none but the constructor allocates. One caller at a time.
class FeatureWindow {
 public:
  // Silence is one hop of n_mels finite values. Throws ConfigError on n_mels outside 1 to 4096 or a
  // capacity outside 1 to 1000000 hops.
  FeatureWindow(const float* silence, int64_t n_mels, int64_t capacity_hops);

  // Takes n hops in a row after those that are there. Throws AudioError on NaN or infinity,
  // StateError where there is no room.
  void append(const float* hops, int64_t n);

  // Writes n hops from first on, in a row. Throws StateError if hops from 0 on are among them that
  // are dropped or have not come.
  void window(int64_t first, int64_t n, float* out) const;

  // The errors of window() alone.
  void require_window(int64_t first, int64_t n) const;

  // Forgets the hops from end on; others may come in their place. Throws StateError if end is not
  // between first() and end().
  void truncate(int64_t end);

  // Forgets the hops before first, for good; those that are gone already may be among them. Throws
  // StateError if first is after end().
  void drop_before(int64_t first);

  int64_t first() const { return first_; }
  int64_t end() const { return end_; }
  int64_t n_mels() const { return n_mels_; }
  int64_t capacity() const { return capacity_; }

 private:
  void require_room(int64_t n) const;
  float* row(int64_t hop) { return hops_.data() + hop % capacity_ * n_mels_; }
  const float* row(int64_t hop) const { return hops_.data() + hop % capacity_ * n_mels_; }

  int64_t n_mels_;
  int64_t capacity_;
  std::vector<float> silence_;
  std::vector<float> hops_;  // hop i is row i % capacity
  int64_t first_ = 0;
  int64_t end_ = 0;
};

}  // namespace rap_edge
