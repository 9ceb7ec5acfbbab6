#include "simulations/sandboxes/words.h"

#include <fmt/core.h>

#include <array>
#include <string_view>

namespace callimport::simulations {
namespace {
constexpr std::array<std::string_view, 32> kFirstNames = {
    "Ana",   "Bo",     "Chidi", "Dagny", "Émile", "Farah",   "Giulia", "Hugo",   "Ines",   "Jonas", "Keiko",
    "Lars",  "Mónica", "Noor",  "Olu",   "Priya", "Quentin", "Rosa",   "Søren",  "Tomasz", "Uma",   "Viktor",
    "Wanda", "Ximena", "Yusuf", "Zoë",   "Aoife", "Björn",   "Carmen", "Dinesh", "Eleni",  "Fiona"};
constexpr std::array<std::string_view, 24> kLastNames = {
    "Ruiz",  "Lind", "Okafor",  "Berg", "Moreau",  "Haddad", "Conti", "Weber", "Duarte", "Nyman",  "Sato",    "Holm",
    "Vidal", "Aziz", "Adeyemi", "Nair", "Lefèvre", "Marín",  "Kjær",  "Nowak", "Iyer",   "Petrov", "O'Neill", "Garcia"};
constexpr std::array<std::string_view, 24> kCompanyFirst = {
    "Kite",    "Harbor", "Cedar",  "Juniper", "Granite", "Lantern", "Meridian", "Falcon",
    "Orchard", "Tidal",  "Copper", "Willow",  "Summit",  "Beacon",  "Prairie",  "Saffron",
    "Glacier", "Maple",  "Quartz", "Heron",   "Thistle", "Ember",   "Canyon",   "Marble"};
constexpr std::array<std::string_view, 20> kCompanySecond = {
    "Freight", "Foods",  "Robotics", "Insurance", "Textiles", "Clinics",  "Airways",  "Bank",   "Energy",   "Hotels",
    "Pharma",  "Motors", "Press",    "Studios",   "Farms",    "Security", "Software", "Retail", "Shipping", "Academy"};
constexpr std::array<std::string_view, 16> kProducts = {
    "dashboard",  "invoice export",    "mobile app",   "payroll module", "audit log",     "calendar sync",
    "forecast",   "warehouse scanner", "loyalty card", "ticket inbox",   "data pipeline", "badge reader",
    "price list", "onboarding course", "backup plan",  "chat widget"};
constexpr std::array<std::string_view, 12> kTopics = {"renewal",   "kickoff",    "quarterly review", "demo",
                                                      "pricing",   "escalation", "security review",  "migration",
                                                      "interview", "onboarding", "retrospective",    "discovery"};
constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 6> kGreetings = {
    "Good morning, thanks for taking the time to talk about the {topic}.",
    "Hello from {company}, can everybody hear me?",
    "Let's start, the {topic} is the only point on the agenda.",
    "Hi, it's good to see you again; how is the weather over there?",
    "Shall we wait for the others or begin with the {product}?",
    "Welcome to the {topic}, I'll share my screen in a second."};
constexpr std::array<std::string_view, 20> kSentences = {
    "Our team at {company} has used the {product} since {month} and the feedback is mostly positive.",
    "The {product} saved us about {number} hours last quarter, which surprised our finance people.",
    "I'm worried that the {product} won't be ready before {month}.",
    "Could you send the offer for {number} seats until Friday, including the {product}?",
    "We lost {number} orders because of the outage, so reliability matters more than price.",
    "Legal wants to look at the contract again; that takes them until {month}.",
    "If the discount stays at {number} percent, I can sign today.",
    "What happens to our data when we leave, can we export everything?",
    "The rollout in Lyon went well, the one in Kraków needs another week.",
    "I'd like {person} to join the next call, she knows the {product} best.",
    "To be honest, your competitor offered us {number} thousand less.",
    "That is a blocker for us: without single sign-on nobody at {company} may use it.",
    "Let me write that down as an action item for {person}.",
    "Support answered within {number} minutes, I was really impressed.",
    "We measured it twice, and the {product} was slower on both days.",
    "Remind me, did we agree on {month} or was that only an idea?",
    "Okay, so the budget is {number} thousand euros for the whole year.",
    "The auditors asked for the log of {month}, and the {product} had it.",
    "Perfect, then let's talk about the next steps.",
    "I'll summarize: {company} gets the {product}, and we meet again in {month}."};

template <std::size_t N>
std::string_view pick(const std::array<std::string_view, N>& from, std::uint64_t bits) {
  return from[bits % N];
}

std::string fill(std::string_view pattern, const CallTheme& theme, std::uint64_t bits) {
  std::string text;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t open = pattern.find('{', at);
    text += pattern.substr(at, open - at);
    if (open == std::string_view::npos) break;
    const std::size_t close = pattern.find('}', open);
    const std::string_view slot = pattern.substr(open + 1, close - open - 1);
    if (slot == "company") text += theme.company;
    if (slot == "product") text += theme.product;
    if (slot == "topic") text += theme.topic;
    if (slot == "month") text += pick(kMonths, bits >> 7);
    if (slot == "number") text += fmt::format("{}", 2 + (bits >> 13) % 97);
    if (slot == "person") text += pick(kFirstNames, bits >> 21);
    at = close + 1;
  }
  return text;
}
}  // namespace

CallTheme theme_of(std::uint64_t bits) {
  CallTheme theme;
  theme.company = fmt::format("{} {}", pick(kCompanyFirst, bits), pick(kCompanySecond, bits >> 8));
  theme.product = pick(kProducts, bits >> 16);
  theme.topic = pick(kTopics, bits >> 24);
  return theme;
}

std::string title_of(const CallTheme& theme) { return theme.company + " " + theme.topic; }

std::string sentence_of(const CallTheme& theme, std::uint64_t turn, std::uint64_t bits) {
  return turn == 0 ? fill(pick(kGreetings, bits), theme, bits) : fill(pick(kSentences, bits), theme, bits);
}

std::string person_name_of(std::uint64_t bits) {
  return fmt::format("{} {}", pick(kFirstNames, bits), pick(kLastNames, bits >> 8));
}

}  // namespace callimport::simulations
