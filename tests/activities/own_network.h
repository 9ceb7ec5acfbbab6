#pragma once
// A network of the test's own (Linux namespaces): a loopback with further addresses, and a resolver that asks whoever
// listens on 127.0.0.1:53. Nothing leaves it, and nothing of this machine changes.
#include <filesystem>
#include <string>
#include <vector>

namespace callimport::tests {

/// For the whole process, for good; before its first thread and its first look-up of a name. Afterwards it is root in
/// there, and may listen on any port.
/// @param addresses  IPv4, of this machine's loopback in there besides 127.0.0.1
/// @param folder     for the resolver's configuration; as long as names are looked up
/// @return empty: done; else why this machine does not let us
std::string enter_own_network(const std::vector<std::string>& addresses, const std::filesystem::path& folder);

}  // namespace callimport::tests
