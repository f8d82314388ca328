// The hot path asks for no memory: operator new counts everywhere, malloc itself with glibc (the
// sanitizers bring a malloc of their own).
#include <cstdlib>
#include <new>

#include "check.hpp"
#include "rap_edge/resampler.hpp"
#include "rap_edge/streaming_features.hpp"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define RAP_EDGE_COUNT_MALLOC 1
#endif

namespace {
int64_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#ifdef RAP_EDGE_COUNT_MALLOC
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);

void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
}
#endif

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
}
