// |X|^2 of a real signal of fixed length.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace rap_edge {

// Plan and scratch of one transform; not shared between threads.
class PowerSpectrum {
 public:
  // n_fft is even and has no prime factor above 5. Throws ConfigError otherwise.
  explicit PowerSpectrum(int n_fft);

  // n_fft samples, to be written before run().
  double* input() { return input_.data(); }

  // power receives n_fft / 2 + 1 values; input() stays as it was. Allocates nothing.
  void run(double* power);

 private:
  std::vector<std::max_align_t> plan_;
  std::vector<double> input_;
  std::vector<std::complex<double>> bins_;
};

}  // namespace rap_edge
