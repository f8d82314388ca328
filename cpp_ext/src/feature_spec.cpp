#include "rap_edge/feature_spec.hpp"

#include <cstdio>
#include <cstring>

#include "rap_edge/errors.hpp"

namespace rap_edge {
namespace {

constexpr int kMaxMels = 256;

void check_n_mels(int n_mels) {
  if (n_mels < 1 || n_mels > kMaxMels) {
    throw ConfigError("n_mels is " + std::to_string(n_mels) + ": expected 1 to " +
                      std::to_string(kMaxMels));
  }
}

// FNV-1a over 64-bit words, byte by byte from the lowest, so that byte order does not matter.
class Fnv1a {
 public:
  void add(uint64_t word) {
    for (int shift = 0; shift < 64; shift += 8) {
      hash_ = (hash_ ^ ((word >> shift) & 0xff)) * 0x100000001b3ULL;
    }
  }
  void add(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    add(bits);
  }
  void add(int value) { add(static_cast<uint64_t>(static_cast<int64_t>(value))); }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace

const char* to_string(Window value) { return value == Window::kHann ? "hann" : "povey"; }

const char* to_string(PadMode value) {
  switch (value) {
    case PadMode::kConstant:
      return "constant";
    case PadMode::kReflect:
      return "reflect";
    default:
      return "none";
  }
}

const char* to_string(PreemphasisScope value) {
  switch (value) {
    case PreemphasisScope::kSignal:
      return "signal";
    case PreemphasisScope::kFrame:
      return "frame";
    default:
      return "none";
  }
}

const char* to_string(Spectrum value) { return value == Spectrum::kPower ? "power" : "magnitude"; }

const char* to_string(MelScale value) { return value == MelScale::kSlaney ? "slaney" : "kaldi"; }

const char* to_string(MelNorm value) { return value == MelNorm::kSlaney ? "slaney" : "none"; }

const char* to_string(Log value) { return value == Log::kNatural ? "ln" : "log10"; }

FeatureSpec FeatureSpec::rap() {
  FeatureSpec spec;
  spec.name = "rap";
  return spec;
}

FeatureSpec FeatureSpec::whisper(int n_mels) {
  check_n_mels(n_mels);
  FeatureSpec spec;
  spec.name = "whisper";
  spec.n_fft = 400;
  spec.pad_mode = PadMode::kReflect;
  spec.drop_last = true;
  spec.n_mels = n_mels;
  spec.log = Log::kDecimal;
  return spec;
}

FeatureSpec FeatureSpec::wav2lip() {
  FeatureSpec spec;
  spec.name = "wav2lip";
  spec.n_fft = 800;
  spec.win_samples = 800;
  spec.hop_samples = 200;
  spec.pad_mode = PadMode::kReflect;
  spec.preemphasis = 0.97;
  spec.preemphasis_scope = PreemphasisScope::kSignal;
  spec.spectrum = Spectrum::kMagnitude;
  spec.fmin_hz = 55.0;
  spec.fmax_hz = 7600.0;
  spec.log = Log::kDecimal;
  spec.log_floor = 1e-5;
  spec.log_scale = 20.0;
  spec.log_offset = -20.0;
  return spec;
}

FeatureSpec FeatureSpec::kaldi_fbank(int n_mels) {
  check_n_mels(n_mels);
  FeatureSpec spec;
  spec.name = "kaldi_fbank";
  spec.window = Window::kPovey;
  spec.center = false;
  spec.pad_mode = PadMode::kNone;
  spec.gain = 32768.0;
  spec.remove_dc = true;
  spec.preemphasis = 0.97;
  spec.preemphasis_scope = PreemphasisScope::kFrame;
  spec.n_mels = n_mels;
  spec.mel_scale = MelScale::kKaldi;
  spec.mel_norm = MelNorm::kNone;
  spec.fmin_hz = 20.0;
  spec.log_floor = 1.1920928955078125e-07;
  return spec;
}

std::string FeatureSpec::fingerprint() const {
  Fnv1a hash;
  for (int value :
       {sample_rate, n_fft, win_samples, hop_samples, static_cast<int>(window),
        static_cast<int>(center), static_cast<int>(pad_mode), static_cast<int>(drop_last),
        static_cast<int>(remove_dc), static_cast<int>(preemphasis_scope),
        static_cast<int>(spectrum), n_mels, static_cast<int>(mel_scale), static_cast<int>(mel_norm),
        static_cast<int>(log)}) {
    hash.add(value);
  }
  for (double value : {gain, preemphasis, fmin_hz, fmax_hz, log_floor, log_scale, log_offset}) {
    hash.add(value);
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash.value()));
  return text;
}

}  // namespace rap_edge
