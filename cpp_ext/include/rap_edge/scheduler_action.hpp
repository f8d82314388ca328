// What a FrameScheduler answers to a poll.
#pragma once

#include <cstdint>

namespace rap_edge {

enum class ActionKind { kWait, kSilence, kSpeak, kStartChunk, kPresent, kHold, kDrop };

enum class Reason {
  kNone,
  kStarved,      // the script was not there in time
  kLate,         // the picture was not
  kRate,         // left out by the level's rate_divisor
  kOverload,     // the level holds; of a level change: chunks took too long
  kIdle,         // nothing is made in silence
  kStart,        // nothing was made yet
  kInterrupted,  // made for an utterance that was interrupted
  kStale,        // a newer frame is due
  kFailed,       // its chunk failed
  kPressure,     // of a level change: set_floor()
  kRecovered,    // of a level change: there is time to spare again
};
constexpr int kReasons = 12;

struct Action {
  ActionKind kind = ActionKind::kWait;
  int64_t until_ns = 0;        // Wait: nothing to do before, unless another call comes
  int64_t samples = 0;         // Silence, Speak: how many samples the script grows by
  int64_t frame = 0;           // StartChunk, Drop: the first; Present: the one; Hold: the last
  int64_t n_frames = 0;        // StartChunk, Drop, Hold
  int64_t epoch = 0;           // the current one
  int64_t chunk_id = 0;        // StartChunk
  int level = 0;               // of the ladder
  int64_t skipped_frames = 0;  // StartChunk: frames that nobody makes, just before it
  int64_t deadline_ns = 0;     // StartChunk, Present, Hold: the tick of `frame`
  bool resumes = false;        // StartChunk: the first after a cut, by begin() or interrupt()
  Reason reason = Reason::kNone;
};

}  // namespace rap_edge
