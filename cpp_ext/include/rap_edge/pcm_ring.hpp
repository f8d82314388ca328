// Samples on their way from the thread that makes them to the thread that plays them.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace rap_edge {

// One writer and one reader, each on a thread of its own. No call waits for the other side, locks
// or allocates. write() and clear() belong to the writer, read_into() to the reader; the numbers
// below them may be asked for by any thread, and are exact on a side for what that side changes.
//
// What clear() means. A read takes effect at the moment it begins. A read that begins after clear()
// has returned carries it out: of what was written before the clear it gives at most the next
// fade_samples (fewer if fewer are queued), falling linearly to zero, and the rest is gone; what
// was written after it follows at once, in the same read. A read during which clear() is called
// either carries it out, from its first sample on, or gives its samples as if clear() came after
// it. A fade goes on over as many reads as it takes; a clear() during a fade does not start a new
// one, and what was written between the two clears is never heard. The room of what was cleared
// is free once a read has carried it out.
class PcmRing {
 public:
  // The capacity is rounded up to a power of two. Throws ConfigError on a capacity outside 1 to
  // 2^28 samples, AudioError on a rate outside 1 to 768000 Hz.
  PcmRing(int64_t capacity_samples, int sample_rate);

  // Takes the first of n samples that there is room for, and returns how many. Throws AudioError
  // on NaN or infinity, taking none.
  int64_t write(const float* pcm, int64_t n);

  // Throws ConfigError on a fade outside 0 to 65535 samples.
  void clear(int64_t fade_samples = 160);

  // Gives up to n samples and returns how many; the others are zeros, or left as they are.
  int64_t read_into(float* out, int64_t n, bool fill_silence = true);

  int64_t fill() const;  // samples to be heard yet; what was cleared does not count
  int64_t free() const;  // samples that write() would take now
  int64_t capacity() const { return mask_ + 1; }
  int sample_rate() const { return sample_rate_; }

  // Samples that were read, faded ones among them: neither silence nor what was cleared.
  int64_t played() const { return played_.load(std::memory_order_relaxed); }

  // Reads that got less than they asked for, but for those that carried out a clear().
  int64_t underflows() const { return underflows_.load(std::memory_order_relaxed); }

 private:
  struct Clear {
    int64_t end;  // what was written before this position is cleared
    int64_t fade_samples;
  };
  Clear asked() const;
  int64_t fade_out(const Clear& clear, int64_t* position, float* out, int64_t n);
  void copy(int64_t position, float* out, int64_t n) const;

  std::vector<float> samples_;
  int64_t mask_;
  int sample_rate_;

  // Positions count samples since the beginning; samples_[position & mask_] holds one. Each side
  // writes to a cache line of its own.
  alignas(64) std::atomic<int64_t> written_{0};
  std::atomic<uint64_t> clear_{0};  // a Clear in one word: end * 2^16 + fade_samples
  alignas(64) std::atomic<int64_t> read_{0};
  std::atomic<int64_t> played_{0};
  std::atomic<int64_t> underflows_{0};
  int64_t fade_end_ = 0;  // a fade is under way while read_ is before it
  int64_t fade_samples_ = 0;
};

}  // namespace rap_edge
