#include <algorithm>
#include <limits>

#include "check.hpp"
#include "rap_edge/errors.hpp"
#include "rap_edge/resampler.hpp"

using namespace rap_edge;

namespace {

std::vector<float> in_pieces(Resampler& stream, const std::vector<float>& pcm, int64_t piece) {
  const int64_t n = static_cast<int64_t>(pcm.size());
  std::vector<float> out;
  const auto grow = [&](int64_t samples) {
    out.resize(out.size() + samples);
    return out.data() + out.size() - samples;
  };
  for (int64_t at = 0; at < n; at += piece) {
    const int64_t step = std::min(piece, n - at);
    stream.push(pcm.data() + at, step, grow(stream.samples_for(step)));
    CHECK(stream.samples_out() + stream.latency_samples() >=
          stream.samples_in() * stream.out_rate() / stream.in_rate());
  }
  stream.finish(grow(stream.samples_left()));
  return out;
}

void any_split_gives_the_same_samples() {
  for (int rate : {8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 11025}) {
    for (int64_t n : {0, 1, 2, 100, 441, 9001}) {
      const std::vector<float> pcm = noise(n);
      Resampler whole(rate);
      const std::vector<float> expected = in_pieces(whole, pcm, n + 1);
      CHECK(static_cast<int64_t>(expected.size()) == (n * 16000 + rate - 1) / rate);
      for (int64_t piece : {1, 13, 480}) {
        Resampler stream(rate);
        CHECK(in_pieces(stream, pcm, piece) == expected);
        stream.reset();
        CHECK(in_pieces(stream, pcm, piece) == expected);
      }
    }
  }
}

void other_output_rates_work() {
  Resampler up(16000, 48000), far_down(384000, 8000);
  CHECK(in_pieces(up, noise(1000), 160).size() == 3000);
  CHECK(in_pieces(far_down, noise(4801), 160).size() == 101);
}

void errors_leave_the_state() {
  Resampler stream(48000);
  std::vector<float> out(4000), bad = noise(500);
  stream.push(bad.data(), 400, out.data());
  const int64_t samples_out = stream.samples_out();
  bad[0] = std::numeric_limits<float>::infinity();
  CHECK_THROWS(AudioError, stream.push(bad.data(), 500, out.data()));
  CHECK(stream.samples_in() == 400 && stream.samples_out() == samples_out);
  stream.finish(out.data());
  CHECK_THROWS(StateError, stream.push(bad.data(), 10, out.data()));
  CHECK_THROWS(StateError, stream.finish(out.data()));
  CHECK_THROWS(AudioError, Resampler(0));
  CHECK_THROWS(AudioError, Resampler(-16000));
  CHECK_THROWS(AudioError, Resampler(48000, 1000000));
  CHECK_THROWS(AudioError, Resampler(767999, 767998));
}

}  // namespace

int main() {
  any_split_gives_the_same_samples();
  other_output_rates_work();
  errors_leave_the_state();
}
