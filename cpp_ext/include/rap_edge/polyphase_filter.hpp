// A Kaiser-windowed sinc, cut into the phases of a rational change of rate.
#pragma once

#include <cstdint>
#include <vector>

namespace rap_edge {

// Output n of a filter lies at input position n * down / up. It weighs the inputs from `before`
// samples before that position (rounded down) to `after` samples behind it. Immutable.
struct PolyphaseFilter {
  int64_t up = 1;
  int64_t down = 1;
  int before = 0;
  int after = 0;
  std::vector<float> weights;  // up rows of taps(), each with sum 1

  int taps() const { return before + 1 + after; }
  int64_t position(int64_t output) const { return output * down / up; }
  const float* phase(int64_t output) const {
    return weights.data() + (output * down % up) * taps();
  }

  // Flat to 0.45 of the lower rate, 90 dB down from 0.525 of it on; equal rates pass unchanged.
  // Throws AudioError on a rate outside 1 to 768000 Hz, or a ratio that needs too large a table.
  static PolyphaseFilter design(int in_rate, int out_rate);
};

}  // namespace rap_edge
