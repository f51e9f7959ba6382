// A place where backups live: objects under keys, each whole or absent.
//
// A store knows nothing of what the objects hold. All functions may be called from several threads, and throw Error
// with the store's and the key's name in the message.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/object_io.h"

namespace pana {

struct ObjectInfo {
  std::string key;
  std::uint64_t bytes = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // How a person names the object: a path or URL.
  virtual std::string describe(const std::string& key) const = 0;
  // Throws KeyTaken for a key that exists, or is being uploaded where that can be told. `expected_bytes` is an estimate
  // from above, for the parts.
  virtual std::unique_ptr<ObjectUpload> begin_upload(const std::string& key, std::uint64_t expected_bytes) = 0;
  virtual std::unique_ptr<ObjectReader> open(const std::string& key) = 0;
  // Removes what killed writers left of uploads, where it can be told from what living ones are at work on; of those
  // keys only for which `is_ours` holds.
  virtual void remove_abandoned(const std::function<bool(const std::string& key)>& is_ours) = 0;
  // All objects, in the order of their keys.
  virtual std::vector<ObjectInfo> list() = 0;
  virtual void remove(const std::string& key) = 0;
};

}  // namespace pana
