// Who took part: keys in one form, the directory, recognising at registration and again, companies, privacy.
#include "storage/library/people.h"

#include <string>
#include <vector>

#include "storage/library/person_keys.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

struct Key {
  const char* text;
  const char* key;
};

TEST(PersonKeys, EmailsComeToOneForm) {
  for (const Key& row : {Key{" Ada@Example.COM ", "ada@example.com"}, Key{"Ada Lovelace <ada@x.org>", "ada@x.org"},
                         Key{"MAILTO:ada@x.org", "ada@x.org"}, Key{"ada+sales@x.org", "ada+sales@x.org"},
                         Key{"ada", ""}, Key{"@x.org", ""}, Key{"ada@x", ""}, Key{"ada@", ""}, Key{"a@b@c.org", ""},
                         Key{"a b@c.org", ""}, Key{"ada@.org", ""}, Key{"", ""}}) {
    EXPECT_EQ(row.key, normalised_email(row.text)) << row.text;
  }
}

TEST(PersonKeys, PhoneNumbersNeedTheirCountry) {
  for (const Key& row : {Key{"+41 44 668 18 00", "+41446681800"}, Key{"0041446681800", "+41446681800"},
                         Key{"+44 (0)20 7946 0018", "+442079460018"}, Key{"tel:+1-555-010-9999;ext=12", "+15550109999"},
                         Key{"+1 (555) 010.9999 x12", "+15550109999"}, Key{"+15550109999 ext. 7", "+15550109999"},
                         Key{"044 668 18 00", ""}, Key{"555-0100", ""}, Key{"+12345", ""}, Key{"+1234567890123456", ""},
                         Key{"+0123456789", ""}, Key{"Room 12", ""}, Key{"+41 44 CALL ME", ""}, Key{"", ""}}) {
    EXPECT_EQ(row.key, normalised_phone(row.text)) << row.text;
  }
}

TEST(PersonKeys, DomainsComeFromAddressesAndLinks) {
  for (const Key& row :
       {Key{"ada@Acme.com", "acme.com"}, Key{"https://www.acme.com/about", "acme.com"}, Key{"Acme.com.", "acme.com"},
        Key{"@acme.com", "acme.com"}, Key{"acme", ""}, Key{"a..b", ""}}) {
    EXPECT_EQ(row.key, domain_of(row.text)) << row.text;
  }
  EXPECT_TRUE(is_public_mail_domain("gmail.com"));
  EXPECT_FALSE(is_public_mail_domain("acme.com"));
}

class People : public LibraryTest {
 protected:
  PersonChange put(const Contact& contact) {
    PersonChange change{};
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY(change, tx.put_person(contact));
      return {};
    }));
    return change;
  }
  std::string refusal(const Contact& contact) {
    std::string message;
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      const auto put = tx.put_person(contact);
      EXPECT_FALSE(put.has_value());
      if (!put) message = put.error().message;
      return {};
    }));
    return message;
  }
  /// A call of one participant beside Ada, who is of the workspace.
  void take_in_with(const std::string& source_id, Participant one) {
    Call call = call_with(source_id, {segment("words of " + source_id)});
    one.source_id = "p2";
    call.participants = {one};
    take_in(call);
  }
  Recognised recognised(const std::string& source_id) {
    const auto calls = library_->calls({.text = "Call " + source_id}, "", 1);
    EXPECT_OK(calls);
    return calls->at(0).recognised.at(0);
  }
  static Participant with_email(const std::string& email, const std::string& name = "Somebody") {
    Participant one;
    one.name = name;
    one.email = email;
    return one;
  }
  std::size_t found(const std::string& query) { return library_->search({.query = query})->hits.size(); }
  Rematched rematch_all(int portion) {
    Rematched all;
    do {
      EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
        TRY(const auto one, tx.rematch(all.next, portion));
        all = {one.next, all.calls + one.calls, all.changed + one.changed};
        return {};
      }));
    } while (all.next != 0);
    return all;
  }
};

TEST_F(People, AreRecognisedInTheTransactionThatRegistersTheCall) {
  put({.name = "Grace Hopper",
       .email = "grace@navy.example",
       .phone = "+1 555 010 0001",
       .company = "Navy",
       .platform = "grain",
       .user = "u-7"});
  take_in_with("mail", with_email("GRACE@Navy.example"));
  take_in_with("phone", with_email("", "+1 (555) 010-0001"));
  Participant by_user = with_email("other@else.example");
  by_user.user = "u-7";
  take_in_with("user", by_user);
  take_in_with("nobody", with_email("stranger@else.example"));
  take_in_with("room", with_email("", "Meeting room"));
  for (const char* call : {"mail", "phone", "user"}) {
    const auto who = recognised(call);
    EXPECT_EQ("matched", who.match) << call;
    EXPECT_EQ("Grace Hopper", who.person_name) << call;
    EXPECT_EQ("Navy", who.company) << call;
  }
  EXPECT_EQ("unmatched", recognised("nobody").match);
  EXPECT_EQ("else.example", recognised("nobody").company) << "a company is known by its domain until it has a name";
  EXPECT_EQ("nothing_to_go_by", recognised("room").match);
  EXPECT_EQ(3u, found("customer:navy"));
  EXPECT_EQ(1u, found("customer:else.example words"));
  EXPECT_EQ(3u, found("hopper")) << "the directory's name is searched too";
}

TEST_F(People, OfAnotherPlatformsUserIdsAreOthers) {
  put({.name = "Grace", .platform = "gong", .user = "u-7"});
  Participant by_user;
  by_user.user = "u-7";
  take_in_with("user", by_user);
  EXPECT_EQ("unmatched", recognised("user").match);
}

TEST_F(People, ASharedNumberIsAmbiguousAndAnAddressBesideItTells) {
  put({.name = "Ann", .email = "ann@acme.example", .phone = "+41446681800"});
  put({.name = "Ben", .email = "ben@acme.example", .phone = "+41446681800"});
  take_in_with("office", with_email("", "+41 44 668 18 00"));
  Participant both = with_email("ben@acme.example");
  both.phone = "+41446681800";
  take_in_with("both", both);
  EXPECT_EQ("ambiguous", recognised("office").match);
  EXPECT_EQ("Ben", recognised("both").person_name);
  const auto open = library_->unmatched(10);
  ASSERT_OK(open);
  ASSERT_EQ(1u, open->size());
  EXPECT_TRUE(open->at(0).ambiguous);
  EXPECT_EQ("+41 44 668 18 00", open->at(0).name);
  EXPECT_EQ("+41446681800", open->at(0).phone) << "a name that is a number is one";
}

TEST_F(People, OfTheWorkspaceAreInternalByItsDomains) {
  ASSERT_OK(library_->change(
      [](LibraryTx& tx) { return tx.set_workspace("acme", {.privacy = "team", .domains = {"Ours.Example"}}); }));
  put({.kind = "user", .name = "Una", .email = "una@learned.example"});
  take_in_with("ours", with_email("x@ours.example"));
  take_in_with("learned", with_email("y@learned.example"));
  take_in_with("theirs", with_email("z@theirs.example"));
  Participant says_internal = with_email("");
  says_internal.scope = "internal";
  take_in_with("said", says_internal);
  EXPECT_EQ("internal", recognised("ours").side);
  EXPECT_EQ("", recognised("ours").company) << "the workspace is no customer of its own";
  EXPECT_EQ("internal", recognised("learned").side);
  EXPECT_EQ("external", recognised("theirs").side);
  EXPECT_EQ("internal", recognised("said").side);
}

TEST_F(People, OfAMailProviderHaveNoCompany) {
  take_in_with("free", with_email("somebody@gmail.com"));
  EXPECT_EQ("", recognised("free").company);
  EXPECT_EQ(0u, found("customer:gmail.com"));
}

TEST_F(People, ComeInOnceHoweverOftenTheyAreImported) {
  const Contact grace{.name = "Grace", .email = "grace@navy.example", .company = "Navy"};
  EXPECT_EQ(PersonChange::kAdded, put(grace));
  EXPECT_EQ(PersonChange::kUnchanged, put(grace));
  EXPECT_EQ(PersonChange::kUpdated, put({.name = "Grace H.", .email = "GRACE@navy.example"}));
  EXPECT_EQ(PersonChange::kUpdated, put({.email = "grace@navy.example", .phone = "+15550109999"}));
  EXPECT_EQ(PersonChange::kUnchanged, put({.phone = "+15550109999"}));
  const auto people = library_->people("navy", "", 10);
  ASSERT_OK(people);
  ASSERT_EQ(1u, people->size());
  EXPECT_EQ("Grace H.", people->at(0).name);
  EXPECT_EQ("Navy", people->at(0).company);
  const std::vector<PersonKey> keys = {{"email", "grace@navy.example"}, {"phone", "+15550109999"}};
  EXPECT_EQ(keys, people->at(0).keys);
}

TEST_F(People, ThatNobodyCouldBeRecognisedByAreRefused) {
  EXPECT_EQ("\"nope\" is no e-mail address", refusal({.email = "nope"}));
  EXPECT_EQ("\"044 668\" is no phone number with a country code, such as +41 44 668 18 00",
            refusal({.phone = "044 668"}));
  EXPECT_EQ("a user id needs the platform it is of", refusal({.user = "u"}));
  EXPECT_EQ("there is no e-mail, phone or user id to recognise the person by", refusal({.name = "Bob"}));
  EXPECT_EQ("the kind \"robot\" is neither user nor contact", refusal({.kind = "robot", .email = "a@b.org"}));
  EXPECT_EQ(0, library_->people_counts()->people);
}

/// NW-08: the directory changes later, and calls that are there already are looked at anew.
TEST_F(People, AreRecognisedLaterInPortionsOfAnySize) {
  for (int i = 0; i < 7; ++i) take_in_with("c" + std::to_string(i), with_email("grace@navy.example"));
  EXPECT_EQ(7, library_->people_counts()->unmatched);
  EXPECT_EQ(7, library_->unmatched(10)->at(0).calls);
  EXPECT_EQ(7u, found("customer:navy.example"));
  put({.name = "Grace Hopper", .email = "grace@navy.example", .company = "US Navy"});
  const auto looked = rematch_all(3);
  EXPECT_EQ(7, looked.calls);
  EXPECT_EQ(7, looked.changed);
  EXPECT_EQ(7, library_->people_counts()->matched);
  EXPECT_EQ(0u, library_->unmatched(10)->size());
  EXPECT_EQ(7u, found("customer:\"us navy\""));
  EXPECT_EQ(7u, found("customer:navy.example"));
  EXPECT_EQ(7u, found("hopper"));
  EXPECT_EQ(0, rematch_all(100).changed);
}

struct Private {
  const char* workspace;
  const char* call;
  const char* becomes;
};
TEST_F(People, ACallIsAsPrivateAsTheStricterOfPlatformAndWorkspace) {
  int number = 0;
  for (const Private& row :
       {Private{"team", "", "team"}, Private{"private", "", "private"}, Private{"everyone", "", "everyone"},
        Private{"private", "everyone", "private"}, Private{"everyone", "private", "private"},
        Private{"everyone", "team", "team"}, Private{"team", "everyone", "team"}}) {
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.set_workspace("acme", {.privacy = row.workspace}); }));
    Call call = call_with("p" + std::to_string(++number), {});
    call.privacy = row.call;
    take_in(call);
    EXPECT_EQ(row.becomes, library_->calls({.text = call.title}, "", 1)->at(0).privacy) << row.workspace << row.call;
  }
}

}  // namespace
}  // namespace callimport::storage
