#include <limits>

#include "check.hpp"
#include "rap_edge/errors.hpp"
#include "rap_edge/feature_window.hpp"

using namespace rap_edge;

namespace {

constexpr int64_t kMels = 3;
constexpr float kSilence[kMels] = {-1.0f, -2.0f, -3.0f};

// Hop i of the stream.
std::vector<float> hops(int64_t first, int64_t n) {
  std::vector<float> values;
  for (int64_t i = first; i < first + n; ++i) {
    for (int64_t mel = 0; mel < kMels; ++mel) {
      values.push_back(i < 0 ? kSilence[mel] : static_cast<float>(10 * i + mel));
    }
  }
  return values;
}

std::vector<float> cut(const FeatureWindow& window, int64_t first, int64_t n) {
  std::vector<float> out(n * kMels);
  window.window(first, n, out.data());
  return out;
}

void any_window_of_a_long_stream_is_as_it_was_appended() {
  FeatureWindow window(kSilence, kMels, 16);
  CHECK(cut(window, -5, 5) == hops(-5, 5));
  for (int64_t at = 0, n = 0; at < 1000; at += n, n = (n + 5) % 8) {
    window.append(hops(at, n).data(), n);
    CHECK(window.end() == at + n);
    for (int64_t first = window.first() > 0 ? window.first() : -4; first < window.end(); ++first) {
      CHECK(cut(window, first, window.end() - first) == hops(first, window.end() - first));
    }
    window.drop_before(window.end() - 8);
  }
}

void what_was_truncated_is_replaced() {
  FeatureWindow window(kSilence, kMels, 8);
  window.append(hops(0, 8).data(), 8);
  window.drop_before(3);
  window.truncate(5);
  window.append(hops(-2, 2).data(), 2);
  window.append(hops(7, 4).data(), 4);
  CHECK(window.first() == 3 && window.end() == 11);
  CHECK(cut(window, 3, 2) == hops(3, 2) && cut(window, 7, 4) == hops(7, 4));
  CHECK(cut(window, 5, 2) == hops(-2, 2));
}

void errors_leave_the_window() {
  FeatureWindow window(kSilence, kMels, 8);
  std::vector<float> some = hops(0, 8), out(100 * kMels);
  window.append(some.data(), 6);
  window.drop_before(2);
  CHECK_THROWS(StateError, window.append(some.data(), 5));
  CHECK_THROWS(AudioError, window.append(some.data(), -1));
  some[2] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS(AudioError, window.append(some.data(), 1));
  CHECK_THROWS(StateError, window.window(1, 1, out.data()));
  CHECK_THROWS(StateError, window.window(-1, 2, out.data()));
  CHECK_THROWS(StateError, window.window(5, 2, out.data()));
  CHECK_THROWS(StateError, window.window(std::numeric_limits<int64_t>::max(), 1, out.data()));
  CHECK_THROWS(AudioError, window.window(3, -1, out.data()));
  CHECK_THROWS(StateError, window.truncate(1));
  CHECK_THROWS(StateError, window.truncate(7));
  CHECK_THROWS(StateError, window.drop_before(7));
  window.drop_before(std::numeric_limits<int64_t>::min());
  CHECK(window.first() == 2 && window.end() == 6 && cut(window, 2, 4) == hops(2, 4));
  CHECK_THROWS(ConfigError, FeatureWindow(kSilence, 0, 8));
  CHECK_THROWS(ConfigError, FeatureWindow(kSilence, kMels, 0));
  CHECK_THROWS(ConfigError, FeatureWindow(kSilence, kMels, int64_t{1} << 40));
  CHECK_THROWS(AudioError, FeatureWindow(some.data(), kMels, 8));
}

}  // namespace

int main() {
  any_window_of_a_long_stream_is_as_it_was_appended();
  what_was_truncated_is_replaced();
  errors_leave_the_window();
}
