#include "datasets/listing.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"

#include <algorithm>
#include <set>
#include <sstream>

namespace sar::datasets {
namespace fs = std::filesystem;

std::vector<fs::path> image_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::vector<fs::path> folders;  // with the name of an image
  if (!fs::is_directory(folder)) {
    throw not_found_error("folder of the data set is not there").with("folder", folder.string());
  }
  fs::recursive_directory_iterator entry(folder, fs::directory_options::follow_directory_symlink);
  for (; entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->path().filename().string().starts_with('.')) {
      entry.disable_recursion_pending();
      continue;
    }
    const std::string extension = extension_of(entry->path());
    const bool image =
        extension == ".nii" || extension == ".nii.gz" || extension == ".mhd" || extension == ".mha";
    if (image) {  // also a broken link: it must not vanish unseen
      (entry->is_directory() ? folders : files).push_back(entry->path());
    }
  }
  for (const fs::path& named : folders) {
    const std::string inside = (named / "").string();
    if (std::ranges::none_of(
            files, [&](const fs::path& file) { return file.string().starts_with(inside); })) {
      files.push_back(named);  // a folder in place of an image, unlike one around it
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string stem_of(const fs::path& path) {
  std::string name = path.filename().string();
  name.resize(name.size() - extension_of(path).size());
  return name;
}

Listing finish(Listing listing, const fs::path& root, std::string_view layout) {
  if (listing.cases.empty() && listing.problems.empty()) {
    throw not_found_error("no case of the data set is there")
        .with("folder", root.string())
        .hint("expected below that folder: " + std::string(layout));
  }
  std::stable_sort(listing.cases.begin(),
                   listing.cases.end(),
                   [](const CaseRecord& a, const CaseRecord& b) { return a.id < b.id; });
  for (const CaseRecord& record : listing.cases) {
    std::vector<fs::path> files{record.id, record.label};
    for (const auto& [channel, file] : record.images) {
      files.push_back(file);
    }
    for (const fs::path& file : files) {
      if (!is_utf8(file.string())) {
        throw data_error("the name of a case or of its file is not UTF-8")
            .with("file", file.string())
            .hint("rename it");
      }
    }
  }
  for (std::size_t i = 1; i < listing.cases.size(); ++i) {
    const CaseRecord& record = listing.cases[i];
    if (record.id == listing.cases[i - 1].id) {
      const fs::path file = record.images.empty() ? fs::path() : record.images.begin()->second;
      listing.problems.push_back({"duplicate-id", record.id, file, "id occurs more than once"});
    }
  }
  return listing;
}

Listing scan_decathlon(const fs::path& root,
                       std::string_view task_folder,
                       const std::string& channel,
                       std::string_view layout) {
  fs::path folder = root;
  if (!fs::exists(root / "dataset.json")) {
    folder = root / task_folder;
    if (!fs::exists(folder / "dataset.json")) {
      throw not_found_error("no dataset.json in the folder of the data set")
          .with("folder", root.string())
          .hint("expected below that folder: " + std::string(layout));
    }
  }
  const fs::path index_path = folder / "dataset.json";
  const Json index = read_json(index_path);

  Listing listing;
  std::set<fs::path> named;
  const auto located = [&](const std::string& entry) {
    fs::path file = (folder / entry).lexically_normal();
    named.insert(file);
    return file;
  };
  const auto require = [&](const fs::path& file, const std::string& id) {
    if (!fs::exists(file)) {
      listing.problems.push_back({"layout", id, file, "named in dataset.json but not there"});
    }
  };
  try {
    for (const Json& entry : index.at("training")) {
      CaseRecord record;
      const fs::path image = located(entry.at("image").get<std::string>());
      record.id = stem_of(image);
      record.patient = record.id;
      record.images[channel] = image;
      record.label = located(entry.at("label").get<std::string>());
      record.group = "training";
      require(image, record.id);
      require(record.label, record.id);
      listing.cases.push_back(std::move(record));
    }
    for (const Json& entry : index.value("test", Json::array())) {
      CaseRecord record;
      const fs::path image = located(entry.get<std::string>());
      record.id = stem_of(image);
      record.patient = record.id;
      record.images[channel] = image;
      record.group = "test";
      if (fs::exists(image.parent_path())) {
        require(image, record.id);
        listing.cases.push_back(std::move(record));
      }
    }
  } catch (const Json::exception& exception) {
    throw data_error("index file is not of the Decathlon's form")
        .with("file", index_path.string())
        .with("reason", exception.what());
  }
  for (const char* name : {"imagesTr", "labelsTr", "imagesTs"}) {
    if (fs::exists(folder / name)) {
      for (const fs::path& file : image_files(folder / name)) {
        if (!named.contains(file.lexically_normal())) {
          listing.problems.push_back({"layout", stem_of(file), file, "not named in dataset.json"});
        }
      }
    }
  }
  return finish(std::move(listing), root, layout);
}

KeySpec list_key(std::string_view dataset, int gap) {
  KeySpec key;
  key.name = std::string(dataset) + ".list";
  key.default_value = "";
  key.meaning = "file with the ids of the cases to use, one a line; empty: all";
  key.gap = gap;
  return key;
}

std::vector<CaseRecord> choose(const std::vector<CaseRecord>& cases,
                               const Settings& settings,
                               std::string_view dataset) {
  const std::string key = std::string(dataset) + ".list";
  const fs::path path = settings.text(key);
  if (path.empty()) {
    return cases;
  }
  std::set<std::string> wanted;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) {
      continue;
    }
    const std::string id = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    if (!wanted.insert(id).second) {
      throw data_error("case list names a case twice")
          .with("case", id)
          .with("file", path.string())
          .with("key", key);
    }
  }
  if (wanted.empty()) {
    throw data_error("case list names no case").with("file", path.string()).with("key", key);
  }
  std::vector<CaseRecord> chosen;
  for (const CaseRecord& record : cases) {
    if (wanted.erase(record.id) > 0) {
      chosen.push_back(record);
    }
  }
  if (!wanted.empty()) {
    std::vector<std::string> ids;
    for (const CaseRecord& record : cases) {
      ids.push_back(record.id);
    }
    Error error = not_found_error("case list names cases that are not there")
                      .with("first of " + std::to_string(wanted.size()), *wanted.begin())
                      .with("file", path.string())
                      .with("key", key);
    const std::string nearest = nearest_match(*wanted.begin(), ids);
    throw nearest.empty() ? error : std::move(error).hint("did you mean " + nearest + "?");
  }
  return chosen;
}

}  // namespace sar::datasets
