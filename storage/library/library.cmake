include(embed)

add_floor(storage::quota
  HEADERS quota/budget.h quota/meter.h quota/request_line.h quota/call_share.h quota/rows.h quota/settings.h quota/view.h
  SOURCES quota/budget.cc quota/meter.cc quota/request_line.cc quota/call_share.cc quota/rows.cc
  DEPS storage::model storage::sqlite fmt::fmt)

add_floor(storage::library
  HEADERS library/library.h library/records.h library/quarantine.h library/lane_order.h library/imports.h library/manifest.h library/measures.h library/staging.h
          library/call_text.h library/calls.h library/search.h library/search_query.h library/search_spans.h
          library/call_ranges.h library/doc_scan.h library/receipts.h library/notifications.h library/telling.h library/agenda.h library/mutes.h library/progress.h
          library/course.h library/person_keys.h library/actions.h library/undo.h library/people.h library/duplicates.h
          library/words.h library/looks.h library/set_aside.h
          library/webhooks.h
  SOURCES library/library.cc library/quarantine.cc library/lane_order.cc library/imports.cc library/manifest.cc library/measures.cc library/staging.cc library/call_text.cc
          library/calls.cc library/search.cc library/search_query.cc library/search_spans.cc
          library/call_ranges.cc library/doc_scan.cc library/receipts.cc library/notifications.cc library/telling.cc library/agenda.cc library/mutes.cc library/progress.cc
          library/course.cc library/person_keys.cc library/actions.cc library/undo.cc library/people.cc library/duplicates.cc
          library/words.cc library/looks.cc library/set_aside.cc
          library/webhooks.cc
  DEPS storage::model storage::runtime storage::sqlite storage::quota nlohmann_json::nlohmann_json PkgConfig::ZSTD)
embed_sql(storage_library DIR storage/library/schema NAMESPACE callimport::storage::library_schema)

add_floor(storage::vault HEADERS vault/vault.h vault/sealing.h vault/oauth_bundle.h
          SOURCES vault/vault.cc vault/sealing.cc vault/oauth_bundle.cc
          DEPS storage::model storage::runtime storage::sqlite nlohmann_json::nlohmann_json PkgConfig::SODIUM)
embed_sql(storage_vault DIR storage/vault/schema NAMESPACE callimport::storage::vault_schema)

add_floor(storage::media HEADERS media/media_store.h media/content_hash.h
          SOURCES media/media_store.cc media/content_hash.cc
          DEPS storage::model storage::runtime OpenSSL::Crypto)
