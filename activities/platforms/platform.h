#pragma once
// The one contract of a connector: data, and small pure functions that write a request and read its reply. A connector
// never sends, sleeps or retries; it says what to ask and what came. docs/new-platform.md tells how the next one is
// written.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "activities/http/http.h"
#include "activities/platforms/trouble.h"
#include "storage/library/lane_order.h"
#include "storage/library/records.h"
#include "storage/quota/budget.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

/// What every request needs. `base_url` has no trailing slash.
struct PlatformSession {
  std::string base_url;
  storage::Secret token;
  std::string token_kind;  ///< pat, wat, oauth
};

struct ListQuery {
  std::string cursor;                      ///< empty: first page
  std::optional<Timestamp> after, before;  ///< on the start of the call: after inclusive, before exclusive
  bool accounts = false;                   ///< whose customers' calls they are is wanted; the same for all pages
};
/// One page of the workspace. `next` is the cursor to go on with; absent at the end.
struct ListPage {
  std::vector<storage::ManifestRow> calls;  ///< source_id, start_ms; title, duration_ms, media_type, owner, account
                                            ///< where known
  std::optional<std::string> next;
};
/// Where a recording lies for the moment. `url` is signed: a secret.
struct MediaLink {
  std::string url;
  std::optional<Timestamp> expires;
};

/// What the platform says about our pace in every answer.
struct RateSeen {
  int per_minute = 0;            ///< requests we may make
  std::optional<int> remaining;  ///< of them, in the present minute
};

/// How the platform's OAuth clients get tokens.
struct OAuthFacts {
  std::string_view authorize_base;              ///< where people say yes; need not be the API's host
  std::string_view authorize_path, token_path;  ///< the latter below the platform's base URL
  std::string_view scopes_key = "scope";        ///< of the authorize page's query
  bool json_body = false;  ///< of a token request; else application/x-www-form-urlencoded (RFC 6749, 4.1.3)
};

struct Platform {
  std::string_view name;      ///< grain
  std::string_view title;     ///< Grain
  std::string_view base_url;  ///< the vendor's
  bool newest_first = false;  ///< lists in the first lane's order, so that lane can start during enumeration
  /// What its list tells of a call, before any details: without it there is no such order.
  bool lists_length = false, lists_owner = false, lists_account = false;
  std::vector<storage::Budget> budgets;  ///< documented, of one workspace; the vendor's answers correct them
  std::optional<OAuthFacts> oauth;
  Nanos outage_wait;  ///< how long to wait before asking again when the platform does not answer

  /// Proves the credential: can list. Read with read_page.
  HttpRequest (*check)(const PlatformSession& session);
  HttpRequest (*list)(const PlatformSession& session, const ListQuery& query);
  Fetched<ListPage> (*read_page)(const HttpReply& reply, Timestamp now);
  HttpRequest (*details)(const PlatformSession& session, std::string_view source_id);
  /// Everything but segments and media.
  Fetched<storage::Call> (*read_details)(const HttpReply& reply, Timestamp now);
  HttpRequest (*transcript)(const PlatformSession& session, std::string_view source_id);
  /// CallFailed{transcript.missing}: there will be none; the call can come across without it.
  Fetched<std::vector<storage::Segment>> (*read_transcript)(const HttpReply& reply, Timestamp now);
  /// Asks for the recording's link; the link itself is fetched without credentials, with ranges.
  /// CallFailed{call.no_recording}: there is none; a call whose media_type is transcript need not be asked for one.
  HttpRequest (*media)(const PlatformSession& session, std::string_view source_id);
  Fetched<MediaLink> (*read_media)(const HttpReply& reply, Timestamp now);
  /// Of any answer of the platform itself (not of a media link); nullopt: it does not tell.
  std::optional<RateSeen> (*read_rate)(const HttpReply& reply);
};

/// All connectors of this binary.
const std::vector<const Platform*>& platforms();
/// Why the platform's calls cannot be put into this order; empty: they can.
std::string order_refused(const Platform& platform, const storage::LaneOrder& order);
/// Null when unknown.
const Platform* find_platform(std::string_view name);
/// Documented, of all kinds together; 0: the vendor says nothing.
int requests_per_minute(const Platform& platform);

}  // namespace callimport::activities
