#include "rap_edge/polyphase_filter.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "rap_edge/errors.hpp"

namespace rap_edge {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kPassEdge = 0.45;  // of the lower rate
constexpr double kStopEdge = 0.525;
constexpr double kAttenuationDb = 95.0;
constexpr int kMaxRate = 768000;
constexpr int64_t kMaxWeights = int64_t{1} << 21;

void check_rate(const char* name, int rate) {
  if (rate < 1 || rate > kMaxRate) {
    throw AudioError(std::string(name) + " is " + std::to_string(rate) + ": expected 1 to " +
                     std::to_string(kMaxRate) + " Hz");
  }
}

// The modified Bessel function of order 0 (power series; x is below 10 here).
double bessel_i0(double x) {
  double sum = 1.0, term = 1.0;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

double sinc(double x) { return x == 0.0 ? 1.0 : std::sin(kPi * x) / (kPi * x); }

// Taps on each side that Kaiser's formula asks for, rounded up to a multiple of four.
int half_taps(double transition) {
  const double n = (kAttenuationDb - 7.95) / (2.285 * 2.0 * kPi * transition);
  return 4 * static_cast<int>(std::ceil(n / 8.0));
}

void fill_phase(float* row, int half, double fraction, double cutoff) {
  const double beta = 0.1102 * (kAttenuationDb - 8.7);
  std::vector<double> values(2 * half);
  for (int i = 0; i < 2 * half; ++i) {
    const double distance = i - (half - 1) - fraction;  // in input samples
    const double edge = distance / half;
    const double window = bessel_i0(beta * std::sqrt(std::max(0.0, 1.0 - edge * edge)));
    values[i] = window * sinc(cutoff * distance);
  }
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  for (int i = 0; i < 2 * half; ++i) row[i] = static_cast<float>(values[i] / sum);
}

}  // namespace

PolyphaseFilter PolyphaseFilter::design(int in_rate, int out_rate) {
  check_rate("in_rate", in_rate);
  check_rate("out_rate", out_rate);
  PolyphaseFilter filter;
  const int divisor = std::gcd(in_rate, out_rate);
  filter.up = out_rate / divisor;
  filter.down = in_rate / divisor;
  if (in_rate == out_rate) {
    filter.weights = {1.0f};
    return filter;
  }
  const double lower = static_cast<double>(std::min(in_rate, out_rate)) / in_rate;
  const int half = half_taps((kStopEdge - kPassEdge) * lower);
  filter.before = half - 1;
  filter.after = half;
  if (filter.up * filter.taps() > kMaxWeights) {
    throw AudioError("the rates " + std::to_string(in_rate) + " and " + std::to_string(out_rate) +
                     " Hz have too small a common divisor (" + std::to_string(divisor) +
                     "): expected usual rates such as 8000, 44100 or 48000");
  }
  filter.weights.resize(filter.up * filter.taps());
  for (int64_t p = 0; p < filter.up; ++p) {
    fill_phase(filter.weights.data() + p * filter.taps(), half,
               static_cast<double>(p) / static_cast<double>(filter.up),
               (kPassEdge + kStopEdge) * lower);
  }
  return filter;
}

}  // namespace rap_edge
