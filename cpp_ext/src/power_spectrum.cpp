#include "rap_edge/power_spectrum.hpp"

#include <string>

#include "kissfft.hpp"
#include "rap_edge/errors.hpp"

namespace rap_edge {

PowerSpectrum::PowerSpectrum(int n_fft) : input_(n_fft), bins_(n_fft / 2 + 1) {
  if (n_fft < 2 || n_fft % 2 != 0 || kiss_fft_next_fast_size(n_fft) != n_fft) {
    throw ConfigError("n_fft is " + std::to_string(n_fft) +
                      ": expected an even number with no prime factor above 5");
  }
  size_t bytes = 0;
  kiss_fftr_alloc(n_fft, 0, nullptr, &bytes);
  plan_.resize((bytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t));
  kiss_fftr_alloc(n_fft, 0, plan_.data(), &bytes);
}

void PowerSpectrum::run(double* power) {
  // std::complex<double> has the layout of two doubles, as kiss_fft_cpx does.
  kiss_fftr(reinterpret_cast<kiss_fftr_cfg>(plan_.data()), input_.data(),
            reinterpret_cast<kiss_fft_cpx*>(bins_.data()));
  for (const std::complex<double>& bin : bins_) {
    *power++ = bin.real() * bin.real() + bin.imag() * bin.imag();
  }
}

}  // namespace rap_edge
