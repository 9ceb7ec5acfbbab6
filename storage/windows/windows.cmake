add_floor(storage::windows HEADERS windows/time_window.h windows/icalendar.h
          SOURCES windows/time_window.cc windows/window_text.cc windows/icalendar.cc
          DEPS storage::model storage::runtime fmt::fmt)
