#include "api/grpc/convert.h"

namespace callimport::api {
namespace {

v1::Counters to_message(const storage::Counters& counters) {
  v1::Counters message;
  message.set_found(counters.found);
  message.set_registered(counters.registered);
  message.set_duplicate(counters.duplicate);
  message.set_skipped(counters.skipped);
  message.set_failed(counters.failed);
  message.set_pending(counters.pending);
  message.set_media_bytes(counters.media_bytes);
  return message;
}

v1::LaneStatus to_message(const storage::LaneRow& row) {
  v1::LaneStatus message;
  message.set_stage(row.stage);
  message.set_condition(row.condition);
  message.set_reason(row.reason);
  message.set_who(row.who);
  message.set_why(row.why);
  if (row.until_ms) message.set_until_ms(*row.until_ms);
  return message;
}

const char* name_of(storage::Lane lane) { return lane == storage::Lane::kFirst ? "first" : "bulk"; }

}  // namespace

v1::Import to_message(const storage::ImportRow& row) {
  v1::Import message;
  message.set_id(row.id);
  message.set_platform(row.platform);
  message.set_workspace(row.workspace);
  message.set_title(row.title);
  message.set_credential(row.credential);
  message.set_input(row.input);
  message.set_created_ms(row.created_ms);
  if (row.closed_ms) message.set_closed_ms(*row.closed_ms);
  if (row.first_ready_ms) message.set_first_ready_ms(*row.first_ready_ms);
  *message.mutable_first() = to_message(row.first);
  *message.mutable_bulk() = to_message(row.bulk);
  *message.mutable_counters() = to_message(row.counters);
  message.set_enumerated(row.enumerated);
  message.set_report(row.report);
  message.set_change(row.change);
  return message;
}

v1::ImportCall to_message(const storage::ManifestRow& row) {
  v1::ImportCall message;
  message.set_source_id(row.source_id);
  message.set_start_ms(row.start_ms);
  message.set_title(row.title);
  message.set_media_type(row.media_type);
  if (row.duration_ms) message.set_duration_ms(*row.duration_ms);
  message.set_lane(name_of(row.lane));
  message.set_state(std::string(to_string(row.state)));
  message.set_cause(row.cause);
  message.set_detail(row.detail);
  if (row.not_before_ms) message.set_not_before_ms(*row.not_before_ms);
  message.set_attempts(row.attempts);
  message.set_repeats(row.repeats);
  return message;
}

v1::Problem to_message(const storage::Problem& problem) {
  v1::Problem message;
  message.set_cause(problem.cause);
  message.set_detail(problem.detail);
  message.set_calls(problem.calls);
  message.set_failed(problem.failed);
  message.set_example(problem.example);
  if (problem.first_ms) message.set_first_ms(*problem.first_ms);
  if (problem.last_ms) message.set_last_ms(*problem.last_ms);
  message.set_set_aside(problem.set_aside);
  if (problem.came_back_ms) message.set_came_back_ms(*problem.came_back_ms);
  return message;
}

v1::StageTime to_message(const storage::StageFacts& facts) {
  v1::StageTime message;
  message.set_stage(facts.stage);
  message.set_duration_ms(facts.duration_ms);
  message.set_waited_ms(facts.waited_ms);
  if (facts.calls) message.set_calls(*facts.calls);
  if (facts.calls_per_minute) message.set_calls_per_minute(*facts.calls_per_minute);
  return message;
}

v1::Attempt to_message(const storage::Attempt& attempt) {
  v1::Attempt message;
  message.set_number(attempt.number);
  message.set_at_ms(attempt.at_ms);
  message.set_took_ms(attempt.took_ms);
  message.set_outcome(attempt.outcome);
  message.set_cause(attempt.cause);
  message.set_detail(attempt.detail);
  return message;
}

v1::TimelineEntry to_message(const storage::StageChange& change) {
  v1::TimelineEntry message;
  message.set_change(change.change);
  message.set_at_ms(change.at_ms);
  message.set_lane(name_of(change.lane));
  *message.mutable_status() = to_message(change.row);
  *message.mutable_counters() = to_message(change.counters);
  return message;
}

v1::Notification to_message(const storage::Notification& notification) {
  v1::Notification message;
  message.set_id(notification.id);
  message.set_import(notification.import);
  message.set_at_ms(notification.at_ms);
  message.set_event(notification.event);
  message.set_subject(notification.subject);
  message.set_text(notification.text);
  message.set_next(notification.next);
  return message;
}

v1::Call to_message(const storage::Call& call) {
  v1::Call message;
  message.set_id(call.id);
  message.set_platform(call.platform);
  message.set_workspace(call.workspace);
  message.set_source_id(call.source_id);
  message.set_title(call.title);
  message.set_source(call.source);
  message.set_media_type(call.media_type);
  message.set_start_ms(call.start_ms);
  if (call.end_ms) message.set_end_ms(*call.end_ms);
  if (call.duration_ms) message.set_duration_ms(*call.duration_ms);
  for (const auto& tag : call.tags) message.add_tags(tag);
  for (std::size_t i = 0; i < call.participants.size(); ++i) {
    const auto& person = call.participants[i];
    auto& added = *message.add_participants();
    added.set_source_id(person.source_id);
    added.set_name(person.name);
    added.set_email(person.email);
    added.set_scope(person.scope);
    if (person.attended) added.set_attended(*person.attended);
    added.set_host(person.host);
    added.set_phone(person.phone);
    added.set_user(person.user);
    if (i >= call.recognised.size()) continue;
    const auto& known = call.recognised[i];
    added.set_match(known.match);
    added.set_side(known.side);
    added.set_person(known.person);
    added.set_person_name(known.person_name);
    added.set_company(known.company);
  }
  for (const auto& segment : call.segments) {
    auto& added = *message.add_segments();
    added.set_speaker(segment.speaker);
    added.set_participant(segment.participant);
    added.set_start_ms(segment.start_ms);
    added.set_end_ms(segment.end_ms);
    added.set_text(segment.text);
  }
  if (call.media) {
    auto& media = *message.mutable_media();
    media.set_hash(call.media->hash);
    media.set_bytes(call.media->bytes);
    media.set_container(call.media->container);
    media.set_audio_codec(call.media->audio_codec);
    media.set_video_codec(call.media->video_codec);
    if (call.media->duration_ms) media.set_duration_ms(*call.media->duration_ms);
  }
  message.set_transcript_state(call.transcript_state);
  message.set_details(call.details);
  message.set_import(call.import);
  message.set_fetched_ms(call.fetched_ms);
  message.set_privacy(call.privacy);
  return message;
}

v1::SearchHit to_message(const storage::SearchHit& hit) {
  v1::SearchHit message;
  message.set_call(hit.call);
  message.set_title(hit.title);
  message.set_speaker(hit.speaker);
  message.set_text(hit.text);
  message.set_call_start_ms(hit.call_start_ms);
  message.set_start_ms(hit.start_ms);
  message.set_platform(hit.platform);
  message.set_import(hit.import);
  message.set_privacy(hit.privacy);
  message.set_heading(hit.heading);
  return message;
}

v1::Credential to_message(const storage::CredentialFacts& facts) {
  v1::Credential message;
  message.set_id(facts.id);
  message.set_platform(facts.platform);
  message.set_workspace(facts.workspace);
  message.set_kind(facts.kind);
  message.set_label(facts.label);
  message.set_added_ms(facts.added_ms);
  if (facts.wiped_ms) message.set_wiped_ms(*facts.wiped_ms);
  if (facts.expires_ms) message.set_expires_ms(*facts.expires_ms);
  return message;
}

v1::AuditEntry to_message(const storage::ActionRow& row) {
  v1::AuditEntry message;
  message.set_number(row.number);
  message.set_at_ms(row.at_ms);
  message.set_import(row.import);
  message.set_verb(row.verb);
  message.set_who(row.who);
  message.set_origin(row.origin);
  message.set_why(row.why);
  message.set_before(row.before);
  message.set_after(row.after);
  message.set_outcome(row.outcome);
  return message;
}

storage::CallFilter to_filter(const v1::CallFilter& filter) {
  return {filter.import(), filter.platform(), filter.text(), filter.after_ms(), filter.before_ms(), filter.privacy()};
}

}  // namespace callimport::api
