#pragma once
// Who may do what: a role for every method of ours, and the configuration's map from people to roles. No gRPC here.
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace callimport::api {

/// Each may do what those before it may.
enum class Role : std::uint8_t { kNone, kViewer, kOperator, kApprover, kAdmin };
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);  ///< viewer, operator, approver, admin

/// Whoever makes a call. Threads: a value.
struct Caller {
  std::string name;    ///< os:anna (the socket), token:ci (a token file's name), token:api-key; empty: not known
  std::string origin;  ///< where from, in words: "callimport-cli on the socket"
  Role role = Role::kAdmin;
  /// The name without what kind of name it is.
  std::string person() const;
};

/// The configuration's [roles]. Without any row everybody who may connect is admin.
class RoleMap {
 public:
  void set(const std::string& who, Role role) { rows_[who] = role; }
  bool empty() const { return rows_.empty(); }
  Role of(const std::string& who) const;
  /// "approve needs the role approver: anna, ben have it; os:carl is viewer"
  std::string refusal(std::string_view doing, Role needed, const Caller& caller) const;

 private:
  std::map<std::string, Role, std::less<>> rows_;
};

inline constexpr std::string_view kOurMethods = "/callimport.v1.CallImportService/";
/// What a method of callimport.v1 needs, and what it is called to people.
struct MethodRole {
  std::string_view method;
  Role role;
  std::string_view doing;
};
std::span<const MethodRole> method_roles();
/// Of a full name, "/package.Service/Method". Temporal's services: reading is a viewer's, all else an admin's, since it
/// goes past every check and record of ours. Of ours a method without a row is an admin's. Others: kNone.
MethodRole role_of_method(std::string_view full_method);

}  // namespace callimport::api
