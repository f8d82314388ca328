// What a test of the core needs: a check that says where it failed, and a signal.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                \
    }                                                                              \
  } while (false)

#define CHECK_THROWS(error, call)     \
  do {                                \
    bool thrown = false;              \
    try {                             \
      call;                           \
    } catch (const error&) {          \
      thrown = true;                  \
    }                                 \
    CHECK(thrown && #error && #call); \
  } while (false)

// Uniform samples in [-0.5, 0.5).
inline std::vector<float> noise(int64_t n, unsigned seed = 1) {
  std::mt19937 engine(seed);
  std::vector<float> samples(n);
  for (float& sample : samples) sample = static_cast<float>(engine() >> 8) / (1 << 24) - 0.5f;
  return samples;
}
