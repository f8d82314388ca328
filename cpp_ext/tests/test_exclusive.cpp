#include <atomic>
#include <thread>

#include "check.hpp"
#include "rap_edge/exclusive.hpp"

using namespace rap_edge;

namespace {

void a_second_entry_is_refused_until_the_first_ends() {
  Exclusive owner;
  {
    const Exclusive::Entry entry(owner);
    CHECK_THROWS(ConcurrencyError, Exclusive::Entry{owner});
    CHECK_THROWS(ConcurrencyError, Exclusive::Entry{owner});
  }
  const Exclusive::Entry entry(owner);
}

void one_thread_of_two_is_inside() {
  Exclusive owner;
  int64_t entries = 0;  // not atomic: the flag is what protects it
  std::atomic<int64_t> granted{0};
  const auto work = [&] {
    for (int i = 0; i < 20000; ++i) {
      try {
        const Exclusive::Entry entry(owner);
        ++entries;
        ++granted;
      } catch (const ConcurrencyError&) {
      }
    }
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(entries == granted && entries > 0);
}

}  // namespace

int main() {
  a_second_entry_is_refused_until_the_first_ends();
  one_thread_of_two_is_inside();
}
