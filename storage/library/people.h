#pragma once
// The directory, users and contacts with their companies, and who of it took part in a call.
//
// Recognised are, in this order: the platform's own user id, the e-mail address, the phone number (of the participant,
// or of a name that is nothing but one). A key of two people tells nothing; the next key may. Who is not recognised is
// listed and holds nothing up. The company is the person's, else that of the address's domain; domains of mail
// providers and of the workspace are no customer's.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/library/library.h"
#include "storage/runtime/random.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

class PeopleWrites {
 public:
  PeopleWrites(Database& db, Random& random);

  /// @error kInvalid  an address, number or kind that is none; nothing to recognise the person by.
  Result<PersonChange> put(const Contact& contact);
  Result<> set_workspace(const std::string& name, const WorkspaceRules& rules);
  Result<WorkspaceRules> workspace(const std::string& name);

  /// As stored with a participant.
  struct Match {
    int recognised = 0;
    std::optional<std::int64_t> person, company;
    std::string person_name, company_name, side;
    friend bool operator==(const Match&, const Match&) = default;
  };
  Result<Match> match(const Participant& one, const std::string& platform, const std::string& workspace);

 private:
  struct Keys {
    std::string user, email, phone;  ///< normalised; empty: none
  };
  struct Known {
    std::int64_t number = 0;
    std::string kind, name;
    std::optional<std::int64_t> company;
  };
  Result<std::vector<std::int64_t>> with_key(const std::string& kind, const std::string& value);
  Result<std::optional<Known>> find(const Contact& contact, const Keys& keys);
  Result<bool> add_key(std::int64_t person, const std::string& kind, const std::string& value);
  Result<std::int64_t> insert(const Contact& contact, std::optional<std::int64_t> company);
  Result<std::optional<std::int64_t>> company_for(const std::string& name, const std::string& domain);
  Result<std::optional<std::int64_t>> company_of_domain(const std::string& domain);
  Result<> learn_domain(const std::string& workspace, const std::string& domain);
  Result<bool> is_own(const std::string& domain, const std::string& workspace, bool& any_known);
  Result<Known> person(std::int64_t number);

  Database& db_;
  Random& random_;
  Statement with_key_, add_key_, insert_, update_, person_;
  Statement company_by_name_, insert_company_, company_by_domain_, insert_domain_, rename_company_, company_name_;
  Statement workspace_, put_workspace_;
};

class PeopleReads {
 public:
  explicit PeopleReads(Database& db);
  /// By name, then id.  @param text  part of name, key or company; empty: all
  Result<std::vector<PersonRow>> list(const std::string& text, const std::string& after, int limit);
  Result<std::vector<UnmatchedRow>> unmatched(int limit);
  Result<PeopleCounts> counts();

 private:
  Statement list_, keys_, unmatched_, counts_, people_;
};

}  // namespace callimport::storage
