#pragma once
// SHA-256 while it streams by.
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace callimport::storage {

/// Threads: one at a time.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  ContentHash(ContentHash&&) noexcept;
  ContentHash& operator=(ContentHash&&) noexcept;
  void add(std::string_view bytes);
  /// 64 characters of lower-case hex. Begins anew after.
  std::string finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string content_hash(std::string_view bytes);
bool is_content_hash(std::string_view text);

}  // namespace callimport::storage
