include(embed)
add_floor(storage::journal
  HEADERS journal/journal.h journal/writer.h journal/store.h journal/compression.h
  SOURCES journal/journal.cc journal/writer.cc journal/store.cc journal/compression.cc
  DEPS storage::model storage::runtime storage::sqlite PkgConfig::ZSTD ZLIB::ZLIB fmt::fmt)
embed_sql(storage_journal DIR storage/journal/schema NAMESPACE callimport::storage::journal_schema)
