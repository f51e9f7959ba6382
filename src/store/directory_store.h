// Backups as files of one directory.
//
// An upload writes a hidden temporary file (".KEY.PID.partial", mode 0600, locked while its writer lives), makes it
// durable, and gives it its name without ever replacing another file. Temporary files of writers that were killed are
// removed when the next upload begins.
#pragma once

#include <filesystem>

#include "store/object_store.h"

namespace pana {

class DirectoryStore : public ObjectStore {
 public:
  explicit DirectoryStore(std::filesystem::path directory);

  std::string describe(const std::string& key) const override;
  // Creates the directory if it is missing, but not the one above it: that is more likely a mistake, or a disk that
  // is not mounted.
  std::unique_ptr<ObjectUpload> begin_upload(const std::string& key, std::uint64_t expected_bytes) override;
  void remove_abandoned(const std::function<bool(const std::string& key)>& is_ours) override;
  std::unique_ptr<ObjectReader> open(const std::string& key) override;
  std::vector<ObjectInfo> list() override;
  void remove(const std::string& key) override;

 private:
  std::filesystem::path directory_;
};

}  // namespace pana
