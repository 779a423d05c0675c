#include "results/paper/data_sheet.h"

#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

namespace sar::data_sheet_test {

Paper sar_paper() {
  return read_paper(std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021");
}

Json set(const std::string& id, int patients, int volumes, const Json& shape, const Json& cubes) {
  return {{"dataset", id},
          {"paper_name", id},
          {"modality", id == "brats" || id == "heart" ? "MRI" : "CT"},
          {"organ", id == "brats" ? "Brain" : "Lung"},
          {"patients", patients},
          {"volumes", volumes},
          {"median_shape_voxels", shape},
          {"median_prepared_shape_voxels", {138, 169, 138}},
          {"cubes", {{"small", cubes[0]}, {"medium", cubes[1]}, {"large", cubes[2]}}}};
}

TEST_CASE("Table 1 names each difference between the data at hand and the printed counts") {
  const Paper paper = sar_paper();
  const ProtocolRow protocol = test::protocol_row("p", "real");
  const Json survey{{"datasets",
                     {set("luna", 623, 623, {238, 512, 512}, {19936, 9968, 9968}),
                      set("brats", 190, 760, {138.5, 169, 138}, {24320, 12160, 12000})}}};
  const Sheet sheet = data_sheet("table1", "Data", {"luna", "brats"}, survey, &protocol, &paper);
  const Json& rows = sheet.json.at("rows");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].at("differences").empty());
  CHECK(rows[0].at("printed") == Json{{"cases", "623"},
                                      {"volumes", 623},
                                      {"modality", "CT"},
                                      {"organ", "Lung"},
                                      {"median_shape", "238×512×512"},
                                      {"cubes", {19936, 9968, 9968}}});
  CHECK(rows[1].at("measured").at("cases") == "190x4");
  CHECK(rows[1].at("measured").at("volumes") == 760);
  CHECK(rows[1].at("differences") ==
        Json{"median shape 138.5×169×138 as scanned, 138×169×138 as prepared (cropped, resampled), "
             "instead of 138×169×138",
             "12000 large cubes instead of 12160"});
  const std::string text = written(document_of(sheet), "text");
  CHECK_THAT(text, Catch::Contains("LUNA2016: as printed."));
  CHECK_THAT(text, Catch::Contains("12000 large cubes instead of 12160"));
  CHECK_THAT(text, !Catch::Contains("phantom"));
}

TEST_CASE("Table 1 of phantoms says so, and without a count it is what the paper prints") {
  const Paper paper = sar_paper();
  const ProtocolRow protocol = test::protocol_row("p", "phantom");
  const Json survey{{"datasets", {set("luna", 2, 2, {34, 48, 48}, {4, 2, 2})}}};
  const Sheet phantom = data_sheet("table1", "Data", {"luna"}, survey, &protocol, &paper);
  CHECK_THAT(written(document_of(phantom), "text"), Catch::Contains("[phantom data]"));
  CHECK_THAT(written(document_of(phantom), "md"), Catch::Contains("smaller by design"));
  CHECK(document_of(phantom).json.at("data_kind") == "phantom");
  CHECK(phantom.json.at("source") == "both");
  const std::string csv = written(document_of(phantom), "csv");
  CHECK_THAT(csv, Catch::Contains("LUNA2016,printed,") && Catch::Contains("9968,,\n"));
  CHECK_THAT(csv, Catch::Contains(",measured,") && Catch::EndsWith(",2,2,phantom,p\n"));

  const Sheet published = data_sheet("table1", "Data", {"luna", "heart"}, nullptr, nullptr, &paper);
  CHECK(published.json.at("source") == "published");
  CHECK(published.rows.size() == 2);
  CHECK(published.json.at("rows")[1].at("measured").is_null());

  const Sheet alone = data_sheet("table1", "Data", {"luna"}, survey, &protocol, nullptr);
  CHECK(alone.json.at("source") == "measured");
  CHECK(alone.json.at("rows")[0].at("printed").is_null());
}

}  // namespace sar::data_sheet_test
