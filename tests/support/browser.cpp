#include "tests/support/browser.h"

#include "harness/core/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace sar::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{30};

struct Key {
  std::string code;
  int number = 0;    ///< the "Windows virtual key code" of the protocol
  std::string text;  ///< what the key types
};
const std::map<std::string, Key> kKeys{{"Tab", {"Tab", 9, ""}},
                                       {"Enter", {"Enter", 13, "\r"}},
                                       {"Escape", {"Escape", 27, ""}},
                                       {"Space", {"Space", 32, " "}},
                                       {"End", {"End", 35, ""}},
                                       {"Home", {"Home", 36, ""}},
                                       {"ArrowLeft", {"ArrowLeft", 37, ""}},
                                       {"ArrowUp", {"ArrowUp", 38, ""}},
                                       {"ArrowRight", {"ArrowRight", 39, ""}},
                                       {"ArrowDown", {"ArrowDown", 40, ""}}};

/// The bytes of a text in base 64.
std::string decoded(const std::string& base64) {
  std::string bytes;
  unsigned int bits = 0;
  int count = 0;
  for (const char c : base64) {
    const auto value =
        std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
            .find(c);
    if (value == std::string_view::npos) {
      break;  // padding
    }
    bits = (bits << 6U) | static_cast<unsigned int>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> static_cast<unsigned int>(count)) & 0xFFU);
    }
  }
  return bytes;
}

std::string program() {
  const char* chosen = std::getenv("SARBENCH_CHROMIUM");
  std::string path = chosen != nullptr ? chosen : "/usr/bin/chromium-headless-shell";
  if (::access(path.c_str(), X_OK) != 0) {
    throw std::runtime_error(path +
                             " is not there: install Debian's chromium-headless-shell, or name a "
                             "Chromium by SARBENCH_CHROMIUM");
  }
  return path;
}

}  // namespace

struct Browser::State {
  TemporaryFolder folder{"sar-browser"};
  pid_t process = -1;
  int to = -1, from = -1;
  std::string received;  ///< bytes after the last whole message
  int last_call = 0;
  std::string context, target, session;  ///< of the open page
  std::string page;                      ///< its address
  bool loaded = false;
  std::vector<std::string> messages, requests;

  void start();
  void stop();
  Json call(const std::string& method, const Json& parameters, const std::string& to_session);
  /// In the open page.
  Json ask(const std::string& method, const Json& parameters = Json::object()) {
    return call(method, parameters, session);
  }
  void send(std::string message) const;
  Json receive(Clock::time_point deadline);
  void take(const Json& event);
  Json middle(const std::string& selector);
  void mouse(const std::string& type, const Json& place);
  [[noreturn]] void fail(const std::string& why) const;
};

void Browser::State::fail(const std::string& why) const {
  throw std::runtime_error("Chromium: " + why + "\n" + read_file(folder.path() / "stderr.txt"));
}

void Browser::State::start() {
  const fs::path log = folder.path() / "stderr.txt";
  std::vector<std::string> arguments{program(),
                                     "--remote-debugging-pipe",
                                     "--user-data-dir=" + (folder.path() / "profile").string(),
                                     "--no-first-run",
                                     "--no-default-browser-check",
                                     "--disable-background-networking",
                                     "--disable-component-update",
                                     "--disable-dev-shm-usage",
                                     "--disable-extensions",
                                     "--disable-gpu",
                                     "--disable-sync",
                                     "--force-color-profile=srgb",
                                     "--lang=en-US"};
  if (::geteuid() == 0) {
    arguments.emplace_back("--no-sandbox");  // Chromium's sandbox refuses root
  }
  arguments.emplace_back("about:blank");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  std::array<int, 2> commands{};
  std::array<int, 2> answers{};
  if (::pipe2(commands.data(), O_CLOEXEC) != 0 || ::pipe2(answers.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe for Chromium");
  }
  ::signal(SIGPIPE, SIG_IGN);  // a browser that died is an error of its next call
  process = ::fork();
  if (process == 0) {
    ::setpgid(0, 0);
    const int error = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(::open("/dev/null", O_RDWR), 0);
    ::dup2(error, 1);
    ::dup2(error, 2);
    // The browser reads from 3 and writes to 4; either may be one of the pipes' own ends.
    const int in = ::fcntl(commands[0], F_DUPFD, 10);
    const int out = ::fcntl(answers[1], F_DUPFD, 10);
    ::dup2(in, 3);
    ::dup2(out, 4);
    ::close(in);
    ::close(out);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  ::close(commands[0]);
  ::close(answers[1]);
  to = commands[1];
  from = answers[0];
  call("Target.setDiscoverTargets", {{"discover", true}}, "");
}

void Browser::State::stop() {
  ::close(to);  // the end of its commands is the end of the browser
  ::close(from);
  const auto deadline = Clock::now() + std::chrono::seconds(5);
  while (::waitpid(process, nullptr, WNOHANG) == 0) {
    if (Clock::now() > deadline) {
      ::kill(-process, SIGKILL);
      ::waitpid(process, nullptr, 0);
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void Browser::State::send(std::string message) const {
  message += '\0';
  for (std::size_t sent = 0; sent < message.size();) {
    const ssize_t count = ::write(to, message.data() + sent, message.size() - sent);
    if (count < 0 && errno != EINTR) {
      fail("it does not take commands any more");
    }
    sent += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
}

Json Browser::State::receive(Clock::time_point deadline) {
  std::size_t searched = 0;
  while (true) {
    if (const std::size_t end = received.find('\0', searched); end != std::string::npos) {
      Json message = Json::parse(received.substr(0, end));
      received.erase(0, end + 1);
      return message;
    }
    searched = received.size();
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd readable{from, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&readable, 1, static_cast<int>(left.count())) == 0) {
      fail("no answer in time");
    }
    std::array<char, 65536> bytes{};
    const ssize_t count = ::read(from, bytes.data(), bytes.size());
    if (count == 0 || (count < 0 && errno != EINTR)) {
      fail("it has ended");
    }
    received.append(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  }
}

Json Browser::State::call(const std::string& method,
                          const Json& parameters,
                          const std::string& to_session) {
  Json command{{"id", ++last_call}, {"method", method}, {"params", parameters}};
  if (!to_session.empty()) {
    command["sessionId"] = to_session;
  }
  send(command.dump());
  const auto deadline = Clock::now() + kPatience;
  while (true) {
    const Json message = receive(deadline);
    if (message.value("id", 0) != last_call) {
      take(message);
    } else if (message.contains("error")) {
      fail(method + ": " + message.at("error").dump());
    } else {
      return message.at("result");
    }
  }
}

/// Notes what an event of the open page says.
void Browser::State::take(const Json& event) {
  const std::string method = event.value("method", "");
  const Json parameters = event.value("params", Json::object());
  if (method == "Target.targetCreated") {
    const Json& info = parameters.at("targetInfo");
    if (!target.empty() && info.at("type") == "page" && info.at("targetId") != target) {
      messages.push_back("it opened a window: " + info.at("url").get<std::string>());
    }
    return;
  }
  if (event.value("sessionId", "") != session) {
    return;
  }
  if (method == "Page.loadEventFired") {
    loaded = true;
  } else if (method == "Page.frameNavigated") {
    const std::string address = parameters.at("frame").at("url");
    if (address != page && address != "about:blank") {
      messages.push_back("it went to " + address);
    }
  } else if (method == "Page.javascriptDialogOpening") {
    messages.push_back("dialog: " + parameters.at("message").get<std::string>());
    // Sent without waiting: the page stands still until then.
    send(Json{{"id", ++last_call},
              {"method", "Page.handleJavaScriptDialog"},
              {"params", {{"accept", false}}},
              {"sessionId", session}}
             .dump());
  } else if (method == "Runtime.consoleAPICalled") {
    std::string text;
    for (const Json& argument : parameters.at("args")) {
      text += " " + argument.value("description", argument.value("value", Json()).dump());
    }
    messages.push_back("console." + parameters.at("type").get<std::string>() + ":" + text);
  } else if (method == "Runtime.exceptionThrown") {
    const Json& details = parameters.at("exceptionDetails");
    messages.push_back("exception: " + details.at("text").get<std::string>() + " " +
                       details.value("exception", Json::object()).value("description", ""));
  } else if (method == "Log.entryAdded") {
    const Json& entry = parameters.at("entry");
    messages.push_back(entry.at("source").get<std::string>() + ": " +
                       entry.at("text").get<std::string>());
  } else if (method == "Audits.issueAdded") {
    const Json& issue = parameters.at("issue");
    messages.push_back("issue: " + issue.at("code").get<std::string>() + " " +
                       issue.at("details").dump());
  } else if (method == "Network.requestWillBeSent") {
    const std::string address = parameters.at("request").at("url");
    if (address != page && !address.starts_with("data:")) {
      requests.push_back(address);
    }
  }
}

Json Browser::State::middle(const std::string& selector) {
  const Json result =
      ask("Runtime.evaluate",
          {{"returnByValue", true},
           {"expression",
            fmt::format("(() => {{ const e = document.querySelector({}); if (!e) return null; "
                        "e.scrollIntoView({{block: 'center', inline: 'center'}}); "
                        "const r = e.getBoundingClientRect(); "
                        "return {{x: r.x + r.width / 2, y: r.y + r.height / 2}}; }})()",
                        Json(selector).dump())}});
  const Json place = result.at("result").value("value", Json());
  if (place.is_null()) {
    throw std::runtime_error("no element matches " + selector);
  }
  return place;
}

void Browser::State::mouse(const std::string& type, const Json& place) {
  Json event{{"type", type}, {"x", place.at("x")}, {"y", place.at("y")}};
  if (type != "mouseMoved") {
    event["button"] = "left";
    event["clickCount"] = 1;
  }
  ask("Input.dispatchMouseEvent", event);
}

Browser::Browser() : state_(std::make_unique<State>()) {
  state_->start();
}

Browser::~Browser() {
  state_->stop();
}

void Browser::open(const fs::path& page, const PageOptions& options) {
  State& state = *state_;
  if (!state.context.empty()) {
    const std::string old = std::exchange(state.target, "");
    state.call("Target.closeTarget", {{"targetId", old}}, "");
    state.call("Target.disposeBrowserContext", {{"browserContextId", state.context}}, "");
  }
  state.context =
      state.call("Target.createBrowserContext", Json::object(), "").at("browserContextId");
  state.target = state
                     .call("Target.createTarget",
                           {{"url", "about:blank"}, {"browserContextId", state.context}},
                           "")
                     .at("targetId");
  state.session =
      state.call("Target.attachToTarget", {{"targetId", state.target}, {"flatten", true}}, "")
          .at("sessionId");
  for (const char* domain : {"Page", "Runtime", "Log", "Network", "Audits"}) {
    state.ask(std::string(domain) + ".enable");
  }
  state.ask("Emulation.setFocusEmulationEnabled", {{"enabled", true}});
  state.ask("Emulation.setScriptExecutionDisabled", {{"value", !options.scripts}});
  show(options);
  state.messages.clear();
  state.requests.clear();
  state.loaded = false;
  state.page = "file://" + fs::absolute(page).string();
  const Json answer = state.ask("Page.navigate", {{"url", state.page}});
  if (answer.contains("errorText")) {
    state.fail(state.page + ": " + answer.at("errorText").get<std::string>());
  }
  for (const auto deadline = Clock::now() + kPatience; !state.loaded;) {
    state.take(state.receive(deadline));
  }
  if (options.scripts) {
    settle();
  }
}

void Browser::show(const PageOptions& options) {
  state_->ask("Emulation.setDeviceMetricsOverride",
              {{"width", options.width},
               {"height", options.height},
               {"deviceScaleFactor", 1},
               {"mobile", false}});
  state_->ask("Emulation.setEmulatedMedia",
              {{"media", options.medium},
               {"features",
                {{{"name", "prefers-color-scheme"}, {"value", options.scheme}},
                 {{"name", "prefers-reduced-motion"}, {"value", "reduce"}}}}});
}

Json Browser::evaluate(const std::string& expression) {
  const Json answer =
      state_->ask("Runtime.evaluate",
                  {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
  if (answer.contains("exceptionDetails")) {
    const Json& details = answer.at("exceptionDetails");
    throw std::runtime_error("in the page: " +
                             details.value("exception", Json::object())
                                 .value("description", details.at("text").get<std::string>()));
  }
  return answer.at("result").value("value", Json());
}

void Browser::press(const std::string& key) {
  const bool shift = key.starts_with("Shift+");
  const Key& pressed = kKeys.at(shift ? key.substr(6) : key);
  Json event{{"type", pressed.text.empty() ? "rawKeyDown" : "keyDown"},
             {"key", pressed.code == "Space" ? " " : pressed.code},
             {"code", pressed.code},
             {"windowsVirtualKeyCode", pressed.number},
             {"modifiers", shift ? 8 : 0}};
  if (!pressed.text.empty()) {
    event["text"] = pressed.text;
  }
  state_->ask("Input.dispatchKeyEvent", event);
  event.erase("text");
  event["type"] = "keyUp";
  state_->ask("Input.dispatchKeyEvent", event);
}

void Browser::hover(const std::string& selector) {
  state_->middle(selector);
  settle();  // it may have scrolled
  state_->mouse("mouseMoved", state_->middle(selector));
  settle();
}

void Browser::click(const std::string& selector) {
  state_->middle(selector);
  settle();
  const Json place = state_->middle(selector);
  for (const char* type : {"mouseMoved", "mousePressed", "mouseReleased"}) {
    state_->mouse(type, place);
  }
  settle();
}

void Browser::settle() {
  evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))");
}

std::vector<std::string> Browser::nameless() {
  static const std::set<std::string> kNamed{
      "button",  "checkbox",    "combobox",          "dialog",   "heading",   "image",
      "img",     "link",        "listbox",           "menuitem", "meter",     "radio",
      "region",  "slider",      "spinbutton",        "switch",   "searchbox", "tab",
      "textbox", "progressbar", "DisclosureTriangle"};
  std::vector<std::string> found;
  const Json tree = state_->ask("Accessibility.getFullAXTree");
  for (const Json& node : tree.at("nodes")) {
    if (node.value("ignored", false) || !node.contains("role")) {
      continue;
    }
    const std::string role = node.at("role").value("value", "");
    const Json name = node.value("name", Json::object()).value("value", Json(""));
    if (kNamed.contains(role) && (!name.is_string() || name.get<std::string>().find_first_not_of(
                                                           " \t\n") == std::string::npos)) {
      const Json element =
          state_->ask("DOM.describeNode", {{"backendNodeId", node.at("backendDOMNodeId")}})
              .at("node");
      found.push_back(fmt::format("{} <{}> {}",
                                  role,
                                  element.at("localName").get<std::string>(),
                                  element.value("attributes", Json::array()).dump()));
    }
  }
  return found;
}

std::string Browser::pdf() {
  return decoded(
      state_
          ->ask("Page.printToPDF",
                {{"preferCSSPageSize", true}, {"paperWidth", 8.27}, {"paperHeight", 11.69}})
          .at("data"));
}

std::string Browser::screenshot() {
  return decoded(state_->ask("Page.captureScreenshot").at("data"));
}

const std::vector<std::string>& Browser::messages() const {
  return state_->messages;
}

const std::vector<std::string>& Browser::requests() const {
  return state_->requests;
}

}  // namespace sar::test
