#include "activities/notify/message.h"

namespace callimport::activities {

std::string_view to_string(Form form) {
  switch (form) {
    case Form::kRoot: return "root";
    case Form::kEditRoot: return "edit_root";
    case Form::kReply: return "reply";
    case Form::kBroadcast: return "broadcast";
  }
  return "reply";
}

Form form_of(std::string_view text) {
  for (const Form form : {Form::kRoot, Form::kEditRoot, Form::kBroadcast}) {
    if (text == to_string(form)) return form;
  }
  return Form::kReply;
}

}  // namespace callimport::activities
