// A stream of the core with the flag that refuses a second caller while the GIL is released.
#pragma once

#include <utility>

#include "rap_edge/exclusive.hpp"

namespace rap_edge {

template <class Stream>
struct Guarded {
  template <class... Arguments>
  explicit Guarded(Arguments&&... arguments) : stream(std::forward<Arguments>(arguments)...) {}

  Stream stream;
  Exclusive busy;
};

// A method of the stream, to be bound as it is.
template <class Stream, auto method, class... Arguments>
auto guarded_call(Guarded<Stream>& self, Arguments... arguments) {
  const Exclusive::Entry entry(self.busy);
  return (self.stream.*method)(arguments...);
}

}  // namespace rap_edge
