#pragma once
// Rows of library.db and vault.db as messages of callimport.v1.
#include "api/proto/callimport/v1/callimport.pb.h"
#include "storage/library/course.h"
#include "storage/library/library.h"
#include "storage/vault/vault.h"

namespace callimport::api {

namespace v1 = ::callimport::v1;

v1::Import to_message(const storage::ImportRow& row);
v1::ImportCall to_message(const storage::ManifestRow& row);
v1::Problem to_message(const storage::Problem& problem);
v1::StageTime to_message(const storage::StageFacts& facts);
v1::Attempt to_message(const storage::Attempt& attempt);
v1::TimelineEntry to_message(const storage::StageChange& change);
v1::Notification to_message(const storage::Notification& notification);
v1::Call to_message(const storage::Call& call);
v1::SearchHit to_message(const storage::SearchHit& hit);
v1::Credential to_message(const storage::CredentialFacts& facts);
v1::AuditEntry to_message(const storage::ActionRow& row);
storage::CallFilter to_filter(const v1::CallFilter& filter);

}  // namespace callimport::api
