#include <cmath>

#include "check.hpp"
#include "rap_edge/errors.hpp"
#include "rap_edge/power_spectrum.hpp"

using namespace rap_edge;

namespace {

double slow_power(const std::vector<float>& samples, int bin) {
  const double step = 2.0 * std::acos(-1.0) * bin / static_cast<double>(samples.size());
  double real = 0.0, imaginary = 0.0;
  for (size_t i = 0; i < samples.size(); ++i) {
    real += samples[i] * std::cos(step * static_cast<double>(i));
    imaginary -= samples[i] * std::sin(step * static_cast<double>(i));
  }
  return real * real + imaginary * imaginary;
}

void equals_the_slow_transform() {
  for (int n : {2, 400, 512, 800}) {
    const std::vector<float> samples = noise(n);
    PowerSpectrum spectrum(n);
    for (int i = 0; i < n; ++i) spectrum.input()[i] = samples[i];
    std::vector<double> power(n / 2 + 1);
    spectrum.run(power.data());
    for (int bin = 0; bin <= n / 2; ++bin) {
      CHECK(std::abs(power[bin] - slow_power(samples, bin)) < 1e-9);
    }
  }
}

void lengths_that_would_allocate_are_refused() {
  for (int n : {0, 1, 7, 14, 401, 1022}) CHECK_THROWS(ConfigError, PowerSpectrum{n});
}

}  // namespace

int main() {
  equals_the_slow_transform();
  lengths_that_would_allocate_are_refused();
}
