#include <cmath>
#include <limits>

#include "check.hpp"
#include "rap_edge/errors.hpp"
#include "rap_edge/streaming_features.hpp"

using namespace rap_edge;

namespace {

std::vector<FeatureSpec> specs() {
  return {FeatureSpec::rap(), FeatureSpec::whisper(), FeatureSpec::whisper(128),
          FeatureSpec::wav2lip(), FeatureSpec::kaldi_fbank()};
}

template <class Sample>
std::vector<float> in_pieces(StreamingFeatures& stream, const std::vector<Sample>& pcm,
                             int64_t piece) {
  const int64_t n = static_cast<int64_t>(pcm.size());
  std::vector<float> rows;
  const auto grow = [&](int64_t frames) {
    rows.resize(rows.size() + frames * stream.spec().n_mels);
    return rows.data() + rows.size() - frames * stream.spec().n_mels;
  };
  for (int64_t at = 0; at < n; at += piece) {
    const int64_t step = std::min(piece, n - at);
    stream.push(pcm.data() + at, step, grow(stream.frames_for(step)));
  }
  stream.finish(grow(stream.frames_left()));
  CHECK(static_cast<int64_t>(rows.size()) ==
        stream.frames_of(stream.samples_in()) * stream.spec().n_mels);
  return rows;
}

void any_split_gives_the_same_frames() {
  for (const FeatureSpec& spec : specs()) {
    for (int64_t n : {0, 1, 2, 159, 200, 201, 399, 400, 401, 801, 5000}) {
      const std::vector<float> pcm = noise(n);
      StreamingFeatures whole(spec), small_buffer(spec, 3);
      const std::vector<float> expected = in_pieces(whole, pcm, n + 1);
      CHECK(in_pieces(small_buffer, pcm, n + 1) == expected);
      for (int64_t piece : {1, 7, 160, 641}) {
        StreamingFeatures stream(spec, 1000);
        CHECK(in_pieces(stream, pcm, piece) == expected);
        stream.reset();
        CHECK(in_pieces(stream, pcm, piece) == expected);
      }
    }
  }
}

void integers_are_scaled_by_32768() {
  const std::vector<int16_t> integers = {0, 1, -1, 32767, -32768, 12345};
  std::vector<int16_t> pcm16;
  std::vector<float> pcm;
  for (int i = 0; i < 2000; ++i) {
    pcm16.push_back(integers[i % integers.size()]);
    pcm.push_back(static_cast<float>(pcm16.back()) / 32768.0f);
  }
  for (const FeatureSpec& spec : specs()) {
    StreamingFeatures a(spec), b(spec);
    CHECK(in_pieces(a, pcm16, 100) == in_pieces(b, pcm, 333));
  }
}

void errors_leave_the_state() {
  StreamingFeatures stream(FeatureSpec::rap());
  std::vector<float> rows(80 * 10), bad = noise(500);
  stream.push(bad.data(), 300, rows.data());
  bad[499] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS(AudioError, stream.push(bad.data(), 500, rows.data()));
  CHECK(stream.samples_in() == 300 && stream.frames_emitted() == 1);
  stream.finish(rows.data());
  CHECK_THROWS(StateError, stream.push(bad.data(), 10, rows.data()));
  CHECK_THROWS(StateError, stream.finish(rows.data()));
  CHECK_THROWS(ConfigError, StreamingFeatures(FeatureSpec::rap(), 0));
  CHECK_THROWS(ConfigError, FeatureSpec::whisper(0));
}

void extreme_samples_stay_finite() {
  const float largest = std::numeric_limits<float>::max();
  for (const FeatureSpec& spec : specs()) {
    for (float value : {0.0f, 1e-38f, 1.0f, 1e30f, largest}) {
      StreamingFeatures stream(spec);
      std::vector<float> pcm(2000);
      for (size_t i = 0; i < pcm.size(); ++i) pcm[i] = i / 7 % 2 ? value : -value;
      for (float feature : in_pieces(stream, pcm, 160)) CHECK(std::isfinite(feature));
    }
  }
}

}  // namespace

int main() {
  any_split_gives_the_same_frames();
  integers_are_scaled_by_32768();
  errors_leave_the_state();
  extreme_samples_stay_finite();
}
