// The hot path asks for no memory.
#include "allocations.hpp"
#include "check.hpp"
#include "rap_edge/audio_clock.hpp"
#include "rap_edge/feature_window.hpp"
#include "rap_edge/pcm_ring.hpp"
#include "rap_edge/resampler.hpp"
#include "rap_edge/streaming_features.hpp"

using namespace rap_edge;

namespace {

template <class Stream>
void pushes_allocate_nothing(Stream& stream, int64_t row) {
  const std::vector<float> pcm = noise(1000);
  const std::vector<int16_t> pcm16(1000, 1234);
  std::vector<float> out(1000 * 3 * row);
  const int64_t before = allocations;
  for (int i = 0; i < 2000; ++i) {
    stream.push(pcm.data(), i % 1000, out.data());
    stream.push(pcm16.data(), 160, out.data());
  }
  stream.finish(out.data());
  stream.reset();
  CHECK(allocations == before);
}

void a_ring_allocates_nothing() {
  PcmRing ring(4096, 48000);
  const std::vector<float> pcm = noise(960);
  std::vector<float> out(960);
  const int64_t before = allocations;
  for (int64_t i = 0; i < 10000; ++i) {
    ring.write(pcm.data(), i % 960);
    ring.read_into(out.data(), i % 700);
    if (i % 100 == 0) ring.clear();
  }
  CHECK(allocations == before && ring.played() > 0);
}

void a_clock_allocates_nothing() {
  AudioClock clock(48000);
  const int64_t before = allocations;
  for (int64_t i = 0; i < 10000; ++i) {
    clock.update(480 * i, 10000000 * i + (i > 5000 ? 60000000 : 0));
    CHECK(clock.position(10000000 * i) >= 0);
  }
  CHECK(allocations == before && clock.steps() == 1);
}

void a_window_allocates_nothing() {
  const std::vector<float> hops = noise(4 * 80);
  FeatureWindow window(hops.data(), 80, 256);
  std::vector<float> out(64 * 80);
  const int64_t before = allocations;
  for (int64_t i = 0; i < 10000; ++i) {
    window.append(hops.data(), 4);
    window.append(hops.data(), 1);
    window.truncate(window.end() - 1);
    window.drop_before(window.end() - 60);
    window.window(window.end() - 60, 60, out.data());
  }
  CHECK(allocations == before && window.end() == 40000);
}

void the_counter_counts() {
  const int64_t before = allocations;
  std::vector<float> memory(1000);
  CHECK(memory.data() && allocations > before);
#ifdef RAP_EDGE_COUNT_MALLOC
  const int64_t before_malloc = allocations;
  void* volatile block = std::malloc(100);
  std::free(block);
  CHECK(allocations > before_malloc);
#endif
}

}  // namespace

int main() {
  the_counter_counts();
  for (const FeatureSpec& spec : {FeatureSpec::rap(), FeatureSpec::whisper(),
                                  FeatureSpec::wav2lip(), FeatureSpec::kaldi_fbank()}) {
    StreamingFeatures stream(spec);
    pushes_allocate_nothing(stream, spec.n_mels);
  }
  for (int rate : {8000, 16000, 22050, 24000, 32000, 44100, 48000}) {
    Resampler stream(rate);
    pushes_allocate_nothing(stream, 1);
  }
  a_ring_allocates_nothing();
  a_clock_allocates_nothing();
  a_window_allocates_nothing();
}
