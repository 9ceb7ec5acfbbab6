add_floor(storage::backup HEADERS backup/backup.h backup/copy_files.h backup/manifest_file.h
          SOURCES backup/backup.cc backup/copy_files.cc backup/manifest_file.cc
          DEPS storage::model storage::runtime storage::sqlite storage::media nlohmann_json::nlohmann_json)
