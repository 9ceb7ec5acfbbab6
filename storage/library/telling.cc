#include "storage/library/telling.h"

#include "storage/library/notifications.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {
namespace {

constexpr std::size_t kIdCharacters = 20;

MessageRow read_message(const Statement& row) {
  MessageRow m;
  m.number = row.integer(0);
  m.id = row.text(1);
  m.import = row.text(2);
  m.thread = row.text(3);
  m.channel = row.text(4);
  m.recipient = row.text(5);
  m.name = row.text(6);
  m.address = row.text(7);
  m.zone = row.text(8);
  m.customer = row.integer(9) != 0;
  m.form = row.text(10);
  m.weight = row.text(11);
  m.state = row.text(12);
  m.made_ms = row.integer(13);
  m.due_ms = row.integer(14);
  m.ended_ms = optional_integer(row, 15);
  m.attempts = static_cast<int>(row.integer(16));
  m.error = row.text(17);
  m.ref = row.text(18);
  m.rendered = row.text(19);
  m.instead_of = row.text(20);
  return m;
}

ToldRow read_told(const Statement& row) {
  return {.notification = row.text(0),
          .channel = row.text(1),
          .recipient = row.text(2),
          .form = row.text(3),
          .state = row.text(4),
          .why = row.text(5),
          .message = row.text(6)};
}

ChannelHealth read_health(const Statement& row) {
  return {.channel = row.text(0),
          .sent_ms = optional_integer(row, 1),
          .failed_ms = optional_integer(row, 2),
          .error = row.text(3),
          .queued = row.integer(4),
          .oldest_due_ms = optional_integer(row, 5)};
}

/// At most so many bytes, cut between characters.
std::string_view cut(std::string_view text) {
  if (text.size() <= kRenderedBytesMax) return text;
  std::size_t end = kRenderedBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

TellingReads::TellingReads(Database& db)
    : unrouted_(db,
                "SELECT id, import, at_ms, event, subject, text, next, facts, weight FROM notification"
                " WHERE routed = 0 ORDER BY number LIMIT ?1"),
      record_(db,
              "SELECT id, import, at_ms, event, subject, text, next, facts, weight FROM notification WHERE id = ?1"),
      told_(db, "SELECT notification, channel, recipient, form, state, why, message FROM told WHERE notification = ?1"),
      told_lines_(db,
                  "SELECT t.notification, t.channel, t.recipient, t.form, t.state, t.why, t.message, n.at_ms, n.event,"
                  " coalesce(m.state, '') FROM notification n JOIN told t ON t.notification = n.id"
                  " LEFT JOIN message m ON m.id = t.message WHERE (?1 = '' OR n.import = ?1) AND (?2 = '' OR n.id = ?2)"
                  " AND (?3 = '' OR t.recipient = ?3) ORDER BY n.number DESC, t.channel, t.recipient LIMIT ?4"),
      messages_(db,
                "SELECT number, id, import, thread, channel, recipient, name, address, zone, customer, form, weight,"
                " state, made_ms, due_ms, ended_ms, attempts, error, ref, '', instead_of FROM message"
                " WHERE (?1 = '' OR import = ?1) AND (?2 = '' OR recipient = ?2) AND (?3 = '' OR channel = ?3)"
                " AND (?4 = '' OR state = ?4) AND (?5 = 0 OR number < ?5)"
                " AND (?7 = '' OR id IN (SELECT message FROM told WHERE notification = ?7))"
                " ORDER BY number DESC LIMIT ?6"),
      message_(db,
               "SELECT number, id, import, thread, channel, recipient, name, address, zone, customer, form, weight,"
               " state, made_ms, due_ms, ended_ms, attempts, error, ref, rendered, instead_of FROM message"
               " WHERE id = ?1"),
      news_(db,
            "SELECT n.id, n.import, n.at_ms, n.event, n.subject, n.text, n.next, n.facts, n.weight"
            " FROM told t JOIN notification n ON n.id = t.notification WHERE t.message = ?1 AND t.message <> ''"
            " ORDER BY n.number"),
      ready_(db,
             "SELECT number, id, import, thread, channel, recipient, name, address, zone, customer, form, weight,"
             " state, made_ms, due_ms, ended_ms, attempts, error, ref, '', instead_of FROM message m"
             " INDEXED BY message_ready WHERE channel = ?1 AND state = 'queued' AND due_ms <= ?2 AND NOT EXISTS("
             "SELECT 1 FROM message o WHERE o.channel = m.channel AND o.recipient = m.recipient AND"
             " o.thread = m.thread AND o.number < m.number AND o.state = 'queued'"
             " AND (o.form = 'root' OR (o.form = 'edit_root') = (m.form = 'edit_root')))"
             " ORDER BY (weight = 'act') DESC, number LIMIT ?3"),
      next_(db, "SELECT min(due_ms) FROM message WHERE state = 'queued' AND due_ms > ?1"),
      channels_(db, "SELECT DISTINCT channel FROM message WHERE state = 'queued'"),
      joinable_(db,
                "SELECT number, id, import, thread, channel, recipient, name, address, zone, customer, form, weight,"
                " state, made_ms, due_ms, ended_ms, attempts, error, ref, '', instead_of FROM message"
                " WHERE channel = ?1 AND recipient = ?2 AND thread = ?3 AND state = 'queued' AND attempts = 0"
                " AND (form = 'edit_root') = ?4 ORDER BY number DESC LIMIT 1"),
      root_(db,
            "SELECT ref FROM message WHERE channel = ?1 AND recipient = ?2 AND thread = ?3 AND state = 'sent'"
            " AND form <> 'edit_root' AND ref <> '' ORDER BY number LIMIT 1"),
      line_(db, "SELECT 1 FROM message WHERE channel = ?1 AND recipient = ?2 AND thread = ?3 LIMIT 1"),
      made_(db,
            "SELECT count(*) FROM message WHERE recipient = ?1 AND state = 'sent' AND ended_ms >= ?2"
            " AND form <> 'edit_root'"),
      routine_(db,
               "SELECT count(*) FROM message WHERE recipient = ?2 AND thread = ?3 AND weight = 'routine'"
               " AND form <> 'edit_root' AND channel = ?1 AND state <> 'suppressed'"),
      health_(db,
              "SELECT channel, max(CASE WHEN state = 'sent' THEN ended_ms END),"
              " max(CASE WHEN state <> 'sent' AND error <> '' THEN coalesce(ended_ms, due_ms) END),"
              " coalesce((SELECT error FROM message e WHERE e.channel = message.channel AND e.error <> ''"
              " ORDER BY e.number DESC LIMIT 1), ''),"
              " sum(state = 'queued' AND (due_ms <= ?1 OR attempts > 0)),"
              " min(CASE WHEN state = 'queued' AND (due_ms <= ?1 OR attempts > 0) THEN made_ms END)"
              " FROM message GROUP BY channel ORDER BY channel"),
      troubles_(db,
                "SELECT cause, count(*) AS calls, sum(state = 5) FROM manifest INDEXED BY manifest_trouble"
                " WHERE import = (SELECT number FROM import WHERE id = ?1) AND state IN (4, 5)"
                " GROUP BY cause ORDER BY calls DESC, cause"),
      lengths_(db,
               "SELECT count(*), count(duration_ms), coalesce(sum(duration_ms), 0) FROM manifest"
               " WHERE import = (SELECT number FROM import WHERE id = ?1)"),
      agenda_(db),
      mutes_(db) {}

Result<std::vector<Problem>> TellingReads::troubles(const std::string& import) {
  return all_rows(troubles_.bind(1, import), [](const Statement& row) {
    Problem problem;
    problem.cause = row.text(0);
    problem.calls = row.integer(1);
    problem.failed = row.integer(2);
    return problem;
  });
}
Result<ManifestSums> TellingReads::manifest_sums(const std::string& import) {
  TRY(const auto read, first_row(lengths_.bind(1, import), [](const Statement& row) {
        return ManifestSums{row.integer(0), row.integer(1), row.integer(2), {}};
      }));
  ManifestSums sums = read.value_or(ManifestSums{});
  TRY(sums.problems, troubles(import));
  return sums;
}
Result<std::vector<Notification>> TellingReads::unrouted(int limit) {
  return all_rows(unrouted_.bind(1, limit), read_notification);
}
Result<std::optional<Notification>> TellingReads::record(const std::string& id) {
  return first_row(record_.bind(1, id), read_notification);
}
Result<std::vector<ToldRow>> TellingReads::told(const std::string& notification) {
  return all_rows(told_.bind(1, notification), read_told);
}
Result<std::vector<ToldLine>> TellingReads::told_lines(const std::string& import, const std::string& notification,
                                                       const std::string& recipient, int limit) {
  told_lines_.bind(1, import).bind(2, notification).bind(3, recipient);
  return all_rows(told_lines_.bind(4, limit), [](const Statement& row) {
    return ToldLine{read_told(row), row.integer(7), row.text(8), row.text(9)};
  });
}
Result<std::vector<MessageRow>> TellingReads::messages(const MessageFilter& f) {
  messages_.bind(1, f.import).bind(2, f.recipient).bind(3, f.channel).bind(4, f.state);
  messages_.bind(7, f.notification);
  return all_rows(messages_.bind(5, f.before).bind(6, f.limit), read_message);
}
Result<std::optional<MessageRow>> TellingReads::message(const std::string& id) {
  return first_row(message_.bind(1, id), read_message);
}
Result<std::vector<Notification>> TellingReads::news(const std::string& message) {
  return all_rows(news_.bind(1, message), read_notification);
}
Result<std::vector<MessageRow>> TellingReads::ready(const std::string& channel, std::int64_t now_ms, int limit) {
  return all_rows(ready_.bind(1, channel).bind(2, now_ms).bind(3, limit), read_message);
}
Result<std::optional<std::int64_t>> TellingReads::next_due_ms(std::int64_t now_ms) {
  TRY(const auto next, first_row(next_.bind(1, now_ms), [](const Statement& row) { return optional_integer(row, 0); }));
  return next.value_or(std::nullopt);
}
Result<std::vector<std::string>> TellingReads::queued_channels() {
  return all_rows(channels_, [](const Statement& row) { return row.text(0); });
}
Result<std::optional<MessageRow>> TellingReads::joinable(const std::string& channel, const std::string& recipient,
                                                         const std::string& thread, bool edits) {
  joinable_.bind(1, channel).bind(2, recipient).bind(3, thread);
  return first_row(joinable_.bind(4, edits ? 1 : 0), read_message);
}
Result<std::string> TellingReads::root_ref(const std::string& channel, const std::string& recipient,
                                           const std::string& thread) {
  TRY(const auto ref, first_row(root_.bind(1, channel).bind(2, recipient).bind(3, thread),
                                [](const Statement& row) { return row.text(0); }));
  return ref.value_or("");
}
Result<bool> TellingReads::has_line(const std::string& channel, const std::string& recipient,
                                    const std::string& thread) {
  TRY(const auto found, first_row(line_.bind(1, channel).bind(2, recipient).bind(3, thread),
                                  [](const Statement& row) { return row.integer(0); }));
  return found.has_value();
}
Result<std::int64_t> TellingReads::sent_since(const std::string& recipient, std::int64_t since_ms) {
  TRY(const auto count,
      first_row(made_.bind(1, recipient).bind(2, since_ms), [](const Statement& row) { return row.integer(0); }));
  return count.value_or(0);
}
Result<std::int64_t> TellingReads::routine_made(const std::string& channel, const std::string& recipient,
                                                const std::string& thread) {
  TRY(const auto count, first_row(routine_.bind(1, channel).bind(2, recipient).bind(3, thread),
                                  [](const Statement& row) { return row.integer(0); }));
  return count.value_or(0);
}
Result<std::vector<ChannelHealth>> TellingReads::health(std::int64_t now_ms) {
  return all_rows(health_.bind(1, now_ms), read_health);
}

TellingWrites::TellingWrites(Database& db, Random& random)
    : db_(db),
      random_(random),
      reads_(db),
      agenda_(db),
      mutes_(db),
      routed_(db, "UPDATE notification SET routed = 1 WHERE id = ?1"),
      add_(db,
           "INSERT INTO message(id, import, thread, channel, recipient, name, address, zone, customer, form, weight,"
           " state, made_ms, due_ms, ended_ms, attempts, error, ref, rendered, instead_of)"
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'queued', ?12, ?13, NULL, 0, '', '', '', ?14)"),
      join_(
          db,
          "UPDATE message SET form = ?4, weight = ?2, due_ms = ?3 WHERE id = ?1 AND state = 'queued' AND attempts = 0"),
      tell_(db,
            "INSERT INTO told(notification, channel, recipient, form, state, why, message)"
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(notification, channel, recipient, form)"
            " DO UPDATE SET state = ?5, why = ?6, message = ?7"),
      merge_(db,
             "UPDATE told SET state = 'merged' WHERE message = ?1 AND message <> '' AND notification <> ?2 AND state = "
             "'carried'"),
      begin_(db, "UPDATE message SET attempts = attempts + 1 WHERE id = ?1 AND state = 'queued'"),
      put_off_(db, "UPDATE message SET due_ms = ?2, error = ?3 WHERE id = ?1 AND state = 'queued'"),
      end_(db,
           "UPDATE message SET state = ?2, ended_ms = ?3, error = ?4, ref = ?5, rendered = ?6"
           " WHERE id = ?1 AND state = 'queued'") {}

Result<> TellingWrites::routed(const std::string& notification) { return routed_.bind(1, notification).run(); }

Result<std::string> TellingWrites::add(MessageRow m) {
  if (m.id.empty()) m.id = "msg_" + random_.id_text(kIdCharacters);
  add_.bind(1, m.id).bind(2, m.import).bind(3, m.thread).bind(4, m.channel).bind(5, m.recipient).bind(6, m.name);
  add_.bind(7, m.address).bind(8, m.zone).bind(9, m.customer ? 1 : 0).bind(10, m.form).bind(11, m.weight);
  TRY_VOID(add_.bind(12, m.made_ms).bind(13, m.due_ms).bind(14, m.instead_of).run());
  return m.id;
}

Result<> TellingWrites::join(const std::string& message, const std::string& form, const std::string& weight,
                             std::int64_t due_ms) {
  TRY_VOID(join_.bind(1, message).bind(2, weight).bind(3, due_ms).bind(4, form).run());
  if (db_.changes() == 0) return fail(Code::kNotFound, "message " + message + " does not wait for company");
  return {};
}

Result<> TellingWrites::tell(const ToldRow& row) {
  tell_.bind(1, row.notification).bind(2, row.channel).bind(3, row.recipient).bind(4, row.form);
  return tell_.bind(5, row.state).bind(6, row.why).bind(7, row.message).run();
}

Result<> TellingWrites::merge_told(const std::string& message, const std::string& newest) {
  return merge_.bind(1, message).bind(2, newest).run();
}

Result<> TellingWrites::begin(const std::string& message) {
  TRY_VOID(begin_.bind(1, message).run());
  if (db_.changes() == 0) return fail(Code::kNotFound, "message " + message + " is not queued");
  return {};
}

Result<> TellingWrites::put_off(const std::string& message, std::int64_t due_ms, const std::string& error) {
  return put_off_.bind(1, message).bind(2, due_ms).bind(3, error).run();
}

Result<> TellingWrites::end(const std::string& message, const std::string& state, std::int64_t at_ms,
                            const std::string& error, const std::string& ref, const std::string& rendered) {
  end_.bind(1, message).bind(2, state).bind(3, at_ms).bind(4, error).bind(5, ref);
  TRY_VOID(end_.bind(6, cut(rendered)).run());
  if (db_.changes() == 0) return fail(Code::kNotFound, "message " + message + " is not queued");
  return {};
}

}  // namespace callimport::storage
