#include "api/cli/serve_flags.h"
#include "api/cli/tree.h"
#include "api/serve/cluster_worker.h"

namespace callimport::api {
namespace {

struct WorkerFlags {
  std::string temporal;
  int ready_fd = -1;
  HttpFlags http;
};

/// Flag, environment or profile; the data folder's own socket, where other verbs go without one, is no cluster.
tl::expected<Connection, CliError> cluster_of(Session& session, const WorkerFlags& flags) {
  if (!flags.temporal.empty()) session.flags.connection.address = flags.temporal;
  const auto named = session.connection();
  const auto own = "unix:" + DataFolder{session.data_folder()}.socket();
  const bool none = named ? (*named)->address == own : named.error().code == "server.absent";
  if (none)
    return sorry(kExitUsage, "usage", "--temporal is required: the cluster to work for, as HOST:PORT",
                 "callimport worker --help");
  if (!named) return tl::unexpected(named.error());
  return **named;
}

Ended run(Session& session, const WorkerFlags& flags) {
  WorkerOrder order;
  CLI_TRY_VOID(fill_order(session, order));
  order.ready_fd = flags.ready_fd;
  fill_http(flags.http, order.config.http);
  CLI_TRY(order.temporal, cluster_of(session, flags));
  order.temporal.access_token.clear();  // opens our own server, so it is none of the cluster's business
  const auto worked = work_on_cluster(order);
  if (worked) return kExitDone;
  return server_error(worked.error(), order.data_folder);
}

}  // namespace

void add_worker(Tree& tree) {
  auto& verb = tree.verb(tree.root, "worker", "Run the imports of this library on a Temporal cluster",
                         {"callimport worker --temporal temporal.example:7233 --namespace calls",
                          "callimport worker --temporal calls.a1b2c.tmprl.cloud:7233 --namespace calls.a1b2c "
                          "--api-key-file key"});
  auto flags = std::make_shared<WorkerFlags>();  // shared by the parser and the body
  verb.add_option("--temporal", flags->temporal, "the cluster as host:port (TEMPORAL_ADDRESS)");
  add_http_flags(verb, flags->http);
  verb.add_option("--ready-fd", flags->ready_fd, "descriptor that gets one line once calls are answered")
      ->check(CLI::Range(0, 1 << 20));
  tree.run(verb, [&session = tree.session, flags] { return run(session, *flags); });
}

}  // namespace callimport::api
