// The two ways in which a backup touches the place it is kept: an upload that appears whole or not at all, and reads
// of byte ranges. Stores implement them; the format uses them and knows nothing else of a store.
//
// Every call that can wait for a store carries the stop token of whoever makes it, and throws Error(interrupted) soon
// after a stop was requested, whatever the store does.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/obstacle.h"

namespace pana {

// One piece of an upload. All parts but the last have the same size; numbers count from 1 without gaps.
struct Part {
  std::uint32_t number = 0;
  std::uint64_t offset = 0;  // bytes before this part
  std::string_view bytes;    // valid until put() returns
  bool is_last = false;
};

// The key has an object already, or one that is under way. Nothing was overwritten.
class KeyTaken : public Obstacle {
 public:
  explicit KeyTaken(const std::string& name)
      : Obstacle(Cause::name_taken, ErrorKind::refused, name + " already exists, and pana never overwrites a backup",
                 "backups are named by the second; try again") {}
};

// An object appears whole or not at all: it becomes visible when its upload completes, and an upload that is
// destroyed before that leaves nothing behind. Its destructor carries no token: it gives up after some seconds by
// itself, and says in the log what stays.
class ObjectUpload {
 public:
  virtual ~ObjectUpload() = default;
  virtual std::uint64_t part_bytes() const = 0;  // the size every part but the last must have
  // Returns when stored; safe to call from several threads.
  virtual void put(const Part& part, const std::stop_token& stop) = 0;
  // Once, after every put() has returned. Throws KeyTaken when another upload was first. When it is interrupted, the
  // message says whether the object is there.
  virtual void complete(const std::stop_token& stop) = 0;
};

// Random access to one stored object that does not change. Safe from several threads.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual std::uint64_t size() const = 0;
  // Fills `into` with the bytes from `offset` on; throws when the object ends before.
  virtual void read(std::uint64_t offset, std::span<char> into, const std::stop_token& stop) const = 0;
};

}  // namespace pana
