// Frames that were made and neither shown nor dropped yet.
#pragma once

#include <cstdint>
#include <vector>

namespace rap_edge {

// A ring of rising frame numbers; memory is asked for once.
class MadeFrames {
 public:
  struct Frame {
    int64_t index;
    bool left_out;  // by the rate of its level: not to be shown
  };

  explicit MadeFrames(int64_t capacity) : ring_(capacity) {}

  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Frame& front() const { return at(0); }
  const Frame& at(int64_t i) const { return ring_[(first_ + i) % capacity()]; }

  void push(const Frame& frame) { ring_[(first_ + size_++) % capacity()] = frame; }
  void pop(int64_t n) {
    first_ = (first_ + n) % capacity();
    size_ -= n;
  }
  // Takes out those from an index on; returns how many.
  int64_t cut(int64_t index) {
    const int64_t before = size_;
    while (size_ > 0 && at(size_ - 1).index >= index) --size_;
    return before - size_;
  }

  // Frames below an index that follow one another without a gap, from the front.
  int64_t run_before(int64_t index) const {
    int64_t n = 0;
    while (n < size_ && at(n).index < index && at(n).index == front().index + n) ++n;
    return n;
  }

 private:
  int64_t capacity() const { return static_cast<int64_t>(ring_.size()); }

  std::vector<Frame> ring_;
  int64_t first_ = 0;
  int64_t size_ = 0;
};

}  // namespace rap_edge
