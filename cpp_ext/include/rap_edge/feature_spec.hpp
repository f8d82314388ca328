// The definition of one kind of log-mel features: every number that changes a value of a frame.
#pragma once

#include <cstdint>
#include <string>

namespace rap_edge {

enum class Window { kHann, kPovey };  // periodic Hann; symmetric Hann to the power 0.85
enum class PadMode { kNone, kConstant, kReflect };  // kNone goes with frames that are not centred
enum class PreemphasisScope { kNone, kSignal, kFrame };
enum class Spectrum { kPower, kMagnitude };
enum class MelScale { kSlaney, kKaldi };
enum class MelNorm { kNone, kSlaney };  // peak 1; area 1 in Hz
enum class Log { kNatural, kDecimal };

const char* to_string(Window value);
const char* to_string(PadMode value);
const char* to_string(PreemphasisScope value);
const char* to_string(Spectrum value);
const char* to_string(MelScale value);
const char* to_string(MelNorm value);
const char* to_string(Log value);

// A value; the factories make the only ones in use, so that a fingerprint names a known definition.
struct FeatureSpec {
  std::string name;
  int sample_rate = 16000;
  int n_fft = 512;
  int win_samples = 400;  // at most n_fft; the window stands in the middle of a centred frame
  int hop_samples = 160;
  Window window = Window::kHann;
  bool center = true;  // frame f is centred on sample f * hop, not started there
  PadMode pad_mode = PadMode::kConstant;
  bool drop_last = false;  // leave out the last centred frame, as Whisper does
  double gain = 1.0;       // applied to samples in [-1, 1] first
  bool remove_dc = false;  // subtract the mean of each frame
  double preemphasis = 0.0;
  PreemphasisScope preemphasis_scope = PreemphasisScope::kNone;
  Spectrum spectrum = Spectrum::kPower;
  int n_mels = 80;
  MelScale mel_scale = MelScale::kSlaney;
  MelNorm mel_norm = MelNorm::kSlaney;
  double fmin_hz = 0.0;
  double fmax_hz = 8000.0;
  Log log = Log::kNatural;
  double log_floor = 1e-10;  // feature = log_scale * log(max(mel, log_floor)) + log_offset
  double log_scale = 1.0;
  double log_offset = 0.0;

  // The features of rap-edge's own audio encoder.
  static FeatureSpec rap();
  // transformers' WhisperFeatureExtractor before its normalisation; n_mels is 80 or 128.
  static FeatureSpec whisper(int n_mels = 80);
  // Wav2Lip's mel spectrogram in decibels before its normalisation.
  static FeatureSpec wav2lip();
  // Kaldi's fbank without dither, on the scale of 16-bit samples.
  static FeatureSpec kaldi_fbank(int n_mels = 80);

  // 16 hexadecimal digits (FNV-1a of every field but the name), the same on every machine.
  std::string fingerprint() const;

  // Samples of a frame before its first sample index f * hop.
  int64_t left_samples() const { return center ? win_samples / 2 : 0; }
};

}  // namespace rap_edge
