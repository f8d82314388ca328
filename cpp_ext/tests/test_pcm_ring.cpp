#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>

#include "check.hpp"
#include "rap_edge/errors.hpp"
#include "rap_edge/pcm_ring.hpp"

using namespace rap_edge;

namespace {

constexpr int kRate = 16000;

int64_t write(PcmRing& ring, int64_t n, float value) {
  return ring.write(std::vector<float>(n, value).data(), n);
}

std::vector<float> read(PcmRing& ring, int64_t n, int64_t expected) {
  std::vector<float> out(n, 9.0f);
  CHECK(ring.read_into(out.data(), n) == expected);
  for (int64_t i = expected; i < n; ++i) CHECK(out[i] == 0.0f);
  out.resize(expected);
  return out;
}

void what_is_written_is_read() {
  PcmRing ring(100, kRate);
  CHECK(ring.capacity() == 128 && ring.free() == 128 && ring.fill() == 0);
  const std::vector<float> pcm = noise(1000);
  std::vector<float> heard;
  for (int64_t at = 0; at < 1000;) {
    const int64_t n = std::min<int64_t>(1 + at % 90, 1000 - at);
    CHECK(ring.write(pcm.data() + at, n) == n);
    at += n;
    const std::vector<float> out = read(ring, n, n);
    heard.insert(heard.end(), out.begin(), out.end());
  }
  CHECK(heard == pcm && ring.played() == 1000 && ring.underflows() == 0);
  CHECK(write(ring, 200, 0.5f) == 128 && write(ring, 1, 0.5f) == 0 && ring.free() == 0);
  read(ring, 200, 128);
  CHECK(ring.underflows() == 1 && ring.fill() == 0);
}

void a_clear_fades_what_is_queued() {
  PcmRing ring(1024, kRate);
  write(ring, 500, 1.0f);
  ring.clear(4);
  CHECK(ring.fill() == 0 && ring.free() == 524);
  CHECK(write(ring, 1000, 2.0f) == 524);
  CHECK(read(ring, 2, 2) == std::vector<float>({0.75f, 0.5f}));
  CHECK(ring.free() == 2);
  CHECK(read(ring, 4, 4) == std::vector<float>({0.25f, 0.0f, 2.0f, 2.0f}));
  CHECK(ring.fill() == 522 && ring.played() == 6);
}

void a_fade_is_never_longer_than_what_is_queued() {
  PcmRing ring(64, kRate);
  ring.clear();
  read(ring, 8, 0);
  write(ring, 2, 1.0f);
  ring.clear();
  CHECK(read(ring, 8, 2) == std::vector<float>({0.5f, 0.0f}));
  CHECK(ring.underflows() == 1);  // the first read: a clear of nothing excuses nothing
  write(ring, 10, 1.0f);
  ring.clear(0);
  write(ring, 1, 3.0f);
  CHECK(read(ring, 8, 1) == std::vector<float>({3.0f}));
  CHECK(ring.underflows() == 1 && ring.played() == 3);
}

void a_clear_during_a_fade_starts_no_new_one() {
  PcmRing ring(64, kRate);
  write(ring, 20, 1.0f);
  ring.clear(4);
  CHECK(read(ring, 2, 2) == std::vector<float>({0.75f, 0.5f}));
  write(ring, 20, 2.0f);
  ring.clear(8);
  write(ring, 1, 3.0f);
  CHECK(read(ring, 3, 3) == std::vector<float>({0.25f, 0.0f, 3.0f}));
}

void errors_leave_the_ring() {
  PcmRing ring(16, kRate);
  std::vector<float> bad = noise(8);
  bad[7] = std::numeric_limits<float>::infinity();
  CHECK_THROWS(AudioError, ring.write(bad.data(), 8));
  CHECK_THROWS(ConfigError, ring.clear(-1));
  CHECK_THROWS(ConfigError, ring.clear(65536));
  CHECK(ring.fill() == 0);
  CHECK_THROWS(ConfigError, PcmRing(0, kRate));
  CHECK_THROWS(ConfigError, PcmRing((int64_t{1} << 28) + 1, kRate));
  CHECK_THROWS(AudioError, PcmRing(16, 0));
}

// Every sample is a number that counts up, so that a lost, doubled or torn one shows.
void two_threads_lose_nothing() {
  constexpr int64_t kSamples = 8 << 20;
  constexpr int64_t kCycle = 1 << 22;  // exact as float
  PcmRing ring(4096, kRate);
  std::thread writer([&] {
    std::vector<float> pcm(700);
    for (int64_t at = 0, size = 1; at < kSamples; size = (size * 31 + 7) % 700) {
      const int64_t n = std::min(size, kSamples - at);
      for (int64_t i = 0; i < n; ++i) pcm[i] = static_cast<float>((at + i) % kCycle);
      const int64_t taken = ring.write(pcm.data(), n);
      at += taken;
      if (taken < n) std::this_thread::yield();
    }
  });
  std::vector<float> out(900);
  for (int64_t at = 0, size = 1; at < kSamples; size = (size * 17 + 5) % 900) {
    const int64_t n = ring.read_into(out.data(), size);
    for (int64_t i = 0; i < n; ++i) CHECK(out[i] == static_cast<float>((at + i) % kCycle));
    CHECK(ring.fill() >= 0 && ring.fill() <= ring.capacity());
    at += n;
    if (n < size) std::this_thread::yield();
  }
  writer.join();
  CHECK(ring.played() == kSamples && ring.fill() == 0);
}

// All samples of an utterance are its number, and a clear stands between two utterances.
class Talk {
 public:
  static constexpr int64_t kUtterances = 4000;
  static constexpr int64_t kFade = 160;

  void run() {
    std::thread writer([this] { speak(); });
    while (!done_.load(std::memory_order_acquire)) listen();
    writer.join();
    listen();
    CHECK(ring_.played() == heard_ && heard_ > 0);
  }

 private:
  void speak() {
    for (int64_t number = 1; number <= kUtterances; ++number) {
      for (int64_t left = 200 + number * 37 % 2000; left > 0;) {
        const int64_t taken =
            write(ring_, std::min<int64_t>(left, 480), static_cast<float>(number));
        left -= taken;
        if (taken == 0) std::this_thread::yield();
      }
      asked_.store(number, std::memory_order_release);
      ring_.clear(kFade);
      cleared_.store(number, std::memory_order_release);
    }
    done_.store(true, std::memory_order_release);
  }

  // Of what was cleared before the read began, only fades are heard: one for each clear that may
  // have been asked for since.
  void listen() {
    const int64_t cleared = cleared_.load(std::memory_order_acquire);
    const int64_t n = ring_.read_into(out_, 320);
    const int64_t asked = asked_.load(std::memory_order_acquire);
    heard_ += n;
    if (cleared != cleared_before_) old_samples_ = 0;
    cleared_before_ = cleared;
    for (int64_t i = 0; i < n; ++i) old_samples_ += out_[i] <= static_cast<float>(cleared);
    CHECK(old_samples_ <= kFade * (1 + asked - cleared));
    if (n == 0) std::this_thread::yield();
  }

  PcmRing ring_{2048, kRate};
  std::atomic<int64_t> asked_{0}, cleared_{0};
  std::atomic<bool> done_{false};
  float out_[320] = {};
  int64_t cleared_before_ = 0, old_samples_ = 0, heard_ = 0;
};

}  // namespace

int main() {
  what_is_written_is_read();
  a_clear_fades_what_is_queued();
  a_fade_is_never_longer_than_what_is_queued();
  a_clear_during_a_fade_starts_no_new_one();
  errors_leave_the_ring();
  two_threads_lose_nothing();
  Talk().run();
}
