add_floor(activities::events HEADERS notify/events.h notify/turn.h notify/delays.h notify/access_ends.h notify/told_counts.h
          SOURCES notify/events.cc notify/turn.cc notify/delays.cc notify/access_ends.cc notify/told_counts.cc
          DEPS storage::library storage::model nlohmann_json::nlohmann_json fmt::fmt)
add_floor(activities::people HEADERS notify/message.h notify/people.h notify/local_time.h
          SOURCES notify/message.cc notify/people.cc notify/local_time.cc
          DEPS activities::events storage::library storage::runtime storage::model nlohmann_json::nlohmann_json fmt::fmt)

# When an import may end, from how fast it goes.
add_floor(activities::pace HEADERS estimate/finish.h estimate/pace.h estimate/past.h estimate/standing.h
          SOURCES estimate/finish.cc estimate/pace.cc estimate/past.cc estimate/standing.cc
          DEPS activities::platforms storage::library storage::windows storage::model nlohmann_json::nlohmann_json
               fmt::fmt)

add_floor(activities::import
  HEADERS import/contract.h import/deps.h import/live.h import/under_way.h import/unneeded_media.h import/permits.h import/step.h import/session.h import/prove.h import/quarantine.h import/together.h import/download.h
          import/fetch_call.h import/texts.h import/stage.h import/window.h import/spread.h import/sample.h
          import/grade.h import/advice.h import/outlook.h import/milestones.h import/problem_news.h import/report_scan.h import/report.h import/prices.h
  SOURCES import/permits.cc import/step.cc import/full_disk.cc import/session.cc import/request_counts.cc import/prove.cc import/quarantine.cc import/unneeded_media.cc import/open.cc import/retry.cc import/authenticate.cc import/enumerate.cc
          import/prioritize.cc import/download.cc import/fetch_call.cc import/fetch.cc import/register.cc import/texts.cc
          import/grade.cc import/advice.cc import/outlook.cc import/milestones.cc import/problem_news.cc import/report_scan.cc import/report.cc import/prices.cc
          import/stage.cc import/window.cc import/spread.cc import/sample.cc import/choice.cc import/set_window.cc import/progress.cc import/close.cc import/register_activities.cc
  DEPS activities::events activities::pace activities::transcribe activities::oauth activities::platforms activities::http activities::media engine::worker storage::library storage::windows storage::vault storage::media
       storage::model nlohmann_json::nlohmann_json fmt::fmt)

add_floor(activities::estimate
  HEADERS estimate/figures.h estimate/survey.h estimate/proofs.h
  SOURCES estimate/figures.cc estimate/survey.cc estimate/proofs.cc
  DEPS activities::import activities::pace activities::platforms storage::library storage::windows storage::model fmt::fmt)

# What messages say: their words, as files.
add_floor(activities::words
  HEADERS notify/words.h notify/template_text.h notify/template_lines.h notify/template_files.h notify/layout.h
          notify/templates.h notify/samples.h
  SOURCES notify/words.cc notify/template_text.cc notify/template_lines.cc notify/template_files.cc notify/layout.cc
          notify/templates.cc notify/samples.cc
  DEPS activities::events activities::people activities::platforms storage::runtime storage::model
       nlohmann_json::nlohmann_json fmt::fmt)
embed_texts(activities_words DIR activities/notify/templates TYPE TemplateFile NAME kTemplateFiles
            NAMESPACE callimport::activities)

add_floor(activities::notify
  HEADERS notify/mail.h notify/curl_mail.h notify/mail_channel.h notify/unsubscribe.h notify/channel.h notify/wishes.h notify/muting.h
          notify/restraint.h notify/outages.h notify/flapping.h notify/escalations.h
          notify/digests.h notify/channel_health.h notify/rules.h notify/router.h
          notify/sending.h notify/forecast.h notify/deliverer.h notify/slack_api.h notify/slack_blocks.h notify/slack_view.h
          notify/slack_channel.h
  SOURCES notify/mail.cc notify/curl_mail.cc notify/mail_channel.cc notify/unsubscribe.cc notify/channels.cc notify/wishes.cc notify/muting.cc
          notify/restraint.cc notify/outages.cc notify/flapping.cc
          notify/escalations.cc notify/digests.cc notify/channel_health.cc notify/rules.cc notify/router.cc
          notify/sending.cc notify/forecast.cc notify/deliverer.cc notify/slack_api.cc notify/slack_blocks.cc notify/slack_view.cc
          notify/slack_channel.cc
  DEPS activities::events activities::people activities::words activities::http engine::worker storage::library storage::vault
       storage::model storage::runtime nlohmann_json::nlohmann_json fmt::fmt spdlog::spdlog CURL::libcurl PkgConfig::SODIUM)

add_floor(activities::webhooks
  HEADERS webhooks/signature.h webhooks/ladder.h webhooks/types.h webhooks/payload.h webhooks/url.h webhooks/outbox.h webhooks/sender.h
  SOURCES webhooks/signature.cc webhooks/ladder.cc webhooks/types.cc webhooks/payload.cc webhooks/url.cc webhooks/outbox.cc webhooks/sender.cc
  DEPS activities::events activities::http engine::worker storage::library storage::vault storage::model
       nlohmann_json::nlohmann_json PkgConfig::SODIUM CURL::libcurl)
