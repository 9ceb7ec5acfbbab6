#include "engine/cluster/status.h"

#include <google/rpc/status.pb.h>

namespace callimport::engine {

PortStatus port_status(const grpc::Status& status) {
  PortStatus port;
  port.code = static_cast<int>(status.error_code());
  port.message = status.error_message();
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details()) &&
      details.details_size() > 0) {
    const auto& url = details.details(0).type_url();
    port.detail_type = url.substr(url.rfind('/') + 1);
    port.detail_bytes = details.details(0).value();
  }
  return port;
}

}  // namespace callimport::engine
