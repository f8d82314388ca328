// How far what is heard has been decided, and the utterance that is being said.
#pragma once

#include <algorithm>
#include <cstdint>

#include "rap_edge/integers.hpp"

namespace rap_edge {

// Positions are samples since the stream began. `end` only grows, but for cut(). While nobody
// speaks, what is pushed is pending: it has no place yet.
struct SpeechScript {
  int64_t frame_samples;
  int64_t end = 0;
  int64_t speech_start = 0;  // of the speech that was placed last
  int64_t speech_end = 0;
  int64_t pending = 0;
  bool open = false;  // the utterance takes audio
  bool speaking = false;

  int64_t up_to_frame(int64_t sample) const {
    return ceil_div(sample, frame_samples) * frame_samples;
  }
  bool is_whole() const { return end % frame_samples == 0; }
  // A sample that is not of the speech that was placed last.
  bool is_silent(int64_t sample) const {
    return sample < speech_start || (!speaking && sample >= speech_end);
  }
  bool is_complete() const { return pending > 0 && !open; }

  void begin() {
    pending = 0;
    open = true;
    speaking = false;
  }
  void push(int64_t n) {
    if (speaking) {
      speech_end = end += n;
    } else {
      pending += n;
    }
  }
  void close() {
    open = false;
    if (speaking) finish();
  }
  // All that is pending gets its place, at the end.
  int64_t speak() {
    const int64_t n = pending;
    pending = 0;
    speaking = true;
    speech_start = end;
    speech_end = end += n;
    if (!open) finish();
    return n;
  }
  void grow_to(int64_t sample) { end = std::max(end, sample); }
  void cut(int64_t sample) {
    end = std::min(end, sample);
    speech_end = std::min(speech_end, end);
  }

 private:
  void finish() {
    speaking = false;
    speech_end = end = up_to_frame(end);
  }
};

}  // namespace rap_edge
