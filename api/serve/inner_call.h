#pragma once
// One of our own methods, called for a request that came another way than by gRPC: a button in Slack, a link in a mail.
#include <google/protobuf/message_lite.h>

#include <functional>
#include <string>
#include <string_view>

#include "api/grpc/router.h"
#include "api/roles.h"

namespace callimport::api {

/// `reply`: the message's bytes; empty unless the status is OK.
using OnInnerReply = std::function<void(const PortStatus& status, const std::string& reply)>;
/// On the loop, as it answers. Who may is the caller's to check.  @param method  its name without the service
void call_inside(const Router& router, std::string_view method, const google::protobuf::MessageLite& request,
                 Caller caller, OnInnerReply done);

}  // namespace callimport::api
