// One caller at a time: a second one is refused, never made to wait.
#pragma once

#include <atomic>

#include "rap_edge/errors.hpp"

namespace rap_edge {

// Owned by an object that belongs to one stream; an Entry lives as long as a call does.
class Exclusive {
 public:
  class Entry {
   public:
    // Throws ConcurrencyError while another Entry of the same owner lives.
    explicit Entry(Exclusive& owner) : owner_(owner) {
      if (owner_.busy_.exchange(true, std::memory_order_acquire)) {
        throw ConcurrencyError(
            "a call came in while another thread was inside this object: expected one caller at a "
            "time - use one object per stream, or a lock");
      }
    }
    ~Entry() { owner_.busy_.store(false, std::memory_order_release); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    Exclusive& owner_;
  };

 private:
  std::atomic<bool> busy_{false};
};

}  // namespace rap_edge
