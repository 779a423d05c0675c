#include "results/figures/examples.h"

#include "harness/core/base64.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "results/figures/example_picture.h"
#include "tests/support/error_code.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>

namespace {

using Catch::Matchers::Contains;
using sar::Example;
using sar::ExitCode;
using sar::Json;

/// A product whose images Pillow made (tests/reference/results/make_examples.py).
Json reference_product() {
  return sar::read_json(std::filesystem::path(SARBENCH_REFERENCE_DIR) / "results/examples.json");
}

/// A product in a file, with the SHA-256 that the database would know.
class Product {
 public:
  explicit Product(const Json& content) : Product(content.dump()) {}
  explicit Product(const std::string& content) : sha256_(sar::sha256(content)) {
    sar::write_file_atomically(path(), content);
  }
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "product.json"; }
  std::vector<Example> read() const { return sar::read_examples(path(), sha256_); }

 private:
  sar::TemporaryFolder folder_;
  std::string sha256_;
};

/// The error of a call that has to fail.
sar::Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const sar::Error& error) {
    return error;
  }
  FAIL("no error");
  return sar::internal_error("not reached");
}

/// What reading says about the first example after a change.
std::string refusal(const std::function<void(Json&)>& change) {
  Json product = reference_product();
  change(product.at("examples").at(0));
  const Product file(product);
  const sar::Error error = error_of([&] { file.read(); });
  CHECK(error.code() == ExitCode::data_invalid);
  const std::string text = error.what();
  CHECK_THAT(text, Contains(file.path().string()));
  return text;
}

TEST_CASE("examples are read as they were written") {
  const std::vector<Example> examples = Product(reference_product()).read();
  REQUIRE(examples.size() == 3);
  const Example& first = examples[0];
  CHECK(first.case_id == "Brats18_A_1");
  CHECK(first.target == "tumor");
  CHECK(first.bucket == "S");
  CHECK(first.places == std::vector<std::string>{"best"});
  CHECK(first.dice == 81.25);
  CHECK(first.centre == "truth");
  CHECK(first.oriented);
  REQUIRE(first.slices.size() == 3);
  const sar::ExampleSlice& coronal = first.slices[1];
  CHECK(coronal.plane == "coronal");
  CHECK(coronal.index == 2);
  CHECK(coronal.width == 6);
  CHECK(coronal.height == 4);
  CHECK(coronal.pixel_mm == std::array<double, 2>{1, 2.5});
  CHECK(coronal.png.starts_with("\x89PNG"));
  CHECK(coronal.truth == sar::Contours{{1, 1, 3, 1, 3, 3, 1, 3}});
  CHECK(coronal.prediction == sar::Contours{{2, 1, 5, 1, 5, 3, 4, 3, 4, 2, 2, 2}});
  CHECK(examples[1].places == std::vector<std::string>{"median", "worst"});
  CHECK(examples[1].slices[0].truth.size() == 2);
  CHECK(examples[1].slices[0].prediction.empty());
  CHECK(examples[2].centre == "prediction");
  CHECK_FALSE(examples[2].oriented);
}

TEST_CASE("each reason why there are no examples is told apart") {
  const Product product(reference_product());
  const auto gone = error_of(
      [&] { sar::read_examples(product.path().string() + ".gone", std::string(64, '0')); });
  CHECK(gone.code() == ExitCode::data_not_found);
  CHECK_THAT(gone.message(), Contains("is gone"));

  const auto changed = error_of([&] { sar::read_examples(product.path(), std::string(64, '0')); });
  CHECK(changed.code() == ExitCode::data_invalid);
  CHECK_THAT(changed.message(), Contains("was changed since it was written"));

  Json older = reference_product();
  older.erase("examples");
  const Product before(older);
  const auto not_kept = error_of([&] { before.read(); });
  CHECK(not_kept.code() == ExitCode::results_missing);
  CHECK_THAT(not_kept.message(), Contains("before example slices were kept"));

  Json without = reference_product();
  without["examples"] = nullptr;
  const Product off(without);
  const auto turned_off = error_of([&] { off.read(); });
  CHECK(turned_off.code() == ExitCode::results_missing);
  CHECK_THAT(turned_off.message(), Contains("output.example_slices = false"));

  Json none = reference_product();
  none["examples"] = Json::array();
  CHECK(Product(none).read().empty());
}

TEST_CASE("a file that is not a product is refused") {
  for (const char* content : {"", "[]", "{", "null", "{\"examples\":[1", "\xff\xfe"}) {
    INFO(content);
    const Product product{std::string(content)};
    CHECK(sar::test::code_of([&] { product.read(); }) == ExitCode::data_invalid);
  }
  for (const char* content : {R"({"examples":{}})", R"({"examples":7})", R"({"examples":[7]})"}) {
    INFO(content);
    const Product product{std::string(content)};
    CHECK(sar::test::code_of([&] { product.read(); }) == ExitCode::data_invalid);
  }
  const sar::TemporaryFolder folder;
  CHECK(sar::test::code_of([&] { sar::read_examples(folder.path(), ""); }) ==
        ExitCode::data_invalid);
}

TEST_CASE("an example with a field that is missing or of another kind is refused by its name") {
  for (const char* field :
       {"case_id", "target", "bucket", "places", "dice", "centre", "orientation", "slices"}) {
    INFO(field);
    CHECK_THAT(refusal([&](Json& example) { example.erase(field); }), Contains(field));
    CHECK_THAT(refusal([&](Json& example) { example[field] = Json::object(); }), Contains(field));
  }
  for (const char* field :
       {"plane", "index", "width", "height", "pixel_mm", "image_png", "truth", "prediction"}) {
    INFO(field);
    const std::string missing =
        refusal([&](Json& example) { example.at("slices").at(1).erase(field); });
    CHECK_THAT(missing, Contains(field));
    CHECK_THAT(missing, Contains("Brats18_A_1"));
    CHECK_THAT(refusal([&](Json& example) { example.at("slices").at(1)[field] = Json::object(); }),
               Contains(field));
  }
}

TEST_CASE("numbers and choices out of range are refused") {
  const std::vector<std::function<void(Json&)>> changes{
      [](Json& e) { e["target"] = "organ"; },
      [](Json& e) { e["bucket"] = "XL"; },
      [](Json& e) { e["places"] = Json::array(); },
      [](Json& e) {
        e["places"] = {"best", "best"};
      },
      [](Json& e) { e["places"] = {"second"}; },
      [](Json& e) { e["dice"] = 100.5; },
      [](Json& e) { e["dice"] = -1; },
      [](Json& e) { e["dice"] = nullptr; },
      [](Json& e) { e["slices"].erase(2); },
      [](Json& e) { e["slices"].push_back(e["slices"][0]); },
      [](Json& e) { std::swap(e["slices"][0], e["slices"][1]); },
      [](Json& e) { e["slices"][0]["index"] = -1; },
      [](Json& e) { e["slices"][0]["index"] = 1.5; },
      [](Json& e) { e["slices"][0]["width"] = 0; },
      [](Json& e) { e["slices"][0]["width"] = 7; },  // not the image's
      [](Json& e) { e["slices"][0]["height"] = 4294967301; },
      [](Json& e) { e["slices"][0]["height"] = 18446744073709551615U; },
      [](Json& e) { e["slices"][0]["pixel_mm"] = {1}; },
      [](Json& e) {
        e["slices"][0]["pixel_mm"] = {1, 0};
      },
      [](Json& e) {
        e["slices"][0]["pixel_mm"] = {1, 1e300};
      },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    INFO(i);
    CHECK_THAT(refusal(changes[i]), Contains("Brats18_A_1"));
  }
}

TEST_CASE("an image that is not a grey PNG of its size is refused") {
  const std::string png = sar::from_base64(
      reference_product()["examples"][0]["slices"][0]["image_png"].get<std::string>());
  const auto with = [&](const std::string& text) {
    return [text](Json& e) { e["slices"][0]["image_png"] = text; };
  };
  CHECK_THAT(refusal(with("")), Contains("image_png"));
  CHECK_THAT(refusal(with(sar::base64(png) + "\n")), Contains("not base64"));
  CHECK_THAT(refusal(with("\"/><script>")), Contains("not base64"));
  CHECK_THAT(refusal(with(sar::base64("GIF89a"))), Contains("not a grey PNG"));
  CHECK_THAT(refusal(with(sar::base64(png.substr(0, 20)))), Contains("not a grey PNG"));
  std::string colour = png;
  colour[25] = 2;
  CHECK_THAT(refusal(with(sar::base64(colour))), Contains("not a grey PNG"));
}

TEST_CASE("a line that leaves the picture or the edges of pixels is refused") {
  for (const Json& line :
       std::vector<Json>{Json::array(),
                         {1, 1, 3, 1, 3, 3},        // open
                         {1, 1, 3, 1, 3, 3, 1},     // half a corner
                         {1, 1, 3, 2, 3, 3, 1, 3},  // oblique
                         {1, 1, 1, 1, 3, 3, 1, 3},  // an edge without length
                         {1, 1, 3, 1, 3, 3, 2, 3},  // does not close along an edge
                         {1, 1, 7, 1, 7, 3, 1, 3},  // beyond the picture
                         {-1, 1, 3, 1, 3, 3, -1, 3},
                         {1.5, 1, 3, 1, 3, 3, 1.5, 3},
                         {1, 1, 3, 1, 3, 3, 1, "3"},
                         {1, 1, 3, 1, 3, 3, 1, nullptr}}) {
    INFO(line.dump());
    CHECK_THAT(refusal([&](Json& e) { e["slices"][0]["truth"] = {line}; }), Contains("truth"));
    CHECK_THAT(refusal([&](Json& e) { e["slices"][0]["prediction"] = {line}; }),
               Contains("prediction"));
  }
}

TEST_CASE("case ids that a terminal or a page would obey are refused, unprinted") {
  for (const std::string& id : {std::string(),
                                std::string("a\nb"),
                                std::string("a\x1b[2J"),
                                std::string("a\0b", 3),
                                std::string("a\xC2\x9B"),  // control sequence introducer
                                std::string("a\xE2\x80\xAE"
                                            "b"),  // right-to-left override
                                std::string(201, 'a')}) {
    const std::string text = refusal([&](Json& e) { e["case_id"] = id; });
    CHECK_THAT(text, Contains("case_id"));
    CHECK_THAT(text, Contains("number 1"));
    CHECK((id.empty() || text.find(id) == std::string::npos));
  }
}

/// The first example under another id, with its picture.
Example example_named(const std::string& id) {
  Json product = reference_product();
  product["examples"][0]["case_id"] = id;
  return Product(product).read().front();
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto place = text.find(part); place != std::string::npos;
       place = text.find(part, place + 1)) {
    ++count;
  }
  return count;
}

TEST_CASE("an outline becomes a closed path in pixels or to a scale") {
  CHECK(sar::outline_path({}).empty());
  CHECK(sar::outline_path({{1, 1, 3, 1, 3, 3, 1, 3}}) == "M1 1L3 1L3 3L1 3Z");
  CHECK(sar::outline_path({{0, 0, 1, 0, 1, 1, 0, 1}, {2, 2, 4, 2, 4, 3, 2, 3}}, 2.5, 0.5) ==
        "M0 0L2.5 0L2.5 0.5L0 0.5ZM5 1L10 1L10 1.5L5 1.5Z");
}

TEST_CASE("the drawing shows three planes at one scale with both outlines and says what they are") {
  const auto examples = Product(reference_product()).read();
  const std::string svg = sar::example_svg(examples[0]);
  CHECK_THAT(svg, Contains("Brats18_A_1: best of size bucket S, Dice 81.2 %"));
  CHECK_THAT(
      svg,
      Contains("axial, slice 2") && Contains("coronal, slice 2") && Contains("sagittal, slice 3"));
  CHECK(count_of(svg, "<image ") == 3);
  CHECK(count_of(svg, "stroke-dasharray") == 4);  // three predictions and the legend
  CHECK_THAT(svg, Contains(sar::base64(examples[0].slices[0].png)));
  // 6, 6 and 5 mm across in 794 pixels: 6 mm are 280.235, coronal 4 * 2.5 mm high 467.059 are too
  // high for 400, so that the scale is 40 pixels a millimetre.
  CHECK_THAT(svg, Contains("<image width=\"240.000\" height=\"200.000\""));
  CHECK_THAT(svg, Contains("<image width=\"240.000\" height=\"400.000\""));
  CHECK_THAT(svg, Contains("<image width=\"200.000\" height=\"400.000\""));
  CHECK_THAT(svg, Contains("M40 100L120 100L120 300L40 300Z"));  // coronal truth
  CHECK(svg.find("assumed") == std::string::npos);

  CHECK_THAT(sar::example_svg(examples[1]),
             Contains("median and worst of size bucket S") && Contains("no predicted one"));
  CHECK_THAT(sar::example_svg(examples[2]),
             Contains("the only case of size bucket L") && Contains("No true tumour") &&
                 Contains("sides: they are assumed"));
  CHECK(sar::example_svg(examples[0]) == svg);
}

TEST_CASE("case ids are text in the drawing, whatever they hold") {
  const std::string id = "<script>&\"'`echo`$(x)%s{/Symbol a}\\n";
  const Example example = example_named(id);
  const std::string svg = sar::example_svg(example);
  CHECK(svg.find("<script") == std::string::npos);
  CHECK_THAT(svg, Contains("&lt;script&gt;&amp;\"'`echo`$(x)%s{/Symbol a}\\n: best"));
  // An id of many bytes is cut between its letters.
  const std::string longer = sar::example_svg(example_named(std::string(39, 'a') + "äöüß"));
  CHECK_THAT(longer, Contains(">" + std::string(39, 'a') + "…: best"));
}

TEST_CASE("gnuplot draws the same picture as a PNG and runs nothing that an id says") {
  const sar::TemporaryFolder folder;
  const auto witness = folder.path() / "ran";
  const Example example = example_named("a`touch " + witness.string() + "`'; system \"touch " +
                                        witness.string() + "\"");
  const std::string png = sar::example_png(example);
  CHECK_FALSE(std::filesystem::exists(witness));
  REQUIRE(png.starts_with("\x89PNG"));
  const auto number = [&](std::size_t place) {
    return static_cast<unsigned char>(png[place]) * 256 +
           static_cast<unsigned char>(png[place + 1]);
  };
  CHECK(number(18) == 2 * 786);  // width: 26 + 12 + 2 * 34 + 17 * 40
  CHECK(number(22) == 2 * 522);  // height: 70 + 400 + 52
  CHECK(sar::example_png(example) == png);
}

}  // namespace
