// A mutex whose use clang checks at compile time (-Wthread-safety, in the preset clang): what is PANA_GUARDED_BY it can
// be touched only where it is held. See https://clang.llvm.org/docs/ThreadSafetyAnalysis.html.
#pragma once

#include <mutex>

#ifdef __clang__
#define PANA_THREAD_ATTRIBUTE(attribute) __attribute__((attribute))
#else
#define PANA_THREAD_ATTRIBUTE(attribute)
#endif

#define PANA_GUARDED_BY(mutex) PANA_THREAD_ATTRIBUTE(guarded_by(mutex))         // a member, by this mutex
#define PANA_REQUIRES(mutex) PANA_THREAD_ATTRIBUTE(requires_capability(mutex))  // of a function's callers
#define PANA_EXCLUDES(mutex) PANA_THREAD_ATTRIBUTE(locks_excluded(mutex))       // they do not hold it

namespace pana {

class PANA_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() PANA_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() PANA_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

  // For the condition that a waiting std::condition_variable_any evaluates, which holds the mutex unseen by clang.
  void assert_held() const PANA_THREAD_ATTRIBUTE(assert_capability(this)) {}

 private:
  std::mutex mutex_;
};

// Holds a mutex while it lives, but where unlock() gave it up; a std::condition_variable_any can wait with it.
class PANA_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) PANA_THREAD_ATTRIBUTE(acquire_capability(mutex)) : lock_(mutex) {}
  ~MutexLock() PANA_THREAD_ATTRIBUTE(release_capability()) = default;
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void lock() PANA_THREAD_ATTRIBUTE(acquire_capability()) { lock_.lock(); }
  void unlock() PANA_THREAD_ATTRIBUTE(release_capability()) { lock_.unlock(); }

 private:
  std::unique_lock<Mutex> lock_;
};

}  // namespace pana
