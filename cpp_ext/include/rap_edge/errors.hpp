// The errors of the core. The bindings raise the classes of the same names in rap_edge.errors.
#pragma once

#include <stdexcept>

namespace rap_edge {

// Samples, a rate or an array that cannot be used.
struct AudioError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

// A configuration value that is not accepted.
struct ConfigError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

// A call in an order that the object does not allow.
struct StateError : std::logic_error {
  using std::logic_error::logic_error;
};

// Two threads inside one object that belongs to one stream.
struct ConcurrencyError : StateError {
  using StateError::StateError;
};

}  // namespace rap_edge
