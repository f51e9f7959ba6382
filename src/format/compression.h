// How the frames of a backup are encoded: not at all, or each as one independent zstd frame with its checksum.
#pragma once

#include <xxhash.h>
#include <zstd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pana {

// Of the library that this process runs with: "1.5.4".
std::string_view zstd_version();

struct Compression {
  std::optional<int> zstd_level;  // nothing: plain SQL

  bool enabled() const { return zstd_level.has_value(); }
  std::string text() const;  // as parse() takes it
};

// "none", "zstd" (level 1) or "zstd:LEVEL"; throws Error(usage) on anything else.
Compression parse_compression(std::string_view text);

// Encodes one frame after another. Used by one thread at a time; keeps its working memory from frame to frame.
class FrameEncoder {
 public:
  explicit FrameEncoder(Compression compression);

  bool compresses() const { return context_ != nullptr; }

  // Appends the encoded form of `text` to `encoded`, which holds the frame and nothing before it; zstd may hold some of
  // it back until end_frame().
  void append(std::string_view text, std::string& encoded);
  // Returns the XXH64 of the frame's text.
  std::uint64_t end_frame(std::string& encoded);

 private:
  void drive(std::string_view text, ZSTD_EndDirective directive, std::string& encoded);

  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(XXH64_state_t* state) const { XXH64_freeState(state); }
  };
  std::unique_ptr<XXH64_state_t, Free> checksum_;
  std::unique_ptr<ZSTD_CCtx, Free> context_;  // null: plain SQL
  std::unique_ptr<char[]> output_;
};

// Decodes zstd frames that arrive in pieces, one after another. Used by one thread at a time.
class FrameDecoder {
 public:
  FrameDecoder();

  // Calls sink(text) for what `encoded` gives; throws Error(damaged) on what is no zstd frame, or when more text than
  // `limit` bytes comes out (a backup's index promises the length of every frame).
  template <typename Sink>
  void decode(std::string_view encoded, std::uint64_t limit, Sink&& sink) {
    ZSTD_inBuffer in{encoded.data(), encoded.size(), 0};
    bool output_full = false;
    while (in.pos < in.size || output_full) {
      const std::string_view text = step(in, output_full);
      decoded_ += text.size();
      check_length(limit);
      if (!text.empty()) sink(text);
    }
  }

  // Forgets the frame before; keeps its working memory.
  void begin_frame();

  // Throws Error(damaged) unless exactly one whole frame has been decoded since.
  void expect_end() const;
  std::uint64_t decoded_bytes() const { return decoded_; }

 private:
  std::string_view step(ZSTD_inBuffer& in, bool& output_full);
  void check_length(std::uint64_t limit) const;

  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  std::string output_;
  std::uint64_t decoded_ = 0;
  bool ended_ = false;
};

}  // namespace pana
