// Messages stay short, and are tried again at growing distance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "activities/notify/channel.h"
#include "activities/notify/deliverer.h"

namespace callimport::activities {
namespace {

using storage::Notification;
using testing::HasSubstr;

TEST(RetryAfter, DoublesUpToHalfAnHour) {
  EXPECT_EQ(retry_after_ms(1), 5'000);
  EXPECT_EQ(retry_after_ms(2), 10'000);
  EXPECT_EQ(retry_after_ms(9), 1'280'000);
  EXPECT_EQ(retry_after_ms(10), 1'800'000);
  EXPECT_EQ(retry_after_ms(1'000), 1'800'000);
}

TEST(SlackBody, EscapesAndStaysShort) {
  Notification news;
  news.import = "imp_1";
  news.subject = "[Calls] <Acme> & Co";
  news.text = "Done";
  EXPECT_THAT(slack_body({news}), HasSubstr("&lt;Acme&gt; &amp; Co"));
  news.text = std::string(10'000, '&');
  EXPECT_LE(slack_body({news}).size(), kSlackTextMax + 100);
  EXPECT_THAT(slack_body({news}), HasSubstr("... and more"));
}

}  // namespace
}  // namespace callimport::activities
