#include "engine/cluster/handshake.h"

#include <fmt/format.h>
#include <temporal/api/operatorservice/v1/request_response.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <cctype>
#include <memory>
#include <utility>

#include "engine/worker/rpc.h"

namespace callimport::engine {
namespace {

namespace enums = ::temporal::api::enums::v1;
using worker::Backoff;
namespace grpc_code = worker::grpc_code;

inline constexpr int kUnauthenticated = 16;

template <class Response>
using Answer = tl::expected<std::shared_ptr<Response>, PortStatus>;  // shared: rides in copyable callbacks

/// The seams of one handshake.
struct Desk {
  Cluster& cluster;
  Executor& loop;
  Clock& clock;
  Random& random;
};

/// One call, tried again by the table of A9.
template <class Service, class Request, class Response>
Awaitable<Answer<Response>> ask(Desk desk, void (Service::*method)(const Request&, CallContext, Reply<Response>),
                                Request request) {
  const Backoff backoff;
  const Timestamp began = desk.clock.now();
  for (int failed = 0;;) {
    auto start = [&desk, method, &request](std::function<void(Answer<Response>)> set) {
      CallContext context;
      context.deadline = desk.clock.now() + std::chrono::seconds{5};
      (desk.cluster.*method)(request, context, [set](const PortStatus& status, Response* reply) {
        if (!status.ok()) return set(tl::unexpected(status));
        auto kept = std::make_shared<Response>();
        kept->Swap(reply);
        set(std::move(kept));
      });
    };
    auto answer = co_await async_value<Answer<Response>>(std::move(start));
    if (answer || !worker::is_transient(answer.error()) || ++failed >= backoff.attempts_max) co_return answer;
    const Nanos wait = worker::delay_after(backoff, answer.error(), failed, desk.random);
    if (desk.clock.now() + wait > began + backoff.trying_max) co_return answer;
    co_await sleep_for(desk.clock, wait);
  }
}

tl::unexpected<Error> refused(std::string_view doing, const PortStatus& status) {
  const bool away = worker::is_transient(status) || status.code == grpc_code::kDeadlineExceeded;
  return fail(away ? Code::kUnavailable : Code::kInvalid, fmt::format("{}: {}", doing, status.message));
}

/// `KeywordList` as the wire numbers it.
enums::IndexedValueType type_number(std::string_view type) {
  std::string name = "INDEXED_VALUE_TYPE";
  for (const char c : type) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0) name += '_';
    name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  auto number = enums::INDEXED_VALUE_TYPE_UNSPECIFIED;
  enums::IndexedValueType_Parse(name, &number);
  return number;
}

std::string command_that_adds(const ClusterNeeds& needs, const std::map<std::string, std::string>& missing) {
  std::string command = "temporal operator search-attribute create --namespace " + needs.name_space;
  for (const auto& [name, type] : missing) command += fmt::format(" --name {} --type {}", name, type);
  return command;
}

/// Those of `needs` that are not there. @error kInvalid  one is there with another type.
Result<std::map<std::string, std::string>> missing_of(const ClusterNeeds& needs,
                                                      const operator_api::ListSearchAttributesResponse& there) {
  std::map<std::string, std::string> missing;
  for (const auto& [name, type] : needs.search_attributes) {
    const auto found = there.custom_attributes().find(name);
    if (found == there.custom_attributes().end()) {
      missing[name] = type;
    } else if (found->second != type_number(type)) {
      return fail(Code::kInvalid, fmt::format("search attribute {} of namespace {} is not a {}: remove it, and {}",
                                              name, needs.name_space, type, command_that_adds(needs, {{name, type}})));
    }
  }
  return missing;
}

/// @return a notice when the server neither tells nor lets us add.
Awaitable<Result<std::string>> settle_search_attributes(Desk desk, ClusterNeeds needs) {
  operator_api::ListSearchAttributesRequest list;
  list.set_namespace_(needs.name_space);
  const auto there = co_await ask(desk, &Cluster::ListSearchAttributes, std::move(list));
  auto missing = needs.search_attributes;
  if (there) {
    CO_TRY(missing, missing_of(needs, **there));
  }
  if (missing.empty()) co_return std::string();
  operator_api::AddSearchAttributesRequest add;
  add.set_namespace_(needs.name_space);
  for (const auto& [name, type] : missing) (*add.mutable_search_attributes())[name] = type_number(type);
  const auto added = co_await ask(desk, &Cluster::AddSearchAttributes, std::move(add));
  constexpr int kAlreadyExists = 6;
  if (added || added.error().code == kAlreadyExists) co_return std::string();
  const auto text = fmt::format(
      "the search attributes of imports could not be added to namespace {} ({}); have it "
      "done: {}",
      needs.name_space, added.error().message, command_that_adds(needs, missing));
  if (there) co_return fail(Code::kInvalid, text);
  co_return text;  // they may well be there: nobody lets us look
}

}  // namespace

Awaitable<Result<ClusterFacts>> shake_hands(Cluster& cluster, Executor& loop, Clock& clock, Random& random,
                                            ClusterNeeds needs) {
  const Desk desk{cluster, loop, clock, random};
  ClusterFacts facts;
  const auto system = co_await ask(desk, &Cluster::GetSystemInfo, api::GetSystemInfoRequest());
  if (system) facts.server_version = (*system)->server_version();
  if (!system && system.error().code != grpc_code::kUnimplemented) {  // an old server, carry on (A2)
    co_return refused("Temporal does not answer", system.error());
  }
  api::DescribeNamespaceRequest describe;
  describe.set_namespace_(needs.name_space);
  const auto described = co_await ask(desk, &Cluster::DescribeNamespace, std::move(describe));
  if (!described && described.error().code == grpc_code::kNotFound) {
    co_return fail(Code::kNotFound, fmt::format("no namespace {}: {}", needs.name_space, described.error().message));
  }
  const bool decides =
      !described && (worker::is_transient(described.error()) || described.error().code == kUnauthenticated);
  if (decides) co_return refused("namespace " + needs.name_space, described.error());  // others: not ours to ask
  auto settled = settle_search_attributes(desk, needs);
  CO_TRY(facts.notice, co_await std::move(settled));
  co_return facts;
}

}  // namespace callimport::engine
